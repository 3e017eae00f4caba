"""What is told of a student's exception: what helps, and no hidden input."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from autograder.judge.told import WITHHELD, message_of

SOURCE = """def scores(X, W):
    assert X.ndim == 2, "X must have two axes"
    return X.dot(W)"""
SOURCES = {"answer": SOURCE}
X = np.array([[0.8312, -1.2754], [41, 37]])

HELPFUL: list[Callable[[], object]] = [
    lambda: np.ones((2, 3)) @ np.ones((4, 5)),
    lambda: np.ones((2, 3)) + np.ones(4),
    lambda: np.ones((2, 3)).dot(np.ones(4)),
    lambda: np.ones(6).reshape(4, 5),
    lambda: np.ones(3)[1, 2],
    lambda: np.concatenate([np.ones((2, 3)), np.ones((3, 4))]),
    lambda: bool(np.ones(3)),
    lambda: torch.ones(2, 3) @ torch.ones(4, 5),
    lambda: torch.ones(2, 3) + torch.ones(2, 4),
    lambda: torch.ones(3, requires_grad=True).numpy(),
    lambda: None.shape,  # type: ignore[attr-defined]
    lambda: None + 1,  # type: ignore[operator]
    lambda: [1][3],
    lambda: {}["W"],
    lambda: (lambda W: W)(),  # type: ignore[call-arg]
]


def raised(error: BaseException, line: str = "line 3 of cell 'answer', in scores") -> str:
    about = {"type": type(error).__name__, "message": str(error), "line": line, "code": "forged"}
    return message_of(about, SOURCES)


@pytest.mark.parametrize("wrong", HELPFUL)
def test_messages_of_shapes_and_types_are_told(wrong: Callable[[], object]) -> None:
    with pytest.raises(Exception) as caught:
        wrong()
    text = str(caught.value)
    where = "line 3 of cell 'answer', in scores: `return X.dot(W)`"
    kind = type(caught.value).__name__
    assert raised(caught.value) == f"raised {kind}: {text} ({where})"


def test_the_students_own_words_are_told() -> None:
    assert "AssertionError: X must have two axes (" in raised(
        AssertionError("X must have two axes")
    )


@pytest.mark.parametrize(
    "error",
    [
        ValueError(repr(X)),
        ValueError(X.tobytes().hex()),
        KeyError(tuple(X[0])),
        KeyError("x08312"),
        AttributeError(f"'ndarray' object has no attribute 'x{X[0, 0]}'".replace(".", "_")),
        NameError("name 'x_08312_12754' is not defined"),
        ValueError("operands could not be broadcast together with shapes (8312127544137,) (3,) "),
        ValueError("shapes (0.8312,) and (3,) not aligned: 1 (dim 0) != 3 (dim 0)"),
        type("E08312_12754", (Exception,), {})("X must have two axes"),
    ],
)
def test_no_number_of_an_input_is_told(error: Exception) -> None:
    told = raised(error)
    assert not [digits for digits in ("8312", "2754", "fca9f1d24d") if digits in told], told
    assert "line 3 of cell 'answer', in scores: `return X.dot(W)`" in told
    assert (WITHHELD in told) == (str(error) not in SOURCE)


@pytest.mark.parametrize(
    "line",
    [
        f"line 3 of cell 'answer', in f{X[0, 0]}".replace(".", "_"),
        f"line 3 of cell '{X[0]}', in scores",
        f"line 8312 of cell 'answer' {X[0]}",
        "line 8312 of x08312.ipynb, cell 'answer', in scores",
    ],
)
def test_nor_in_the_place_or_the_code(line: str) -> None:
    told = raised(TypeError("'int' object is not callable"), line)
    assert "8312" not in told
    assert "forged" not in told
