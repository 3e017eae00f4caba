"""The student's functions over sequences, in the kernel, which gets this as source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def call(notebook: Any, name: str, cell: str, given: Sequence[str], *args: Any) -> Any:
    """What the function ``name`` returns, over steps that the judge answers.

    Its cell is executed again, so that it sees the names in ``given``; they stay what they are,
    even where that cell defines them too.
    """
    return _over(notebook, name, cell, given)(*args)


def arguments_afterwards(
    notebook: Any, name: str, cell: str, given: Sequence[str], *args: Any
) -> list[Any]:
    """The arguments after such a call."""
    _over(notebook, name, cell, given)(*args)
    return list(args)


def _over(notebook: Any, name: str, cell: str, given: Sequence[str]) -> Callable[..., Any]:
    answering = {step: notebook[step] for step in given}
    if cell:
        notebook.run(cell)
    for step, function in answering.items():
        notebook[step] = function
    return notebook[name]
