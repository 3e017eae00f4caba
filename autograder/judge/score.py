"""From checks to points: run the checks of one cell, each with numbers of its own."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from autograder.judge.expect import Failed
from autograder.judge.kernel import KernelDied
from autograder.judge.registry import Check
from autograder.judge.results import CellVerdict, CheckVerdict
from autograder.judge.student import TIME_OUT, Student, StudentError
from autograder.sandbox.policy import SandboxError

NOT_ATTEMPTED = "not written yet: it still raises NotImplementedError"

TIMED_OUT = ": does it ever end?"
NOT_RUN = "not run after the time-out above"
NO_ANSWER = "counts as soon as a check of the answer itself passes"


@dataclass(frozen=True)
class Seed:
    """What a check's random numbers are drawn from. The secret keeps them from being foreseen.

    ``submission`` is a digest of what was handed in: who has seen inputs in an error message of
    the last feedback meets others with the next attempt.
    """

    secret: bytes
    assignment: str
    notebook: str
    student: str
    submission: str = ""

    def generator(self, check: Check) -> np.random.Generator:
        """The same numbers whenever this submission is graded; others for everybody else."""
        whose = (self.assignment, self.notebook, self.student, self.submission)
        parts = (*whose, check.grade_id, check.name)
        digest = hashlib.blake2b("\0".join(parts).encode(), key=self.secret[:64], digest_size=16)
        return np.random.default_rng(int.from_bytes(digest.digest(), "little"))


@dataclass(frozen=True)
class Outcome:
    """A cell's verdict, and what went wrong with a check itself, if anything."""

    verdict: CellVerdict
    broken: tuple[str, ...] = ()


def grade_cell(
    student: Student, grade_id: str, points: float, checks: Sequence[Check], seed: Seed
) -> Outcome:
    """Run all checks of a cell, the basic ones first, as they were declared.

    Never raises on account of the student's code.
    """
    broken: list[str] = []
    verdicts: list[CheckVerdict] = []
    hung = False
    hints = True  # guesses at a cause mislead once something more basic is known to be wrong
    for check in checks:
        # One time-out a cell: the others would most likely wait for the same loop.
        verdict = (
            _verdict(check, NOT_RUN)
            if hung
            else run_check(student, check, seed, broken, hints=hints)
        )
        hung = hung or timed_out(verdict)
        hints = hints and (verdict.passed or check.condition or check.advice)
        verdicts.append(verdict)
    pairs = list(zip(verdicts, checks, strict=True))
    if not any(v.passed for v, c in pairs if not (c.condition or c.advice)):
        verdicts = [
            replace(v, passed=False, message=v.message or NO_ANSWER) if c.condition else v
            for v, c in pairs
        ]
    verdict = CellVerdict(grade_id, points, score(points, verdicts), tuple(verdicts))
    return Outcome(verdict, tuple(broken))


def run_check(
    student: Student, check: Check, seed: Seed, broken: list[str], *, hints: bool = True
) -> CheckVerdict:
    """One check, its message with or without a hint at the cause.

    What the check itself could not cope with is added to ``broken``.
    """
    started = time.monotonic()
    message = ""
    try:
        check.function(student, seed.generator(check))
    except Failed as failure:
        message = (str(failure) if hints else failure.message) or "failed"
    except StudentError as error:
        message = str(error)
        if error.type_name == "NotImplementedError":
            message = NOT_ATTEMPTED
        elif error.type_name == TIME_OUT:
            message += TIMED_OUT
    except KernelDied as death:
        message = f"the notebook's process {death}"
    except SandboxError:
        raise  # ours, and tried again
    except Exception as error:
        # The check stumbled over an answer nobody foresaw. No points, and a person looks.
        message = f"your answer could not be read ({type(error).__name__})"
        name = f"{check.grade_id}/{check.name}"
        broken.append(f"check {name} raised {type(error).__name__}: {error}")
    return _verdict(check, message, time.monotonic() - started)


def timed_out(verdict: CheckVerdict) -> bool:
    """Whether the student's code had to be interrupted in this check."""
    return verdict.message.endswith(TIMED_OUT)


def _verdict(check: Check, message: str, seconds: float = 0.0) -> CheckVerdict:
    return CheckVerdict(
        name=check.name,
        title=check.title,
        probe=check.probe,
        advice=check.advice,
        weight=check.weight,
        passed=not message,
        message=message,
        seconds=round(seconds, 4),
    )


def score(points: float, verdicts: Sequence[CheckVerdict]) -> float:
    """Points times the passed share of the weight; full points exactly when all passed."""
    counted = [v for v in verdicts if not v.advice]
    total = sum(v.weight for v in counted)
    passed = sum(v.weight for v in counted if v.passed)
    if not counted or passed == 0:
        return 0.0
    return points if all(v.passed for v in counted) else round(points * passed / total, 4)
