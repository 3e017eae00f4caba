"""The students' library does no student's task: neither by name nor under another one.

What students write is read off the solution cells of every notebook in ``source/``, the library off
the wheel that they install. Where the library must compute the same in another way (STAND_INS), the
hidden checks are to refuse it as an answer.
"""

import ast
import importlib
import json
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import cast

import pytest
from answers import Function, Task, answers, bound_names, solution_cells, tasks_in, tasks_of

from autograder.checks.assignment2.convolutionalnetworks import own_work
from autograder.judge.expect import Failed
from autograder.judge.kernel import Kernel
from autograder.judge.student import Student

ROOT = Path(__file__).parents[2]

# Names of students' tasks that the library may define all the same, each with the reason: [P] in
# the curriculum of another notebook, say.
PROVIDED: dict[str, str] = {}

# What is alike because it is five lines that every training step in PyTorch has: logits, loss,
# `zero_grad`, `backward`, `step`. The curriculum (3.8) provides this solver.
ALIKE = (
    "cs231n_lib/captioning_solver_transformer.py: CaptioningSolverTransformer._step does "
    "DINOSegmentation.train (CLIP_DINO, cell segmentation-code)",
)

# Tasks whose result the library also computes, in another way and under other names: all of
# fast_layers, im2col and layer_utils is [P] in the curriculum (3.6), because with the loops that
# students write, training would take days. Nobody may hand in a call of them as the answer, so the
# hidden checks of these tasks have to refuse their names.
STAND_INS = {
    "conv_forward_naive": "conv",
    "conv_backward_naive": "conv",
    "max_pool_forward_naive": "pool",
    "max_pool_backward_naive": "pool",
}
READY_MADE = {
    module: vars(importlib.import_module(f"cs231n_lib.{module}"))["__all__"]
    for module in ("fast_layers", "im2col", "layer_utils")
}


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return tasks_in(ROOT / "source")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every module of the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as wheel:
        modules = [name for name in wheel.namelist() if name.endswith(".py")]
        return {name: wheel.read(name).decode() for name in modules}


def test_the_library_holds_no_answers(library: dict[str, str], tasks: list[Task]) -> None:
    assert "cs231n_lib/solver.py" in library
    assert answers(library, tasks, allowed=PROVIDED) == list(ALIKE)


def test_the_tasks_are_found(tasks: list[Task]) -> None:
    """Functions, methods and cells; not what a solution cell gives to the student."""
    names = {task.name for task in tasks}
    assert {"svm_loss_naive", "KNearestNeighbor", "KNearestNeighbor.predict_labels", ""} <= names
    assert "KNearestNeighbor.train" not in names, "given"
    assert len({task.where.split(",")[0] for task in tasks}) == len(
        list((ROOT / "source").glob("*/*.ipynb"))
    ), "every notebook has tasks"


def test_exceptions_are_needed(library: dict[str, str], tasks: list[Task]) -> None:
    defined = {name for source in library.values() for name in bound_names(ast.parse(source))}
    for name, reason in PROVIDED.items():
        assert name in defined & {task.name for task in tasks}, f"{name} is no exception any more"
        assert reason


def test_ready_made_layers_are_refused_as_answers(tasks: list[Task]) -> None:
    """However they are imported; as soon as there is a notebook that has the task."""
    for path in sorted((ROOT / "source").glob("*/*.ipynb")):
        asked = {task.name for task in tasks if task.where.startswith(f"{path.stem}, ")}
        if not asked & STAND_INS.keys():
            continue
        for name in sorted(asked & STAND_INS.keys()):
            for module, helper in ready_made(STAND_INS[name]):
                for imported, use in (
                    (f"from cs231n_lib.{module} import {helper}", helper),
                    (f"from cs231n_lib.{module} import {helper} as f", "f"),
                    (f"from cs231n_lib.{module} import *", helper),
                    (f"from cs231n_lib import {module}", f"{module}.{helper}"),
                    (f"import cs231n_lib.{module} as f", f"f.{helper}"),
                ):
                    source = f"{imported}\ndef {name}(*given):\n    return {use}(*given)"
                    assert refused(source, name), f"the checks of {name} must forbid:\n{source}"


def ready_made(kind: str) -> list[tuple[str, str]]:
    """(module, function) of what could do the work."""
    return [
        (module, name)
        for module, names in READY_MADE.items()
        for name in names
        if kind in name or module == "im2col"
    ]


def refused(source: str, task: str) -> bool:
    """Whether the rule that every check of this task's question asks objects to this notebook."""
    [grade_id] = [grade_id for grade_id, (name, _) in own_work.RULES.items() if name == task]
    try:
        own_work.expect_own_work(reading_only(source), grade_id)
    except Failed as failure:
        return "is not allowed" in str(failure)
    return False


def reading_only(source: str) -> Student:
    return Student(cast(Kernel, None), {"cell": source}, seconds=1)


# Planted: a notebook that does not exist yet, and libraries that do what it asks.

NOTEBOOK = {
    "nbformat": 4,
    "cells": [
        {
            "cell_type": "code",
            "metadata": {"nbgrader": {"grade_id": "descend", "solution": True}},
            "source": """
def leap(w, dw, config=None):
    ### BEGIN SOLUTION
    config = dict(config or {})
    rate = config.setdefault("learning_rate", 1e-2)
    speed = config.get("velocity", np.zeros_like(w))

    def helper(): ...

    config["velocity"] = 0.9 * speed - rate * dw
    return w + config["velocity"], config
    ### END SOLUTION


class Walker:
    def __init__(self, W):
        self.W = W

    def label(self, X):
        ### BEGIN SOLUTION
        return np.argmax(X @ self.W, axis=1)
        ### END SOLUTION
""",
        },
        {
            "cell_type": "code",
            "metadata": {"nbgrader": {"grade_id": "tune", "solution": True}},
            "source": """
best = -1
### BEGIN SOLUTION
for rate in rates:
    accuracy = np.mean(train(rate).label(X_val) == y_val)
    results[rate] = accuracy
    if accuracy > best:
        best, best_rate = accuracy, rate
### END SOLUTION
""",
        },
    ],
}
DISGUISED = '''
"""An update rule, with other names, types, texts and more lines."""
from typing import Any

def advance(weights: Array, gradient: Array, options: dict[str, Any] | None = None) -> Any:
    """Move the weights."""
    if weights.shape != gradient.shape:
        raise ValueError("shapes differ")
    options = dict(options or {})
    # how fast
    step = options.setdefault("learning_rate", 1e-2)
    momentum: Array = options.get("velocity", np.zeros_like(weights))
    options["velocity"] = 0.9 * momentum - step * gradient
    return weights + options["velocity"], options
'''
SEARCH = '''
def search(rates, X, y, train):
    """The best learning rate."""
    table, top = {}, -1
    for eta in rates:
        part = np.mean(train(eta).label(X) == y)
        table[eta] = part
        if part > top:
            top, top_eta = part, eta
    return table, top_eta
'''


@pytest.fixture
def planted(tmp_path: Path) -> list[Task]:
    (tmp_path / "assignment9").mkdir()
    (tmp_path / "assignment9" / "new.ipynb").write_text(json.dumps(NOTEBOOK))
    return tasks_in(tmp_path)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def leap(w, dw): ...", "x.py defines leap (new, cell descend)"),
        ("leap = None", "x.py defines leap (new, cell descend)"),
        ("from elsewhere import advance as leap", "x.py defines leap (new, cell descend)"),
        ("class Walker: ...", "x.py defines Walker (new, cell descend)"),
        (DISGUISED, "x.py: advance does leap (new, cell descend)"),
        (
            "class A:\n  def f(self, Z):\n    'Why.'\n    return np.argmax(Z @ self.V, axis=1)",
            "x.py: A.f does Walker.label (new, cell descend)",
        ),
        (SEARCH, "x.py: search does the task (new, cell tune)"),
    ],
)
def test_planted_answers_are_found(source: str, found: str, planted: list[Task]) -> None:
    assert answers({"x.py": source}, planted) == [found]


@pytest.mark.parametrize(
    "source",
    [
        "class Runner:\n  def label(self, X): return X.argmax()",  # a method of another class
        "def f(leap): return leap + 1",  # an argument
        "def helper(): ...",  # not asked for
        "def best(scores): return np.argmax(scores, axis=1)",
        "def decay(config):\n  config.setdefault('learning_rate', 1e-2)\n  return config",
    ],
)
def test_what_is_no_answer(source: str, planted: list[Task]) -> None:
    assert {task.name for task in planted} == {"leap", "Walker", "Walker.label", ""}
    assert answers({"x.py": source}, planted) == []


def test_every_solution_would_be_found() -> None:
    """Each solution cell of the course as a module, its definitions under other names."""
    for path in sorted((ROOT / "source").glob("*/*.ipynb")):
        for where, source in solution_cells(path):
            tree = ast.parse(source)
            disguised = False
            for node in ast.walk(tree):
                if isinstance(node, Function | ast.ClassDef):
                    node.name, disguised = f"{node.name}_copied", True
            module = (
                ast.unparse(tree)
                if disguised
                else f"def copied():\n{textwrap.indent(ast.unparse(tree), '    ')}"
            )
            for task in tasks_of(where, source):
                if task.tokens:
                    assert answers({"x.py": module}, [task]), f"{task.name} ({where})"
