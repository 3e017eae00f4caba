"""Build the demo: an nbgrader course directory of its own, with the sample class in submitted/."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from autograder.course import CourseError
from autograder.demo.apply import Document, apply, read_sample
from autograder.grade import to_json
from autograder.records import write_text
from autograder.template import load_template

ASSIGNMENT, NOTEBOOK = "assignment1", "knn"
SAMPLES = Path(__file__).parent / "samples"

#: Samples that hang must not make the demo slow. The slowest honest cell, cross-validation, takes
#: less than a quarter of this.
LIMITS = {"cell_seconds": 15}

CONFIG_HEAD = (
    '"""The demo class, an nbgrader course directory. `autograder demo` made this file."""'
)
CONFIG = """\
{head}

from pathlib import Path

HERE = Path(__file__).resolve().parent
load_subconfig("nbgrader_config.py", path=str(HERE / {course!r}))  # noqa: F821
c = get_config()  # noqa: F821
c.CourseDirectory.root = str(HERE)
"""


def build_demo(root: Path, course: Path) -> list[str]:
    """Make ``root`` the course directory of the demo; return its students.

    ``course``: the real course directory, whose notebook and settings are used. The same input
    gives the same files. What grading has added to ``root`` (gradebook, verdicts) is kept, so
    building and grading again is quick. Raises CourseError, TemplateError.
    """
    root, course = root.resolve(), course.resolve()
    config = root / "nbgrader_config.py"
    made_here = config.is_file() and config.read_text("utf-8").startswith(CONFIG_HEAD)
    if root.exists() and any(root.iterdir()) and not made_here:
        raise CourseError(f"{root} is not empty and no demo: name another folder")
    release = load_template(course, ASSIGNMENT, NOTEBOOK).document
    release["metadata"]["cs231n"] = LIMITS
    source = _read_source(course)

    write_text(config, CONFIG.format(head=CONFIG_HEAD, course=os.path.relpath(course, root)))
    write_text(_notebook(root / "source"), to_json(source))
    write_text(_notebook(root / "release"), to_json(release))
    students = sorted(path.stem for path in SAMPLES.glob("*.py"))
    for folder in ("submitted", "autograded", "feedback", f".autograder/results/{ASSIGNMENT}"):
        for former in (root / folder).glob("*"):  # samples that are no more
            if former.name not in students:
                shutil.rmtree(former)
    for student in students:
        document = submission(student, release, source)
        write_text(_notebook(root / "submitted" / student), to_json(document))
    return students


def submission(student: str, release: Document, source: Document) -> Document:
    """The notebook that a student of the demo class hands in."""
    try:
        return apply(read_sample(SAMPLES / f"{student}.py"), release, source)
    except ValueError as error:
        raise CourseError(f"demo sample {student}: {error}") from None


def _notebook(folder: Path) -> Path:
    return folder / ASSIGNMENT / f"{NOTEBOOK}.ipynb"


def _read_source(course: Path) -> Document:
    path = _notebook(course / "source")
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CourseError(f"{path}: the demo needs the source notebook ({error})") from None
