"""source/ -> release/: nbgrader's own converter, with stubs that name their question.

`configure` is all that nbgrader needs to produce our release (`nbgrader_config.py` calls it);
`release` runs the same converter from Python and replaces release/ only when all went well.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.api import MissingEntry
from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    IncludeHeaderFooter,
    LockCells,
    NbGraderPreprocessor,
    SaveCells,
)
from traitlets.config import Config

from autograder.authoring.beside import add_library, check_others
from autograder.authoring.cell_ids import MINOR, name_cells
from autograder.authoring.colab import ColabSetup
from autograder.authoring.course_map import course_pages
from autograder.authoring.expected_output import ExpectedOutputs
from autograder.authoring.handing_in import HandingIn
from autograder.authoring.missing_packages import MissingPackages
from autograder.authoring.source import (
    ReleaseError,
    bring_up_to_date,
    canonical,
    enclosing_function,
    without_unused_pictures,
)
from autograder.authoring.source_check import check_sources
from autograder.course.captured_errors import CapturedErrors
from autograder.course.config import course_config, find_alembic, open_gradebook
from autograder.files import write_text
from autograder.notebook.regions import MARKER
from autograder.settings import settings_of

__all__ = ["ReleaseError", "configure", "make_release", "release"]

NAMES = "*.ipynb"
HAS_GRADES = (
    "There are grades of this notebook, which would not fit other questions: begin a new notebook, "
    "or, if they were for a trial, delete gradebook.db, .autograder/results/, submitted/ and "
    "autograded/"
)


class NamedStubs(ClearSolutions):
    """nbgrader's ClearSolutions with a stub that names what is missing.

    A region inside a function is replaced by ``raise NotImplementedError("NAME: ...")`` with the
    function's name; a region at the cell's top level names the cell's grade_id.
    """

    def _replace_solution_region(self, cell: NotebookNode, language: str) -> bool:
        if cell.cell_type != "code":
            return super()._replace_solution_region(cell, language)
        kept, in_region, replaced = [], False, False
        for number, line in enumerate(cell.source.split("\n"), start=1):
            marker = MARKER.match(line)
            if marker is None or marker[2] != "SOLUTION":
                if not in_region:
                    kept.append(line)
                continue
            in_region = marker[1] == "BEGIN"
            if in_region:
                replaced = True
                indent = line[: len(line) - len(line.lstrip())]
                name = enclosing_function(cell.source, number) or cell.metadata.nbgrader.grade_id
                stub = f'raise NotImplementedError("{name}: write your code here")'
                kept.append(indent + stub)
        cell.source = "\n".join(kept)
        return replaced


class NamedCells(NbGraderPreprocessor):
    """First step of the release: cells of older formats get ids."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        name_cells(nb.cells)
        nb.nbformat_minor = max(MINOR, nb.nbformat_minor)
        return nb, resources


class CanonicalNotebook(NbGraderPreprocessor):
    """Almost the last step: allow-listed metadata, and no picture of a solution."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        return without_unused_pictures(canonical(nb)), resources


#: nbgrader's default list with our stubs, our first steps and our last ones, and without
#: InstantiateTests (unused).
PREPROCESSORS = [
    NamedCells,
    MissingPackages,
    ColabSetup,
    ExpectedOutputs,
    IncludeHeaderFooter,
    LockCells,
    NamedStubs,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    SaveCells,  # keeps the locked cells for autograding, hooks included: before they are cleared
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
    CanonicalNotebook,
    HandingIn,
]


def configure(c: Config) -> None:
    """Set what nbgrader's ``generate_assignment`` needs to produce our release."""
    c.GenerateAssignment.preprocessors = PREPROCESSORS
    c.ClearSolutions.text_stub = "*Your answer:*"  # traitlets hands it down to NamedStubs
    find_alembic()


def release(
    root: Path,
    assignments: Sequence[str] | None = None,
    tell: Callable[[str], object] = lambda line: None,
) -> list[Path]:
    """Generate ``root/release/ASSIGNMENT`` for the named assignments (default: all in source/).

    Everything is built beside release/ first and moved into place at the end, so that an error
    leaves the old release as it was. The map of the course and the pages beside it are written
    each time. ``tell`` is given a line for each source that was brought up to date, and for each
    file that was copied as it is. Returns the notebooks and pages written. Raises ReleaseError.
    """
    root = root.resolve()
    if assignments is None:
        assignments = sorted({path.parent.name for path in (root / "source").glob("*/*.ipynb")})
        if not assignments:
            raise ReleaseError(f"{root / 'source'}: no source notebook; expected */NAME.ipynb")
    assignments = list(dict.fromkeys(assignments))  # named twice is built once
    sources = [path for one in assignments for path in sorted((root / "source" / one).glob(NAMES))]
    for path in sources:
        with suppress(ReleaseError):  # what cannot be read is named with all that is wrong
            if done := bring_up_to_date(path):
                tell(f"{path.relative_to(root)}: {done}")
    check_sources(sources)
    pages = course_pages(root / "source")
    with tempfile.TemporaryDirectory(prefix=".release-", dir=root) as scratch:
        built, retired = Path(scratch, "built"), Path(scratch, "retired")
        for assignment in assignments:
            make_release(root, assignment, destination=built)
            add_library(settings_of(root), built / assignment)
        for assignment in assignments:
            _replace_folder(root / "release" / assignment, built / assignment, retired / assignment)
    for name, text in pages.items():
        write_text(root / "release" / name, text)
    folders = [root / "release" / assignment for assignment in assignments]
    library = settings_of(root).library.name
    for folder in folders:
        if (folder / library).is_dir():
            tell(f"{(folder / library).relative_to(root)}/ (what the notebooks import)")
        for path in sorted(folder.rglob("*")):
            ours = path.is_dir() or library in path.relative_to(folder).parts
            if path.suffix != ".ipynb" and not ours:
                tell(f"{path.relative_to(root)} (not a notebook: copied unchanged)")
    return [path for folder in folders for path in sorted(folder.glob("*.ipynb"))] + [
        root / "release" / name for name in pages
    ]


def _replace_folder(target: Path, new: Path, retired: Path) -> None:
    """Move ``new`` to ``target``; the old target goes to ``retired``, and back on failure."""
    for folder in (target, retired):
        folder.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.rename(retired)
    try:
        new.rename(target)
    except OSError:
        if retired.exists():
            retired.rename(target)
        raise


def make_release(
    course_root: Path,
    assignment: str,
    destination: Path | None = None,
    *,
    database: Path | None = None,
) -> list[Path]:
    """Run nbgrader's ``generate_assignment --create --force`` for one assignment.

    Reads ``course_root/source/assignment``, writes ``destination/assignment`` (default:
    ``course_root/release``) and records the cells in the course's gradebook, or in the SQLite file
    ``database``. The same source gives the same bytes. Returns the notebooks written. Raises
    ReleaseError.
    """
    course_root = course_root.resolve()
    destination = (destination or course_root / "release").resolve()
    sources = sorted((course_root / "source" / assignment).glob("*.ipynb"))
    if not sources:
        raise ReleaseError(
            f"{course_root / 'source' / assignment}: no source notebook; "
            "author NAME.ipynb there, or check the assignment's spelling"
        )
    check_sources(sources)
    folder = course_root / "source" / assignment
    check_others(folder, CourseDirectory(config=course_config(course_root)).ignore)

    config = Config()
    configure(config)
    config.ColabSetup = course_config(course_root).ColabSetup
    config.CourseDirectory.root = str(course_root)
    config.CourseDirectory.assignment_id = assignment
    config.CourseDirectory.release_directory = str(destination)
    if database is None:
        open_gradebook(course_root).close()  # makes what nbgrader expects to be there
        config.CourseDirectory.db_url = CourseDirectory(config=course_config(course_root)).db_url
    else:
        config.CourseDirectory.db_url = f"sqlite:///{database.resolve()}"
    config.GenerateAssignment.force = True
    captured = CapturedErrors()
    try:
        GenerateAssignment(
            coursedir=CourseDirectory(config=config), config=config, log=captured.logger
        ).start()
    except NbGraderException as error:
        cause = captured.cause() or str(error)
        hint = f". {HAS_GRADES}" if "submissions associated with it" in cause else ""
        raise ReleaseError(
            f"{course_root / 'source' / assignment}: nbgrader could not generate the release: "
            f"{cause}{hint}"
        ) from error
    return sorted((destination / assignment).glob("*.ipynb"))


def ensure_assignment(root: Path, assignment: str, scratch: Path) -> None:
    """Make sure the gradebook knows the assignment, as generate_assignment would have done.

    Raises ReleaseError where there is nothing to enter it from.
    """
    known = False
    with open_gradebook(root) as book, suppress(MissingEntry):
        known = bool(book.find_assignment(assignment).notebooks)
    if known:
        return
    folder = root / "source" / assignment
    if not any(folder.glob("*.ipynb")):
        raise ReleaseError(
            f"the gradebook does not know {assignment}, and {folder} holds no notebook to enter it "
            f"from; copy gradebook.db, or source/{assignment}, from where `python -m autograder "
            "release` was run"
        )
    make_release(root, assignment, destination=scratch)
