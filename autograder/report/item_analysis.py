"""Item analysis: which hidden checks are at odds with the others of their question.

Three plain signs, none of them a proof (`docs/report.md` explains them to TAs):

- nobody passes the check;
- most of those who got everything else in the question right fail it;
- whether it is passed has nothing to do with the rest of the question: the item-rest correlation,
  which is the point-biserial correlation of "passed" with the share of other checks passed.

Only counters are kept for each check, however large the class is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from autograder.judge.results import CellVerdict, CheckVerdict
from autograder.judge.score import NO_ANSWER, NOT_ATTEMPTED, NOT_RUN

MIN_FOR_NOBODY = 3  # students, before "nobody passes it" means something
MIN_OTHERS_RIGHT = 5  # students with everything else right, before their failures mean something
MIN_FOR_CORRELATION = 20  # students, before a correlation means something ...
MIN_OF_EACH = 5  # ... and of them so many who passed, and so many who failed
UNRELATED = 0.1  # below this the check and the rest of its question measure different things
EXAMPLES = 3


@dataclass(frozen=True)
class CheckSummary:
    """How a class did on one hidden check.

    ``students`` is for how many it judged an answer; ``others_right`` how many of these passed all
    others of the question that carry points, ``alone`` how many of those failed this one.
    ``correlation`` is None where there is nothing to correlate.
    """

    notebook: str
    grade_id: str
    title: str
    probe: str
    advice: bool
    passed: int
    students: int
    others_right: int
    alone: int
    correlation: float | None
    examples: tuple[str, ...]  # students who failed it, those with everything else right first

    @property
    def suspicion(self) -> str:
        """Why a person should look at this check, or nothing."""
        failed = self.students - self.passed
        if self.students >= MIN_FOR_NOBODY and not self.passed:
            return f"Nobody passes it: 0 of {self.students}."
        if self.others_right >= MIN_OTHERS_RIGHT and 2 * self.alone > self.others_right:
            return (
                f"{self.alone} of the {self.others_right} students who passed everything else in "
                "this question fail it."
            )
        enough = self.students >= MIN_FOR_CORRELATION and min(self.passed, failed) >= MIN_OF_EACH
        if enough and self.correlation is not None and self.correlation < UNRELATED:
            return (
                "Passing it has nothing to do with passing the rest of the question: "
                f"item-rest correlation {signed(self.correlation)}."
            )
        return ""


@dataclass
class CheckTally:
    """The counters behind a `CheckSummary`."""

    check: CheckVerdict  # of the first student: its title, probe, and whether it is advice
    students: int = 0
    passed: int = 0
    rest: float = 0.0  # sums over students, of the share of other checks passed:
    rest_squared: float = 0.0
    rest_of_passed: float = 0.0
    others_right: int = 0
    alone: int = 0
    failed_alone: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def add(self, student: str, passed: bool, rest: float) -> None:
        """Count a verdict. ``rest`` is the share of other checks passed; NaN: there are none."""
        self.students += 1
        self.passed += passed
        self.rest += rest
        self.rest_squared += rest * rest
        self.rest_of_passed += rest * passed
        self.others_right += rest == 1
        self.alone += rest == 1 and not passed
        examples = self.failed_alone if rest == 1 else self.failed
        if not passed and len(examples) < EXAMPLES:
            examples.append(student)

    def summary(self, notebook: str, grade_id: str) -> CheckSummary:
        return CheckSummary(
            notebook=notebook,
            grade_id=grade_id,
            title=self.check.title,
            probe=self.check.probe,
            advice=self.check.advice,
            passed=self.passed,
            students=self.students,
            others_right=self.others_right,
            alone=self.alone,
            correlation=self.correlation(),
            examples=tuple([*self.failed_alone, *self.failed][:EXAMPLES]),
        )

    def correlation(self) -> float | None:
        """Item-rest correlation, or None where all passed, all failed, or the rest never varies."""
        n = self.students
        item_variance = self.passed * (n - self.passed)
        rest_variance = n * self.rest_squared - self.rest**2
        if not item_variance or not rest_variance > 1e-9 * n * n:  # NaN as well: no other checks
            return None
        covariance = n * self.rest_of_passed - self.passed * self.rest
        return covariance / math.sqrt(item_variance * rest_variance)


def is_blank(cell: CellVerdict) -> bool:
    """Whether the question was left as released: it says nothing about the checks."""
    return cell.score <= 0 and any(check.message == NOT_ATTEMPTED for check in cell.checks)


def judged(cell: CellVerdict) -> Iterator[tuple[CheckVerdict, float]]:
    """The checks of an answered question that judged an answer, each with the share of the others.

    Shares are of the checks that carry points; NaN where there are no others.
    """
    counted = sum(not check.advice for check in cell.checks)
    passed = sum(check.passed for check in cell.checks if not check.advice)
    for check in cell.checks:
        others = counted - (not check.advice)
        others_passed = passed - (check.passed and not check.advice)
        if check.message not in (NOT_ATTEMPTED, NOT_RUN, NO_ANSWER):
            yield check, others_passed / others if others else math.nan


def signed(value: float) -> str:
    """A correlation as it is printed: two decimals, with a true minus sign."""
    return f"{value:.2f}".replace("-0.00", "0.00").replace("-", "\N{MINUS SIGN}")
