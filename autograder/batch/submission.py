"""One submission on its way through grading: what is graded, what can be graded next."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.batch.task import Task
from autograder.course.helpers import helper_modules, unused_files
from autograder.course.records import read_result, verdicts_on_record
from autograder.course.submissions import Submission
from autograder.grading.material import Material
from autograder.judge.results import GradedNotebook


@dataclass
class SubmissionState:
    """A submission and the notebooks of it that are to be graded, in the course's order."""

    submission: Submission
    notebooks: Sequence[str]
    handed_in: dict[str, bytes]
    when: datetime.datetime | None
    problem: str  # with the submission as a whole, for a human
    done: dict[str, GradedNotebook] = field(default_factory=dict)
    under_way: set[str] = field(default_factory=set)
    regraded: bool = False  # something of it has been graded just now

    @property
    def student(self) -> str:
        return self.submission.student

    @property
    def finished(self) -> bool:
        return len(self.done) == len(self.notebooks)

    def verdicts(self) -> list[GradedNotebook]:
        return [self.done[name] for name in self.notebooks]

    def ready_notebooks(self, material: Material) -> list[str]:
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


def start_submission(submission: Submission, notebooks: Sequence[str]) -> SubmissionState:
    """Read what was handed in."""
    when, problem = submission.handed_in()
    own = submission.files()
    modules, refused = helper_modules(submission.folder)
    refused += unused_files(submission.folder, own.values())
    problem = "; ".join(filter(None, (problem, *refused)))
    return SubmissionState(submission, notebooks, {**modules, **own}, when, problem)


def task_for(
    root: Path, state: SubmissionState, notebook: str, material: Material, no_gpu: str
) -> Task:
    """What a worker is to be sent, with the verdicts on the notebooks that this one loads."""
    needed = material.needs(material.template(notebook))
    earlier_verdicts = verdicts_on_record(root, state.student, needed, state.handed_in)
    earlier_verdicts |= {
        (material.assignment, name): state.done[name]
        for assignment, name in needed
        if assignment == material.assignment and name in state.done
    }
    data = state.submission.read(notebook)
    return Task(
        student=state.student,
        notebook=notebook,
        handed_in=state.handed_in,
        submission=data,
        missing_hint=state.submission.hint(notebook, material.notebooks) if data is None else "",
        earlier_verdicts=earlier_verdicts,
        no_gpu=no_gpu,
    )


def unchanged(
    root: Path, task: Task, material: Material, fingerprint: str
) -> GradedNotebook | None:
    """The verdict on record, if it was made from just this."""
    found = read_result(root, task.student, material.assignment, task.notebook)
    return found[1] if found and found[0] == fingerprint else None
