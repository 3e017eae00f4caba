"""What a TA goes by when reading a written answer: the mark scheme and model answer in source/."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from autograder.course.submissions import CourseError
from autograder.notebook.edits import solution_of
from autograder.notebook.template import grade_id, is_manual, nbgrader, source_of

_SCHEME = re.compile(
    r"^\s*### BEGIN MARK SCHEME\s*$\n(.*?)^\s*### END MARK SCHEME\s*$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Rubric:
    """Of one question that a person grades. ``scheme`` and ``answer`` are Markdown."""

    grade_id: str
    worth: float
    scheme: str
    answer: str

    @property
    def points(self) -> str:
        return f"{self.worth:g} point{'' if self.worth == 1 else 's'}"


def read_rubrics(root: Path, assignment: str, notebook: str) -> dict[str, Rubric]:
    """By grade_id, in the notebook's order. Raises CourseError where there is no such source."""
    path = root / "source" / assignment / f"{notebook}.ipynb"
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        rubrics = [_rubric(cell) for cell in cells if is_manual(cell)]
    except FileNotFoundError:
        raise CourseError(
            f"source/{assignment}/{notebook}.ipynb is not in the course folder; the rubrics are "
            "there"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise CourseError(
            f"source/{assignment}/{notebook}.ipynb cannot be read ({error})"
        ) from None
    return {rubric.grade_id: rubric for rubric in rubrics}


def _rubric(cell: dict) -> Rubric:
    source = source_of(cell)
    schemes = [scheme.strip() for scheme in _SCHEME.findall(source)]
    answer = solution_of(source).strip()
    if cell["cell_type"] == "code":
        answer = f"```python\n{answer}\n```" if answer else ""
    return Rubric(
        grade_id(cell),
        float(nbgrader(cell).get("points", 0)),
        "\n\n".join(schemes) or "The source of this question has no mark scheme.",
        answer,
    )
