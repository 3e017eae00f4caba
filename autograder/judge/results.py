"""What grading one notebook yields: plain, frozen, JSON-ready data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CheckVerdict:
    """One hidden check: passed or not, and what to tell the student."""

    name: str
    title: str
    probe: str  # the curriculum's identifier, e.g. "KNN-A4"
    advice: bool  # Tier B: reported, carries no points
    weight: float
    passed: bool
    message: str
    seconds: float


@dataclass(frozen=True)
class CellVerdict:
    """One automatically graded cell. ``score`` is its points times the weight that passed."""

    grade_id: str
    points: float
    score: float
    checks: tuple[CheckVerdict, ...]
    note: str = ""  # why there are no checks to show: not reached, no answer, ...


# How grading a notebook can end other than with verdicts on all of it. The reason is in
# ``needs_human``, and for the student in the notes of the cells.
MISSING, UNREADABLE, NOT_RUN = "missing", "unreadable", "not run"
ANOTHER = "another notebook"  # of the course, of another course, or of another year
TIMED_OUT, DIED = "timed out", "died"
OUT_OF_MEMORY, OUT_OF_GPU_MEMORY = "out of memory", "out of GPU memory"
GPU_LOST = "GPU lost"  # CUDA failed for good: such a notebook is graded once more, on the CPU
UNASKED = "graded without --gpus"  # why a notebook that wants a GPU had none: nobody misses it
ENDED_JUDGE = "ended the judge"  # the process that read it, of which each submission has its own


@dataclass(frozen=True)
class GradedNotebook:
    """One notebook of one submission, graded."""

    student: str
    assignment: str
    notebook: str
    cells: tuple[CellVerdict, ...]
    manual_pending: tuple[str, ...] = ()  # grade_ids of written answers a person has to read
    unanswered: tuple[str, ...] = ()  # grade_ids of written answers left as released
    repairs: tuple[str, ...] = ()  # what was mended in the submission before grading
    substituted: tuple[str, ...] = ()  # what of earlier notebooks was the instructor's
    submission: str = ""  # SHA-256 of the file that was handed in; empty: there was none
    needs_human: str = ""  # reason, or empty
    outcome: str = ""  # one of the words above; empty: graded as usual
    late_in: str = ""  # the cell, or the checks of one, where time first ran out
    held_up: bool = False  # it was late, and not for having computed all the while
    device: str = "cpu"  # what it ran on
    fallback: str = ""  # why that was not the GPU which the notebook asks for
    attempts: int = 1
    timings: dict[str, float] = field(default_factory=dict)  # seconds by stage
    document: str = ""  # the graded notebook, as .ipynb JSON

    @property
    def score(self) -> float:
        return sum(cell.score for cell in self.cells)

    @property
    def missed_gpu(self) -> str:
        """Why it ran on the CPU although GPUs were asked for; empty: it did not, or none were."""
        return "" if self.fallback == UNASKED else self.fallback

    @property
    def max_score(self) -> float:
        return sum(cell.points for cell in self.cells)


def to_dict(graded: GradedNotebook) -> dict[str, Any]:
    """As JSON-ready data."""
    return dataclasses.asdict(graded)


def from_dict(data: dict[str, Any]) -> GradedNotebook:
    """The inverse of :func:`to_dict`, also after a trip through JSON."""
    cells = tuple(
        CellVerdict(**{**cell, "checks": tuple(CheckVerdict(**check) for check in cell["checks"])})
        for cell in data["cells"]
    )
    names = ("manual_pending", "unanswered", "repairs", "substituted")
    lists = {name: tuple(data.get(name, ())) for name in names}
    return GradedNotebook(**{**data, **lists, "cells": cells})
