"""Build the demo: an nbgrader course directory of its own, with the sample class in submitted/."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from autograder.course.submissions import CourseError
from autograder.demo.small import DemoClass
from autograder.files import write_text
from autograder.grading.documents import to_json
from autograder.notebook.edits import Document, Section, apply, read_sample, read_samples
from autograder.notebook.order import MAP
from autograder.notebook.template import load_template, notebooks_of

ASSIGNMENTS = ("assignment1", "assignment2", "assignment3", "assignment4")
ASSIGNMENT, NOTEBOOK = "assignment1", "knn"  # the notebook that most samples are about
SAMPLES = Path(__file__).parent / "samples"
#: Right solutions in other styles, on which the checks are tried: samples may start from them.
RIGHT = Path(__file__).parents[1] / "mutants"

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


def build_demo(root: Path, course: Path, who: DemoClass | None = None) -> list[str]:
    """Make ``root`` the course directory of the demo; return its students.

    ``course``: the real course directory, whose notebooks and settings are used. ``who``: default
    is every sample and every notebook of ``ASSIGNMENTS``. A student hands in an assignment whole,
    when their sample does something in one of its notebooks. The same input gives the same files.
    What grading has added to ``root`` (gradebook, verdicts) is kept, so building and grading again
    is quick, unless the demo there has other notebooks. Raises CourseError, TemplateError.
    """
    root, course = root.resolve(), course.resolve()
    released = _released(course, who)
    order = course / "release" / MAP
    samples = _samples(who, {notebook for names in released.values() for notebook in names})
    config = root / "nbgrader_config.py"
    made_here = config.is_file() and config.read_text("utf-8").startswith(CONFIG_HEAD)
    if root.exists() and any(root.iterdir()) and not made_here:
        raise CourseError(f"{root} is not empty and not a demo: name another folder")
    before = {part: sorted(p.stem for p in (root / "release" / part).glob("*")) for part in released}
    if made_here and before != {part: sorted(names) for part, names in released.items()}:
        shutil.rmtree(root)  # the gradebook there has questions that this demo does not ask
    write_text(config, CONFIG.format(head=CONFIG_HEAD, course=os.path.relpath(course, root)))
    if order.is_file():
        write_text(root / "release" / MAP, order.read_text("utf-8"))
    for assignment, names in released.items():
        class_of = [s for s, sample in samples.items() if set(sample) & set(names)]
        _forget_others(root, assignment, class_of)
        for notebook in names:
            release = load_template(course, assignment, notebook).document
            release["metadata"].setdefault("cs231n", {}).update(LIMITS.get(notebook, {}))
            file = Path(assignment, f"{notebook}.ipynb")
            source = _read_source(course / "source" / file)
            write_text(root / "source" / file, to_json(source))
            write_text(root / "release" / file, to_json(release))
            for student in class_of:
                document = submission(student, samples[student].get(notebook), release, source)
                write_text(root / "submitted" / student / file, to_json(document))
    return list(samples)


def _released(course: Path, who: DemoClass | None) -> dict[str, list[str]]:
    """The notebooks of the demo by assignment."""
    released = {assignment: notebooks_of(course, assignment) for assignment in ASSIGNMENTS}
    if who is None:
        return {assignment: list(names) for assignment, names in released.items()}
    return {a: [name for name in names if name in who.notebooks] for a, names in released.items()}


def _samples(
    who: DemoClass | None, released: Collection[str]
) -> dict[str, Mapping[str, list[Section]]]:
    """What each student does, by notebook. Raises CourseError."""
    students = sorted(who.students if who else (path.stem for path in SAMPLES.glob("*.py")))
    samples = {student: read(student) for student in students}
    for student, sample in samples.items():
        unknown = sorted(set(sample) - set(released))
        if unknown and who is None:
            raise CourseError(f"demo sample {student}: no notebook {unknown[0]} is released")
    return samples


def _forget_others(root: Path, assignment: str, students: Collection[str]) -> None:
    """Take away what samples that are no more have left."""
    for folder in ("submitted", "autograded", "feedback"):
        for former in (root / folder).glob("*"):
            if former.name not in students:
                shutil.rmtree(former / assignment, ignore_errors=True)
                if not any(former.iterdir()):
                    former.rmdir()
    for former in (root / ".autograder" / "results" / assignment).glob("*"):
        if former.name not in students:
            shutil.rmtree(former)


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
    [path] = RIGHT.glob(f"*/{notebook}/{start.target}.py")
    return [*read_sample(path), *rest]


def _read_source(path: Path) -> Document:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CourseError(f"{path}: the demo needs the source notebook ({error})") from None
