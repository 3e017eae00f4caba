"""Cells that train at length, and on what they are run when graded. See docs/checks.md."""

from __future__ import annotations

from typing import Any

from autograder.checks.shared import in_kernel_small
from autograder.judge import runs_small

ROWS = ("X_train", "X_val", "X_test", "X_dev")
NETS = ("TwoLayerNet", "FullyConnectedNet")


def search_in_time(module: str, cell: str, on: str = "", **arguments: Any) -> None:
    """Training in this cell may take the notebook's ``search_seconds``; what is more is cut."""
    runs_small(module, cell, in_kernel_small.begin, in_kernel_small.finish, on, **arguments)


def search_on_small_rows(module: str, cell: str, classifier: str) -> None:
    """The same, on small images, of a linear classifier that takes them as rows."""
    on = in_kernel_small.ON
    search_in_time(module, cell, on, images=ROWS, classifiers=(classifier,))


def search_on_small_images(module: str, cell: str, *data: str) -> None:
    """The same, of networks that a Solver trains on one of the dicts ``data``."""
    search_in_time(module, cell, in_kernel_small.ON, data=data, nets=NETS)
