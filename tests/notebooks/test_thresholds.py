"""What the prose promises about grading is what the checks do: accuracies, seconds and sizes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from autograder.checks.shared.in_kernel_small import SMALL
from autograder.grading.small_cells import SEARCH_SECONDS

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "source").glob("*/*.ipynb"))
ON_NEW_IMAGES = re.compile(r"must[^.]* classify at least (\d+) % of new images correctly")
GOAL = re.compile(r"goal is (?:at least )?\*\*(\d+) %\*\*")
NAMED = {  # notebook: the shares of new images that its hidden checks demand
    "svm": [27],
    "softmax": [26],
    "two_layer_net": [30, 36],
    "features": [34, 43],
    "FullyConnectedNets": [38],
}


def cells(path: Path, kind: str) -> list[str]:
    return [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == kind]


def demanded(package: Path) -> Iterator[int]:
    """The shares, in per cent, below which a hidden check fails."""
    for module in sorted(package.glob("*.py")):
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            values: list[ast.expr] = []
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "THRESHOLD":
                values = [node.value]
            elif isinstance(node, ast.Call):
                values = [word.value for word in node.keywords if word.arg == "threshold"]
                if ast.unparse(node.func) == "expect_accuracy":
                    values += node.args
            for value in values:
                if isinstance(value, ast.Constant) and isinstance(value.value, float):
                    yield round(100 * value.value)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_new_images_must_reach(path: Path) -> None:
    text = "\n".join(cells(path, "markdown"))
    named = sorted(int(share) for share in ON_NEW_IMAGES.findall(text))
    assert named == NAMED.get(path.stem, [])
    if named:
        checks = ROOT / "autograder" / "checks" / path.parent.name / path.stem.lower()
        assert sorted(demanded(checks)) == named


@pytest.mark.parametrize("name", ["two_layer_net", "features"])
def test_goals_are_those_of_the_visible_checks(name: str) -> None:
    path = ROOT / "source" / "assignment1" / f"{name}.ipynb"
    goals = [int(goal) for goal in GOAL.findall("\n".join(cells(path, "markdown")))]
    code = "\n".join(cells(path, "code"))
    assert len(goals) == 2
    for goal in goals:
        assert f"goal: {goal} %" in code or f"goal is 0.{goal}" in code
    assert all(low < goal for low, goal in zip(NAMED[name], goals, strict=True))


def test_seconds_and_sizes() -> None:
    for path in SOURCES:
        text = "\n".join(cells(path, "markdown"))
        for seconds in re.findall(r"(\d+) s of processor time", text):
            assert float(seconds) == SEARCH_SECONDS, path.stem
        for height, width in re.findall(r"images of (\d+) × (\d+) pixels", text):
            assert (int(height), int(width)) == (SMALL, SMALL), path.stem


def test_the_first_training_images() -> None:
    text = "\n".join(cells(ROOT / "source" / "assignment1" / "features.ipynb", "markdown"))
    (count,) = re.findall(r"it gets the first (\d+) training images", text)
    module = ROOT / "autograder" / "checks" / "assignment1" / "features" / "net.py"
    assert f"\nROWS = {count}\n" in module.read_text("utf-8")
