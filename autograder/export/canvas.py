"""Canvas' gradebook as CSV, to be imported there with Import in the Grades menu.

The format is that of Canvas' own export, as its exporter and importer have it
(https://github.com/instructure/canvas-lms: lib/gradebook_exporter.rb, lib/gradebook_importer.rb;
for people: https://teaching.resources.osu.edu/toolsets/carmencanvas/guides/calculating-final-grades/
import-csv-file-carmen-grades). Canvas finds a student by ID, else SIS user ID, SIS login ID, and
name; an assignment by the number in brackets after its title. What "Points Possible" says becomes
the assignment's points, and an empty cell takes a grade away: both are left as Canvas wrote them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.export import ExportError
from autograder.export.roster import Row, match
from autograder.export.sheet import Sheet
from autograder.export.standing import Standing
from autograder.export.tables import cell_text
from autograder.export.worksheet import Filled, GradeFiller, column_named, disarmed

HEADER = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
POINTS_POSSIBLE = "    Points Possible"
KNOWN_BY = {"id", "sis user id", "sis login id", "integration id"}
NUMBER = re.compile(r"\(\d+\)\s*$")  # of an assignment, after its title
NAMES = {"student", "lastname", "firstname"}


def new_sheet(assignment: str, found: Sequence[Standing]) -> Sheet:
    """A sheet without Canvas' own list: students by login, which is their folder's name."""
    handed_in = [standing for standing in found if standing.handed_in]
    points = cell_text(found[0].max_score) if found else ""
    rows = [[POINTS_POSSIBLE, "", "", "", "", points]]
    for standing in handed_in:
        name = cell_text(standing.student)
        rows.append([name, "", "", name, "", cell_text(standing.score)])
    return Sheet([*HEADER, assignment], rows)


def fill(
    sheet: Sheet, assignment: str, found: Sequence[Standing], column: str = "", *, scale: bool
) -> Filled:
    """Canvas' exported gradebook with the grades of one assignment. Raises ExportError.

    ``column``: its title; by default the one that is called like the assignment.
    """
    titles = [title.strip().casefold() for title in sheet.header]
    if "student" not in titles[:1] and "lastname" not in titles[:1]:
        raise ExportError(
            f"the list begins with {sheet.header[0]!r}, not with 'Student': "
            "export it from Canvas, Grades, Export > Export Entire Gradebook"
        )
    target = _column_of(sheet, assignment, column)
    columns = [i for i, title in enumerate(titles) if title in KNOWN_BY or "mail" in title]
    rows, possible = [], ""
    for place, row in enumerate(sheet.rows):
        if "points possible" in row[0].casefold():
            possible = row[target] if target < len(row) else ""
        elif row[0].strip():  # else a row about the columns, such as "Manual Posting"
            names = frozenset(row[i] for i in columns if i < len(row))
            rows.append(Row(place, row[0], names))
    if "read only" in possible:
        raise ExportError(f"{sheet.header[target]!r} is a column that Canvas only computes")
    grader = GradeFiller("Canvas", found, possible, scale=scale)
    filled = grader.fill(sheet, target, match(found, rows))
    return disarmed(filled, {i for i, title in enumerate(titles) if title in NAMES})


def _column_of(sheet: Sheet, assignment: str, column: str) -> int:
    if column:
        return column_named(sheet, column)
    wanted = _bare(assignment)
    fitting = [i for i, title in enumerate(sheet.header) if _bare(NUMBER.sub("", title)) == wanted]
    if len(fitting) == 1:
        return fitting[0]
    numbered = [title for title in sheet.header if NUMBER.search(title)]
    some = "several columns are" if fitting else "no column is"
    raise ExportError(
        f"{some} called {assignment!r} in the list; name one with --grade-column. "
        f"There are: {', '.join(repr(title) for title in numbered) or 'no assignments'}"
    )


def _bare(title: str) -> str:
    """Assignment 1 and assignment1 are the same."""
    return re.sub(r"\W|_", "", title).casefold()
