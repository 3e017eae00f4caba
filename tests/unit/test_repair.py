"""Every way in which editors and students break a notebook, and what a fair TA makes of it."""

import copy
import json
from collections.abc import Callable

import nbformat
import pytest

from autograder.notebook.repair import Repaired, UnreadableError, repair
from autograder.notebook.template import Template, grade_id, is_auto_graded, nbgrader

STUB = "def f(x):\n    raise NotImplementedError('f: write your code here')"
ANSWER = "def f(x):\n    return x + 1"


def cell(kind: str, name: str, source: str, **about) -> dict:
    metadata = {"nbgrader": {"grade_id": name, "schema_version": 3, **about}} if about else {}
    code = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "id": name, "metadata": metadata, "source": source} | code


SOLUTION = {"grade": False, "solution": True, "locked": False, "task": False}
GRADE = {"grade": True, "solution": False, "locked": True, "task": False, "points": 2}
WRITTEN = {"grade": True, "solution": True, "locked": False, "task": False, "points": 1}
TEMPLATE = Template(
    "assignment1",
    "little",
    {
        "cells": [
            cell("markdown", "intro", "# A lesson"),
            cell("code", "imports", "import math"),
            cell("code", "f", STUB, **SOLUTION),
            cell("code", "test-f", "assert f(1) == 2", **GRADE),
            cell("markdown", "why", "*Your answer:*", **WRITTEN),
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    },
)


def answered() -> dict:
    document = copy.deepcopy(TEMPLATE.document)
    document["cells"][2]["source"] = ANSWER
    document["cells"][4]["source"] = "Because."
    return document


def mend(change: Callable[[dict], object] | None = None) -> Repaired:
    document = answered()
    if change:
        change(document)
    return repair(json.dumps(document).encode(), TEMPLATE)


def sources(repaired: Repaired) -> list[str]:
    return [c["source"] for c in repaired.document["cells"]]


def by_id(repaired: Repaired) -> dict[str, dict]:
    return {c["id"]: c for c in repaired.document["cells"]}


WHOLE = ["# A lesson", "import math", ANSWER, "assert f(1) == 2", "Because."]


def test_a_clean_submission_is_left_alone() -> None:
    assert sources(mend()) == WHOLE
    assert mend().repairs == ()


def strip_nbgrader(document: dict) -> None:
    for c in document["cells"]:
        c["metadata"] = {}


def strip_everything(document: dict) -> None:
    strip_nbgrader(document)
    for c in document["cells"]:
        c.pop("id")


def fresh_ids(document: dict) -> None:
    for number, c in enumerate(document["cells"]):
        c["id"] = f"a{number}"


def reverse(document: dict) -> None:
    document["cells"].reverse()


def retype(document: dict) -> None:
    for number, kind in ((2, "markdown"), (3, "raw"), (4, "code")):
        document["cells"][number]["cell_type"] = kind


def edit_locked(document: dict) -> None:
    document["cells"][3]["source"] = "pass"


def delete_tests(document: dict) -> None:
    del document["cells"][3]


def copy_tests(document: dict) -> None:
    document["cells"].append(copy.deepcopy(document["cells"][3]))


def more_points(document: dict) -> None:
    document["cells"][3]["metadata"]["nbgrader"]["points"] = 1000


@pytest.mark.parametrize(
    ("change", "note"),
    [
        (strip_nbgrader, "grading metadata was missing from 3 cells"),
        (strip_everything, "'f' had lost its name: found by what it defines"),
        (fresh_ids, ""),
        (reverse, "another order"),
        (retype, "'f' had become a markdown cell: changed back"),
        (edit_locked, "the locked cell 'test-f' had been edited: restored"),
        (delete_tests, "cell 'test-f' was missing: restored"),
        (copy_tests, "a copy of the test cell 'test-f' was left out"),
        (more_points, ""),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_whole_notebook_comes_back(change, note) -> None:
    repaired = mend(change)
    assert sources(repaired) == WHOLE
    assert note in "; ".join(repaired.repairs)
    assert [grade_id(c) for c in repaired.document["cells"] if is_auto_graded(c)] == ["test-f"]
    assert nbgrader(by_id(repaired)["test-f"])["points"] == 2
    nbformat.validate(nbformat.from_dict(repaired.document))


def test_a_lost_answer_is_restored_as_the_stub_and_said() -> None:
    repaired = mend(lambda d: d["cells"].pop(2))
    assert by_id(repaired)["f"]["source"] == STUB
    assert repaired.repairs == ("cell 'f' was missing: restored as released",)


def test_the_copy_that_was_worked_on_is_the_answer() -> None:
    def work_on_the_copy(document: dict) -> None:
        worked_on = copy.deepcopy(document["cells"][2]) | {"id": "copy"}
        document["cells"][2]["source"] = STUB
        document["cells"].insert(3, worked_on)

    repaired = mend(work_on_the_copy)
    assert by_id(repaired)["f"]["source"] == ANSWER
    assert "a copy of cell 'f' was kept" in "; ".join(repaired.repairs)


def test_extra_cells_stay_where_they_were_without_metadata() -> None:
    def add(document: dict) -> None:
        forged = cell("code", "test-g", "1", **GRADE)
        document["cells"].insert(3, cell("code", "mine", "helper = 1"))
        document["cells"].append(forged)

    repaired = mend(add)
    assert sources(repaired) == [*WHOLE[:3], "helper = 1", *WHOLE[3:], "1"]
    assert [c["id"] for c in repaired.document["cells"] if c["id"].startswith("extra")] == [
        "extra-1",
        "extra-2",
    ]
    assert nbgrader(by_id(repaired)["extra-2"]) == {}


def test_byte_order_mark_windows_line_ends_and_lists_of_lines() -> None:
    document = answered()
    document["cells"][2]["source"] = ["def f(x):\r\n", "    return x + 1"]
    data = b"\xef\xbb\xbf" + json.dumps(document, indent=1).replace("\n", "\r\n").encode()
    repaired = repair(data, TEMPLATE)
    assert sources(repaired) == WHOLE
    assert "byte order mark" in repaired.repairs[0]


def test_an_old_notebook_format_is_upgraded() -> None:
    old = nbformat.convert(nbformat.from_dict(answered()), 3)
    repaired = repair(nbformat.writes(old, version=3).encode(), TEMPLATE)
    assert sources(repaired) == WHOLE
    assert "old format" in "; ".join(repaired.repairs)


def test_outputs_handed_in_are_dropped() -> None:
    def forge(document: dict) -> None:
        document["cells"][3]["outputs"] = [
            {"output_type": "execute_result", "data": {"text/plain": "2"}, "metadata": {}}
        ]

    assert all(not c.get("outputs") for c in mend(forge).document["cells"])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{", "not JSON"),
        (b"\xff\xfe\x00\xd8", "not text"),
        (b"[1, 2]", "not a notebook"),
        (b'{"cells": 3}', "no list of cells"),
        (b"[" * 200_000, "not JSON"),
        (b"%PDF-1.4", "a PDF, not a notebook"),
    ],
)
def test_what_is_no_notebook_is_named(data, says) -> None:
    with pytest.raises(UnreadableError, match=says):
        repair(data, TEMPLATE)


@pytest.mark.parametrize("junk", [None, 3, "x", [], {}, {"cell_type": 7, "source": {"a": 1}}])
def test_junk_between_the_cells_loses_nothing(junk) -> None:
    repaired = mend(lambda d: d["cells"].insert(2, junk))
    assert [s for s in sources(repaired) if s in WHOLE] == WHOLE
    nbformat.validate(nbformat.from_dict(repaired.document))
