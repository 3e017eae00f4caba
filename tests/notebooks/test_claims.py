"""What the prose says is what the cells print: marked sentences, read against stored outputs."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograder.authoring.claims import claims, false_claims

SOURCES = sorted((Path(__file__).parents[2] / "source").glob("*/*.ipynb"))
PRINTED = "after 5,000 steps: train 0.418, validation 38.6 %, error -3e-09, 12 of 40"


def notebook(prose: str, printed: str = PRINTED, **metadata: list[str]) -> NotebookNode:
    metadata = {"tags": ["nbval-check-output"]} | metadata
    code = new_code_cell("train()", id="train", metadata=metadata)
    code.outputs = [new_output("stream", name="stdout", text=printed)]
    return new_notebook(cells=[code, new_markdown_cell(prose, id="remarks")])


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_marked_sentence_of_the_course_holds(path: Path) -> None:
    wrong = false_claims(nbformat.read(path, as_version=4))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "sentence",
    [
        "It gets 42 % of the training images right.",
        "It gets 41.8 percent right, and 0.42 is no chance.",
        "After 5,000 (or 5000) steps, 39 % are right.",
        "The error is \u22123e-9.",
        "12 of 40 stay, about 13 of them and around 38 %.",
        "With `lr=7`, $\\lambda = 9$ and the 2D-net of conv2, 12 stay, e.g. 40.",
        "The first sentence says 99. The second says 12.",
        "| a row | 12 |\n| --- | --- |\n| another | 40 |",
        "A list of 99:\n- one of 77\n- one of 12",
    ],
)
def test_numbers_that_are_printed_in_as_many_digits(sentence: str) -> None:
    assert false_claims(notebook(f"{sentence} <!-- printed by: train -->")) == []


@pytest.mark.parametrize(
    ("sentence", "missing"),
    [
        ("It gets 43 % right.", "43 % is not"),
        ("It gets 42 right.", "42 is not"),  # of what is printed as 0.418
        ("It gets 0.41 right.", "0.41 is not"),
        ("About 50 % are right.", "50 % is not"),
        ("The error is 3e-9.", "3e-9 is not"),
        ("Of 40 there are 13 and 14.", "13 and 14 are not"),
        ("Two are right.", "no number"),
    ],
)
def test_numbers_that_are_not(sentence: str, missing: str) -> None:
    (wrong,) = false_claims(notebook(f"{sentence} <!-- printed by: train -->"))
    assert missing in wrong
    assert sentence in wrong
    assert "remarks" in wrong


def test_a_sentence_ends_at_the_mark_before_it() -> None:
    prose = "Of 40, <!-- printed by: train --> there are 12 left. <!-- printed by: train -->"
    found = [claim.sentence for claim in claims(notebook(prose))]
    assert found == ["Of 40,", "there are 12 left."]
    assert false_claims(notebook(prose)) == []


def test_a_mark_that_leads_nowhere() -> None:
    (unknown,) = false_claims(notebook("There are 12. <!-- printed by: nothing -->"))
    assert "'nothing' is not a cell tagged nbval-check-output" in unknown
    (untagged,) = false_claims(notebook("There are 12. <!-- printed by: train -->", tags=[]))
    assert "'train' is not a cell tagged" in untagged
    (mistyped,) = false_claims(notebook("There are 12. <!-- printed train -->"))
    assert "does not name a cell" in mistyped
