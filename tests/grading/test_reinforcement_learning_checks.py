"""Checks of the notebook on reinforcement learning: right answers pass, wrong ones lose."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.signal import lfilter
from torch.nn import functional

from autograder.checks.assignment4.reinforcement_learning import oracle, returns
from autograder.checks.assignment4.reinforcement_learning.world import World
from autograder.judge import Refused
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
from trial_notebook import TrialNotebook

QUESTIONS = {
    "epsilon-greedy-code": "epsilon-greedy",
    "q-update-code": "q-update",
    "q-training-code": "q-training",
    "returns-code": "returns",
    "pg-loss-code": "pg-loss",
    "actor-critic-code": "actor-critic",
}
GREEDY, UPDATE, TRAINING, RETURNS, LOSS, BOTH = QUESTIONS
TRIAL = TrialNotebook("assignment4", "Reinforcement_Learning", answers=tuple(QUESTIONS))
student_with = TRIAL.with_answers


# -- right answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRIAL.right, ids=lambda path: path.stem if path else "reference")
def test_right_solutions_pass_whatever_the_seed(zygote: Zygote, path) -> None:
    with student_with(zygote, TRIAL.solved(path)) as student:
        TRIAL.assert_right(student, QUESTIONS.values(), rounds(25))


def test_the_judges_losses_are_torchs() -> None:
    rng = np.random.default_rng(0)
    logits, actions, weights = rng.normal(size=(5, 3)), rng.integers(3, size=5), rng.normal(size=5)
    leaf = torch.from_numpy(logits).requires_grad_()
    each = functional.cross_entropy(leaf, torch.from_numpy(actions), reduction="none")
    loss = (each * torch.from_numpy(weights)).mean()
    loss.backward()
    np.testing.assert_allclose(oracle.policy_loss(logits, actions, weights), loss.item())
    np.testing.assert_allclose(oracle.policy_grad(logits, actions, weights), leaf.grad)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
def test_the_judges_returns_are_a_filter(gamma: float) -> None:
    rewards = np.random.default_rng(0).normal(size=9)
    want = lfilter([1.0], [1.0, -gamma], rewards[::-1])[::-1]
    np.testing.assert_allclose(returns.right(rewards, gamma), want)


def test_the_judges_table_converges_to_the_values_of_its_world() -> None:
    """Bellman's equation holds after many steps; nothing is random, so alpha may be 1."""
    world, rng = World(np.random.default_rng(0), 50, 0.2), np.random.default_rng(1)
    for _ in range(800):
        world.reset(None)
        over = False
        while not over:
            over = any(world.step(int(rng.integers(3)))[2:])
    Q = world.table(1.0, 0.8)
    future = np.where(world._ends, 0.0, 0.8 * Q.max(axis=1)[world._next])
    np.testing.assert_allclose(Q, world._reward + future, atol=1e-6)


def test_the_judges_world_ends_its_episodes() -> None:
    world = World(np.random.default_rng(0), 3, 0.0)
    world.reset(4)
    assert [world.step(0)[2:] for _ in range(3)] == [[False, False]] * 2 + [[False, True]]
    with pytest.raises(Refused, match="after the end of an episode"):
        world.step(0)
    assert world.seeds == [4]
    assert [len(episode) for episode in world.episodes] == [3]


# -- the classical traps: (cell, edit): the question's points, what is said ------------------------

WRONG = {
    "the first of equal actions": (
        GREEDY, ("int(rng.choice(best))", "int(np.argmax(q_values))"), 0.85,
        "of three equally good actions, it always takes the first",
    ),
    "epsilon upside down": (
        GREEDY, ("rng.random() < epsilon", "rng.random() >= epsilon"), 0.4,
        "it acts at random with probability 1 - epsilon",
    ),
    "explores among the others": (
        GREEDY,
        ("int(rng.integers(len(q_values)))",
         "int(rng.choice(np.delete(np.arange(len(q_values)), np.argmax(q_values))))"),
        0.7, "the best action is not among the random ones",
    ),
    "global random numbers": (
        GREEDY, ("rng.random() < epsilon", "np.random.random() < epsilon"), 0.95,
        "all random numbers come from rng",
    ),
    "bootstraps through the end": (
        UPDATE, ("r if terminated else r + gamma", "r + gamma"), 0.7,
        "the value of s_next is added although the episode has terminated",
    ),
    "the row of s": (
        UPDATE, ("np.max(Q[s_next])", "np.max(Q[s])"), 0.6,
        "the maximum is taken over the row of s, not of s_next",
    ),
    "a new table": (
        UPDATE, ("    Q[s, a] += alpha * error", "    Q = Q.copy()\n    Q[s, a] += alpha * error"),
        0.35, "Q is as it was: it is to be changed in place",
    ),
    "the change is returned": (
        UPDATE, ("    Q[s, a] += alpha * error", "    error *= alpha\n    Q[s, a] += error"), 0.8,
        "the change alpha * error is returned, not the error",
    ),
    "truncated taken for terminated": (
        TRAINING, ("s_next, terminated, alpha", "s_next, terminated or truncated, alpha"), 0.8,
        "truncated episodes are taken for terminated ones: their last step bootstraps",
    ),
    "goes on after truncation": (
        TRAINING, ("over = terminated or truncated", "over = terminated"), 0.7,
        "step was called after the end of an episode: reset begins the next one",
    ),
    "one seed for all episodes": (
        TRAINING, ("seed=seed if episode == 0 else None", "seed=seed"), 0.95,
        "a later env.reset is given a seed, too",
    ),
    "the last reward only": (
        TRAINING, ("returns[episode] += r", "returns[episode] = r"), 0.9,
        "these are the last rewards of the episodes",
    ),
    "looks back": (
        RETURNS, ("reversed(range(len(rewards)))", "range(len(rewards))"), 0.4, "it looks back",
    ),
    "integers": (RETURNS, ("np.zeros(len(rewards))", "np.zeros_like(rewards)"), 0.9,
                 "the returns are cut to integers"),
    "the sign of the loss": (LOSS, ("-(taken", "(taken"), 0.4, "the sign is wrong"),
    "a sum of losses": (LOSS, (".mean()", ".sum()"), 0.6, "the terms are added up"),
    "advantages that learn": (
        LOSS, ("advantages.detach()", "advantages"), 0.9, "a gradient flows into the advantages",
    ),
    "the logarithm of a softmax": (
        LOSS, ("F.log_softmax(logits, dim=1)", "F.softmax(logits, dim=1).log()"), 0.95,
        "with logits far apart the loss is nan or infinite",
    ),
    "actor-critic, through the end": (
        BOTH, (" * (~terminated)", ""), 0.6,
        "next values are added although the episode has terminated",
    ),
    "actor-critic, a target that moves": (
        BOTH, ("next_values.detach()", "next_values"), 0.9,
        "the target is a constant, but a gradient reaches next_values",
    ),
    "actor-critic, an advantage that moves": (
        BOTH,
        ("policy_loss = policy_gradient_loss(logits, actions, advantages)",
         "policy_loss = F.cross_entropy(logits, actions, reduction='none')\n"
         "    policy_loss = (policy_loss * (targets - values)).mean()"),
        0.9, "the advantage is a constant, but a gradient reaches values",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_typical_mistake_loses_points_and_is_named(shared: Student, what: str) -> None:
    cell, edit, at_most, said = WRONG[what]
    found = TRIAL.verdict(
        TRIAL.with_source(shared, cell, TRIAL.changed(cell, edit)[cell]), QUESTIONS[cell]
    )
    messages = TRIAL.failed(found, advice=False)
    assert any(said in message for message in messages.values()), messages
    assert found.score <= at_most, messages


# Answers to nothing: each earns at most this share of its question.
EMPTY = {
    "action 0": (GREEDY, "def epsilon_greedy(q_values, epsilon, rng): return 0"),
    "no change": (UPDATE, "def q_learning_update(*arguments): return 0.0"),
    "no episode": (TRAINING, "def train_q_learning(env, episodes, **more):\n"
                   "    return np.zeros((env.observation_space.n, env.action_space.n)), "
                   "np.zeros(episodes)"),
    "rewards": (RETURNS, "def discounted_returns(rewards, gamma): return 1.0 * rewards"),
    "zero": (LOSS, "def policy_gradient_loss(l, a, b): return 0 * l.sum()"),
    "two zeros": (BOTH, "def actor_critic_losses(l, v, *more): return 0 * l.sum(), 0 * v.sum()"),
}  # fmt: skip


@pytest.mark.parametrize("what", EMPTY)
def test_an_empty_answer_earns_little(shared: Student, what: str) -> None:
    cell, source = EMPTY[what]
    found = TRIAL.verdict(TRIAL.with_source(shared, cell, source), QUESTIONS[cell])
    assert found.score <= 0.35, [c.name for c in found.checks if c.passed]


# -- nobody pays twice ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("epsilon_greedy", GREEDY),
        ("q_learning_update", UPDATE),
        ("policy_gradient_loss", LOSS),
    ],
)
def test_a_broken_part_costs_its_own_question_only(shared: Student, name: str, cell: str) -> None:
    student = TRIAL.with_source(shared, cell, f"def {name}(*args, **more):\n    raise OSError")
    for grade_id in (*QUESTIONS.values(),):
        lost = TRIAL.failed(TRIAL.verdict(student, grade_id), advice=False)
        assert bool(lost) == (grade_id == QUESTIONS[cell]), (grade_id, lost)


# -- agents ---------------------------------------------------------------------------------------

# A controller by hand: no training, so that it costs no time here. It balances for hundreds of
# steps, as a trained policy does: push to where the pole leans and falls.
STEADY = """
def steady(scale=1.0):
    net = nn.Sequential(nn.Linear(4, 2))
    with torch.no_grad():
        push = scale * torch.tensor([0.1, 0.5, 1.5, 2.0])
        net[0].weight.copy_(torch.stack([-push, push]))
        net[0].bias.zero_()
    return net
agents = {"reinforce": steady(1.0), "baseline": steady(1.5), "actor-critic": steady(2.0)}
"""
NAMES = {
    "reinforce_plays": "reinforce",
    "baseline_plays": "baseline",
    "actor_critic_plays": "actor-critic",
}


def lost_by(shared: Student, *sources: str) -> dict[str, str]:
    """What is said of agents that these cells leave behind."""
    for source in (STEADY, *sources):
        assert shared._kernel.run_cell(source).ok, source
    return TRIAL.failed(TRIAL.verdict(shared, "agents"), advice=False)


def test_policies_that_balance_earn_everything(shared: Student) -> None:
    assert lost_by(shared) == {}


def test_what_a_notebook_claims_earns_nothing(shared: Student) -> None:
    """Returns that are made up, a library that is patched, a policy that only looks good there."""
    untrained = "agents['baseline'] = make_network(2, np.random.default_rng(0))\n"
    claims = """
returns = curves = [500.0] * 30
import cs231n_lib.reinforcement.episodes as episodes
episodes.play_episodes = play_episodes = lambda *a, **k: [type('E', (), {'total': 500.0})()] * 40
nn.Sequential.forward = lambda self, x: 'whatever'
"""
    undo = "nn.Sequential.forward = forward_before\n"
    keep = "forward_before = nn.Sequential.forward\n"
    lost = lost_by(shared, keep + untrained + claims)
    assert shared._kernel.run_cell(undo).ok
    assert set(lost) == {"baseline_plays"}
    assert "keeps the pole up for" in lost["baseline_plays"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("agents['reinforce'] = None", "is None, not an nn.Sequential"),
        ("agents['reinforce'] = (steady(), [1.0])", "is of type tuple, not an nn.Sequential"),
        ("agents['reinforce'] = nn.Sequential(nn.Linear(3, 2))", "follows on 4 numbers"),
        ("agents['reinforce'] = nn.Sequential(nn.Linear(4, 3))", "returns 3 numbers"),
        ("agents['reinforce'].append(nn.Softmax(dim=1))", "a layer of type Softmax"),
        ("agents['reinforce'][0].bias.data.fill_(np.nan)", "nan or infinite"),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_said(shared: Student, source: str, said: str) -> None:
    assert said in lost_by(shared, source)["reinforce_plays"]


def test_one_policy_under_two_names_is_not_two(shared: Student) -> None:
    lost = lost_by(shared, "agents['baseline'] = agents['reinforce']")
    assert lost == {
        "each_is_trained_by_itself": (
            "agents['reinforce'] and agents['baseline'] have the same weights"
        )
    }
