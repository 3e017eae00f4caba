"""What can be said of a notebook without running it: what is open, and what grading will mend."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cs231n_lib.cell_source import python_of
from cs231n_lib.hand_in.folder import MAX_BESIDE_NOTEBOOK
from cs231n_lib.hand_in.note import ANSWER, GIVEN, LOOKING, TESTS, WRITTEN
from cs231n_lib.hand_in.notebook import Cell, Notebook
from cs231n_lib.hand_in.run import INSTALLS, is_run

MAX_BYTES = 200 << 20  # as the graders' side has it (tests/unit/lib/test_hand_in_folder.py)
#: What is not there when a notebook in NumPy is graded.
HIDDEN = {"torch", "torchvision", "scipy", "sklearn", "skimage", "tensorflow", "keras", "jax"}
_HEADING = re.compile(r"^#{1,2}\s+(.+?)\s*$", re.MULTILINE)
_QUESTION = re.compile(r"\*\*(Question \d+)\.?\*\*")


@dataclass(frozen=True)
class Remark:
    """A sentence on what becomes of the notebook; ``open``: whether something is to be done."""

    text: str
    open: bool = False


def remarks(notebook: Notebook, missing_notebooks: Iterable[str] = ()) -> list[Remark]:
    """What will be ignored, repaired or missed when the notebook is graded."""
    return [*_of_file(notebook, missing_notebooks), *_of_cells(notebook), *_of_code(notebook)]


def _of_file(notebook: Notebook, missing: Iterable[str]) -> Iterator[Remark]:
    name = f"{notebook.name}.ipynb"
    if notebook.path.name != name:
        yield Remark(f"The file is called {notebook.path.name!r} and is graded as {name}.")
    if not notebook.found:
        yield Remark(
            "What the release says about this notebook is lost (an editor has removed its "
            "metadata), so only what is marked in its cells can be checked here. Grading "
            "restores it."
        )
    for one in missing:
        yield Remark(
            f"It uses {one.split('/')[-1]} of {one.split('/')[0]}, which is not here. Where that "
            "is not handed in either, grading uses the course's.",
            open=True,
        )
    if notebook.size > MAX_BYTES:
        yield Remark(
            f"It has {notebook.size >> 20} MB, and more than {MAX_BYTES >> 20} are not read: clear "
            "its outputs and save it.",
            open=True,
        )
    elif notebook.size > MAX_BESIDE_NOTEBOOK:
        yield Remark(
            f"It has {notebook.size / (1 << 20):.1f} MB: no later notebook can load more than "
            f"{MAX_BESIDE_NOTEBOOK >> 20}. Clear its outputs and save it.",
            open=True,
        )


def _of_cells(notebook: Notebook) -> Iterator[Remark]:
    lost = {kind: [] for kind in (TESTS, WRITTEN, ANSWER, GIVEN)}
    for name in notebook.missing:
        kind = notebook.note.cells[name][0]
        if kind in lost:
            lost[kind].append(name)
    if graded := lost[TESTS] + lost[WRITTEN]:
        worth = sum(notebook.note.points.get(name, 0) for name in graded)
        yield Remark(
            f"Graded cells are missing, {worth:g} points in all, and come back as released: "
            f"{', '.join(graded)}.",
            open=True,
        )
    if lost[ANSWER]:
        yield Remark(
            f"Cells for your code are missing and come back empty: {', '.join(lost[ANSWER])}.",
            open=True,
        )
    if lost[GIVEN]:
        yield Remark(f"Cells of the course come back as released: {', '.join(lost[GIVEN])}.")
    edited = [cell.id for cell in notebook.cells if cell.kind == TESTS and cell.changed]
    if edited:
        yield Remark(f"Locked cells were changed; the released ones count: {', '.join(edited)}.")
    given = [cell.id for cell in notebook.cells if cell.kind == GIVEN and cell.changed]
    if given:
        yield Remark(
            "Cells of the course were changed; yours are run, and the released ones where they "
            f"fail: {', '.join(given)}."
        )
    own = [cell for cell in notebook.cells if is_own(cell, notebook)]
    if own:
        yield Remark(f"{_counted(len(own), 'cell')} of your own: run, but worth no points.")
    skipped = [cell for cell in notebook.cells if cell.skipped]
    if skipped:
        yield Remark(f"{_counted(len(skipped), 'cell')} only to be looked at: left out, as here.")
    again = [cell.id for cell in notebook.cells if cell.kind == LOOKING and cell.changed]
    if again:
        yield Remark(f"Cells only to be looked at that you changed are run: {', '.join(again)}.")


def _of_code(notebook: Notebook) -> Iterator[Remark]:
    run = [cell for cell in notebook.cells if is_run(cell)]
    if any(INSTALLS.search(cell.source) for cell in run):
        yield Remark("Lines that install packages do nothing where it is graded, nor here.")
    if notebook.settings.get("packages") == "numpy":
        changed = [cell for cell in run if cell.changed or not cell.released]
        if used := sorted({name for cell in changed for name in _imported(cell)} & HIDDEN):
            yield Remark(
                f"It is graded without {', '.join(used)}: its questions are to be answered with "
                "NumPy. Remove the import.",
                open=True,
            )


def is_own(cell: Cell, notebook: Notebook) -> bool:
    """Whether the student has added a cell that is run."""
    return not cell.id and cell.type == "code" and bool(cell.source.strip()) and notebook.found


def title_of(notebook: Notebook, number: int) -> str:
    """Under which question or heading a cell stands."""
    for cell in reversed(notebook.cells[:number]):
        if cell.type == "markdown" and cell.kind != WRITTEN:
            if notebook.cells[number].kind == WRITTEN and (found := _QUESTION.findall(cell.source)):
                return found[-1]
            if found := _HEADING.findall(cell.source):
                return found[-1].replace("`", "")
    return ""


def _imported(cell: Cell) -> Iterator[str]:
    try:
        tree = ast.parse(python_of(cell.source, all_code=True))
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (one.name.split(".")[0] for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
