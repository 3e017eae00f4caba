"""What cells print with a right solution: folded in the release, and never where it answers."""

from __future__ import annotations

import ast
import itertools
import re
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.utils import is_solution

from autograder.authoring.expected_output import ExpectedOutputs, expected_output
from autograder.authoring.release import ReleaseError, release
from autograder.authoring.tolerance import CHECKED_OUTPUT_TAG, NOT_SHOWN_TAG
from autograder.notebook.shown import EXACT, NEARLY, SUFFIX, is_shown_output
from tests.notebooks.test_structure import DEFINITIONS, SOURCES, global_names

ROOT = Path(__file__).parents[2]
#: Outputs of source/ that follow a choice of the reader's by name only: what they print is certain.
CERTAIN = {
    "FullyConnectedNets": {"growth-table", "init-table", "compare-table"},  # names of a loop
    "Transformer_Captioning": {"scrambled"},  # True for each model
    "knn": {"mean-colours", "popular-images"},  # ask the classifier, whatever k is
    "Seq2Seq_Attention": {"length-curves", "beam-widths"},  # ask the translator that is shipped
}


@pytest.fixture(params=SOURCES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def source(request: pytest.FixtureRequest) -> Path:
    return request.param


def cells_of(path: Path) -> list[NotebookNode]:
    return nbformat.read(path, as_version=4).cells


def test_the_release_shows_each_output_below_its_cell(source: Path) -> None:
    released = cells_of(ROOT / "release" / source.parent.name / source.name)
    wanted = {cell.id: text for cell in cells_of(source) if (text := expected_output(cell))}
    shown = {}
    for above, cell in itertools.pairwise(released):
        if is_shown_output(cell):
            assert cell.id == f"{above.id}{SUFFIX}"
            assert dict(cell.metadata) == {}, "not graded, not locked"
            shown[above.id] = cell.source
    assert list(shown) == list(wanted)
    assert all(text in shown[name] for name, text in wanted.items())
    assert not any(map(is_shown_output, cells_of(source))), "only in the release"


def test_no_output_names_a_place_on_the_authors_machine(source: Path) -> None:
    for cell in cells_of(source):
        assert re.search(r"(^|\s)(/[\w.~-]+){2,}", expected_output(cell)) is None, cell.id


def test_what_follows_from_a_choice_of_the_readers_is_not_shown(source: Path) -> None:
    """Another right solution prints other numbers, and the number may be what is graded."""
    chosen: set[str] = set()
    for cell in (cell for cell in cells_of(source) if cell.cell_type == "code"):
        defined, read = global_names(cell)
        body = ast.parse(cell.source).body
        free = is_solution(cell) and not any(isinstance(one, DEFINITIONS) for one in body)
        follows = sorted((read & chosen) - defined)
        if follows and expected_output(cell) and cell.id not in CERTAIN.get(source.stem, ()):
            raise AssertionError(
                f"{cell.id}: what it prints follows from {follows}, which the reader chooses; tag "
                f"it {NOT_SHOWN_TAG!r}"
            )
        chosen = chosen | defined if free or read & chosen else chosen - defined


# -- the step of the release ----------------------------------------------------------------------


def printing(text: str, *more: str, name: str = "look") -> NotebookNode:
    output = new_output("stream", name="stdout", text=text)
    metadata = {"tags": [CHECKED_OUTPUT_TAG, *more]}
    return new_code_cell("print()", id=name, metadata=metadata, outputs=[output])


def shown_below(*cells: NotebookNode) -> list[NotebookNode]:
    nb, _ = ExpectedOutputs().preprocess(new_notebook(cells=list(cells)), {})
    return [cell for cell in nb.cells if cell not in cells]


@pytest.mark.parametrize(
    ("cell", "about"),
    [
        (printing("W (3, 4)\n"), EXACT),
        (printing("accuracy 0.41\n", "nbval-tolerance-0.02"), NEARLY),
        (printing("160 steps took 24.6 s\n"), NEARLY),
    ],
)
def test_it_says_where_numbers_may_differ(cell: NotebookNode, about: str) -> None:
    (shown,) = shown_below(cell)
    assert cell.outputs[0].text in shown.source
    assert about in shown.source
    assert shown.cell_type == "markdown"


def test_values_are_shown_and_pictures_are_not() -> None:
    cell = printing("first\n")
    data = {"text/plain": "42"}
    cell.outputs.append(new_output("execute_result", data=data, execution_count=1))
    cell.outputs.append(new_output("display_data", data={"image/png": "AAAA"}))
    (shown,) = shown_below(cell)
    assert "```text\nfirst\n42\n```" in shown.source


@pytest.mark.parametrize(
    "cell",
    [
        printing("x\n", NOT_SHOWN_TAG),
        printing("\n"),
        new_code_cell("1", id="untagged", outputs=[new_output("stream", text="1")]),
        new_markdown_cell("text", id="text", metadata={"tags": [CHECKED_OUTPUT_TAG]}),
    ],
    ids=["not shown", "nothing printed", "not compared", "no code"],
)
def test_others_tell_nothing(cell: NotebookNode) -> None:
    assert shown_below(cell) == []


def test_each_has_an_id_of_its_own_that_nbformat_takes() -> None:
    taken = new_markdown_cell("mine", id="look-prints")
    long = printing("b", name="n" * 64)
    shown = shown_below(printing("a"), taken, long)
    names = [cell.id for cell in shown]
    assert names[0] == "look-printss"
    assert len(set(names)) == 2
    nbformat.validate(new_notebook(cells=shown))


def test_a_tag_that_does_nothing_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "source" / "toy"
    folder.mkdir(parents=True)
    cell = new_code_cell("1", id="one", metadata={"tags": [NOT_SHOWN_TAG]})
    nbformat.write(new_notebook(cells=[cell]), folder / "toy.ipynb")
    with pytest.raises(ReleaseError, match=f"'one': the tag '{NOT_SHOWN_TAG}' does nothing"):
        release(tmp_path)
