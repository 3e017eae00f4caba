"""What the release says a cell prints is nobody's work: with it or without, a submission is one."""

from __future__ import annotations

import copy
import json

import pytest

from autograder.grading.written import sort_written
from autograder.notebook.likeness import keys, signatures
from autograder.notebook.repair import Repaired, repair
from autograder.notebook.shown import is_shown_output, shown_output, without_told
from autograder.notebook.template import Template

META = {"schema_version": 3, "task": False}
SOLUTION = META | {"grade": False, "solution": True, "locked": False}
WRITTEN = META | {"grade": True, "solution": True, "locked": False, "points": 1}
NEW, OLD = shown_output("accuracy 0.41", nearly=True), shown_output("accuracy 0.4", nearly=False)


def cell(kind: str, name: str, source: str, about: dict | None = None) -> dict:
    metadata = {"nbgrader": {"grade_id": name, **about}} if about else {}
    code = {"outputs": [], "execution_count": None} if kind == "code" else {}
    return {"cell_type": kind, "id": name, "metadata": metadata, "source": source} | code


def release(shown: str | None) -> Template:
    prints = [cell("markdown", "look-prints", shown)] if shown else []
    cells = [
        cell("markdown", "intro", "# A lesson"),
        cell("code", "look", "print('accuracy', 0.41)"),
        *prints,
        cell("code", "f", "raise NotImplementedError", SOLUTION),
        cell("markdown", "why", "*Your answer:*", WRITTEN),
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    document = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return Template("assignment1", "little", document)


def handed_in(of: Template, *, bare: bool = False) -> dict:
    """Solved, with an own cell below what is shown; ``bare``: without any name or metadata."""
    document = copy.deepcopy(of.document)
    cells = document["cells"]
    cells[-2]["source"], cells[-1]["source"] = "x = 1", "Because."
    cells.insert(len(cells) - 2, cell("code", "mine", "helper = 2"))
    if bare:
        for one in cells:
            one["metadata"] = {}
            del one["id"]
    return document


def mend(document: dict, template: Template) -> Repaired:
    return repair(json.dumps(document).encode(), template)


RELEASES = {"none": None, "older": OLD, "this": NEW}


@pytest.mark.parametrize("theirs", RELEASES)
@pytest.mark.parametrize("ours", RELEASES)
def test_a_submission_of_any_release_is_graded_as_one_of_this(ours: str, theirs: str) -> None:
    template = release(RELEASES[ours])
    repaired = mend(handed_in(release(RELEASES[theirs])), template)
    shown = [RELEASES[ours]] if RELEASES[ours] else []
    assert [c["source"] for c in repaired.document["cells"]] == [
        "# A lesson",
        "print('accuracy', 0.41)",
        *shown,
        "helper = 2",
        "x = 1",
        "Because.",
    ]
    assert repaired.repairs == ()


@pytest.mark.parametrize("theirs", RELEASES)
@pytest.mark.parametrize("ours", RELEASES)
def test_an_answer_without_a_name_is_found_by_its_place(ours: str, theirs: str) -> None:
    document = handed_in(release(RELEASES[theirs]), bare=True)
    del document["cells"][-3]  # the student's own cell
    repaired = mend(document, release(RELEASES[ours]))
    by_id = {c["id"]: c["source"] for c in repaired.document["cells"]}
    assert (by_id["f"], by_id["why"]) == ("x = 1", "Because.")
    assert "cell 'f' had lost its name: found by its position" in repaired.repairs


def test_what_a_student_adds_to_such_a_cell_is_kept() -> None:
    template = release(NEW)
    document = handed_in(template)
    document["cells"][2]["source"] += "\n\nMine says 0.43."
    repaired = mend(document, template)
    assert repaired.document["cells"][2]["source"].endswith("Mine says 0.43.")


def test_beside_an_empty_answer_it_is_no_answer() -> None:
    """Whatever another release showed there."""
    template = release(None)
    document = copy.deepcopy(template.document)
    document["cells"].append(cell("markdown", "look-prints", OLD))
    repaired = mend(document, template)
    written = sort_written(repaired.document["cells"], template)
    assert (written.pending, written.unanswered, written.notes) == ((), ("why",), ())


def test_a_notebook_is_known_without_such_cells() -> None:
    with_them, without = release(NEW).document, release(None).document
    other = {"cells": [cell("markdown", "else", "# Something else")]}
    found = [
        signatures({("assignment1", "little"): one, ("assignment1", "other"): other})
        for one in (with_them, without)
    ]
    assert found[0] == found[1]
    handed = frozenset().union(*map(keys, without["cells"]))
    assert found[0].of(handed) == ("assignment1", "little")
    assert without_told(with_them) == without


@pytest.mark.parametrize("text", ["one line", "a\n\nb", "```\nfenced\n```", "<b>&amp;</b> $x$"])
@pytest.mark.parametrize("nearly", [True, False])
def test_it_is_recognised_whatever_is_printed(text: str, nearly: bool) -> None:
    source = shown_output(text, nearly=nearly)
    assert text in source
    assert ("depend on the machine" in source) == nearly
    assert is_shown_output(cell("markdown", "a", f"{source}\n"))
    assert is_shown_output(cell("markdown", "a", source) | {"source": source.splitlines(True)})
    assert not is_shown_output(cell("markdown", "a", f"{source}\nBut mine differs."))
    assert not is_shown_output(cell("markdown", "a", source, WRITTEN)), "somebody's answer"


def test_much_text_is_read_quickly() -> None:
    start = shown_output("x", nearly=False).partition("x")[0]
    assert not is_shown_output(cell("markdown", "a", start + "`` " * 500_000))
