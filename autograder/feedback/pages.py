"""autograded/ -> feedback/: nbgrader's own feedback pages, safe to open.

`configure` is all that `nbgrader generate_feedback` and the formgrader need; `write_feedback` runs
the same converter from Python, each page in a process of its own: a page that cannot be made, takes
for ever or fills the memory is one student's, who is named, and nobody else's. What a page shows is
a rule of the course: see `disclosure`.
"""

from __future__ import annotations

import copy
import datetime
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook
from nbgrader.converters import GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets.config import Config

from autograder.course.beside import pictures_beside
from autograder.course.gradebook import course_config
from autograder.course.helpers import carry_exchange_files
from autograder.course.submissions import CourseError
from autograder.feedback import safe_html
from autograder.feedback.contents import Contents
from autograder.feedback.disclosure import explain, read_disclosure
from autograder.feedback.notes import Notes
from autograder.feedback.scores import Scores
from autograder.files import write_bytes, write_text
from autograder.grading.verdict_output import only_points
from autograder.host.expendable import Ended, Limits, run_limited
from autograder.notebook.characters import whole
from autograder.notebook.order import order_of
from autograder.notebook.template import is_answer, is_auto_graded, nbgrader

__all__ = ["Feedback", "configure", "make_feedback", "write_feedback"]

# A page of the course takes one second and 100 MB.
LIMITS = Limits(memory_bytes=1 << 30, cpu_seconds=30, wall_seconds=300, answer_bytes=256 << 20)
MAX_NAMES = 10  # names in one line of the terminal
CANNOT_BE_SHOWN = (
    "This notebook cannot be shown as it ran. Here is what was graded, without what you wrote and "
    "what it printed; your points are not affected."
)


@dataclass
class Feedback:
    """The files written; pages that could not be made as they should, and why; what is unread."""

    pages: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    unread: dict[str, int] = field(default_factory=dict)  # answers, by student

    def warnings(self) -> list[str]:
        """Lines for a TA, fit for a terminal."""
        lines = list(self.problems)
        if self.unread:
            names = list(self.unread)
            more = f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
            lines.append(
                f"written answers still to read: {sum(self.unread.values())}, of "
                f"{', '.join(names[:MAX_NAMES])}{more}. Their pages say so and leave them out of the "
                "total: read them in the formgrader, then make the pages again"
            )
        return [" ".join(clean_line(line).split()) for line in lines]


def configure(c: Config) -> None:
    """Set what ``nbgrader generate_feedback`` needs to give the pages of `write_feedback`."""
    safe_html.configure(c)
    steps = [Scores, HoldBack, Notes, Contents, CSSHTMLHeaderPreprocessor]
    c.GenerateFeedback.preprocessors = steps
    # Pages are always made anew from autograded/: one made before a date says less than it should
    # now, and one made before there was a date says more.
    c.GenerateFeedback.force = True
    # By its name: the exchange is not imported to make pages.
    c.ExchangeFactory.release_feedback = "autograder.feedback.exchange.ReleaseWhereItCameFrom"


class HoldBack(NbGraderPreprocessor):
    """Takes out of a page what students are not to see, or not yet, and says so on top."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        root = Path(self.config.CourseDirectory.get("root", "") or Path.cwd())
        rule = read_disclosure(root, resources["nbgrader"]["assignment"])
        now = datetime.datetime.now(datetime.UTC)
        waits = rule.waits(now)
        for cell in nb.cells:
            if is_auto_graded(cell) and (waits or not rule.checks):
                cell.outputs = only_points(cell.outputs, nbgrader(cell)["points"])
            if waits and nbgrader(cell):
                cell.metadata.nbgrader["comment"] = None
        note = explain(rule, now, self.config)
        if note:
            nb.cells.insert(0, new_markdown_cell(f"**{note}**", id="held-back"))
        return nb, resources


class OnlyGraded(NbGraderPreprocessor):
    """A page of its graded cells alone, for a notebook that cannot be shown as it is."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        nb.cells = [cell for cell in nb.cells if nbgrader(cell)]
        for cell in nb.cells:
            cell.pop("attachments", None)
            if is_answer(cell):
                cell.source = ""
            if cell.cell_type == "code":
                verdicts = [o for o in cell.outputs if o.output_type == "execute_result"][:1]
                cell.outputs = verdicts if is_auto_graded(cell) else []
        nb.cells.insert(0, new_markdown_cell(f"**{CANNOT_BE_SHOWN}**", id="cannot-be-shown"))
        return nb, resources


def make_feedback(root: Path, assignment: str, students: Sequence[str] | None = None) -> list[Path]:
    """`write_feedback` where nothing is expected to go wrong: the files. Raises CourseError."""
    made = write_feedback(root, assignment, students)
    if made.problems:
        raise CourseError("; ".join(made.problems))
    return made.pages


def write_feedback(root: Path, assignment: str, students: Sequence[str] | None = None) -> Feedback:
    """Write ``root/feedback/STUDENT/ASSIGNMENT/NOTEBOOK.html``, and the pictures beside them.

    ``students``: only these; by default everybody who has been graded. Pages are made beside
    feedback/ and moved there at the end. Raises CourseError.
    """
    root = root.resolve()
    config = course_config(root)
    configure(config)
    read_disclosure(root, assignment)  # raises what is wrong with it before any page is made
    course = CourseDirectory(config=config)
    folder = Path(course.feedback_directory)
    notebooks = list(_graded(root, course, assignment, students))
    made = Feedback()
    with tempfile.TemporaryDirectory(prefix=".feedback-", dir=root) as scratch:
        pages = _Pages(config, assignment)
        for student, place in notebooks:
            target = Path(scratch, student, assignment)
            shutil.rmtree(target, ignore_errors=True)
            for path in sorted(place.glob("*.ipynb")):
                html, problem, unread = pages.page(student, path)
                if unread:
                    made.unread[student] = made.unread.get(student, 0) + unread
                if problem:
                    made.problems.append(f"{student}/{path.stem}: {problem}")
                if html:
                    write_text(target / f"{path.stem}.html", html)
            for name, data in pictures_beside(place)[0].items():
                write_bytes(target / name, data)
        order = order_of(root, assignment)
        found = (path for path in Path(scratch).rglob("*") if path.is_file())
        written = sorted(found, key=lambda path: (path.parent, order(path.stem), path.suffix))
        made.pages = [_move(p, root / folder / p.relative_to(scratch)) for p in written]
    for student, place in notebooks:
        carry_exchange_files(place, root / folder / student / assignment)
    return made


def _graded(
    root: Path, course: CourseDirectory, assignment: str, students: Sequence[str] | None
) -> Iterator[tuple[str, Path]]:
    """Students and where their graded notebooks are; by name, whatever is in a name."""
    base = root / course.autograded_directory
    names = students
    if names is None:
        names = sorted(path.name for path in base.iterdir()) if base.is_dir() else []
    found = {name: base / name / assignment for name in names}
    for name, place in found.items():
        if any(place.glob("*.ipynb")):
            yield name, place
        elif students is not None:
            raise _not_graded(assignment, name)
    if not any(any(place.glob("*.ipynb")) for place in found.values()):
        raise _not_graded(assignment, "*")


def _not_graded(assignment: str, student: str) -> CourseError:
    return CourseError(
        f"no feedback on {assignment} for {student}: there is nothing in autograded/; is it graded? "
        f"Run `python -m autograder grade {assignment}` first"
    )


class _Pages:
    """nbgrader's converter, with its templates read once; each page is made by a fork."""

    def __init__(self, config: Config, assignment: str) -> None:
        config = copy.deepcopy(config)
        config.CourseDirectory.assignment_id = assignment
        self._assignment = assignment
        self._course = CourseDirectory(config=config)
        self._converter = GenerateFeedback(coursedir=self._course, config=config)
        self._exporter = self._converter.exporter_class(
            parent=self._converter, config=self._converter.config
        )
        about = self._resources("", "") | {"contents": [], "score": 0, "max_score": 0, "late_penalty": 0}
        self._exporter.from_notebook_node(new_notebook(), {"nbgrader": about})

    def page(self, student: str, path: Path) -> tuple[str, str, int]:
        """The page; what is wrong with it, if anything; how many of its answers are unread."""
        reason = ""  # why it cannot be made as it should
        for bare in (False, True):
            try:
                html, unread = run_limited(partial(self._convert, student, path, bare), LIMITS)
            except Ended as ended:
                reason = reason or whole(ended.reason)
            else:
                shown = "the page shows only what was graded, since it could not be made"
                return html, f"{shown}: {reason}" if bare else "", unread
        return "", f"the page could not be made: {reason}", 0

    def _convert(self, student: str, path: Path, bare: bool) -> tuple[str, int]:
        steps = self._converter.preprocessors
        for step in (OnlyGraded, *steps) if bare else steps:
            self._exporter.register_preprocessor(step, enabled=step is OnlyGraded)
        resources = {
            "unique_key": path.stem,
            "output_files_dir": f"{path.stem}_files",
            "nbgrader": self._resources(student, path.stem),
        }
        html, resources = self._exporter.from_filename(str(path), resources=resources)
        return whole(str(html)), resources["nbgrader"]["unread"]

    def _resources(self, student: str, notebook: str) -> dict[str, Any]:
        return {
            "student": student,
            "assignment": self._assignment,
            "notebook": notebook,
            "db_url": self._course.db_url,
        }


def clean_line(text: str) -> str:
    """Without characters that a terminal takes for orders."""
    return "".join(c if c.isprintable() else " " for c in text)


def _move(path: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    return path.replace(target)
