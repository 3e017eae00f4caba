"""Build the demo: an nbgrader course directory of its own, with the sample class in submitted/."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.course import CourseError
from autograder.grade import to_json
from autograder.notebook_edits import Document, Section, apply, read_sample, read_samples
from autograder.records import write_text
from autograder.template import load_template, notebooks_of

ASSIGNMENT, NOTEBOOK = "assignment1", "knn"  # the notebook that most samples are about
SAMPLES = Path(__file__).parent / "samples"
#: Right solutions in other styles, on which the checks are tried: samples may start from them.
RIGHT = Path(__file__).parents[1] / "mutants" / ASSIGNMENT

#: Samples that hang must not make the demo slow. The slowest honest cell, cross-validation, takes
#: less than a quarter of this.
LIMITS = {NOTEBOOK: {"cell_seconds": 15}}

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


def build_demo(root: Path, course: Path, notebooks: Sequence[str] | None = None) -> list[str]:
    """Make ``root`` the course directory of the demo; return its students.

    ``course``: the real course directory, whose notebooks (default: all that are released) and
    settings are used. The same input gives the same files. What grading has added to ``root``
    (gradebook, verdicts) is kept, so building and grading again is quick.
    Raises CourseError, TemplateError.
    """
    root, course = root.resolve(), course.resolve()
    config = root / "nbgrader_config.py"
    made_here = config.is_file() and config.read_text("utf-8").startswith(CONFIG_HEAD)
    if root.exists() and any(root.iterdir()) and not made_here:
        raise CourseError(f"{root} is not empty and no demo: name another folder")
    notebooks = notebooks or notebooks_of(course, ASSIGNMENT)
    write_text(config, CONFIG.format(head=CONFIG_HEAD, course=os.path.relpath(course, root)))
    students = sorted(path.stem for path in SAMPLES.glob("*.py"))
    for folder in ("submitted", "autograded", "feedback", f".autograder/results/{ASSIGNMENT}"):
        for former in (root / folder).glob("*"):  # samples that are no more
            if former.name not in students:
                shutil.rmtree(former)
    samples = {student: read(student) for student in students}
    for student, sample in samples.items():
        if unknown := sorted(set(sample) - set(notebooks_of(course, ASSIGNMENT))):
            raise CourseError(f"demo sample {student}: no notebook {unknown[0]} is released")
    for notebook in notebooks:
        release = load_template(course, ASSIGNMENT, notebook).document
        release["metadata"].setdefault("cs231n", {}).update(LIMITS.get(notebook, {}))
        source = _read_source(course, notebook)
        write_text(_path(root / "source", notebook), to_json(source))
        write_text(_path(root / "release", notebook), to_json(release))
        for student in students:
            document = submission(student, samples[student].get(notebook), release, source)
            write_text(_path(root / "submitted" / student, notebook), to_json(document))
    return students


def read(student: str) -> Mapping[str, list[Section]]:
    """What the sample of this name does, by notebook. Raises CourseError."""
    try:
        sample = read_samples(SAMPLES / f"{student}.py")
        return {notebook: _expand(notebook, sections) for notebook, sections in sample.items()}
    except (OSError, ValueError) as error:
        raise CourseError(f"demo sample {student}: {error}") from None


def submission(
    student: str, sections: list[Section] | None, release: Document, source: Document
) -> Document:
    """The notebook that a student of the demo class hands in: as released, where no sections."""
    try:
        return apply(sections, release, source) if sections else release
    except ValueError as error:
        raise CourseError(f"demo sample {student}: {error}") from None


def _expand(notebook: str, sections: list[Section]) -> list[Section]:
    """``start from right_1`` is that file's sections: it has a start of its own."""
    start, *rest = sections
    if not start.target.startswith("right_"):
        return sections
    return [*read_sample(RIGHT / notebook / f"{start.target}.py"), *rest]


def _path(folder: Path, notebook: str) -> Path:
    return folder / ASSIGNMENT / f"{notebook}.ipynb"


def _read_source(course: Path, notebook: str) -> Document:
    path = _path(course / "source", notebook)
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CourseError(f"{path}: the demo needs the source notebook ({error})") from None
