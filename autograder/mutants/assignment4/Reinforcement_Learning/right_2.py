"""Right with other algebra: ties by permutation, a filter, logsumexp; training of one's own."""

import numpy as np
import torch
import torch.nn as nn


# %% start from solutions
# %% cell epsilon-greedy-code
def epsilon_greedy(q_values, epsilon, rng):
    order = rng.permutation(len(q_values))  # the first of the best in a random order
    explores = rng.random() < epsilon
    return int(order[0] if explores else order[np.argmax(np.asarray(q_values)[order])])


# %% cell q-update-code
def q_learning_update(Q, s, a, r, s_next, terminated, alpha, gamma):
    before = float(Q[s, a])
    target = r + gamma * (1 - bool(terminated)) * Q[s_next].max()
    Q[s, a] = (1 - alpha) * before + alpha * target
    return target - before


# %% cell q-training-code
def one_episode(env, state, Q, rng, alpha, gamma, epsilon):
    total = 0.0
    while True:
        action = epsilon_greedy(Q[state], epsilon, rng)
        after, reward, terminated, truncated, _ = env.step(action)
        total += reward
        best = 0.0 if terminated else Q[after].max()
        Q[state, action] += alpha * (reward + gamma * best - Q[state, action])
        if terminated or truncated:
            return total
        state = after


def train_q_learning(env, episodes, alpha=0.5, gamma=1.0, epsilon=0.1, seed=0):
    Q = np.zeros((int(env.observation_space.n), int(env.action_space.n)))
    rng = np.random.default_rng(seed)
    state, _ = env.reset(seed=seed)
    returns = []
    while len(returns) < episodes:
        returns.append(one_episode(env, state, Q, rng, alpha, gamma, epsilon))
        if len(returns) < episodes:
            state, _ = env.reset()
    return Q, np.asarray(returns)


# %% cell returns-code
def discounted_returns(rewards, gamma):
    from scipy.signal import lfilter

    backwards = np.asarray(rewards, dtype=np.float64)[::-1]
    return lfilter([1.0], [1.0, -gamma], backwards)[::-1].copy()


# %% cell pg-loss-code
def policy_gradient_loss(logits, actions, advantages):
    T = logits.shape[0]
    chosen = logits[torch.arange(T, device=logits.device), actions]
    log_probs = chosen - torch.logsumexp(logits, dim=-1)
    return -torch.dot(log_probs, advantages.detach()) / T


# %% cell actor-critic-code
def actor_critic_losses(logits, values, actions, rewards, next_values, terminated, gamma):
    bootstrap = torch.where(terminated, torch.zeros_like(next_values), next_values)
    delta = (rewards + gamma * bootstrap).detach() - values
    return policy_gradient_loss(logits, actions, delta.detach()), delta.pow(2).mean()


# %% cell agents-code
def my_training(kind, seed, updates):
    gen = np.random.default_rng(seed)
    torch.manual_seed(seed)
    actor = nn.Sequential(
        nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 2)
    )
    critic = nn.Sequential(nn.Linear(4, 64), nn.Tanh(), nn.Linear(64, 1))
    both = torch.optim.Adam(
        [{"params": actor.parameters(), "lr": 0.01}, {"params": critic.parameters(), "lr": 0.02}]
    )
    for _ in range(updates):
        episodes = play_episodes(actor, 10, gen, 200)
        b = stacked(episodes)
        G = returns_of(episodes, 0.97)
        passes = 1 if kind == "reinforce" else 10
        for i in range(passes):
            v = critic(b.observations)[:, 0]
            if kind == "actor-critic":
                with torch.no_grad():
                    v_next = critic(b.next_observations)[:, 0]
                p_loss, v_loss = actor_critic_losses(
                    actor(b.observations), v, b.actions, b.rewards, v_next, b.terminated, 0.97
                )
            else:
                weight = G if kind == "reinforce" else G - v
                p_loss = policy_gradient_loss(actor(b.observations), b.actions, weight)
                v_loss = ((v - G) ** 2).mean()
            loss = v_loss + (p_loss if i == passes - 1 else 0)
            both.zero_grad()
            loss.backward()
            both.step()
    return actor


agents = {}
for kind in ("reinforce", "baseline", "actor-critic"):
    for attempt in range(11, 15):
        agents[kind] = my_training(kind, attempt, 30)
        lengths = [len(e.rewards) for e in play_episodes(agents[kind], 20, np.random.default_rng())]
        if sum(lengths) > 20 * 200:
            break
