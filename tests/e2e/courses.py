"""Courses on disk, graded by the real commands as separate processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook

from tests import little

SCRIPTS = Path(sys.executable).parent
SECRET = "the-secret-of-this-course"  # as a TA would set it; must never come out anywhere
SECONDS = 240  # for one command on a busy machine


@dataclass(frozen=True)
class Course:
    """A course folder and what one does with it from a terminal."""

    root: Path

    def start(
        self, *command: str, in_a_terminal: bool = False, **environment: str
    ) -> subprocess.Popen[str]:
        """``in_a_terminal``: with a process group of its own, as a shell would do."""
        return subprocess.Popen(
            command,
            cwd=self.root,
            env=self.environment() | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0 if in_a_terminal else None,
        )

    def environment(self) -> dict[str, str]:
        """As in an activated environment, whatever Jupyter settings this machine has."""
        jupyter = {
            f"JUPYTER_{kind}_DIR": str(self.root.parent / f"jupyter-{kind.lower()}")
            for kind in ("CONFIG", "DATA", "RUNTIME")
        }
        path = f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}"
        about = {"PATH": path, "CS231N_COURSE_SECRET": SECRET, "COLUMNS": "100"}
        return os.environ | jupyter | about

    def nbgrader(self, *words: str) -> subprocess.Popen[str]:
        return self.start(sys.executable, "-m", "nbgrader", *words)

    def autograder(
        self, *words: str, in_a_terminal: bool = False, **environment: str
    ) -> subprocess.Popen[str]:
        command = (sys.executable, "-m", "autograder", *words)
        return self.start(*command, in_a_terminal=in_a_terminal, **environment)

    def gradebook(self) -> Gradebook:
        return Gradebook(f"sqlite:///{self.root}/gradebook.db")

    def autograded(self, student: str) -> Path:
        return self.root / "autograded" / student / little.ASSIGNMENT / f"{little.NOTEBOOK}.ipynb"

    def grades(self, student: str) -> dict[str, tuple[float | None, float | None, bool]]:
        """(automatic score, score by hand, to be looked at) of each graded cell."""
        with self.gradebook() as book:
            notebook = book.find_submission_notebook(little.NOTEBOOK, little.ASSIGNMENT, student)
            return {
                grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade)
                for grade in notebook.grades
            }

    def points(self, student: str) -> float:
        """Automatic points."""
        return sum(automatic or 0.0 for automatic, _, _ in self.grades(student).values())

    def copy(self, root: Path) -> Course:
        """The same course, gradebook included, in another folder."""
        return Course(little.copy_course(self.root, root))


def finish(*processes: subprocess.Popen[str]) -> Sequence[tuple[int, str]]:
    """(exit status, what was printed) of each."""
    outputs = [process.communicate(timeout=SECONDS)[0] for process in processes]
    return [(process.returncode, text) for process, text in zip(processes, outputs, strict=True)]


def run(process: subprocess.Popen[str], expected: int = 0) -> str:
    """What it printed; an exit status that was not expected is an error."""
    status, text = finish(process)[0]
    assert status == expected, f"{process.args} ended with {status}, not {expected}:\n{text}"
    return text
