"""What every notebook under source/ must look like; future ones are found by themselves."""

from __future__ import annotations

import ast
import json
import re
import symtable
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from autograder.authoring.source import (
    CELL_METADATA,
    CHECKED_OUTPUT_TAG,
    NOTEBOOK_METADATA,
    canonical,
)
from autograder.authoring.tolerance import NOT_SHOWN_TAG, TOLERANCE_TAG, tolerance
from autograder.judge.registry import checks_for
from autograder.mutate.fairness import alternatives
from autograder.mutate.mutants import regions, written_by_hand
from autograder.settings import CS231N
from cs231n_lib import plotting
from cs231n_lib.plotting import curves, images, tables

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "source").glob("*/*.ipynb"))
LOOKING = "skip-when-grading"
KNOWN_TAGS = (LOOKING, CHECKED_OUTPUT_TAG, NOT_SHOWN_TAG, "raises-exception")
#: Each makes a figure, or draws on the one there is.
FIGURES = {
    f"plt.{name}"
    for name in ("bar", "figure", "hist", "imshow", "plot", "scatter", "semilogy", "subplots")
}
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@pytest.fixture(params=SOURCES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def cells(path: Path) -> list[NotebookNode]:
    return nbformat.read(path, as_version=4).cells


def auto_graded(cells: list[NotebookNode]) -> list[NotebookNode]:
    return [cell for cell in cells if is_grade(cell) and not is_solution(cell)]


def solutions(cells: list[NotebookNode]) -> list[NotebookNode]:
    return [cell for cell in cells if is_solution(cell) and cell.cell_type == "code"]


def written_answers(cells: list[NotebookNode]) -> list[NotebookNode]:
    return [cell for cell in cells if is_grade(cell) and is_solution(cell)]


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def test_there_are_notebooks() -> None:
    assert SOURCES


def test_file_is_in_the_canonical_form(path: Path) -> None:
    """No stray metadata, counts, attachments or outputs; nbformat's own layout of the JSON."""
    nb = nbformat.read(path, as_version=4)
    nbformat.validate(nb)
    assert path.read_text(encoding="utf-8") == nbformat.writes(canonical(nb)) + "\n"


def test_metadata_is_allow_listed(path: Path) -> None:
    """Read from the JSON itself, so that this does not lean on `canonical`."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    assert set(raw["metadata"]) <= set(NOTEBOOK_METADATA)
    assert raw["metadata"]["kernelspec"] == {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    for cell in raw["cells"]:
        assert set(cell["metadata"]) <= set(CELL_METADATA), cell["id"]


def test_ids_are_unique_kebab_names(cells: list[NotebookNode]) -> None:
    ids = [cell.id for cell in cells]
    assert len(set(ids)) == len(ids)
    assert [name for name in ids if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []
    assert [name for name in ids if re.fullmatch(r"[0-9a-f]{8}", name)] == [], "name these cells"


def test_nbgrader_metadata(cells: list[NotebookNode]) -> None:
    for cell in cells:
        if "nbgrader" in cell.metadata:
            assert cell.metadata.nbgrader.grade_id == cell.id
            assert cell.metadata.nbgrader.schema_version == 3
            assert LOOKING not in tags(cell), f"{cell.id}: a graded cell is never skipped"


def test_tags_are_known_and_tolerances_well_formed(cells: list[NotebookNode]) -> None:
    """A misspelt tag would do nothing, and nobody would notice."""
    for cell in cells:
        others = [tag for tag in tags(cell) if not tag.startswith(TOLERANCE_TAG)]
        assert set(others) <= set(KNOWN_TAGS), cell.id
        tolerance(tags(cell))  # raises


def test_size_and_no_embedded_images(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.encode()) <= 120 * 1024
    assert "data:image" not in text
    assert re.search(r"[A-Za-z0-9+/]{200}", text) is None, "base64 does not belong in a notebook"


def test_outputs_are_short_texts_that_nbval_compares(cells: list[NotebookNode]) -> None:
    for cell in cells:
        outputs = cell.get("outputs", [])
        assert bool(outputs) == (CHECKED_OUTPUT_TAG in tags(cell)), (
            f"{cell.id}: outputs are kept where, and only where, the tag {CHECKED_OUTPUT_TAG} is"
        )
        for output in outputs:
            if output.output_type == "stream":
                text = output.text
                assert output.name == "stdout", cell.id
            else:
                assert output.output_type == "execute_result", cell.id
                assert set(output.data) == {"text/plain"}, cell.id
                text = output.data["text/plain"]
            assert len(text) <= 2000, f"{cell.id}: {len(text)} characters of output"
        if outputs:
            drawn = calls(cell.source) & {"with_alt_text", "show_frames", "plt.show"}
            assert not drawn, (
                f"{cell.id}: a picture is no output to compare; draw it in another cell"
            )


def test_every_figure_is_described_for_those_who_cannot_see_it(path: Path) -> None:
    """In the notebooks in the course's style; older ones follow."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    called = [calls(cell.source) for cell in cells]
    if "use_course_style" not in set().union(*called):
        assert path.parent.name in ("assignment1", "assignment2")
        return
    modules = (curves, images, tables)
    drawing = {name for module in modules for name in vars(module) if name in plotting.__all__}
    drawing -= {"visualize_grid", "BLUE", "CYCLE", "GREEN", "ORANGE", "RED"}
    for cell, names in zip(cells, called, strict=True):
        draws = any(name in drawing or name in FIGURES for name in names)
        assert not draws or names & {"with_alt_text", "show_frames"}, (
            f"{cell.id}: it draws, so it ends with with_alt_text(figure, '...')"
        )


def calls(source: str) -> set[str]:
    """The names of what a cell calls: ``f`` of ``f()``, and ``plt.f`` of ``plt.f()``."""
    nodes = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return {ast.unparse(node) for node in nodes}


def test_solution_cells_hold_definitions_or_one_task(cells: list[NotebookNode]) -> None:
    """A cell with definitions holds nothing else: whoever replaces them gets full marks."""
    for cell in solutions(cells):
        assert "### BEGIN SOLUTION" in cell.source, cell.id
        statements = ast.parse(cell.source).body
        if any(isinstance(statement, DEFINITIONS) for statement in statements):
            others = [s.lineno for s in statements if not isinstance(s, DEFINITIONS)]
            assert others == [], f"{cell.id}: lines {others} are not definitions"


def test_auto_graded_cells_end_with_their_own_hook(cells: list[NotebookNode]) -> None:
    for cell in auto_graded(cells):
        hook = (
            "### BEGIN HIDDEN TESTS\nfrom autograder import hidden\n\n"
            f'hidden.check("{cell.id}")\n### END HIDDEN TESTS'
        )
        visible, found, rest = cell.source.partition(hook)
        assert cell.cell_type == "code"
        assert cell.metadata.nbgrader.locked
        assert cell.metadata.nbgrader.points > 0
        assert found, f"{cell.id}: no hook, or not in this form:\n{hook}"
        assert not rest.strip(), f"{cell.id}: the hook comes last"
        assert "hidden" not in visible, f"{cell.id}: one hook is enough"
        assert re.search(r"\b(assert|check_\w+)\b", visible), f"{cell.id}: no visible test"


def test_auto_graded_cells_follow_a_solution_cell(cells: list[NotebookNode]) -> None:
    first_solution = min(cells.index(cell) for cell in solutions(cells))
    assert all(cells.index(cell) > first_solution for cell in auto_graded(cells))


def test_written_answers_have_points_and_a_rubric(cells: list[NotebookNode]) -> None:
    for cell in written_answers(cells):
        assert cell.cell_type == "markdown"
        assert cell.metadata.nbgrader.points > 0
        answer, _, rubric = cell.source.partition("### BEGIN MARK SCHEME")
        assert answer.strip(), f"{cell.id}: no model answer"
        assert "point" in rubric, f"{cell.id}: no rubric"
        assert rubric.rstrip().endswith("### END MARK SCHEME"), cell.id
        before = cells[cells.index(cell) - 1]
        assert before.cell_type == "markdown", f"{cell.id}: the question stands in the cell before"
        assert "nbgrader" not in before.metadata, f"{cell.id}: nbgrader would clear the question"


def test_every_graded_cell_has_checks_and_every_check_a_cell(
    path: Path, cells: list[NotebookNode]
) -> None:
    checks = checks_for(path.parent.name, path.stem)
    assert set(checks) == {cell.id for cell in auto_graded(cells)}
    for grade_id, declared in checks.items():
        assert sum(check.weight for check in declared) > 0, f"{grade_id}: only advice, no points"


def test_every_solution_has_a_wrong_version_and_the_notebook_right_ones(path: Path) -> None:
    """By hand, with the mistakes of students; tests/grading/test_mutate.py tries them."""
    assignment, notebook = path.parent.name, path.stem
    places = regions(json.loads(path.read_text("utf-8")))
    broken = {mutant.of for mutant in written_by_hand(assignment, notebook, places, CS231N)}
    wanted = {place.of for place in places}
    missing = sorted(wanted - broken)
    file = f"autograder/mutants/{assignment}/{notebook}/wrong.toml"
    assert missing == [], f"write an entry for each of them in {file}"
    assert len(alternatives(assignment, notebook)) >= 2, "write right_1.py and right_2.py"


def test_nothing_graded_needs_a_cell_that_grading_skips(cells: list[NotebookNode]) -> None:
    code = [cell for cell in cells if cell.cell_type == "code"]
    kept = [cell for cell in code if LOOKING not in tags(cell)]
    defined = set().union(*(global_names(cell)[0] for cell in kept))
    skipped = set().union(*(global_names(cell)[0] for cell in code if cell not in kept))
    for cell in kept:
        missing = global_names(cell)[1] & (skipped - defined)
        assert not missing, f"{cell.id} uses {missing}, defined only where grading does not go"


def global_names(cell: NotebookNode) -> tuple[set[str], set[str]]:
    """Global names that a cell (defines, reads), its functions and classes included."""
    top = symtable.symtable(cell.source, cell.id, "exec")
    defined = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    read = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    inner = top.get_children()
    while inner:
        table = inner.pop()
        inner += table.get_children()
        read |= {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
    return defined, read
