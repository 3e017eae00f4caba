"""What a report takes from the course folder besides verdicts.

Order, rubrics, links, regrades, and what was handed in late.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from autograder.course.changes import Change, read_changes
from autograder.course.pages import feedback_page
from autograder.course.rubrics import Rubric, read_rubrics
from autograder.course.submissions import CourseError
from autograder.notebook.order import Order, order_of
from autograder.notebook.template import TemplateError, notebooks_of

if TYPE_CHECKING:
    from autograder.course.late import Late

UP = "../../.."  # from report/ASSIGNMENT/students/ to the course folder


@dataclass(frozen=True)
class Beside:
    """``rubrics``: by notebook and grade_id. ``root``: of the course; None: nothing to link to."""

    order: Order = field(default_factory=Order)
    rubrics: Mapping[str, Mapping[str, Rubric]] = field(default_factory=dict)
    root: Path | None = None
    changes: Sequence[Change] = ()  # regrades, the first one first
    late: Mapping[str, Late] = field(default_factory=dict)  # by student

    def changes_of(self, student: str) -> list[Change]:
        """The student's own regrades."""
        return [change for change in self.changes if change.student == student]

    def links(self, student: str, assignment: str, notebook: str) -> Iterator[tuple[str, str]]:
        """(what, address) of the pages that there are about a notebook, from the student's page."""
        places = {
            "feedback page": feedback_page(student, assignment, notebook),
            "graded notebook": Path("autograded", student, assignment, f"{notebook}.ipynb"),
        }
        for what, place in places.items():
            if self.root is not None and (self.root / place).is_file():
                yield what, quote(f"{UP}/{place.as_posix()}")


def beside(root: Path, assignment: str) -> Beside:
    """Read it. A course without sources has no rubrics to show.

    Raises CalendarError and GradebookError.
    """
    from autograder.course.late import late_hand_ins  # imports nbgrader: two seconds

    rubrics: dict[str, Mapping[str, Rubric]] = {}
    with suppress(CourseError, TemplateError):
        for name in notebooks_of(root, assignment):
            rubrics[name] = read_rubrics(root, assignment, name)
    return Beside(
        order_of(root, assignment),
        rubrics,
        root,
        read_changes(root, assignment),
        late_hand_ins(root, assignment),
    )
