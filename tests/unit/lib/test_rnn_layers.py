"""Temporal layers around a reader's own affine and softmax; figures against torch, in float64."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from cs231n_lib.errors import LayerError
from cs231n_lib.rnn_layers import (
    sigmoid,
    temporal_affine_backward,
    temporal_affine_forward,
    temporal_softmax_loss,
)

N, T, D, M, V = 3, 4, 5, 6, 7


class Reader:
    """A reader's layers, which note down what they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, ...]] = []

    def affine_forward(self, x: np.ndarray, w: np.ndarray, b: np.ndarray) -> Any:
        return x.reshape(len(x), -1) @ w + b, (x, w)

    def affine_backward(self, dout: np.ndarray, cache: Any) -> Any:
        x, w = cache
        return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)

    def softmax_loss(self, x: np.ndarray, y: np.ndarray) -> Any:
        self.asked.append(x.shape)
        rows = np.arange(len(y))
        p = np.exp(x - x.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        loss = -np.mean(np.log(p[rows, y]))
        p[rows, y] -= 1
        return loss, p / len(y)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def test_sigmoid_is_torchs(rng: np.random.Generator) -> None:
    x = rng.normal(size=(4, 3)) * 10
    np.testing.assert_allclose(sigmoid(x), torch.sigmoid(torch.tensor(x)).numpy(), rtol=1e-14)


@pytest.mark.filterwarnings("error")
def test_sigmoid_far_from_zero_neither_overflows_nor_becomes_nan() -> None:
    np.testing.assert_array_equal(sigmoid(np.array([-1e4, 0.0, 1e4])), [0, 0.5, 1])
    assert 0 < sigmoid(-700.0) < 1e-300, "small, but not yet 0"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sigmoid_keeps_the_dtype(dtype: type) -> None:
    assert sigmoid(np.zeros(2, dtype)).dtype == dtype
    assert sigmoid([0, 1]).dtype == np.float64


@pytest.mark.parametrize(("n", "t"), [(N, T), (1, T), (N, 1)])
def test_temporal_affine_is_a_linear_layer_at_every_step(n, t, rng) -> None:
    x, w, b = rng.normal(size=(n, t, D)), rng.normal(size=(D, M)), rng.normal(size=M)
    dout = rng.normal(size=(n, t, M))
    out, cache = temporal_affine_forward(x, w, b, layers=Reader())
    gradients = temporal_affine_backward(dout, cache, layers=Reader())
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, w, b)]
    wanted = functional.linear(leaves[0], leaves[1].T, leaves[2])
    wanted.backward(torch.tensor(dout))
    np.testing.assert_allclose(out, wanted.detach().numpy())
    for got, leaf in zip(gradients, leaves, strict=True):
        assert leaf.grad is not None
        np.testing.assert_allclose(got, leaf.grad.numpy())


@pytest.mark.parametrize("kind", [bool, int, float])
def test_temporal_softmax_loss_sums_over_time_and_averages_over_sequences(kind, rng) -> None:
    x, y = rng.normal(size=(N, T, V)), rng.integers(V, size=(N, T))
    mask = rng.random((N, T)) < 0.6
    scores = torch.tensor(x, requires_grad=True)
    losses = functional.cross_entropy(
        scores.flatten(0, 1), torch.tensor(y.ravel()), reduction="none"
    )
    wanted = (losses * torch.tensor(mask.ravel())).sum() / N
    wanted.backward()
    assert scores.grad is not None

    reader = Reader()
    loss, dx = temporal_softmax_loss(x, y, mask.astype(kind), layers=reader)

    assert loss == pytest.approx(wanted.item(), rel=1e-12)
    np.testing.assert_allclose(dx, scores.grad.numpy(), atol=1e-15)
    assert reader.asked == [(mask.sum(), V)], "padding is not even shown to softmax_loss"


def test_padding_alone_costs_nothing_and_asks_nobody(rng: np.random.Generator) -> None:
    reader = Reader()
    nothing = np.zeros((N, T), bool)
    x = rng.normal(size=(N, T, V)).astype(np.float32)
    loss, dx = temporal_softmax_loss(x, nothing.astype(int), nothing, layers=reader)
    assert loss == 0
    np.testing.assert_array_equal(dx, np.zeros_like(x))
    assert dx.dtype == np.float32
    assert reader.asked == []


def test_inputs_stay_and_dx_has_their_dtype(rng: np.random.Generator) -> None:
    x = rng.normal(size=(N, T, V)).astype(np.float32)
    y, mask = rng.integers(V, size=(N, T)), np.ones((N, T), bool)
    before = x.copy(), y.copy(), mask.copy()

    class Doubles(Reader):
        """Returns float64 whatever it is given, and writes into its input, as some do."""

        def softmax_loss(self, x: np.ndarray, y: np.ndarray) -> Any:
            answer = super().softmax_loss(x.astype(np.float64), y)
            x[:] = 0
            return answer

    _, dx = temporal_softmax_loss(x, y, mask, layers=Doubles())
    assert dx.dtype == np.float32
    for array, kept in zip((x, y, mask), before, strict=True):
        np.testing.assert_array_equal(array, kept)


def test_verbose_says_how_much_counts(rng, capsys: pytest.CaptureFixture[str]) -> None:
    mask = np.eye(N, T, dtype=bool)
    zeros = np.zeros((N, T), int)
    temporal_softmax_loss(rng.normal(size=(N, T, V)), zeros, mask, verbose=True, layers=Reader())
    assert capsys.readouterr().out == "x (3, 4, 7), of which 3 rows of 7 scores count\n"
    temporal_softmax_loss(rng.normal(size=(N, T, V)), zeros, mask, layers=Reader())
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("wrong", ["y", "mask"])
def test_shapes_that_do_not_go_together_are_named(wrong: str) -> None:
    fits, not_fits = np.zeros((N, T), int), np.zeros((N, T + 1), int)
    y, mask = (not_fits, fits) if wrong == "y" else (fits, not_fits)
    with pytest.raises(ValueError, match=rf"{wrong} is \(3, 5\)"):
        temporal_softmax_loss(np.zeros((N, T, V)), y, mask, layers=Reader())


def test_layers_are_found_in_the_code_that_calls() -> None:
    space: dict[str, Any] = {"affine_forward": Reader().affine_forward, "np": np}
    source = (
        "from cs231n_lib.rnn_layers import *\n"
        "out, _ = temporal_affine_forward(np.ones((2, 3, 4)), np.ones((4, 5)), np.zeros(5))"
    )
    exec(source, space)
    np.testing.assert_array_equal(space["out"], np.full((2, 3, 5), 4.0))


def test_a_missing_layer_and_a_wrong_answer_are_named() -> None:
    with pytest.raises(LayerError, match="your affine_forward is needed, and there is none"):
        temporal_affine_forward(np.ones((1, 1, 1)), np.ones((1, 1)), np.ones(1))
    only_loss = SimpleNamespace(softmax_loss=lambda x, y: 0.5)
    with pytest.raises(LayerError, match="your softmax_loss must return loss, dx; it returned a s"):
        temporal_softmax_loss(
            np.ones((1, 1, 2)), np.zeros((1, 1), int), np.ones((1, 1)), layers=only_loss
        )
