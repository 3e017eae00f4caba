"""Networks with fewer channels: sizes, parameters, and what cannot be made narrower."""

import pytest
import torch
from torch import nn

from cs231n_lib.gan.layers import Flatten, Unflatten, count_params
from cs231n_lib.gan.narrow import narrower


def painter(unflatten: nn.Module) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(6, 40), nn.ReLU(), nn.BatchNorm1d(40), nn.Linear(40, 8 * 3 * 3), unflatten,
        nn.BatchNorm2d(8), nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1, bias=False),
        nn.Tanh(), nn.ConvTranspose2d(4, 1, 4, stride=2, padding=1), Flatten(),
    )  # fmt: skip


@pytest.mark.parametrize("unflatten", [Unflatten(C=8, H=3, W=3), nn.Unflatten(1, (8, 3, 3))])
def test_generator_keeps_its_ends(unflatten: nn.Module) -> None:
    wide = painter(unflatten)
    slim = narrower(wide, 4)
    assert slim(torch.zeros(5, 6)).shape == wide(torch.zeros(5, 6)).shape == (5, 144)
    inner = (6 * 10 + 10) + 2 * 10 + (10 * 18 + 18) + 2 * 2 + 2 * 1 * 16 + (1 * 16 + 1)
    assert count_params(slim) == inner


def test_layers_are_the_same_kinds_with_the_same_settings() -> None:
    wide = nn.Sequential(
        nn.Conv2d(1, 4, 5, padding=2), nn.LeakyReLU(0.01), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(4 * 4 * 4, 8), nn.Linear(8, 1, bias=False),
    )  # fmt: skip
    slim = narrower(wide, 2)
    assert [type(a) for a in slim.children()] == [type(b) for b in wide]
    first, leaky, *_, last = slim.children()
    assert isinstance(first, nn.Conv2d)
    assert (first.in_channels, first.out_channels, first.padding) == (1, 2, (2, 2))
    assert isinstance(leaky, nn.LeakyReLU)
    assert leaky.negative_slope == 0.01
    assert isinstance(last, nn.Linear)
    assert (last.in_features, last.out_features, last.bias) == (4, 1, None)
    assert slim(torch.zeros(3, 1, 8, 8)).shape == (3, 1)


def test_what_shapes_the_input_stays_and_parts_within_parts_are_narrow() -> None:
    """As public solutions begin, and with layers grouped in a network of their own."""
    wide = nn.Sequential(
        Unflatten(3, 1, 8, 8), nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU()), Flatten(),
        nn.Sequential(nn.Linear(4 * 36, 8), nn.Linear(8, 1)),
    )  # fmt: skip
    slim = narrower(wide, 2)
    assert slim(torch.zeros(3, 64)).shape == (3, 1)
    assert count_params(slim) == 2 * 9 + 2 + 72 * 4 + 4 + 4 + 1


def test_shares_nothing_with_the_wide_network() -> None:
    wide = nn.Sequential(nn.Linear(2, 4), nn.PReLU(), nn.Linear(4, 1))
    slim = narrower(wide, 2)
    assert not {id(p) for p in wide.parameters()} & {id(p) for p in slim.parameters()}


def test_by_one_is_the_network_itself() -> None:
    wide = nn.Sequential(nn.Linear(2, 3))
    assert narrower(wide, 1) is wide


def test_numbers_that_cannot_be_divided() -> None:
    with pytest.raises(ValueError, match="6 channels or features cannot be divided by 4"):
        narrower(nn.Sequential(nn.Linear(3, 6), nn.Linear(6, 1)), 4)


def test_only_sequences_of_layers() -> None:
    with pytest.raises(TypeError, match="a Linear cannot be made narrower"):
        narrower(nn.Linear(2, 2), 2)
