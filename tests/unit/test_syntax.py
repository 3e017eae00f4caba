"""Reading a cell never brings down the reader."""

import ast
import json

import pytest

from autograder.grading.prerequisites import loadable, loads
from autograder.judge.results import CellVerdict, GradedNotebook
from autograder.notebook.syntax import MAX_DEPTH, parse_cell, unreadable
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


def test_magics_are_calls_and_errors_are_left_out() -> None:
    body = parse_cell("%matplotlib inline\n!ls\nx = 1").body
    assert [ast.unparse(node) for node in body] == [
        "get_ipython().run_line_magic('matplotlib', 'inline')",
        "get_ipython().system('ls')",
        "x = 1",
    ]
    assert parse_cell("def broken(:").body == []
    assert parse_cell("x = '\0'").body == []


HARMLESS = (
    "np.sum?", "?np.sum", "f??", "np.*load*?", "files = !ls", "a, b = !ls -l", "x = %pwd",
    "last = (7\n  % 3)", "text = \"\"\"\n%time\n!ls\n\"\"\"", "if f(1):\n    %timeit f(1)\n    !ls",
    "!pip install x \\\n  y", "await g()", "!echo {f(1)}", "%load_ext autoreload\n%autoreload 2",
    "!ls\n" * 2_000,
)  # fmt: skip


@pytest.mark.parametrize("line", HARMLESS)
def test_a_harmless_line_leaves_the_cell_readable(line: str) -> None:
    source = f"\n\ndef f(x):\n    return x\n\n{line}\n\ndef g(): pass"
    assert unreadable(source) == ""
    defined = {n.name: n.lineno for n in parse_cell(source).body if isinstance(n, ast.FunctionDef)}
    assert defined == {"f": 3, "g": 8 + line.count("\n")}


def test_the_lines_below_a_cell_magic_are_read_where_they_are_python() -> None:
    for magic in ("%%time", "%%timeit -n 3", "%%capture out", "%%writefile m.py", "\n%%prun -l 3"):
        (function,) = parse_cell(f"{magic}\n%%time\n%pwd\ndef f(): pass").body[-1:]
        assert isinstance(function, ast.FunctionDef), magic
        assert function.lineno == 4 + magic.count("\n")
    for magic in ("%%bash", "%%writefile notes.txt", "%%html"):
        assert parse_cell(f"{magic}\nx = 1").body == []
        assert unreadable(f"{magic}\n<b>what is this?") == ""


def test_it_is_said_why_a_cell_cannot_be_read() -> None:
    assert unreadable("x = 1\n\nx = = 2").startswith("line 3: invalid syntax")
    assert "null" in unreadable("x = '\0'")
    assert unreadable(DEEP["sum"]) == "it is nested too deeply"


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
