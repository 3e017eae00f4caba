"""Grade an assignment of a course folder: find submissions, grade, write, remember.

The folder is an nbgrader course: ``submitted/STUDENT/ASSIGNMENT/NOTEBOOK.ipynb`` comes in;
``autograded/``, the gradebook and ``.autograder/results/`` (the verdicts as JSON) go out.
"""

from __future__ import annotations

import datetime
import difflib
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import TypeVar

from nbgrader.utils import parse_utc

from autograder.earlier import EarlierWork
from autograder.grade import Job, grade, nothing_to_grade
from autograder.gradebook import GradebookWriter, ensure_assignment
from autograder.judge.registry import Check, checks_for
from autograder.judge.results import GradedNotebook
from autograder.judge.zygote import Zygote
from autograder.prerequisites import course_order
from autograder.records import code_fingerprint, fingerprint, read_result, write_result, write_text
from autograder.repair import MAX_BYTES
from autograder.sandbox.policy import SandboxError
from autograder.secret import course_secret
from autograder.siblings import siblings
from autograder.template import Template, load_template, notebooks_of

T = TypeVar("T")

MAX_SIBLING = 5 << 20  # bytes of another notebook of the same submission, put beside it


class CourseError(Exception):
    """Something in the course folder is not as it must be; the message says what to do."""


@dataclass(frozen=True)
class Submission:
    """What one student handed in for one assignment."""

    student: str
    folder: Path

    def read(self, notebook: str) -> bytes | None:
        """What was handed in as this notebook, up to a little more than repair takes."""
        path = self.folder / f"{notebook}.ipynb"
        if path.is_symlink() or not path.is_file():
            return None  # a link could hand in somebody else's work, or any file of the grader's
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)

    def handed_in(self) -> tuple[datetime.datetime | None, str]:
        """When, from nbgrader's timestamp.txt, and what a human has to see to about that."""
        path = self.folder / "timestamp.txt"
        text = path.read_text("utf-8", errors="replace").strip() if path.is_file() else ""
        try:
            return (parse_utc(text) if text else None), ""
        except (ValueError, OverflowError):
            return None, (
                f"timestamp.txt says {text[:40]!r}, which is no time, so lateness was not judged: "
                "write one such as '2031-03-01 12:00:00 UTC' and grade again"
            )

    def files(self) -> dict[str, bytes]:
        """What the student's notebooks may load, by file name: theirs, earlier assignments' too."""
        found = {}
        for path in siblings(self.folder):
            fits = path.is_file() and path.stat().st_size <= MAX_SIBLING
            if fits and not path.is_symlink():
                found[path.name] = path.read_bytes()
        return found

    def hint(self, notebook: str, expected: Sequence[str]) -> str:
        """What to tell a TA about a notebook that is missing."""
        if (self.folder / f"{notebook}.ipynb").is_symlink():
            return f"{notebook}.ipynb is a symbolic link, which is not followed"
        strays = [p.stem for p in self.folder.glob("*.ipynb") if p.stem not in expected]
        lowered = {stray.lower(): stray for stray in strays}
        near = difflib.get_close_matches(notebook.lower(), lowered, n=1, cutoff=0.4)
        contained = [stray for low, stray in lowered.items() if notebook.lower() in low]
        name = lowered[near[0]] if near else contained[0] if contained else ""
        if not name:
            return ""
        return f"{notebook}.ipynb is missing, but {name}.ipynb looks like it: rename it and regrade"


def submissions(root: Path, assignment: str, pattern: str = "*") -> list[Submission]:
    """The submissions whose student matches the pattern. Raises CourseError when there are none."""
    base = root / "submitted"
    folders = [p for p in sorted(base.glob(f"*/{assignment}")) if p.is_dir()]
    chosen = [p for p in folders if fnmatch(p.parent.name, pattern)]
    if not chosen:
        students = ", ".join(p.parent.name for p in folders[:8])
        hint = f"there are: {students}" if students else f"expected {base}/STUDENT/{assignment}/"
        raise CourseError(f"no submission of {assignment} matches {pattern!r}; {hint}")
    return [Submission(p.parent.name, p) for p in chosen]


@dataclass(frozen=True)
class Event:
    """Progress: one notebook is about to be graded, or is done."""

    student: str
    notebook: str
    done: int  # submissions finished so far
    total: int
    graded: GradedNotebook | None = None
    reused: bool = False


def grade_assignment(
    root: Path,
    assignment: str,
    zygote: Callable[[], Zygote],
    *,
    students: str = "*",
    force: bool = False,
    on_event: Callable[[Event], None] = lambda event: None,
) -> list[GradedNotebook]:
    """Grade every submission of an assignment, one after the other.

    What is graded and unchanged (submission, release, checks, judge) is not graded again unless
    ``force``. ``zygote`` gives a live zygote whenever it is called. Raises TemplateError,
    CourseError, CheckError, and SandboxError where no isolation is to be had at all.
    """
    released = notebooks_of(root, assignment)
    templates = {name: load_template(root, assignment, name) for name in released}
    names = course_order({name: template.document for name, template in templates.items()})
    checks = {name: checks_for(assignment, name) for name in names}
    chosen = submissions(root, assignment, students)
    secret = course_secret(root)
    with tempfile.TemporaryDirectory() as scratch:
        ensure_assignment(root, assignment, Path(scratch))
    results: list[GradedNotebook] = []
    code = code_fingerprint()
    with GradebookWriter(root) as writer:
        for number, submission in enumerate(chosen):
            mine = []
            when, doubt = submission.handed_in()
            work = EarlierWork(root, submission.student, submission.files(), secret, zygote)
            for name in names:
                where = Event(submission.student, name, number, len(chosen))
                on_event(where)
                files, notes = files_somehow(work, templates[name])
                job = _job(submission, templates[name], checks[name], secret, names)
                job = replace(job, files=files, substituted=notes)
                stamp = fingerprint(job, code + doubt)
                old = None if force else read_result(root, submission.student, assignment, name)
                reused = old is not None and old[0] == stamp
                graded = old[1] if reused and old else grade_somehow(job, zygote)
                work.known[assignment, name] = graded
                if not reused:
                    reasons = filter(None, (graded.needs_human, doubt))
                    graded = replace(graded, needs_human="; ".join(reasons))
                    _write_notebook(root, graded)
                mine.append((stamp, graded))
                on_event(Event(submission.student, name, number + 1, len(chosen), graded, reused))
            writer.record(submission.student, assignment, [g for _, g in mine], when)
            for stamp, graded in mine:  # last: what is remembered as graded is in the gradebook
                write_result(root, graded, stamp)
            results += [g for _, g in mine]
    return results


def grade_somehow(job: Job, zygote: Callable[[], Zygote]) -> GradedNotebook:
    """Grade; where the sandbox itself fails twice, leave it to a human.

    One submission that wears down its host must not cost the others their grades.
    """
    try:
        return tried_twice(lambda warm: grade(job, warm), zygote)
    except FailedTwice as error:
        failure = f"{job.template.notebook} could not be run twice: {error}"
        return nothing_to_grade(job, "it could not be run", failure)


def files_somehow(
    work: EarlierWork, template: Template
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """What a notebook may load; where the sandbox fails twice, as the student handed it in."""
    try:
        return tried_twice(lambda _: work.files_for(template), work.zygote)
    except FailedTwice as error:
        failure = f"earlier notebooks are as handed in, since the sandbox failed: {error}"
        return work.handed_in, (failure,)


class FailedTwice(Exception):
    """The sandbox failed, and so did a fresh one; the message says how."""


def tried_twice(ask: Callable[[Zygote], T], zygote: Callable[[], Zygote]) -> T:
    """Ask with a live zygote, and with a fresh one where the sandbox failed.

    A zygote can die at any moment, after it was found alive too. Raises FailedTwice when the
    sandbox fails again, and SandboxError where no zygote can be started at all.
    """
    failure = None
    for _ in range(2):
        warm = zygote()
        try:
            return ask(warm)
        except SandboxError as error:
            failure = error
            warm.close()  # the next call of zygote() gives another one
    raise FailedTwice(str(failure)) from failure


def _job(
    submission: Submission,
    template: Template,
    checks: Mapping[str, tuple[Check, ...]],
    secret: bytes,
    expected: Sequence[str],
) -> Job:
    data = submission.read(template.notebook)
    return Job(
        student=submission.student,
        template=template,
        submission=data,
        checks=checks,
        secret=secret,
        missing_hint=submission.hint(template.notebook, expected) if data is None else "",
    )


def _write_notebook(root: Path, graded: GradedNotebook) -> None:
    folder = root / "autograded" / graded.student / graded.assignment
    write_text(folder / f"{graded.notebook}.ipynb", graded.document)
