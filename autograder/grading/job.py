"""One notebook to be graded, as plain data, and what it may take unless it says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from autograder.judge.registry import Check
from autograder.notebook.likeness import Signatures
from autograder.notebook.template import Template
from autograder.sandbox.policy import Gpu
from autograder.settings import CS231N, CourseSettings

CELL_SECONDS = 60.0
CALL_SECONDS = 20.0
NOTEBOOK_SECONDS = 600.0
MEMORY_MB = 4096


@dataclass(frozen=True)
class Job:
    """All it takes to grade one notebook of one submission."""

    student: str
    template: Template
    submission: bytes | None  # None: nothing was handed in
    checks: Mapping[str, tuple[Check, ...]]
    secret: bytes
    files: Mapping[str, bytes] = field(default_factory=dict)  # put beside it, into the work folder
    handed_in: str = ""  # a digest of all that is the student's, `beside.digest_of`; empty: of this
    attempt: int = 1  # which hand-in of the student it is, on the course's record
    substituted: tuple[str, ...] = ()  # what of those is the instructor's, a sentence for each
    missing_hint: str = ""  # e.g. two files with nearly the right name
    found: tuple[str, ...] = ()  # how its file was found, where it had another name
    signatures: Signatures | None = None  # to tell it from other notebooks; None: it is believed
    gpu: Gpu | None = None  # set apart for it
    fallback: str = ""  # why it has none, although it wants one
    gpu_lost: bool = False  # it had one, and lost it: this is its second run
    late_in: str = ""  # if it runs out of time there again, that is the end
    course: CourseSettings = CS231N  # whose checks these are
