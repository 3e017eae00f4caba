"""The list of questions on top of a feedback page: what each is called, and what it came to."""

from __future__ import annotations

import re
from typing import Any

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

from autograder.notebook.template import grade_id, is_auto_graded, is_manual, nbgrader

#: "## 4. Two loops", the headings of sections and not of their parts ("### Your task"), and
#: "**Question 1.**" at the beginning of a cell. Not on a line of code.
_HEADING = re.compile(r"^##?\s+(.+?)\s*#*\s*$", re.MULTILINE)
_QUESTION = re.compile(r"^\*\*(Question \w+)\.?\*\*", re.MULTILINE)
_CODE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)
_MARKS = re.compile(r"[*`$]|<[^>]*>")
MAX_NAME = 80  # characters; a heading may be a student's


class Contents(NbGraderPreprocessor):
    """Puts the list beside the notebook. It comes last: what is held back is not in it."""

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict
    ) -> tuple[NotebookNode, ResourcesDict]:
        resources["nbgrader"]["contents"] = contents(nb)
        return nb, resources


def contents(nb: NotebookNode) -> list[dict[str, Any]]:
    """Each graded cell: its name, which is what stands above it, and its points."""
    above, found = "", []
    for cell in nb.cells:
        graded = is_auto_graded(cell) or is_manual(cell)
        if cell.cell_type == "markdown" and not graded:
            above = _name_in(cell.source) or above
        if graded:
            about = nbgrader(cell)
            found.append(
                {
                    "grade_id": grade_id(cell),
                    "name": above or grade_id(cell),
                    "kind": "tests" if is_auto_graded(cell) else "read by a person",
                    "score": _number(about.get("score", 0)),
                    "points": _number(about.get("points", 0)),
                    "comment": bool(about.get("comment")),
                }
            )
    return found


def _name_in(markdown: str) -> str:
    """The last heading or question of a text, as plain words."""
    text = _CODE.sub("", markdown)
    places = [*_HEADING.finditer(text), *_QUESTION.finditer(text)]
    if not places:
        return ""
    name = _MARKS.sub("", max(places, key=lambda place: place.start())[1]).strip()
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"


def _number(value: Any) -> Any:
    """Two decimals at most, and none where there are none; words stay: "not read yet"."""
    if not isinstance(value, int | float):
        return value
    rounded = round(float(value), 2)
    return int(rounded) if rounded.is_integer() else rounded
