"""How the modules are asked: their parameters are the judge's, the answers come back as tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from autograder.checks.assignment3.transformer_captioning import in_kernel, oracle
from autograder.judge import Student, as_array, expect, expect_shape

Call = Sequence[Tensor | None]


def answers(
    student: Student,
    name: str,
    sizes: Sequence[Any],
    state: oracle.State,
    *calls: Call,
    cell: str = "",
    **options: Any,
) -> list[Any]:
    """What the student's class ``name`` answers to each call; inputs go as float32.

    ``cell``: that defines the class, executed again over stand-ins.
    """
    sent = [[as_sent(argument) for argument in call] for call in calls]
    cells = (cell,) if cell else ()
    found = student.apply(
        in_kernel.answers, name, list(sizes), state, sent, cell, cells=cells, **options
    )
    return complete(name, state, found)["answers"]


def gradients(
    student: Student,
    name: str,
    sizes: Sequence[Any],
    state: oracle.State,
    arguments: Sequence[Tensor],
    upstream: Tensor,
    *,
    cell: str = "",
) -> dict[str, Any]:
    """Gradients of sum(upstream * answer) by what they belong to, arguments first, by number."""
    sent = [argument.float() for argument in arguments]
    cells = (cell,) if cell else ()
    found = student.apply(
        in_kernel.gradients, name, list(sizes), state, sent, upstream.float(), cell, cells=cells
    )
    complete(name, state, found)
    expect_shape(found["answer"], upstream.shape, "the output")
    return found


def complete(name: str, state: Mapping[str, Tensor], found: dict[str, Any]) -> dict[str, Any]:
    """The answer, if the module has all its layers under the names that __init__ gives them."""
    for place in found["missing"]:
        what = (
            f"parameter {place} of shape {tuple(state[place].shape)}" if place in state else place
        )
        expect(False, f"{name} has no {what}: keep the layers that __init__ makes")
    return found


def own_answer(value: Any, shape: Sequence[int], what: str) -> oracle.Array:
    """An answer that another one of the student's is compared with: of this shape, and finite."""
    array = expect_shape(value, shape, what)
    expect(np.isfinite(array).all(), f"{what} holds numbers that are nan or infinite")
    return array.astype(np.float64)


def as_sent(argument: Tensor | None) -> Tensor | None:
    """float32, as the notebook computes; masks and word numbers keep their type."""
    if argument is None or not argument.is_floating_point():
        return argument
    return argument.float()


def expect_reached(found: Mapping[str, Any], arguments: Sequence[str], none: str = "") -> None:
    """A gradient that is not zero arrives at every argument and parameter, but for ``none``."""
    by_name = dict(zip(arguments, found["arguments"], strict=True)) | dict(found["parameters"])
    cut = [
        name
        for name, slope in by_name.items()
        if slope is None or (name != none and not as_array(slope).any())
    ]
    more = f" and {len(cut) - 4} more" if len(cut) > 4 else ""
    expect(
        not cut,
        f"no gradient reaches {', '.join(cut[:4])}{more}",
        "Is the graph cut (detach, item, no_grad, a new tensor), or is a layer not used?",
    )
