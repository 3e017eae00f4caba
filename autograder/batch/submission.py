"""One submission on its way through grading: what is graded, what can be graded next."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.batch.task import Task
from autograder.course.attempts import attempt
from autograder.course.beside import pictures_beside
from autograder.course.helpers import helper_modules, shadowed_modules, unused_files
from autograder.course.records import read_result, verdicts_on_record
from autograder.course.submissions import Submission
from autograder.files import write_bytes
from autograder.grading.beside import digest_of, seen_by
from autograder.grading.material import Material, Name
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
    left_out: Sequence[str] = ()  # pictures that did not go along, and why

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


def start_submission(
    root: Path, submission: Submission, notebooks: Sequence[str], material: Material
) -> SubmissionState:
    """Read what was handed in; pictures beside the notebooks go along to autograded/."""
    when, problem = submission.handed_in()
    own = submission.files(material.names)
    modules, refused = helper_modules(submission.folder)
    refused += shadowed_modules(modules, own.values())
    refused += unused_files(submission.folder, own.values())
    problem = "; ".join(filter(None, (problem, submission.problem, *refused)))
    pictures, left_out = pictures_beside(submission.folder)
    for name, data in pictures.items():
        path = root / "autograded" / submission.student / material.assignment / name
        if not (path.is_file() and path.read_bytes() == data):
            write_bytes(path, data)
    return SubmissionState(
        submission, notebooks, {**modules, **own}, when, problem, left_out=left_out
    )


def task_for(
    root: Path, state: SubmissionState, notebook: str, material: Material, no_gpu: str
) -> Task:
    """What a worker is to be sent, with the verdicts on the notebooks that this one loads."""
    own = (material.assignment, notebook)
    needed = material.needs(material.template(notebook))
    earlier_verdicts = verdicts_on_record(root, state.student, needed, state.handed_in)
    earlier_verdicts |= {
        (material.assignment, name): state.done[name]
        for assignment, name in needed
        if assignment == material.assignment and name in state.done
    }
    data, found = state.submission.read(notebook, material.notebooks)
    handed_in = state.handed_in
    if data is not None and f"{notebook}.ipynb" not in handed_in:  # too large for others to load
        handed_in = {**handed_in, f"{notebook}.ipynb": data}
    without_verdict = [name for name in needed if name not in earlier_verdicts]
    return Task(
        student=state.student,
        notebook=notebook,
        handed_in=handed_in,
        submission=data,
        attempts=attempts(root, state.student, handed_in, material, [own, *without_verdict]),
        missing_hint=found.hint,
        found=(*filter(None, [found.note]), *_mentioned(state.left_out, data or b"")),
        earlier_verdicts=earlier_verdicts,
        no_gpu=no_gpu,
    )


def attempts(
    root: Path,
    student: str,
    handed_in: Mapping[str, bytes],
    material: Material,
    names: Iterable[Name],
) -> dict[Name, int]:
    """The numbers of these hand-ins, on record from now on; none for what is missing."""
    found = {}
    for name in names:
        own = handed_in.get(f"{name[1]}.ipynb")
        if own is not None:
            needed = [notebook for _, notebook in material.needs(material.templates[name])]
            digest = digest_of(own, seen_by(name[1], own, handed_in, needed))
            found[name] = attempt(root, student, name, digest)
    return found


def _mentioned(notes: Sequence[str], notebook: bytes) -> list[str]:
    """Of remarks on files, each with the file's name in quotes, those on files it speaks of."""
    names = [note[1 : note.index(note[0], 1)] for note in notes]
    return [
        n
        for n, name in zip(notes, names, strict=True)
        if name.encode("utf-8", "replace") in notebook
    ]


def unchanged(
    root: Path, task: Task, material: Material, fingerprint: str
) -> GradedNotebook | None:
    """The verdict on record, if it was made from just this."""
    found = read_result(root, task.student, material.assignment, task.notebook)
    return found[1] if found and found[0] == fingerprint else None
