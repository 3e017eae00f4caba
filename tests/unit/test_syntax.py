"""Reading a cell never brings down the reader."""

import ast
import json

import pytest

from autograder.grading.prerequisites import loadable, loads
from autograder.judge.results import CellVerdict, GradedNotebook
from autograder.notebook.syntax import MAX_DEPTH, parse_cell
from autograder.notebook.template import Template

DEEP = {
    "signs": "y = " + "-" * 100_000 + "1",
    "nots": "y = " + "not " * 50_000 + "1",
    "sum": "y = 0" + " + 1" * 900,
    "attributes": "y = a" + ".b" * 900,
    "calls": "y = f" + "()" * 900,
    "brackets": "y = " + "[" * 5_000 + "]" * 5_000,
    "elifs": "if a: pass\n" + "elif a: pass\n" * 900,
}


def test_magics_and_errors_are_left_out() -> None:
    assert ast.unparse(parse_cell("%matplotlib inline\n!ls\nx = 1")) == "pass\npass\nx = 1"
    assert parse_cell("def broken(:").body == []
    assert parse_cell("x = '\0'").body == []


@pytest.mark.parametrize("kind", DEEP)
def test_what_is_nested_too_deeply_is_not_read(kind: str) -> None:
    assert parse_cell(DEEP[kind]).body == []


def test_what_people_write_is_read() -> None:
    assert len(parse_cell("y = 0" + " + 1" * (MAX_DEPTH - 10)).body) == 1
    assert len(parse_cell("\n".join(f"x{i} = {i}" for i in range(5_000))).body) == 5_000


@pytest.mark.parametrize("kind", DEEP)
def test_an_earlier_notebook_with_such_a_cell_can_be_put_together(kind: str) -> None:
    """What lost its points is replaced; the cell that defines it again stays as it is."""
    answer = {"cell_type": "code", "id": "answer", "source": "def f(): ...", "outputs": []}
    test = {"cell_type": "code", "id": "f-works", "source": "f()", "outputs": []}
    answer["metadata"] = {"nbgrader": {"solution": True, "grade": False, "grade_id": "answer"}}
    test["metadata"] = {"nbgrader": {"solution": False, "grade": True, "grade_id": "f-works"}}
    own = {"cell_type": "code", "id": "own", "metadata": {}, "outputs": []}
    own["source"] = f"{DEEP[kind]}\ndef f(): return 2"
    document = {"cells": [answer, test, own], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    solved = {"cells": [answer | {"source": "def f(): return 1"}, test]}
    verdicts = (CellVerdict("f-works", 1.0, 0.0, ()),)
    graded = GradedNotebook("ada", "a1", "early", verdicts, document=json.dumps(document))
    released = Template("a1", "early", {"cells": [answer, test], "metadata": {}})
    ready = loadable(released, graded, solved)
    assert b"def f(): return 1" in ready.content
    assert ready.notes
    assert loads(document) == []
