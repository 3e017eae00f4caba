"""The release lets a notebook that imports PyTorch say in a sentence where that is missing.

`cs231n_lib` says it (`cs231n_lib/extras.py`), but notebooks import it last, as style wants it.
The students of a course of one's own have no `cs231n_lib`, and their notebooks get no such line.
"""

from __future__ import annotations

import ast
from pathlib import Path

from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets.config import Configurable

from autograder.notebook.syntax import parse_cell
from autograder.notebook.template import nbgrader
from autograder.settings import CourseSettings, settings_of

LINE = "import cs231n_lib  # says what to install if PyTorch is missing"
LIBRARY, PACKAGE = "cs231n_lib", "torch"


class MissingPackages(NbGraderPreprocessor):
    """A step of the release: a line above the first import of PyTorch."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        if course_released(self).folder:
            return nb, resources
        for cell in nb.cells:
            names = imported(cell.source) if cell.cell_type == "code" else []
            if LIBRARY in names or PACKAGE in names:
                late = PACKAGE in names and LIBRARY not in names[: names.index(PACKAGE)]
                if late and not nbgrader(cell):
                    cell.source = f"{LINE}\n\n{cell.source}"
                break
        return nb, resources


def imported(source: str) -> list[str]:
    """The packages that a cell imports at its top level, in order."""
    found = []
    for node in parse_cell(source).body:
        if isinstance(node, ast.Import):
            found += [one.name.split(".")[0] for one in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module.split(".")[0])
    return found


def course_released(step: Configurable) -> CourseSettings:
    """The course whose notebooks a step of the release works on. Raises SettingsError."""
    return settings_of(Path(step.config.CourseDirectory.get("root", "") or Path.cwd()))
