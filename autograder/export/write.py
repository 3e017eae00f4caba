"""One export: what was asked for, where it goes, and what to say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from autograder.course.records import results
from autograder.export import ExportError, canvas, moodle, tables
from autograder.export.gather import standings
from autograder.export.gradescope.results import as_json, plain, results_json
from autograder.export.sheet import read_sheet
from autograder.export.standing import Standing, concerns
from autograder.export.worksheet import Filled
from autograder.files import replacing
from autograder.report.html import student_file


@dataclass(frozen=True)
class Request:
    """What somebody asked for on the command line."""

    assignment: str
    kind: str
    out: Path | None = None
    roster: Path | None = None
    grade_column: str = ""
    scale: bool = False
    student: str = ""


@dataclass(frozen=True)
class Written:
    """The file, and lines for people: grades not final, grades that do not arrive, the rest."""

    path: Path
    unfinished: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def write_export(root: Path, request: Request) -> Written:
    """Write the file, whole or not at all. Raises ExportError, and then nothing is written."""
    _refuse_nonsense(request)
    found = standings(root, request.assignment)
    if request.student:
        found = [one for one in found if one.student == request.student and one.handed_in]
        if not found:
            raise ExportError(f"{request.student!r} handed in nothing for {request.assignment}")
    filled = _filled(request, found)
    path = request.out or root / "report" / request.assignment / _file_name(request)
    try:
        with replacing(path) as file:
            _writer(root, request, found, filled)(file)
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror}") from None
    return Written(
        path,
        unfinished=_lines(concerns(found)),
        problems=_lines(filled.problems if filled else ()),
        notes=_lines(filled.notes if filled else ()),
    )


def _refuse_nonsense(request: Request) -> None:
    platform = request.kind in ("canvas", "moodle")
    if request.roster and not platform:
        raise ExportError(f"--roster goes with canvas and moodle, not with {request.kind}")
    if (request.grade_column or request.scale) and not request.roster:
        raise ExportError("--grade-column and --scale are about the list: add --roster FILE")
    if request.kind == "moodle" and not request.roster:
        raise ExportError(
            "moodle needs --roster FILE, the worksheet to fill in: in Moodle's assignment choose "
            "Download grading worksheet (allow it in the settings, Feedback types)"
        )
    if (request.kind == "gradescope") != bool(request.student):
        raise ExportError("--student NAME and --format gradescope go together")
    if request.out and request.roster and request.out.resolve() == request.roster.resolve():
        raise ExportError(f"--out would overwrite the list {request.roster}: choose another name")


def _filled(request: Request, found: Sequence[Standing]) -> Filled | None:
    """The platform's list with grades in it, for the formats that are one."""
    if request.roster is None:
        sheet = canvas.new_sheet(request.assignment, found) if request.kind == "canvas" else None
        return Filled(sheet, (), ()) if sheet else None
    sheet = read_sheet(request.roster)
    if request.kind == "moodle":
        return moodle.fill(sheet, found, request.grade_column, scale=request.scale)
    column = request.grade_column
    return canvas.fill(sheet, request.assignment, found, column, scale=request.scale)


def _writer(
    root: Path, request: Request, found: Sequence[Standing], filled: Filled | None
) -> Callable[[BinaryIO], object]:
    graded = results(root, request.assignment)
    if filled:
        return lambda file: file.write(filled.sheet.to_bytes())
    if request.kind == "checks":
        return partial(tables.write_table, columns=tables.CHECKS, rows=tables.check_rows(graded))
    if request.kind == "questions":
        rows = tables.question_rows(found)
        return partial(tables.write_table, columns=tables.QUESTIONS, rows=rows)
    if request.kind == "assignment":
        rows = tables.assignment_rows(found)
        return partial(tables.write_table, columns=tables.ASSIGNMENT, rows=rows)
    mine = [one for one in graded if one.student == request.student]
    return lambda file: file.write(as_json(results_json(found[0], mine)))


def _file_name(request: Request) -> str:
    if request.kind == "gradescope":
        return f"gradescope/{Path(student_file(request.student)).stem}.json"
    return f"{request.kind}.csv"


def _lines(texts: Sequence[str]) -> tuple[str, ...]:
    """Fit for a terminal, each on one line, whatever a student or a file is called."""
    return tuple(" ".join(plain(text).split()) for text in texts)
