"""How a student's CaptioningRNN is asked, over right layers, and what its answers are.

The cell with the class is executed again in a copy of the notebook, where the names of all layers
stand for functions that the judge answers: a mistake in a layer costs nothing here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograder.checks.shared import in_kernel_captioning
from autograder.checks.shared.captioning import Case
from autograder.checks.shared.captioning_stand_ins import LAYERS
from autograder.checks.shared.layers import Array, unpack
from autograder.judge import (
    Student,
    as_array,
    expect,
    expect_unchanged,
)

CLASS = in_kernel_captioning.CLASS

CALLS = 1000  # of one layer in one request: captions here are a few words long
# Layers with weights are answered for the network's only.
WITH_WEIGHTS = ("affine_", "temporal_affine_", "word_embedding_", "rnn_", "lstm_")


# -- asking ---------------------------------------------------------------------------------------


def ask(
    student: Student, case: Case, function: Callable[..., Any], *args: Any, strict: bool = False
) -> Any:
    """``function(notebook, made, *args)`` in the kernel; see `in_kernel_captioning`.

    ``strict``: whether an __init__ that raises is an error here.
    """
    cell = student.cell_defining(CLASS)
    made = {
        "cell": cell,
        "strict": strict,
        "word_to_idx": case.word_to_idx,
        "settings": {**case.sizes, "cell_type": case.cell_type},
        "params": {name: value.copy() for name, value in case.params.items()},
        "attributes": {
            "cell_type": case.cell_type,
            "word_to_idx": case.word_to_idx,
            "_null": case.null,
            "_start": case.start,
            "_end": case.end,
        },
    }
    answering = {
        name: student.stand_in(layer, name, calls=CALLS, weights=2 * name.startswith(WITH_WEIGHTS))
        for name, layer in LAYERS.items()
    }
    cells = (cell,) if cell else ()
    return student.apply(function, made, *args, cells=cells, bindings=answering)


def answers(student: Student, case: Case, *more: Case, strict: bool = False) -> list[Any]:
    """What ``loss`` of one network returns for each case's features and captions, not looked at."""
    batches = [(one.features.copy(), one.captions.copy()) for one in (case, *more)]
    return ask(student, case, in_kernel_captioning.losses, batches, strict=strict)


def samples(student: Student, case: Case, lengths: Sequence[int]) -> list[Any]:
    """What ``sample`` of one network returns for each max_length, not looked at."""
    function = in_kernel_captioning.samples
    return ask(student, case, function, case.features.copy(), list(lengths))


def as_loss(answer: Any, what: str = "the loss") -> Array:
    """The loss in an answer of ``loss``, one number."""
    array = as_array(unpack("loss", answer, "loss, grads")[0], what)
    expect(array.size == 1, f"{what} has shape {array.shape}; it is one number")
    return array.reshape(())


def as_gradients(answer: Any) -> dict[str, Any]:
    """The gradients in an answer of ``loss``: a dictionary."""
    _, grads = unpack("loss", answer, "loss, grads")
    expect(isinstance(grads, dict), "grads is not a dictionary")
    return grads


# -- judging --------------------------------------------------------------------------------------


def in_place(got: Any, case: Case, length: int) -> Array:
    """The words that were predicted (N, length), wherever in the answer they begin.

    A caption that begins with <START>, or with an empty place, has the first word in its second
    place: that is asked by a check of its own. What is missing at the end then is -1.
    """
    array = as_array(got, "captions")
    N = len(case.features)
    expect(
        array.ndim == 2 and len(array) == N,
        f"captions has shape {array.shape}; expected {(N, length)}",
    )
    if array.shape[1] in (length, length + 1) and late(array, case):
        array = array[:, 1:]
    missing = length - array.shape[1]
    if missing == 1:
        array = np.concatenate([array, np.full((N, 1), -1)], axis=1)
    expect(array.shape == (N, length), f"captions has shape {array.shape}; expected {(N, length)}")
    return array


def late(captions: Array, case: Case) -> bool:
    """Whether the first place of every caption holds <START>, or <NULL>: no predicted word."""
    first = captions[:, 0]
    return bool((first == case.start).all() or (first == case.null).all())


def expect_nothing_changed(student: Student, case: Case) -> None:
    """features, captions and the parameters are as before after ``loss``."""
    function = in_kernel_captioning.afterwards
    features, captions, params = ask(
        student, case, function, case.features.copy(), case.captions.copy()
    )
    expect_unchanged(features, case.features, "features")
    expect_unchanged(captions, case.captions, "captions")
    for name, value in case.params.items():
        expect_unchanged(params.get(name), value, f"params[{name!r}]")
