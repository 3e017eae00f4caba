"""Notebooks that a person should know of, grouped by what happened to them.

What happened to many students in the same way is one case with many names, so that the list stays
short in a large class. Reasons may quote what students wrote: they are cut to a sentence or two
here, and stand in full on the student's own page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from autograder.judge.results import (
    ANOTHER,
    DIED,
    ENDED_JUDGE,
    GPU_LOST,
    MISSING,
    NOT_RUN,
    OUT_OF_GPU_MEMORY,
    OUT_OF_MEMORY,
    TIMED_OUT,
    UNREADABLE,
    GradedNotebook,
)

MAX_LENGTH = 300  # characters of a reason

BROKEN_CHECK, DATE, OTHER = "broken check", "date", "other"
# Kind: what it is called, and what to do about it. In the order in which they are listed.
KINDS = {
    BROKEN_CHECK: (
        "Broken checks",
        "Not the student's fault: a check could not cope with an answer that it did not foresee. "
        "Correct the check and grade again; only what it affects is graded again.",
    ),
    NOT_RUN: (
        "Could not be run",
        "The sandbox failed, not the submission. Look at the machine "
        "(python -m autograder doctor) and grade again.",
    ),
    TIMED_OUT: (
        "Timed out",
        "Something never ended. Find the loop; if the work is honest but slow, raise cell_seconds "
        "or notebook_seconds in the notebook's metadata.",
    ),
    DIED: (
        "Died",
        "The notebook's process ended by itself. Look at the cell named: exit(), a crash in a "
        "library, or an attempt to cheat.",
    ),
    ENDED_JUDGE: (
        "Ended the judge",
        "The process that was to read and judge it ended too early. Look at the notebook: it is an "
        "attack, or holds far more of something than anybody foresaw. Repair it or grade it by "
        "hand.",
    ),
    OUT_OF_MEMORY: (
        "Out of memory",
        "Look at the cell named for an array that is far too large.",
    ),
    OUT_OF_GPU_MEMORY: (
        "Out of GPU memory",
        "Look for a batch that is too large, or tensors that are kept for ever.",
    ),
    GPU_LOST: (
        "GPU lost",
        "CUDA failed for good, and there was no second run on the CPU. Grade again without --gpus.",
    ),
    UNREADABLE: (
        "Unreadable",
        "The file is not a notebook. Ask the student for the right one, put it in its place and "
        "grade again.",
    ),
    ANOTHER: (
        "Another notebook",
        "Its cells are not those of the notebook whose name it has: it is another one of this "
        "course, or of another course or year. Ask the student for the right one, put it in its "
        "place and grade again.",
    ),
    MISSING: (
        "Missing",
        "Nothing was handed in under this name, and no file that is clearly meant for it. Rename "
        "the right one, or ask the student.",
    ),
    DATE: ("Time of submission unclear", "Correct timestamp.txt and grade again."),
    OTHER: ("Other reasons", "Read the reason, then look at the notebook."),
}
OUTCOMES = tuple(kind for kind in KINDS if kind not in (BROKEN_CHECK, DATE, OTHER))

QUOTED = re.compile(r"'[^']*'")
BROKEN = re.compile(r"(?:^|; )(check \S+ raised \w+|no hidden checks exist for [^\s;]+)")
UNCLEAR_DATE = re.compile(r"(?:^|; )(timestamp\.txt says .*)", re.DOTALL)


@dataclass(frozen=True)
class Case:
    """What happened, in one or several sentences, and to whom."""

    notebook: str
    what: tuple[str, ...]
    students: tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    """Cases by notebook, those of most students first, and of how many notebooks they are."""

    cases: tuple[Case, ...] = ()
    notebooks: int = 0


@dataclass(frozen=True)
class Kind:
    """Notebooks that need a human for one kind of reason; ``advice`` is what to do about them."""

    title: str
    advice: str
    found: Listing


@dataclass(frozen=True)
class Cases:
    """Everything out of the ordinary in one assignment."""

    needs_human: tuple[Kind, ...]
    interrupted: Listing  # in a cell or a check, and graded to the end all the same
    repaired: Listing
    substituted: Listing
    fallbacks: Listing
    retried: Listing
    outcomes: Mapping[str, Mapping[str, int]]  # notebook -> outcome ("": as usual) -> how many
    devices: Mapping[str, Mapping[str, int]]  # notebook -> device -> how many
    waiting: int  # notebooks that need a human


class _Grouped:
    """Names by notebook and sentences."""

    def __init__(self) -> None:
        self._students: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        self._notebooks = 0

    def add(self, graded: GradedNotebook, *cases: tuple[str, ...]) -> None:
        """Count a notebook, and put it under each of the cases."""
        self._notebooks += bool(cases)
        for sentences in cases:
            key = graded.notebook, tuple(clipped(sentence) for sentence in sentences)
            self._students.setdefault(key, []).append(graded.student)

    def listing(self) -> Listing:
        found = sorted(self._students.items(), key=lambda item: (item[0][0], -len(item[1])))
        cases = tuple(Case(*key, tuple(students)) for key, students in found)
        return Listing(cases, self._notebooks)


class CaseTally:
    """Collects cases as verdicts stream by."""

    def __init__(self) -> None:
        self._needs_human = {kind: _Grouped() for kind in KINDS}
        self._interrupted = _Grouped()
        self._repaired, self._substituted = _Grouped(), _Grouped()
        self._fallbacks, self._retried = _Grouped(), _Grouped()
        self._outcomes: dict[str, Counter[str]] = {}
        self._devices: dict[str, Counter[str]] = {}
        self._waiting = 0

    def add(self, graded: GradedNotebook) -> None:
        """Count one notebook of one student."""
        self._outcomes.setdefault(graded.notebook, Counter())[graded.outcome] += 1
        if "total" in graded.timings:  # it ran
            self._devices.setdefault(graded.notebook, Counter())[clipped(graded.device)] += 1
        if graded.needs_human:
            self._waiting += 1
            for kind, *found in reasons(graded):
                self._needs_human[kind].add(graded, *((reason,) for reason in found))
        elif graded.outcome:
            self._interrupted.add(graded, (graded.outcome,))
        if graded.repairs:
            self._repaired.add(graded, shortened(graded.repairs))
        self._substituted.add(graded, *((note,) for note in graded.substituted))
        if graded.missed_gpu:
            self._fallbacks.add(graded, (graded.missed_gpu,))
        if graded.attempts > 1:
            self._retried.add(graded, (f"graded on attempt {graded.attempts}",))

    def summary(self) -> Cases:
        listings = {kind: grouped.listing() for kind, grouped in self._needs_human.items()}
        return Cases(
            needs_human=tuple(
                Kind(*KINDS[k], found) for k, found in listings.items() if found.cases
            ),
            interrupted=self._interrupted.listing(),
            repaired=self._repaired.listing(),
            substituted=self._substituted.listing(),
            fallbacks=self._fallbacks.listing(),
            retried=self._retried.listing(),
            outcomes=dict(sorted(self._outcomes.items())),
            devices=dict(sorted(self._devices.items())),
            waiting=self._waiting,
        )


def reasons(graded: GradedNotebook) -> list[tuple[str, ...]]:
    """(kind, reason, ...) of a notebook that needs a human: at least one.

    A broken check is named without its message, which differs from student to student.
    """
    text = graded.needs_human
    broken = dict.fromkeys(BROKEN.findall(text))
    found: list[tuple[str, ...]] = [(BROKEN_CHECK, *broken)] if broken else []
    if graded.outcome:
        return [*found, (graded.outcome if graded.outcome in KINDS else OTHER, text)]
    found += [(DATE, match) for match in UNCLEAR_DATE.findall(text)]
    return found or [(OTHER, text)]


def shortened(repairs: tuple[str, ...]) -> tuple[str, ...]:
    """One repair of each form, and how many more: cells lose their names in dozens."""
    forms: dict[str, list[str]] = {}
    for repair in repairs:
        forms.setdefault(QUOTED.sub("", repair), []).append(repair)
    return tuple(
        first if not more else f"{first}, and {len(more)} more like it"
        for first, *more in forms.values()
    )


def clipped(text: str) -> str:
    """Not longer than a sentence or two."""
    return text if len(text) <= MAX_LENGTH else f"{text[: MAX_LENGTH - 1]}…"
