"""Cells that search, run on small data and for a limited time, and what is said of that.

Which cells, and how, is declared by a notebook's checks (:mod:`autograder.judge.small`).
"""

from __future__ import annotations

from autograder.grading.documents import message
from autograder.judge.kernel import CellRun
from autograder.judge.outputs import Outputs
from autograder.judge.small import small_runs
from autograder.judge.student import Ref, Student, StudentError
from autograder.notebook.template import Template
from autograder.settings import CourseSettings

SEARCH_SECONDS = 20.0  # of processor time for the training in one cell


class SmallCells:
    """Those of one notebook."""

    def __init__(self, template: Template, student: Student, course: CourseSettings) -> None:
        self._runs = small_runs(template.assignment, template.notebook, course)
        self._seconds = template.limit("search_seconds", SEARCH_SECONDS)
        self._student = student
        self._for_verdict: list[str] = []
        self._on_less = False  # the cells since the last verdict

    def begin(self, cell: str) -> Ref | None:
        """Make the data small before this cell runs; None where it runs on all of them.

        Raises KernelDied.
        """
        run = self._runs.get(cell)
        if run is None:
            return None
        try:
            options = {"in_place": True, "keep": True, **run.arguments}
            begun = self._student.apply(run.begin, self._seconds, **options)
        except StudentError:  # the notebook has something else in the place of the data
            return None
        return begun if isinstance(begun, Ref) else None

    def give_up(self, cell: str, begun: Ref) -> None:
        """The cell raised an error there: everything is as it was. Raises KernelDied."""
        self._finish(cell, begun, ok=False)

    def finish(self, cell: str, begun: Ref, run: CellRun, seconds: float) -> tuple[str, str]:
        """Make the data large again: what to say below the cell, and in the report; or empty.

        ``seconds``: after how many the cell was interrupted, if it was. Raises KernelDied.
        """
        cut = self._finish(cell, begun, ok=True)
        on = self._runs[cell].on
        said = f"For grading, this cell was run on {on}; its output is about those." if on else ""
        report = ""
        if run.timed_out:
            report = f"cell {cell!r} was stopped after {seconds:.0f} s; judged by what it had found"
        elif cut:
            report = (
                f"cell {cell!r} would train for longer than the {self._seconds:g} s it may take: "
                "training was cut short, and the cell judged by what it found"
            )
        below = " ".join(filter(None, (said, report and f"{report[0].upper()}{report[1:]}.")))
        verdict = f"cell {cell!r} was run on {on}" if on else ""
        self._for_verdict += filter(None, (report, verdict))
        self._on_less |= bool(on)
        return below, report

    def below_test(self, run: CellRun) -> Outputs:
        """What to show below a visible test that follows. It is made for all of the data."""
        if not (self._on_less and run.error):
            return []
        return [message("[With what is found on all of the data, this test may pass.]")]

    def for_verdict(self) -> Outputs:
        """What to show below the next verdict."""
        said, self._for_verdict, self._on_less = "; ".join(self._for_verdict), [], False
        return [message(f"[{said[0].upper()}{said[1:]}.]")] if said else []

    def _finish(self, cell: str, begun: Ref, *, ok: bool) -> bool:
        try:
            return self._student.apply(self._runs[cell].finish, begun, ok, in_place=True) is True
        except StudentError:  # it was in the student's hands meanwhile
            return False
