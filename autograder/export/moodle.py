"""Moodle's offline grading worksheet, filled in to be uploaded again.

Made by an assignment's grading action "Download grading worksheet", read by "Upload grading
worksheet" (https://github.com/moodle/moodle: mod/assign/gradingtable.php,
mod/assign/feedback/offline/importgradeslib.php and locallib.php; for people:
https://docs.moodle.org/401/en/Assignment_settings). Moodle finds a student by the first column,
"Participant 123", and reads besides that only Grade, Last modified (grade), and the feedback. A
grade above the maximum is passed over in silence there; here it is reported.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.export import ExportError
from autograder.export.roster import Row, match
from autograder.export.sheet import Sheet
from autograder.export.standing import Standing
from autograder.export.worksheet import Filled, GradeFiller, column_named, disarmed, parsed

GRADE = "Grade"
STUDENTS_WRITE = {"full name", "first name", "last name", "surname", "online text"}


def fill(sheet: Sheet, found: Sequence[Standing], column: str = "", *, scale: bool) -> Filled:
    """The worksheet with the grades filled in. Raises ExportError.

    ``column``: the title of Grade where the worksheet is not in English. What stands left of it
    names the student; right of it is the highest grade.
    """
    target = column_named(sheet, column or GRADE)
    rows = [
        Row(place, " ".join(row[:2]), frozenset([*row[:target], *_number(row[0])]))
        for place, row in enumerate(sheet.rows)
    ]
    highest = next((row[target + 1] for row in sheet.rows if len(row) > target + 1), "")
    if sheet.rows and parsed(highest) is None:
        raise ExportError(
            f"right of {sheet.header[target]!r} stands {highest!r}, which is not a maximum grade: "
            "is the assignment graded by a scale, or is this another file? Grade by points in "
            "Moodle, and download the grading worksheet again"
        )
    grader = GradeFiller("Moodle", found, highest, scale=scale, capped=True)
    filled = grader.fill(sheet, target, match(found, rows))
    titles = [title.strip().casefold() for title in sheet.header]
    return disarmed(filled, {i for i, title in enumerate(titles) if title in STUDENTS_WRITE})


def _number(identifier: str) -> list[str]:
    """Participant 123 is also in the names of the files that Moodle hands out: 123."""
    number = re.search(r"\d+$", identifier.strip())
    return [number[0]] if number else []
