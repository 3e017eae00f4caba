"""What students wrote: their own cells, without tests, locked cells and what was given to them."""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import WrongUse
from autograder.notebook.edits import solve
from autograder.notebook.repair import UnreadableError, repair
from autograder.notebook.template import Template, is_locked, load_template, source_of

MAX_BYTES = 32 << 20  # a notebook full of figures has a few MB
MAX_CHARS = 100_000  # of what was written: our longest notebook, solved, has 40,000 in all
PROSE_WIDTH = 96
CHECKPOINTS = ".ipynb_checkpoints"


class SimilarError(WrongUse):
    """Nothing can be compared; the message says what to do."""


@dataclass(frozen=True)
class Cell:
    """A cell of somebody's own. Prose is broken into lines of readable length."""

    name: str
    is_code: bool
    source: str


@dataclass(frozen=True)
class Writing:
    """One notebook of one student, down to the cells that are not as released."""

    who: str
    notebook: str
    cells: tuple[Cell, ...]
    digest: str  # SHA-256 of the file
    other: bool = False  # only compared with, not among its like


@dataclass(frozen=True)
class NotCompared:
    """A file that takes no part, and why."""

    who: str
    notebook: str
    reason: str
    other: bool = False


def given_cells(root: Path, template: Template) -> tuple[Cell, ...]:
    """The course's own text: the release and, where source/ is there, the solutions."""
    path = root / "source" / template.assignment / f"{template.notebook}.ipynb"
    cells = list(template.cells)
    if path.is_file():
        try:
            cells += solve(json.loads(path.read_text("utf-8")))["cells"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SimilarError(f"{path} is not a notebook ({error}): repair it first") from None
    return tuple(_cell(str(c.get("id", "")), c["cell_type"] == "code", source_of(c)) for c in cells)


def read_class(root: Path, assignment: str, notebook: str) -> Iterator[Writing | NotCompared]:
    """Everybody who has a folder in ``submitted/`` for the assignment, by name."""
    template = load_template(root, assignment, notebook)
    for folder in class_folders(root, assignment):
        yield _read(folder / f"{notebook}.ipynb", folder.parent.name, template)


def class_folders(root: Path, assignment: str) -> list[Path]:
    """``submitted/STUDENT/ASSIGNMENT``, sorted. Raises SimilarError when there are none."""
    folders = sorted(p for p in (root / "submitted").glob(f"*/{assignment}") if p.is_dir())
    if not folders:
        base = root / "submitted"
        raise SimilarError(
            f"nobody has handed in {assignment}: expected {base}/STUDENT/{assignment}/"
        )
    return folders


def read_others(
    folder: Path, root: Path, assignment: str, notebook: str
) -> Iterator[Writing | NotCompared]:
    """Every NOTEBOOK.ipynb below ``folder`` (below its ``submitted/`` where it is a course).

    Named by the folders it is in. Links are not followed; files of this class are left out.
    """
    template = load_template(root, assignment, notebook)
    base = folder / "submitted" if (folder / "submitted").is_dir() else folder
    ours = {path.resolve() for path in class_folders(root, assignment)}
    for path in sorted(base.rglob(f"{notebook}.ipynb")):
        if path.parent.resolve() in ours or CHECKPOINTS in path.parts:
            continue
        inside = [part for part in path.parent.relative_to(base).parts if part != assignment]
        yield _read(path, "/".join((folder.name, *inside)), template, other=True)


def _read(
    path: Path, who: str, template: Template, *, other: bool = False
) -> Writing | NotCompared:
    try:
        data = _bytes(path)
        cells = _written(repair(data, template).document["cells"], template)
    except (UnreadableError, OSError) as error:
        return NotCompared(who, template.notebook, str(error), other)
    except (MemoryError, RecursionError) as error:  # nested so deeply that Python gives up
        return NotCompared(
            who, template.notebook, f"cannot be read ({type(error).__name__})", other
        )
    size = sum(len(cell.source) for cell in cells)
    if not cells:
        return NotCompared(who, template.notebook, "nothing was written", other)
    if size > MAX_CHARS:
        reason = f"{size:,} characters were written, more than are compared ({MAX_CHARS:,})"
        return NotCompared(who, template.notebook, reason, other)
    digest = hashlib.sha256(data).hexdigest()
    return Writing(who, template.notebook, cells, digest, other)


def _bytes(path: Path) -> bytes:
    if path.is_symlink():
        raise UnreadableError("a symbolic link, which is not followed")
    if not path.is_file():
        raise UnreadableError("not handed in")
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise UnreadableError(f"the file has {size >> 20} MB, more than are compared")
    return path.read_bytes()


def _written(cells: list[dict], template: Template) -> tuple[Cell, ...]:
    released = {cell["id"]: cell["source"].strip() for cell in template.cells}
    return tuple(
        _cell(cell["id"], cell["cell_type"] == "code", cell["source"])
        for cell in cells
        if not is_locked(cell)
        and cell["source"].strip()
        and cell["source"].strip() != released.get(cell["id"])
    )


def _cell(name: str, is_code: bool, source: str) -> Cell:
    if not is_code:
        lines = (textwrap.wrap(line, PROSE_WIDTH) or [""] for line in source.split("\n"))
        source = "\n".join(part for wrapped in lines for part in wrapped)
    return Cell(name, is_code, source)
