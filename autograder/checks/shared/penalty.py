"""The penalty: what reg adds to the loss and to the gradients, for one layer or many.

The penalty is ``coefficient * reg * sum(W * W)`` over all W. The loss and the gradients are judged
each by itself: of a gradient it is enough that it is the contract's, or the slope of the student's
own penalty, so that a mistake in the loss is not paid for again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograder.checks.shared.layers import Array
from autograder.checks.shared.net_case import NetCase
from autograder.judge import Precision, as_array, expect, expect_close, expect_shape, name_slip

LossOf = Callable[[Any], float]
GradientsOf = Callable[[Any], Mapping[str, Any]]
# Differences of two losses, or gradients, lose digits where these are large: 1e-5 leaves room.
ROOM: Mapping[Precision, float] = {"float64": 1e-5, "float32": 1e-3}
HALF = "(the notebooks svm and softmax, and some years of the course, have none)"


def expect_penalty(
    case: NetCase, loss_of: LossOf, *, coefficient: float = 0.5, precision: Precision = "float64"
) -> None:
    """What the case's reg adds to the loss; the usual slips are named."""
    added, want = added_to_loss(case, loss_of), coefficient * case.reg * weights_squared(case)
    rtol = ROOM[precision]
    name_slip(added, want, loss_slips(case, coefficient))
    what = "the penalty, loss with reg minus loss without,"
    expect_close(added, want, what=what, rtol=rtol, atol=rtol * want)


def expect_penalty_gradients(
    case: NetCase,
    loss_of: LossOf,
    gradients_of: GradientsOf,
    *,
    coefficient: float = 0.5,
    precision: Precision = "float64",
) -> None:
    """What the case's reg adds to each gradient; the usual slips are named."""
    with_reg, without = gradients_of(case), gradients_of(case.with_reg(0.0))
    rtol = ROOM[precision]
    missing = [name for name in case.params if name[0] == "W" and name not in with_reg]
    expect(not missing, f"grads has no entry for {', '.join(missing[:6])}")
    for name, value in case.params.items():
        if name not in with_reg or name not in without:
            continue  # what lacks is paid for in the check of the gradients
        got = _difference(with_reg[name], without[name], value, name)
        right = 2 * coefficient * case.reg * value * name.startswith("W")
        if np.allclose(got, right, rtol=rtol, atol=rtol):
            continue
        own = _own_slope(case, loss_of, name)
        if own is not None and np.allclose(got, own, rtol=rtol, atol=rtol):
            continue
        name_slip(got, right, gradient_slips(case, name, coefficient))
        expect_close(got, right, what=f"what reg adds to grads[{name!r}]", rtol=rtol, atol=rtol)


def added_to_loss(case: NetCase, loss_of: LossOf) -> float:
    """What the case's reg adds to the loss."""
    return loss_of(case) - loss_of(case.with_reg(0.0))


def weights_squared(case: NetCase) -> float:
    """The sum of squares of all W."""
    return sum(squares for name, squares in case.squares.items() if name.startswith("W"))


def loss_slips(case: NetCase, coefficient: float) -> dict[str, float]:
    """What usual slips add to the loss, each by its message."""
    squares = case.squares
    weights = [name for name in squares if name.startswith("W")]
    others = [name for name in squares if not name.startswith("W")]
    total = weights_squared(case)
    kinds = sorted({name.rstrip("0123456789") for name in others})
    shares: dict[str, float] = {
        "reg makes no difference to the loss": 0.0,
        f"the penalty is half of what this notebook defines: it is {_formula(coefficient)}": 0.5
        * total,
        f"the penalty is twice what this notebook defines: it is {_formula(coefficient)}"
        + (f", with 0.5 {HALF}" if coefficient == 0.5 else ""): 2.0 * total,
        "the penalty is divided by the number of examples": total / len(case.X),
        "the penalty takes the mean of the squares of each W; it is their sum": sum(
            squares[name] / case.params[name].size for name in weights
        ),
        "the penalty is subtracted from the loss": -total,
    }
    for kind in kinds:
        some = sum(squares[name] for name in others if name.rstrip("0123456789") == kind)
        shares[f"{_named(kind)} penalised too"] = total + some
    if len(kinds) > 1:
        shares["biases, gamma and beta are penalised too"] = sum(squares.values())
        shares["gamma and beta are penalised too"] = total + sum(
            squares[name] for name in others if not name[1:].isdigit()
        )
    if len(weights) > 1:
        shares |= {f"{name} is not penalised": total - squares[name] for name in weights}
        shares |= {f"only {name} is penalised": squares[name] for name in weights}
        shares["the root of the sum of squares is taken"] = float(np.sqrt(total))
    return {message: coefficient * case.reg * share for message, share in shares.items()}


def gradient_slips(case: NetCase, name: str, coefficient: float) -> dict[str, Array]:
    """What usual slips add to the gradient of one parameter, each by its message."""
    value, what = case.params[name], f"grads[{name!r}]"
    slope = 2 * coefficient * case.reg * value
    if not name.startswith("W"):
        return {f"reg adds to {what}, but {_named(name)} not penalised": slope}
    formula = f"{2 * coefficient:g} * reg * {name}".removeprefix("1 * ")
    defined = f"the penalty is {_formula(coefficient)}, so it is {formula}"
    return {
        f"reg adds nothing to {what}": 0 * slope,
        f"what reg adds to {what} is twice too large: {defined}": 2 * slope,
        f"what reg adds to {what} is half of what it must be: {defined}": 0.5 * slope,
        f"what reg adds to {what} has the wrong sign": -slope,
        f"what reg adds to {what} is divided by the number of examples": slope / len(case.X),
        f"what reg adds to {what} is a mean; the penalty is a sum": slope / value.size,
    }


def _own_slope(case: NetCase, loss_of: LossOf, name: str) -> Array | None:
    """The slope of what the student's own loss adds for this parameter; None where it adds nothing.

    A penalty that is nowhere is no slope that fits: it lacks in the gradient as well. A parameter's
    share of the penalty is what is lost where that parameter is 0.
    """
    without = case.with_params({**case.params, name: np.zeros_like(case.params[name])})
    share = added_to_loss(case, loss_of) - added_to_loss(without, loss_of)
    if abs(share) < 1e-6:
        return None
    return 2 * share / case.squares[name] * case.params[name]


def _difference(with_reg: Any, without: Any, value: Array, name: str) -> Array:
    """As numbers, in the parameter's shape; axes of length 1 have a check of their own."""
    what = f"grads[{name!r}]"
    pair = [as_array(grads, what).astype(np.float64) for grads in (with_reg, without)]
    fits = all(np.squeeze(array).shape == np.squeeze(value).shape for array in pair)
    if not fits:
        expect_shape(pair[0], value.shape, what)
    expect(fits, f"{what} changes its shape with reg")
    return (pair[0] - pair[1]).reshape(value.shape)


def _formula(coefficient: float) -> str:
    factor = "" if coefficient == 1 else f"{coefficient:g} * "
    return f"{factor}reg * (sum of squares of all W)"


def _named(name: str) -> str:
    kind = name.rstrip("0123456789")
    return {"b": "the biases are"}.get(kind, f"{kind} is")
