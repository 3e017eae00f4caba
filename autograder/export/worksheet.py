"""Filling grades into a learning platform's list: its points, its numbers, and who is missing."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from autograder.export import ExportError
from autograder.export.roster import Matches
from autograder.export.sheet import Sheet
from autograder.export.standing import Standing, listed
from autograder.export.tables import cell_text
from autograder.report.grades_csv import FORMULA_STARTS, number

EXCUSED = ("EX", "N/A")  # Canvas: a decision about this student, not to be undone by an import


@dataclass(frozen=True)
class Filled:
    """The list with grades; ``problems`` are for a human, ``notes`` only worth knowing."""

    sheet: Sheet
    problems: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class GradeFiller:
    """How points become grades of a platform whose highest grade is ``highest``, as text."""

    platform: str
    found: Sequence[Standing]
    highest: str
    scale: bool = False
    capped: bool = False  # the platform refuses more than the highest grade

    def fill(self, sheet: Sheet, target: int, matches: Matches) -> Filled:
        """Put the grades into a column; rows of nobody graded here stay as they are."""
        rows = [list(row) for row in sheet.rows]
        highest, points = parsed(self.highest), self.found[0].max_score
        factor = self._factor(highest, points)
        comma = "," in self.highest
        above, excused = [], []
        for place, standing in sorted(matches.rows.items()):
            rows[place] += [""] * (target + 1 - len(rows[place]))
            if rows[place][target].strip().upper() in EXCUSED:
                excused.append(standing.student)
                continue
            grade = standing.score * factor
            if highest is not None and round(grade, 4) > highest:
                above.append(standing.student)
            text = number(grade)
            rows[place][target] = text.replace(".", ",") if comma else text
        problems = matches.problems()
        if highest is not None and highest != points and not self.scale:
            problems.append(
                f"{self.platform} gives {number(highest)} points, the assignment here has "
                f"{number(points)}: points are written as they are; --scale makes them fit"
            )
        if above and self.capped:
            problems.append(
                f"more than {number(highest or 0)} points, which {self.platform} silently "
                f"ignores: {listed(above)}"
            )
        notes = []
        if excused:
            notes.append(f"excused by {self.platform}, left as is: {listed(excused)}")
        if matches.theirs:
            names = ", ".join(matches.theirs)
            notes.append(f"on the list, but nothing graded here, left as is: {names}")
        return Filled(replace(sheet, rows=rows), tuple(problems), tuple(notes))

    def _factor(self, highest: float | None, points: float) -> float:
        if not self.scale:
            return 1.0
        if not highest or not points:
            raise ExportError(
                f"--scale: the list does not say how many points {self.platform} gives "
                f"(found {self.highest!r})"
            )
        return highest / points


def column_named(sheet: Sheet, title: str) -> int:
    """The place of the column of this name. Raises ExportError unless there is exactly one."""
    fitting = [i for i, one in enumerate(sheet.header) if one.strip() == title.strip()]
    if len(fitting) == 1:
        return fitting[0]
    some = "several columns are" if fitting else "no column is"
    raise ExportError(
        f"{some} called {title!r} in the list; name one with --grade-column. "
        f"There are: {', '.join(repr(one) for one in sheet.header)}"
    )


def parsed(text: str) -> float | None:
    """A number as platforms write it, 16, 16.00 or 16,00; None where it is none."""
    plain = text.strip().replace(",", ".")
    return float(plain) if re.fullmatch(r"\d+(\.\d+)?", plain) else None


def disarmed(filled: Filled, columns: Collection[int]) -> Filled:
    """The same with the cells of these columns made harmless in a spreadsheet.

    They hold what students write, their names for one, and are not read when the list comes back.
    All other cells are what the platform compares: they stay as they are.
    """
    rows = [
        [_disarmed(cell) if i in columns else cell for i, cell in enumerate(row)]
        for row in filled.sheet.rows
    ]
    return replace(filled, sheet=replace(filled.sheet, rows=rows))


def _disarmed(cell: str) -> str:
    return cell_text(cell) if cell.lstrip(" ").startswith(FORMULA_STARTS) else cell
