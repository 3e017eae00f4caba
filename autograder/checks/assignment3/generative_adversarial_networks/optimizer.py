"""What is asked of get_optimizer, by the steps that it takes, and one step of the whole.

Weights: an optimiser of other parameters trains nothing. A wrong learning rate trains worse, and so
do other betas.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment3.generative_adversarial_networks import in_kernel
from autograder.judge import Failed, Student, advice, as_array, check, expect, expect_close

CELL, NAME = "optimizer", "get_optimizer"
SHAPES = ((4, 3), (4,), (2, 4), (2,))
STEPS = 4
RATE, BETAS, EPSILON = 1e-3, (0.5, 0.999), 1e-8


@check(CELL, probe="GAN-A7", weight=4)
def holds_the_parameters(student: Student, rng: Generator) -> None:
    """A step changes every parameter of the model that was handed over."""
    start, _, steps = _stepped(student, rng)
    still = sum(np.array_equal(a, b) for a, b in zip(start, steps[0], strict=True))
    expect(
        not still,
        f"a step leaves {still} of {len(start)} parameters of the model unchanged",
    )


@check(CELL, probe="GAN-A7", weight=2)
def learning_rate_is_right(student: Student, rng: Generator) -> None:
    """The length of the first step, where all gradients are 1 or -1."""
    start, grads, steps = _stepped(student, rng)
    size = _first_step(start, steps)
    ways = zip(steps[0], start, grads[0], strict=True)
    down = all(np.all((now - before) * slope <= 0) for now, before, slope in ways)
    expect(down, "the first step goes up the gradient, not down")
    expect(
        abs(size / RATE - 1) < 0.02,
        f"for gradients of 1 the first step changes a parameter by {size:.3g}; with the learning "
        "rate of the task it would be another number",
    )


@check(CELL, probe="GAN-A7", weight=4)
def steps_are_adams(student: Student, rng: Generator) -> None:
    """Adam's steps with betas of 0.5 and 0.999, whatever the learning rate."""
    start, grads, steps = _stepped(student, rng)
    rate = _first_step(start, steps)
    moved = [not np.array_equal(a, b) for a, b in zip(start, steps[0], strict=True)]

    def way(after: Sequence[np.ndarray]) -> np.ndarray:
        """How far the parameters that move at all have come, in learning rates."""
        pairs = zip(after, start, moved, strict=True)
        return np.concatenate([(a - b).ravel() / rate for a, b, moves in pairs if moves])

    slopes = [np.concatenate([g.ravel() for g, m in zip(now, moved, strict=True) if m])
              for now in grads]  # fmt: skip
    wrong = {
        f"after {STEPS} steps {text}": sum(rule(slopes)) for text, rule in _other_rules().items()
    }
    expect_close(
        way(steps[-1]),
        sum(adam(slopes, BETAS)),
        what=f"the distance after {STEPS} steps, in units of the first step",
        rtol=1e-4,
        atol=1e-4,
        slips=wrong,
    )


@check(CELL, probe="GAN-A10")
def one_iteration_changes_both(student: Student, rng: Generator) -> None:
    """run_a_gan with this optimiser, over networks, losses and noise of the judge's."""
    _expect_both_change(student, _iteration(student, rng, ("get_optimizer",)))


@advice(CELL, probe="GAN-A10")
def all_pieces_work_together(student: Student, rng: Generator) -> None:
    """One iteration of run_a_gan with everything that the notebook has defined.

    Without points: each piece has a question of its own.
    """
    pieces = in_kernel.PIECES
    try:
        _expect_both_change(student, _iteration(student, rng, pieces))
    except Failed as failure:
        for piece in pieces:
            others = [name for name in pieces if name != piece]
            found = _iteration(student, rng, others)
            if not found["raised"] and all(map(_changed, found["pairs"].values())):
                message = f"{failure.message}. With another {piece} it works"
                raise Failed(message) from None
        raise


# -- asking ---------------------------------------------------------------------------------------

Numbers = list[np.ndarray]


def _stepped(student: Student, rng: Generator) -> tuple[Numbers, list[Numbers], list[Numbers]]:
    """Parameters at first, the gradients, and the parameters after each step."""
    start = [rng.normal(size=shape) for shape in SHAPES]
    # All of size 1 at first; then of other sizes and signs, so that the betas are told apart.
    grads = [[rng.choice([-1.0, 1.0], size=shape) for shape in SHAPES]]
    grads += [[rng.normal(size=shape) * 2 for shape in SHAPES] for _ in range(STEPS - 1)]
    found = student.apply(
        in_kernel.optimizer_steps, NAME, _tensors(start), [_tensors(now) for now in grads]
    )
    kind = found["type"]
    expect(not kind, f"{NAME}(model) is of type {kind}, not an optimiser")
    steps = [[as_array(value, "a parameter") for value in after] for after in found["steps"]]
    finite = all(np.isfinite(value).all() for after in steps for value in after)
    expect(finite, "after a few steps, parameters are nan or infinite")
    return start, grads, steps


def _tensors(arrays: Sequence[np.ndarray]) -> list[Tensor]:
    return [torch.from_numpy(array) for array in arrays]


def _first_step(start: Numbers, steps: list[Numbers]) -> float:
    """By how much it changes a parameter, of those that it changes."""
    sizes = np.concatenate([np.abs(a - b).ravel() for a, b in zip(steps[0], start, strict=True)])
    sizes = sizes[sizes > 0]
    expect(len(sizes), "no parameter of the model changes in a step")
    return float(np.median(sizes))


def adam(grads: Sequence[np.ndarray], betas: tuple[float, float]) -> Numbers:
    """Steps of Adam (Kingma and Ba, 2015, algorithm 1), in learning rates."""
    mean = square = np.zeros_like(grads[0])
    steps = []
    for t, grad in enumerate(grads, 1):
        mean = betas[0] * mean + (1 - betas[0]) * grad
        square = betas[1] * square + (1 - betas[1]) * grad**2
        spread = np.sqrt(square / (1 - betas[1] ** t)) + EPSILON
        steps.append(-mean / (1 - betas[0] ** t) / spread)
    return steps


def rmsprop(grads: Sequence[np.ndarray]) -> Numbers:
    """Steps of RMSProp with a decay of 0.99, in units of the first one."""
    square, steps = np.zeros_like(grads[0]), []
    for grad in grads:
        square = 0.99 * square + 0.01 * grad**2
        steps.append(-0.1 * grad / np.sqrt(square))
    return steps


def momentum(grads: Sequence[np.ndarray], rho: float) -> Numbers:
    """Steps of SGD with momentum, in learning rates."""
    velocity, steps = np.zeros_like(grads[0]), []
    for grad in grads:
        velocity = rho * velocity + grad
        steps.append(-velocity)
    return steps


def _other_rules() -> dict[str, Callable[[Sequence[np.ndarray]], Numbers]]:
    return {
        "the parameters are where Adam would take them with its usual betas, 0.9 and 0.999": (
            lambda grads: adam(grads, (0.9, 0.999))
        ),
        "the parameters are where Adam would take them with betas of 0.5 and 0.9": (
            lambda grads: adam(grads, (0.5, 0.9))
        ),
        "the parameters are where Adam would take them with betas of 0.9 and 0.99": (
            lambda grads: adam(grads, (0.9, 0.99))
        ),
        "the parameters are where Adam would take them with its two betas exchanged": (
            lambda grads: adam(grads, (0.999, 0.5))
        ),
        "the parameters are where SGD would take them, not Adam": lambda grads: momentum(
            grads, 0.0
        ),
        "the parameters are where SGD with momentum would take them, not Adam": (
            lambda grads: momentum(grads, 0.9)
        ),
        "the parameters are where RMSProp would take them, not Adam": rmsprop,
    }


def _iteration(student: Student, rng: Generator, pieces: Sequence[str]) -> dict[str, Any]:
    seed = int(rng.integers(1 << 30))
    return student.apply(in_kernel.one_iteration, list(pieces), seed)


def _expect_both_change(student: Student, found: dict[str, Any]) -> None:
    raised = found["raised"]
    expect(not raised, f"one iteration of run_a_gan {student.told(raised)}")
    for net, pair in found["pairs"].items():
        still = f"an iteration of run_a_gan leaves all parameters of the {net} unchanged"
        expect(_changed(pair), still)


def _changed(pair: tuple[list[torch.Tensor], list[torch.Tensor]]) -> bool:
    """Whether a parameter has other numbers afterwards."""
    return any(not torch.equal(old, new) for old, new in zip(*pair, strict=True))
