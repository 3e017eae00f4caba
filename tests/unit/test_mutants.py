"""Mutants: which slips are made of code, and hand-written ones that must fit the notebook."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.mutate import mutants
from autograder.mutate.edits import Source, changed_lines
from autograder.mutate.mutants import (
    MutantError,
    automatic,
    equivalents,
    regions,
    stale,
    written_by_hand,
)
from autograder.mutate.operators import mutations
from autograder.settings import CS231N

SOLUTION = """class Sum:
    def given(self):
        return 1 + 1

    def total(self, X):
        ### BEGIN SOLUTION
        rows = X.sum(axis=1)
        return rows / len(X)
        ### END SOLUTION"""
CELL = {
    "cell_type": "code",
    "id": "sum",
    "metadata": {"nbgrader": {"solution": True, "grade": False}},
    "source": SOLUTION,
}
TUNING = CELL | {"id": "tuning", "source": "### BEGIN SOLUTION\nbest = max(3, 4)\n### END SOLUTION"}
DOCUMENT = {"cells": [CELL, TUNING]}


def slips(code: str) -> set[str]:
    source = Source(code)
    return {changed_lines(code, source.apply(edit))[1] for edit in mutations(source, 1, 99)}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("y = a + b", {"y = a - b", "pass"}),
        ("y = a @ b", {"y = a * b", "y = (b) @ (a)", "pass"}),
        ("y = (a - b) ** 2", {"y = (a + b) ** 2", "y = (a - b) ** 3", "y = (a - b) ** 1"}),
        ("y += x", {"y -= x", "y = x", "pass"}),
        ("y = y * x", {"y *= x", "y = y / x"}),
        ("y = a > b", {"y = a >= b", "y = a < b"}),
        ("y = x[i, j]", {"y = x[j, i]"}),
        ("y = x[1:n]", {"y = x[:n]", "y = x[1:]", "y = x[2:n]", "y = x[0:n]"}),
        ("y = x.T", {"y = x"}),
        ("y = x.sum(axis=1, keepdims=True)", {"y = x.mean(axis=1, keepdims=True)"}),
        ("y = x.sum(axis=1, keepdims=True)", {"y = x.sum(axis=0, keepdims=True)"}),
        ("y = x.sum(axis=1, keepdims=True)", {"y = x.sum(keepdims=True)", "y = x.sum(axis=1)"}),
        ("y = np.zeros(n)", {"y = np.zeros(n, dtype=int)", "y = np.ones(n)"}),
        ("y = np.maximum(x, 0)", {"y = np.minimum(x, 0)", "y = np.maximum(x, 0, out=x)"}),
        ("y = f(a, b)", {"y = f(b, a)"}),
        ("y = x.copy()", {"y = (x)"}),
        ("y = -x", {"y = (x)"}),
        ("y = 0.5", {"y = 1.0"}),
        ("y = True", {"y = False"}),
        ("y = a and b", {"y = a or b"}),
        ("for i in range(n):\n    f(i)", {"for i in range((n) - 1):", "for i in range(1, n):"}),
        ("if a:\n    f()", {"if True:", "if False:", "pass"}),
    ],
)
def test_slips(code: str, expected: set[str]) -> None:
    assert expected <= slips(code)


@pytest.mark.parametrize(
    ("code", "harmless"),
    [
        ("y = (a - b) ** 2", "y = ((b) - (a)) ** 2"),
        ("y = np.maximum(x, 0)", "y = np.maximum(0, x)"),
    ],
)
def test_what_changes_nothing_is_not_tried(code: str, harmless: str) -> None:
    assert harmless not in slips(code)


def test_only_what_the_student_writes_is_mutated() -> None:
    first, second = regions(DOCUMENT)
    assert (first.of, first.first, first.last) == ("Sum.total", 6, 7)
    assert (second.of, second.cell) == ("cell tuning", "tuning")
    found = list(automatic(first))
    assert {"rows = X.sum(axis=0)", "return rows * len(X)"} <= {m.after for m in found}
    assert all("return 1 + 1" in mutant.source for mutant in found), "provided code is left alone"
    assert all("###" not in mutant.source for mutant in found)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(mutants, "MUTANTS", tmp_path)
    (tmp_path / "a1" / "sums").mkdir(parents=True)
    return tmp_path / "a1" / "sums"


def by_hand(folder: Path, toml: str) -> list[mutants.Mutant]:
    (folder / "wrong.toml").write_text(toml)
    return written_by_hand("a1", "sums", regions(DOCUMENT), CS231N)


def test_edits_and_whole_functions(folder: Path) -> None:
    edited, whole, cell = by_hand(
        folder,
        """
        [[mutant]]
        of = "Sum.total"
        what = "columns instead of rows, and no division"
        find = ["axis=1", "rows / len(X)"]
        put = ["axis=0", "rows"]
        [[mutant]]
        of = "Sum.total"
        what = "returns nothing"
        code = '''
def total(self, X):
    pass
'''
        [[mutant]]
        of = "cell tuning"
        what = "the smallest"
        code = "best = 3"
        """,
    )
    assert edited.after == "rows = X.sum(axis=0)\nreturn rows"
    assert edited.source == whole.source.replace(
        "        pass", "        rows = X.sum(axis=0)\n        return rows"
    )
    assert (cell.cell, cell.source, cell.by_hand) == ("tuning", "best = 3", True)


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ('of = "Sum.nothing"\nwhat = "x"', "of is none of Sum.total, cell tuning"),
        ('of = "Sum.total"', "of is none of"),
        ('of = "Sum.total"\nwhat = "x"', "give find and put, or code"),
        ('of = "Sum.total"\nwhat = "x"\nfind = "X"\nput = "Y"', "'X' occurs 3 times, not once"),
        ('of = "Sum.total"\nwhat = "x"\nfind = "1 + 1"\nput = "3"', "occurs 0 times"),
        ('of = "Sum.total"\nwhat = "x"\nfind = "axis=1"\nput = "axis=1"', "changes nothing"),
        ('of = "Sum.total"\nwhat = "x"\nfind = "axis=1"\nput = "axis=("', "never closed"),
        ('of = "Sum.total', "Illegal character"),
    ],
)
def test_a_mutant_that_does_not_fit_is_named(folder: Path, entry: str, complaint: str) -> None:
    with pytest.raises(MutantError, match=r"wrong\.toml") as caught:
        by_hand(folder, f"[[mutant]]\n{entry}\n")
    assert complaint in str(caught.value)


def test_equivalents_need_a_reason(folder: Path) -> None:
    (folder / "equivalent.toml").write_text('[[equivalent]]\nof = "f"\nfind = "a"\nput = "b"\n')
    with pytest.raises(MutantError, match="reason"):
        equivalents("a1", "sums", CS231N)


MUTATED = sorted(path.parent for path in mutants.MUTANTS.glob("*/*/wrong.toml"))


@pytest.mark.parametrize("folder", MUTATED, ids=lambda folder: folder.name)
def test_the_lists_fit_the_solutions_as_they_are_today(folder: Path) -> None:
    """An edited solution, or only its comment, is noticed at once and not by the next `mutate`."""
    assignment, notebook = folder.parent.name, folder.name
    root = mutants.MUTANTS.parents[1]
    document = json.loads((root / "source" / assignment / f"{notebook}.ipynb").read_text())
    places = regions(document)
    assert written_by_hand(assignment, notebook, places, CS231N)
    made = [mutant for place in places for mutant in automatic(place)]
    assert stale(equivalents(assignment, notebook, CS231N), made) == []
