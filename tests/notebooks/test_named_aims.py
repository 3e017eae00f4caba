"""Accuracies that a text asks for: the visible check asks the same, the hidden one no more."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest

from autograder.checks.assignment2.pytorch.trained import BAREBONES_SHARE, OPEN_SHARE, SHARES
from autograder.checks.assignment3.transformer_captioning.training import SHARE

SOURCE = Path(__file__).parents[2] / "source"
PYTORCH, TRANSFORMER = "assignment2/PyTorch", "assignment3/Transformer_Captioning"
#: On other images of the same kind an accuracy may be this much lower by chance alone.
CHANCE = 0.05
#: The notebook, the cell that names the aim, the visible check, and the hidden check's share.
AIMS = [
    (PYTORCH, "barebones-text", "pt-barebones", BAREBONES_SHARE),
    (PYTORCH, "module-training-text", "pt-module-training", SHARES["pt-module-training"]),
    (PYTORCH, "sequential-task-text", "pt-sequential", SHARES["pt-sequential"]),
    (PYTORCH, "open-text", "pt-open", OPEN_SHARE),
    (TRANSFORMER, "vit-training-text", "vit-accuracy", SHARE),
]


@pytest.mark.parametrize(
    ("notebook", "text", "check", "hidden"), AIMS, ids=[f"{aim[0]}-{aim[2]}" for aim in AIMS]
)
def test_text_and_checks_ask_for_the_same(
    notebook: str, text: str, check: str, hidden: float
) -> None:
    nb = nbformat.read(SOURCE / f"{notebook}.ipynb", as_version=4)
    cells = {cell.id: cell.source for cell in nb.cells}
    named = re.search(r"\*\*(\d+) %\*\*[^.]*?\((\d+) % ", cells[text])
    asked = re.search(r"at_scale\(embedded=(0\.\d+), full=(0\.\d+)\)", cells[check])
    assert named, f"{text} names no accuracy in bold with that of the full data in brackets"
    assert asked, f"{check} asks for no accuracy"
    assert [int(n) / 100 for n in named.groups()] == [float(n) for n in asked.groups()]
    assert float(asked[1]) - CHANCE <= hidden + 1e-9 <= float(asked[1])
