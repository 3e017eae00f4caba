"""One student's earlier notebooks, graded and made fit to be loaded by later ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from autograder.grade import Job, grade
from autograder.judge.kernel import Kernel, KernelDied, KernelLimits
from autograder.judge.registry import checks_for
from autograder.judge.results import GradedNotebook
from autograder.judge.zygote import Zygote
from autograder.notebook_edits import solve
from autograder.prerequisites import Loadable, instructors, loadable, loads
from autograder.records import read_result
from autograder.template import Template, load_template

LOAD_SECONDS = 15.0  # imports and definitions take a fraction of one
Name = tuple[str, str]  # assignment, notebook


@dataclass
class EarlierWork:
    """What a student's notebooks find when they load earlier ones.

    ``handed_in`` holds the student's notebooks by file name, earlier assignments' too. Verdicts are
    taken from ``known`` (of this run), then from the record where it is about the same file, else
    an earlier notebook is graded now; the gradebook is not touched.
    """

    root: Path
    student: str
    handed_in: dict[str, bytes]
    secret: bytes
    zygote: Callable[[], Zygote]
    known: dict[Name, GradedNotebook] = field(default_factory=dict)
    _ready: dict[Name, Loadable] = field(default_factory=dict)

    def files_for(self, template: Template) -> tuple[dict[str, bytes], tuple[str, ...]]:
        """The notebooks to put beside one that is graded, and what of them is the instructor's."""
        files, notes = dict(self.handed_in), []
        for assignment, notebook in self._needs(template):
            ready = self._loadable(assignment, notebook)
            if ready.content:
                files[f"{notebook}.ipynb"] = ready.content
            notes += ready.notes
        return files, tuple(notes)

    def _needs(self, template: Template) -> list[Name]:
        """The notebooks that this one loads, directly or by way of others, earliest first."""
        found: dict[Name, None] = {}
        for name in loads(template.document):
            assignment = self._assignment_of(name, template.assignment)
            itself = (assignment, name) == (template.assignment, template.notebook)
            if assignment and not itself:
                earlier = load_template(self.root, assignment, name)
                found |= dict.fromkeys([*self._needs(earlier), (assignment, name)])
        return list(found)

    def _assignment_of(self, notebook: str, assignment: str) -> str:
        """Where the course has this notebook: in the same assignment, or in one before."""
        places = sorted((self.root / "release").glob(f"*/{notebook}.ipynb"), reverse=True)
        names = [path.parent.name for path in places if path.parent.name <= assignment]
        return names[0] if names else ""

    def _loadable(self, assignment: str, notebook: str) -> Loadable:
        key = (assignment, notebook)
        if key not in self._ready:
            self._ready[key] = self._prepare(assignment, notebook)
        return self._ready[key]

    def _prepare(self, assignment: str, notebook: str) -> Loadable:
        own = self.handed_in.get(f"{notebook}.ipynb")
        path = self.root / "source" / assignment / f"{notebook}.ipynb"
        if not path.is_file():  # without solutions there is nothing to put in the place of anything
            return Loadable(own or b"")
        solved = solve(json.loads(path.read_text("utf-8")))
        template = load_template(self.root, assignment, notebook)
        ready = loadable(template, self._graded(template) if own else None, solved)
        files = {f"{n}.ipynb": loaded.content for (_, n), loaded in self._ready.items()}
        files[f"{notebook}.ipynb"] = ready.content
        if own and ready.doubtful and not self._can_be_loaded(notebook, files):
            return instructors(notebook, solved, "could not be loaded")
        return ready

    def _graded(self, template: Template) -> GradedNotebook:
        key = (template.assignment, template.notebook)
        if key not in self.known:
            own = self.handed_in[f"{template.notebook}.ipynb"]
            _, recorded = read_result(self.root, self.student, *key) or ("", None)
            same = recorded and recorded.submission == hashlib.sha256(own).hexdigest()
            self.known[key] = recorded if recorded and same else self._grade(key)
        return self.known[key]

    def _grade(self, key: Name) -> GradedNotebook:
        template = load_template(self.root, *key)
        files, notes = self.files_for(template)
        own = self.handed_in[f"{template.notebook}.ipynb"]
        checks = checks_for(*key)
        job = Job(self.student, template, own, checks, self.secret, files, substituted=notes)
        return grade(job, self.zygote())

    def _can_be_loaded(self, notebook: str, files: dict[str, bytes]) -> bool:
        """Whether its definitions run to their end, in a kernel of their own."""
        limits = KernelLimits(cell_seconds=LOAD_SECONDS)
        kernel = Kernel(self.zygote().fork(files=files), limits)
        try:
            asks = f"from cs231n_lib.notebooks import load\nload({notebook!r});"
            return kernel.run_cell(asks).ok
        except KernelDied:
            return False
        finally:
            kernel.close()
