"""Gradients of the student's functions, compared by their direction.

A function that is right up to a factor has the right direction: the factor costs points where the
numbers are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from autograder.checks.assignment3.self_supervised_learning import in_kernel, oracle
from autograder.judge import Failed, Student, as_array, expect, expect_shape

STRAIGHT = 1 - 1e-9  # a cosine: turned by less than 5e-5
OTHER = "the gradient with respect to {name} points in another direction than that of {what}"


def expect_direction(
    student: Student,
    name: str,
    arguments: Mapping[str, Tensor],
    upstream: Tensor,
    *,
    right: Callable[..., Tensor],
    runs: str,
    more: Sequence[Any] = (),
    slips: Callable[..., Mapping[str, Sequence[Tensor]]] | None = None,
    what: str = "the cosine",
    **options: Any,
) -> None:
    """The student's function sends every argument a gradient of the right direction.

    ``runs``: its cell. ``options``: for in_kernel.gradients. ``slips``: wrong gradients, one for
    each argument, by the message that names the cause.
    """
    call = list(arguments.values())
    cells = (student.cell_defining(name) or runs,)
    found = student.apply(
        in_kernel.gradients, name, call, list(more), upstream, cells=cells, **options
    )
    cut = "item(), float(), detach() and numpy() cut the graph"
    expect(found["has_graph"], f"{name} returns nothing that a gradient can flow back through", cut)
    value = as_array(found["value"])
    if value.size != upstream.numel():
        expect_shape(value, tuple(upstream.shape))
    grads = [None if grad is None else as_array(grad) for grad in found["grads"]]
    missing = [n for n, g in zip(arguments, grads, strict=True) if g is None or not g.any()]
    expect(not missing, f"no gradient reaches {' and '.join(missing)}", cut)
    wrong = slips(*call, *more) if slips else {}
    want = oracle.gradients(right, [*call, *more], upstream)
    for number, (argument, got) in enumerate(zip(arguments, grads, strict=True)):
        got = expect_shape(got, tuple(call[number].shape), f"the gradient of {argument}")
        if cosine(got, want[number].numpy()) > STRAIGHT:
            continue
        expect(np.isfinite(got).all(), f"the gradient with respect to {argument} holds nan or inf")
        for message, other in wrong.items():
            if cosine(got, other[number].numpy()) > STRAIGHT:
                raise Failed(message)
        raise Failed(OTHER.format(name=argument, what=what))


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    """Of the angle between two arrays; 0 where one is zero or not finite."""
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(np.vdot(a, b)) / lengths if np.isfinite(lengths) and lengths > 0 else 0.0
