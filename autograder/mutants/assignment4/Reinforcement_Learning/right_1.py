"""Right in the style of public solutions: Categorical, lists that grow, one_hot, MSE of F."""

import numpy as np
import torch
import torch.nn.functional as F


# %% start from solutions
# %% cell epsilon-greedy-code
def epsilon_greedy(q_values, epsilon, rng):
    n = q_values.shape[0]
    if rng.uniform() >= epsilon:
        candidates = [i for i in range(n) if q_values[i] == max(q_values)]
        return candidates[rng.integers(0, len(candidates))]
    return rng.choice(n)


# %% cell q-update-code
def q_learning_update(Q, s, a, r, s_next, terminated, alpha, gamma):
    if terminated:
        td_target = r
    else:
        best_next = max(Q[s_next, b] for b in range(Q.shape[1]))
        td_target = r + gamma * best_next
    td_error = td_target - Q[s][a]
    Q[s][a] = Q[s][a] + alpha * td_error
    return td_error


# %% cell q-training-code
def train_q_learning(env, episodes, alpha=0.5, gamma=1.0, epsilon=0.1, seed=0):
    n_states, n_actions = env.observation_space.n, env.action_space.n
    Q = np.zeros((n_states, n_actions), dtype=np.float64)
    rng = np.random.default_rng(seed)
    returns = []
    for i in range(episodes):
        if i == 0:
            state, info = env.reset(seed=seed)
        else:
            state, info = env.reset()
        total_reward = 0
        terminated = truncated = False
        while not (terminated or truncated):
            action = epsilon_greedy(Q[state, :], epsilon, rng)
            new_state, reward, terminated, truncated, info = env.step(action)
            q_learning_update(
                Q, state, action, reward, new_state, terminated, alpha=alpha, gamma=gamma
            )
            total_reward += reward
            state = new_state
        returns.append(total_reward)
    return Q, np.array(returns)


# %% cell returns-code
def discounted_returns(rewards, gamma):
    G = []
    R = 0
    for r in rewards[::-1]:
        R = r + gamma * R
        G.insert(0, R)
    return np.array(G, dtype=float)


# %% cell pg-loss-code
def policy_gradient_loss(logits, actions, advantages):
    dist = torch.distributions.Categorical(logits=logits)
    log_prob = dist.log_prob(actions)
    with torch.no_grad():
        adv = advantages.clone()
    return torch.mean(-log_prob * adv)


# %% cell actor-critic-code
def actor_critic_losses(logits, values, actions, rewards, next_values, terminated, gamma):
    with torch.no_grad():
        target = rewards + gamma * next_values * (1 - terminated.to(rewards.dtype))
        advantage = target - values
    log_prob = torch.distributions.Categorical(logits=logits).log_prob(actions)
    policy_loss = -(log_prob * advantage).mean()
    value_loss = F.mse_loss(values, target)
    return policy_loss, value_loss


# %% cell agents-code
def steps_kept(policy):
    return np.mean([e.total for e in play_episodes(policy, 15, np.random.default_rng(7))])


agents = {}
for name, rate in (("reinforce", 0.008), ("baseline", 0.012), ("actor-critic", 0.01)):
    runs = [
        train_agent(name, k, policy_rate=rate, critic_rate=0.03, critic_steps=12, hidden=48)[0]
        for k in (3, 4)
    ]
    agents[name] = max(runs, key=steps_kept)
