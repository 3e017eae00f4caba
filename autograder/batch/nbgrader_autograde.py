"""nbgrader's autograde with our sandbox and our judge in place of its own execution.

Listed in ``nbgrader_config.py``; `nbgrader autograde` and the formgrader's buttons then grade with
them. nbgrader reads each score from the output that the judge has put there.
"""

from __future__ import annotations

import atexit
import json
from functools import cache, partial
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    NbGraderPreprocessor,
    SaveAutoGrades,
)
from traitlets.config import Config, Configurable

from autograder.batch.submission import attempts
from autograder.batch.task import Task
from autograder.batch.task_grader import TaskGrader
from autograder.course.config import collect_safely
from autograder.course.helpers import helper_modules
from autograder.course.records import verdicts_on_record
from autograder.course.secret import course_secret
from autograder.course.submissions import Submission
from autograder.grading.material import load_material
from autograder.host.expendable import Ended, run_limited
from autograder.judge.warm import start_zygote
from autograder.judge.zygote import Zygote
from autograder.notebook.likeness import Signatures, signatures
from autograder.notebook.repair import UnreadableError, repair
from autograder.notebook.template import Template, load_template, notebooks_of
from autograder.sandbox.policy import Library


def configure(c: Config) -> None:
    """Let nbgrader's ``autograde`` repair, run and judge with what is in this module.

    What it grades has to be collected safely. Courses that `new-course` made up to 0.3.0 configure
    no collecting, so it is done here for them.
    """
    collect_safely(c)
    c.Autograde.exporter_class = SubmissionExporter  # restores cells and metadata from release/
    c.Autograde.sanitize_preprocessors = [CheckCellMetadata]
    c.Autograde.autograde_preprocessors = [
        JudgeNotebook,
        SaveAutoGrades,
        AssignLatePenalties,
        CheckCellMetadata,
    ]


class SubmissionExporter(NotebookExporter):
    """Reads a submission in the shape of its release, even where nbformat would give up.

    What was mended goes to the log.
    """

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        resources = resources or {}
        if Path(filename).is_symlink():
            raise UnreadableError(f"{filename} is a symbolic link, which is not followed")
        template, data = _template(self, resources), Path(filename).read_bytes()
        try:
            known = _signatures(_root(self), template.assignment)
            read = run_limited(partial(_read, data, template, known))
        except Ended as end:
            raise UnreadableError(f"{filename} could not be read: {end.reason}") from None
        if "unreadable" in read:
            raise UnreadableError(read["unreadable"])
        for concern in read["concerns"]:
            self.log.error("%s needs a human: %s", resources["nbgrader"]["student"], concern)
        for note in read["repairs"]:
            self.log.warning("%s: %s", resources["nbgrader"]["student"], note)
        document = json.loads(read["document"])
        notebook: Any = nbformat.from_dict(document)
        return self.from_notebook_node(notebook, resources, **kw)


class JudgeNotebook(NbGraderPreprocessor):
    """Runs the notebook in the sandbox; its grade cells come back with the judge's verdicts."""

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        template = _template(self, resources)
        student = resources["nbgrader"]["student"]
        folder = _root(self) / "submitted" / student / template.assignment
        material = load_material(_root(self), template.assignment, course_secret(_root(self)))
        modules, refused = helper_modules(folder)
        for note in refused:
            self.log.warning("%s: %s", student, note)
        handed_in = {**modules, **Submission(student, folder).files(material.names)}
        known = verdicts_on_record(_root(self), student, material.needs(template), handed_in)
        own = (template.assignment, template.notebook)
        names = [own, *(name for name in material.needs(template) if name not in known)]
        numbers = attempts(_root(self), student, handed_in, material, names)
        task = Task(
            student, template.notebook, handed_in, None, earlier_verdicts=known, attempts=numbers
        )
        zygote = partial(_zygote, material.course.library)
        graded = TaskGrader(material, zygote).grade(task, document=json.dumps(nb))
        if graded.needs_human:
            self.log.error("%s needs a human: %s", student, graded.needs_human)
        return nbformat.from_dict(json.loads(graded.document)), resources  # type: ignore[return-value]


def _read(data: bytes, template: Template, known: Signatures) -> dict[str, Any]:
    """What a submission is once it is repaired; runs in a process of its own."""
    try:
        repaired = repair(data, template)
    except UnreadableError as error:
        return {"unreadable": str(error)}
    if fault := known.fault((template.assignment, template.notebook), repaired.keys):
        return {"unreadable": fault}
    return {
        "document": json.dumps(repaired.document),
        "repairs": repaired.repairs,
        "concerns": repaired.concerns,
    }


def _zygote(library: Library) -> Zygote:
    """One warm process for all notebooks; a new one where the old has died.

    Under the formgrader it may have been waiting for days between two clicks.
    """
    if not _warm(library).alive:
        _warm(library).close()
        _warm.cache_clear()
    return _warm(library)


@cache
def _warm(library: Library) -> Zygote:
    zygote = start_zygote(library=library)
    atexit.register(zygote.close)
    return zygote


def _signatures(root: Path, assignment: str) -> Signatures:
    return signatures(
        {
            (assignment, name): load_template(root, assignment, name).document
            for name in notebooks_of(root, assignment)
        }
    )


def _template(step: Configurable, resources: dict[str, Any]) -> Template:
    names = resources["nbgrader"]
    return load_template(_root(step), names["assignment"], names["notebook"])


def _root(step: Configurable) -> Path:
    """The course directory, as nbgrader is configured, else where it was started."""
    configured = step.config.CourseDirectory.get("root", "")
    return Path(configured) if configured else Path.cwd()
