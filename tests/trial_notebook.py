"""A notebook's solutions in a kernel, with one thing changed at a time: for tests of its checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.judge.kernel import Kernel, KernelLimits
from autograder.judge.registry import checks_for
from autograder.judge.results import CellVerdict
from autograder.judge.score import Seed, grade_cell
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from autograder.mutate import fairness
from autograder.mutate.trial import Subject, load_subject
from tests.little import ROOT

LIMITS = KernelLimits(cell_seconds=60, call_seconds=20)


@dataclass(frozen=True)
class TrialNotebook:
    """One notebook of the course, whose checks are tried on right and on wrong solutions.

    ``in_place`` names checks that look at what the notebook has trained; in a trial nothing is.
    ``answers`` are the cells of which a student changes one after the other (`with_source`).
    """

    assignment: str
    notebook: str
    in_place: frozenset[str] = frozenset()
    answers: tuple[str, ...] = ()

    @cached_property
    def subject(self) -> Subject:
        return load_subject(ROOT, self.assignment, self.notebook)

    @cached_property
    def right(self) -> list[Path | None]:
        """Our solution, as None, and those in other styles."""
        return [None, *fairness.alternatives(self.assignment, self.notebook)]

    def solved(self, path: Path | None = None) -> dict[str, str]:
        """Source by cell id, in order: ours, or that of an alternative."""
        cells = fairness.solution(self.subject, path)["cells"]
        return {cell["id"]: cell["source"] for cell in cells if cell["cell_type"] == "code"}

    def changed(self, cell: str, *edits: tuple[str, str]) -> dict[str, str]:
        """Our solution with some things replaced, each of which stands there once."""
        sources = self.solved()
        for find, put in edits:
            assert sources[cell].count(find) == 1, find
            sources[cell] = sources[cell].replace(find, put)
        return sources

    @contextmanager
    def student(
        self, zygote: Zygote, sources: dict[str, str], run: Iterable[str]
    ) -> Iterator[Student]:
        """A student with these cells, of whose notebook only ``run``, source texts, has run."""
        kernel = Kernel(self.subject.fork(zygote), LIMITS)
        try:
            for source in run:
                assert kernel.run_cell(source).ok, source
            yield Student(kernel, sources)
        finally:
            kernel.close()

    def verdict(self, student: Student, grade_id: str, number: int = 0) -> CellVerdict:
        """What a question earns, out of 1; ``number`` makes other random inputs."""
        seed = Seed(number.to_bytes(4, "little"), self.assignment, self.notebook, "ann")
        checks = checks_for(self.assignment, self.notebook)[grade_id]
        student.forget()
        outcome = grade_cell(student, grade_id, 1.0, checks, seed)
        assert not outcome.broken
        return outcome.verdict

    def failed(self, found: CellVerdict, *, advice: bool = True) -> dict[str, str]:
        """Message by name of the checks that failed, those that only advise too if ``advice``."""
        return {
            check.name: check.message
            for check in found.checks
            if not check.passed and check.name not in self.in_place and (advice or not check.advice)
        }

    def with_answers(
        self, zygote: Zygote, sources: dict[str, str]
    ) -> AbstractContextManager[Student]:
        """A student whose notebook has the definitions, and has trained nothing."""
        return self.student(zygote, sources, [sources[cell] for cell in ("setup", *self.answers)])

    def with_source(self, student: Student, cell: str, source: str) -> Student:
        """The same kernel with one of ``answers`` changed; the others are right (again)."""
        sources = self.solved() | {cell: source}
        for name in self.answers:
            assert student._kernel.run_cell(sources[name]).ok, sources[name]
        return Student(student._kernel, sources)

    def assert_right(self, student: Student, grade_ids: Iterable[str], rounds: range) -> None:
        """Every question is passed, whatever the random inputs."""
        for number in rounds:
            for grade_id in grade_ids:
                found = self.failed(self.verdict(student, grade_id, number), advice=False)
                assert found == {}, (grade_id, number)

    def failed_cells(self, student: Student, *, advice: bool = False) -> set[str]:
        """The questions in which a check failed that carries points, or also one that advises."""
        return {
            grade_id
            for grade_id in checks_for(self.assignment, self.notebook)
            if self.failed(self.verdict(student, grade_id), advice=advice)
        }
