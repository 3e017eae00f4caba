"""The cells of one notebook, run one after the other, each graded one asked about in its turn."""

from __future__ import annotations

import time

from autograder.grading.documents import message
from autograder.grading.failures import Failures, failure
from autograder.grading.given_cells import GivenCells, imported_modules
from autograder.grading.job import Job
from autograder.grading.small_cells import SmallCells
from autograder.grading.verdict_output import verdict_outputs
from autograder.judge.gpu_errors import gpu_trouble
from autograder.judge.kernel import CellRun, Kernel, KernelDied
from autograder.judge.results import DIED, GPU_LOST, OUT_OF_GPU_MEMORY, TIMED_OUT, CellVerdict
from autograder.judge.score import Seed, grade_cell, timed_out
from autograder.judge.student import Student
from autograder.notebook import template as released
from autograder.notebook.syntax import unreadable
from autograder.notebook.template import Cell

GPU_MEMORY_FULL = (
    "The GPU's memory that one notebook may take was used up: does a list keep tensors with the "
    "graph that made them (append loss.item(), not loss), or is the batch larger than necessary?"
)
TIME_OUT = "is there a loop that never ends, or one that numpy could do at once?"


class NotebookRun:
    """The state of grading one notebook."""

    def __init__(self, job: Job, kernel: Kernel, submission: str, cells: list[Cell]) -> None:
        self.verdicts: list[CellVerdict] = []
        self.reasons: list[str] = []
        self.notes: list[str] = []  # what was run otherwise than it was handed in
        self.failures = Failures(job.submission)
        self.outcome = ""
        self.late_in = ""
        self.held_up = False
        self._at = ""  # the cell, or the checks, at hand
        self.cell_seconds = self.check_seconds = 0.0
        self._job = job
        self._kernel = kernel
        self._stopped = ""  # why nothing runs any more
        self._given = GivenCells(job.template, cells)
        self._sources: dict[str, str] = imported_modules(job.files, cells)
        self._count = 0
        self._released = {cell["id"]: cell["source"].strip() for cell in job.template.cells}
        self._student = Student(kernel, self._sources)
        self._small = SmallCells(job.template, self._student, job.course)
        self._seed = Seed(
            job.secret, job.template.assignment, job.template.notebook, job.student, submission
        )

    def released_source(self, name: str) -> str:
        return self._released.get(name, "")

    def execute(self, cell: Cell) -> None:
        """Run one cell, and its checks if it is graded."""
        if cell["cell_type"] != "code":
            return
        self._at = f"cell {cell['id']!r}"
        if not self._skips(cell):
            self._run_code(cell)
        if released.is_auto_graded(cell):
            self._at = f"the checks of {released.grade_id(cell)!r}"
            self._grade(cell)
        if self._kernel.gpu_full and self.outcome != GPU_LOST:
            # On a GPU whatever else there was: a neighbour may have done it, and it is tried again.
            self.outcome = OUT_OF_GPU_MEMORY if self._job.gpu else self.outcome or OUT_OF_GPU_MEMORY

    def _skips(self, cell: Cell) -> bool:
        """Cells for looking are not run, unless the student wrote something into them."""
        unchanged = cell["source"].strip() == self.released_source(cell["id"])
        return released.is_skipped(cell) and unchanged

    def _run_code(self, cell: Cell) -> None:
        """Run a cell; one that the course gives also as it was released, where that is missing."""
        started = time.monotonic()
        if not self._stopped and self._kernel.budget.left() <= 0:
            self._stop(f"the notebook's time was up before cell {cell['id']!r}", TIMED_OUT)
        if missing := self._given.missing(cell):
            self._run_as_released(cell, f"{missing} would be missing without it")
        self._given.reach(cell)
        if self._stopped or not cell["source"].strip():
            return
        self._count += 1
        cell["execution_count"] = self._count
        self._sources[cell["id"]] = cell["source"]
        seconds = min(self._kernel.limits.cell_seconds, self._kernel.budget.left())
        run, note = self._run_small(cell, seconds) or (self._run_source(cell, cell["source"]), "")
        cell["outputs"] += run.outputs
        cell["outputs"] += [message(f"[{note}]")] if note else []
        if released.is_auto_graded(cell):
            cell["outputs"] += self._small.below_test(run)
        if gpu_trouble(run.error) == OUT_OF_GPU_MEMORY:
            cell["outputs"] += [message(GPU_MEMORY_FULL)]
        if run.timed_out:
            self._late()
            cell["outputs"] += [message(f"Interrupted after {seconds:.0f} s: {TIME_OUT}")]
        if self._stopped:
            cell["outputs"] += [message(self._stopped)]
        elif run.error or run.timed_out:
            self._failed(cell, run)
        elif released.is_answer(cell) and (why := unreadable(cell["source"])):
            self.reasons.append(f"cell {cell['id']!r} ran but could not be read ({why})")
        self.cell_seconds += time.monotonic() - started

    def _run_small(self, cell: Cell, seconds: float) -> tuple[CellRun, str] | None:
        """Run a cell that searches on small data, with a note; None where that does not work."""
        try:
            begun = self._small.begin(cell["id"])
            if begun is None:
                return None
            run = self._kernel.run_cell(cell["source"], seconds, cell["id"])
            if run.error:
                self._small.give_up(cell["id"], begun)
                return None
            note, report = self._small.finish(cell["id"], begun, run, seconds)
        except KernelDied as death:
            self._stop(f"the notebook's process {death} in cell {cell['id']!r}", death.kind)
            return CellRun(), ""
        self.notes += [report] if report else []
        return run, note

    def _failed(self, cell: Cell, run: CellRun) -> None:
        """A cell stopped with an error: of a cell that the course gives, its own version is run."""
        failed = failure(cell["id"], cell["source"], run.error, late=run.timed_out)
        changed = self._given.changed(cell)
        self.failures.add(failed, ask=changed or released.is_answer(cell))
        if changed and not run.timed_out:
            self._run_as_released(cell, f"as handed in it raised {failed.error}")
        for above, missing in self._given.lost_with(cell):
            self._run_as_released(above, f"{missing} would be missing without it")

    def _run_as_released(self, cell: Cell, why: str) -> None:
        """Run the released version of a changed cell; if that works, say so."""
        source = self.released_source(cell["id"])
        run = CellRun() if self._stopped else self._run_source(cell, source)
        if run.ok:
            note = f"cell {cell['id']!r} was run as released: {why}"
            self._sources[cell["id"]] = source
            self.notes.append(note)
            cell["outputs"] += [*run.outputs, message(f"[{note}]")]

    def _run_source(self, cell: Cell, source: str) -> CellRun:
        seconds = min(self._kernel.limits.cell_seconds, self._kernel.budget.left())
        try:
            return self._kernel.run_cell(source, seconds, cell["id"])
        except KernelDied as death:
            self._stop(f"the notebook's process {death} in cell {cell['id']!r}", death.kind)
            return CellRun()

    def _grade(self, cell: Cell) -> None:
        """Put the verdict before what the kernel printed: nbgrader reads the first result."""
        started = time.monotonic()
        name, points = released.grade_id(cell), float(released.nbgrader(cell).get("points", 0))
        checks = self._job.checks.get(name, ())
        if self._stopped:
            verdict = CellVerdict(name, points, 0.0, (), f"not reached: {self._stopped}")
        elif not checks:
            verdict = CellVerdict(name, points, 0.0, (), "this cell has no hidden checks")
            self.reasons.append(f"no hidden checks exist for {name}")
        else:
            outcome = grade_cell(self._student, name, points, checks, self._seed)
            verdict = self.failures.explain(outcome.verdict)
            self.reasons += outcome.broken
            if any(timed_out(check) for check in verdict.checks):
                self._late()
            if self._kernel.died:
                reason = f"the notebook's process {self._kernel.died} in the checks of {name!r}"
                self._stop(reason, self._kernel.death)
        self.verdicts.append(verdict)
        cell["outputs"] += self._small.for_verdict()
        cell["outputs"] = verdict_outputs(verdict, cell["outputs"], self._count)
        self.check_seconds += time.monotonic() - started

    def _late(self) -> None:
        """What is at hand was interrupted."""
        self.outcome = self.outcome or TIMED_OUT
        self.late_in = self.late_in or self._at
        self.held_up = self.held_up or self._kernel.held_up()
        if self._at == self._job.late_in:
            self._stop(f"out of time in {self._at} once more", TIMED_OUT)

    def _stop(self, reason: str, outcome: str) -> None:
        self._stopped = reason
        self.outcome = outcome or DIED
        if outcome == TIMED_OUT:
            self.late_in = self.late_in or self._at
            self.held_up = self.held_up or self._kernel.held_up()
        self.reasons.append(f"{self._job.template.notebook}: {reason}")
