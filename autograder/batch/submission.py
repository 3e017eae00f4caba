"""One student's work on its way through grading: what is done, what can be asked next."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.batch.fingerprints import fingerprint
from autograder.batch.task import Task
from autograder.course.records import read_result, recorded
from autograder.course.submissions import Submission
from autograder.grading.material import Material
from autograder.judge.results import GradedNotebook


@dataclass
class Work:
    """A submission and the notebooks of it that are to be graded, in the course's order."""

    submission: Submission
    notebooks: Sequence[str]
    handed_in: dict[str, bytes]
    when: datetime.datetime | None
    doubt: str  # what a human has to see to about the submission as a whole
    done: dict[str, GradedNotebook] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)
    news: bool = False  # something of it has been graded just now

    @property
    def student(self) -> str:
        return self.submission.student

    @property
    def finished(self) -> bool:
        return len(self.done) == len(self.notebooks)

    def verdicts(self) -> list[GradedNotebook]:
        return [self.done[name] for name in self.notebooks]

    def next(self, material: Material) -> list[str]:
        """The notebooks whose turn it is: those that load only what has been graded."""
        waiting = [n for n in self.notebooks if n not in self.done and n not in self.under_way]
        return [
            name
            for name in waiting
            if all(
                needed in self.done or needed not in self.notebooks
                for assignment, needed in material.needs(material.template(name))
                if assignment == material.assignment
            )
        ]


def begin(submission: Submission, notebooks: Sequence[str]) -> Work:
    """Read what was handed in."""
    when, doubt = submission.handed_in()
    return Work(submission, notebooks, submission.files(), when, doubt)


def task_for(root: Path, work: Work, notebook: str, material: Material, no_gpu: str) -> Task:
    """What a worker is to be sent, with the verdicts on the notebooks that this one loads."""
    needed = material.needs(material.template(notebook))
    known = recorded(root, work.student, needed, work.handed_in)
    known |= {
        (material.assignment, name): work.done[name]
        for assignment, name in needed
        if assignment == material.assignment and name in work.done
    }
    data = work.submission.read(notebook)
    return Task(
        student=work.student,
        notebook=notebook,
        handed_in=work.handed_in,
        submission=data,
        missing_hint=work.submission.hint(notebook, material.notebooks) if data is None else "",
        known=known,
        no_gpu=no_gpu,
    )


def unchanged(root: Path, task: Task, material: Material, stamp: str) -> GradedNotebook | None:
    """The verdict on record, if it was made from just this."""
    found = read_result(root, task.student, material.assignment, task.notebook)
    return found[1] if found and found[0] == stamp else None


def stamp_of(task: Task, work: Work, material: Material) -> str:
    return fingerprint(task, material, work.doubt)
