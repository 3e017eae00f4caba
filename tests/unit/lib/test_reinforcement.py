"""Worlds, episodes and pictures of the notebook on reinforcement learning."""

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import TimeLimit
from matplotlib import pyplot as plt
from torch import nn

from cs231n_lib.reinforcement import (
    OBSERVATION_UNITS,
    Corridor,
    draw_band,
    draw_map,
    film_strip,
    make_network,
    play_episodes,
    show_table,
    stacked,
)

# -- the corridor --


def test_the_corridor_keeps_gymnasiums_rules() -> None:
    check_env(Corridor(4), skip_render_check=True)


def test_the_corridor_ends_by_a_fall_and_the_last_cell_is_seen() -> None:
    world = Corridor(3)
    cell, _ = world.reset(seed=0)
    for _ in range(int(cell) + 2):
        cell, reward, terminated, truncated, _ = world.step(0)
        assert (reward, terminated, truncated) == (1.0, False, False)
    assert cell == 0  # against the wall it stays
    seen = [world.step(1)[:3] for _ in range(3)]
    assert seen == [(1, 1.0, False), (2, 1.0, False), (2, 1.0, True)]


def test_only_the_time_limit_truncates() -> None:
    world = TimeLimit(Corridor(3), 4)
    world.reset(seed=0)
    assert [world.step(0)[2:4] for _ in range(4)] == [(False, False)] * 3 + [(False, True)]


def test_a_corridor_begins_where_its_seed_says() -> None:
    def begins(seed: int) -> list[int]:
        world = Corridor(50)
        return [int(world.reset(seed=seed if n == 0 else None)[0]) for n in range(5)]

    assert begins(3) == begins(3)
    assert begins(3) != begins(4)


def test_impossible_corridors_and_actions_are_refused() -> None:
    with pytest.raises(ValueError, match="cells is 1; a corridor has at least 2"):
        Corridor(1)
    world = Corridor()
    world.reset(seed=0)
    with pytest.raises(ValueError, match="action is 2; it is 0"):
        world.step(2)


# -- episodes --


def always(action: int) -> nn.Module:
    """A policy that is sure of one action."""
    net = nn.Linear(4, 2)
    with torch.no_grad():
        net.weight.zero_()
        net.bias.copy_(
            torch.tensor([100.0, -100.0]).flip(0) if action else torch.tensor([100.0, -100.0])
        )
    return net


@pytest.mark.parametrize("action", [0, 1])
def test_an_episode_is_that_of_the_single_world(action: int) -> None:
    """Stepped side by side, each episode is the one that gymnasium's own CartPole plays."""
    (episode,) = play_episodes(always(action), 1, np.random.default_rng(5))
    world = gymnasium.make("CartPole-v1")
    world.reset(seed=0)
    world.unwrapped.state = (episode.observations[0] * OBSERVATION_UNITS).astype(float)
    for t in range(len(episode.rewards)):
        assert episode.actions[t] == action
        after, reward, terminated, _, _ = world.step(action)
        np.testing.assert_allclose(
            episode.next_observations[t] * OBSERVATION_UNITS, after, rtol=1e-3, atol=1e-5
        )
        assert (episode.rewards[t], bool(episode.terminated[t])) == (reward, terminated)
    assert terminated
    assert episode.total == len(episode.rewards)


def test_episodes_are_whole_and_follow_their_observations() -> None:
    episodes = play_episodes(make_network(2, np.random.default_rng(0)), 6, np.random.default_rng(1))
    assert len(episodes) == 6
    assert len({len(episode.rewards) for episode in episodes}) > 1
    for episode in episodes:
        T = len(episode.rewards)
        assert episode.observations.shape == episode.next_observations.shape == (T, 4)
        assert episode.actions.shape == episode.terminated.shape == (T,)
        np.testing.assert_array_equal(episode.observations[1:], episode.next_observations[:-1])
        assert episode.terminated.tolist() == [False] * (T - 1) + [True]


def test_a_truncated_episode_is_not_terminated() -> None:
    episodes = play_episodes(
        make_network(2, np.random.default_rng(0)), 3, np.random.default_rng(1), 5
    )
    assert [len(episode.rewards) for episode in episodes] == [5, 5, 5]
    assert not any(episode.terminated.any() for episode in episodes)


def test_the_generator_decides_about_everything() -> None:
    policy = make_network(2, np.random.default_rng(0))

    def actions(seed: int) -> list[int]:
        torch.manual_seed(np.random.default_rng().integers(1000))
        return stacked(play_episodes(policy, 4, np.random.default_rng(seed))).actions.tolist()

    assert actions(1) == actions(1)
    assert actions(1) != actions(2)


def test_actions_are_drawn_from_the_softmax() -> None:
    net = always(0)
    with torch.no_grad():
        net.bias.copy_(torch.tensor([0.0, float(np.log(3))]))  # one quarter and three quarters
    batch = stacked(play_episodes(net, 300, np.random.default_rng(0)))
    share = batch.actions.double().mean().item()
    assert abs(share - 0.75) < 5.5 * (0.75 * 0.25 / len(batch.actions)) ** 0.5


def test_networks_come_from_their_generator_and_leave_the_global_one_alone() -> None:
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    one, other, third = (make_network(2, np.random.default_rng(seed), 7) for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(one[0].weight, other[0].weight)
    assert not torch.equal(one[0].weight, third[0].weight)
    assert one(torch.zeros(5, 4)).shape == (5, 2)


def test_policies_of_any_dtype_play() -> None:
    policy = make_network(2, np.random.default_rng(0)).double()
    assert play_episodes(policy, 2, np.random.default_rng(0))[0].observations.dtype == np.float32


def test_a_policy_without_two_logits_is_refused() -> None:
    with pytest.raises(ValueError, match=r"returns \(3, 1\); it should return \(3, 2\)"):
        play_episodes(make_network(1, np.random.default_rng(0)), 3, np.random.default_rng(0))
    broken = always(0)
    with torch.no_grad():
        broken.bias.fill_(float("nan"))
    with pytest.raises(ValueError, match="finite logits"):
        play_episodes(broken, 3, np.random.default_rng(0))
    with pytest.raises(ValueError, match="num_episodes is 0"):
        play_episodes(always(0), 0, np.random.default_rng(0))


def test_steps_are_stacked_in_order() -> None:
    episodes = play_episodes(make_network(2, np.random.default_rng(0)), 3, np.random.default_rng(1))
    batch = stacked(episodes)
    B = sum(len(episode.rewards) for episode in episodes)
    assert batch.observations.shape == batch.next_observations.shape == (B, 4)
    kinds = [t.dtype for t in (batch.observations, batch.actions, batch.rewards, batch.terminated)]
    assert kinds == [torch.float32, torch.int64, torch.float32, torch.bool]
    assert int(batch.terminated.sum()) == 3
    first = len(episodes[0].rewards)
    np.testing.assert_array_equal(batch.observations[first], episodes[1].observations[0])


# -- pictures --


def arrows(ax) -> list[tuple[float, float]]:
    return [
        (text.xy[0] - text.xyann[0], text.xy[1] - text.xyann[1])
        for text in ax.texts
        if getattr(text, "arrow_patch", None)
    ]


def test_a_map_has_an_arrow_for_each_action() -> None:
    _, ax = plt.subplots()
    actions = np.array([[0, 1], [2, 3], [-1, 1]])
    draw_map(ax, np.arange(6.0).reshape(3, 2), actions, names={(2, 1): "goal"})
    signs = [tuple(np.sign(arrow)) for arrow in arrows(ax)]
    assert signs == [(0, -1), (1, 0), (0, 1), (-1, 0)]  # y grows downwards
    assert [text.get_text() for text in ax.texts if text.get_text()] == ["goal"]
    plt.close()


def test_a_map_leaves_out_cells_without_a_value() -> None:
    _, ax = plt.subplots()
    draw_map(ax, np.array([[np.nan, -3.0, 4.0]]))
    assert ax.images[0].get_clim() == (-3.0, 4.0)
    plt.close()


def test_a_table_says_its_numbers() -> None:
    _, ax = plt.subplots()
    show_table(ax, [[1.0, 2.25], [-3.0, 4.0]], ["a", "b"], ["c", "d"])
    assert [text.get_text() for text in ax.texts] == ["1.0", "2.2", "-3.0", "4.0"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b"]
    plt.close()


def test_a_band_goes_from_the_lowest_to_the_highest() -> None:
    _, ax = plt.subplots()
    draw_band(ax, [[1.0, 5.0], [3.0, 1.0]], label="two", x=[10, 20])
    (line,) = ax.lines
    assert line.get_xydata().tolist() == [[10, 2], [20, 3]]
    corners = ax.collections[0].get_paths()[0].vertices
    assert {tuple(corner) for corner in corners.tolist()} == {(10, 1), (10, 3), (20, 1), (20, 5)}
    plt.close()


def test_a_film_strip_has_a_frame_for_each_step_and_says_when_it_is_over() -> None:
    _, ax = plt.subplots()
    observations = np.zeros((10, 4), np.float32)
    observations[5, 2] = 2.0  # a lean of 0.2 rad to the right
    film_strip(ax, observations, (0, 5, 20), "fallen")
    words = [text.get_text() for text in ax.texts]
    assert words == ["step 0", "step 5", "step 20", "over"]
    poles = [line for line in ax.lines if line.get_linewidth() == 3]
    leans = [float(np.diff(line.get_xdata())[0]) for line in poles]
    np.testing.assert_allclose(leans, [0, np.sin(0.2)], atol=1e-6)
    plt.close()
