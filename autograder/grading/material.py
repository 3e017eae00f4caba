"""What grading needs to know of a course besides the submissions, as plain data.

Workers on other machines are sent it once; they need no course folder, no gradebook and no file
system in common with the driver.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgpack

from autograder.grading.prerequisites import loads
from autograder.notebook.edits import solve
from autograder.notebook.likeness import Signatures, signatures
from autograder.notebook.template import Template, load_template, notebooks_of
from autograder.settings import CS231N, CourseSettings, settings_of

Document = dict[str, Any]
Name = tuple[str, str]  # assignment, notebook


@dataclass(frozen=True)
class Material:
    """The notebooks of one assignment and those that they load.

    ``released`` are the documents as students got them; ``solved`` those with all solutions, for
    notebooks that others load, where the course has their source; ``secret`` is what hidden
    inputs are drawn from; ``course`` says where the checks are, and what students import.
    """

    assignment: str
    released: dict[Name, Document]
    solved: dict[Name, Document]
    secret: bytes
    course: CourseSettings = CS231N

    @cached_property
    def templates(self) -> dict[Name, Template]:
        return {name: Template(*name, document) for name, document in self.released.items()}

    @cached_property
    def signatures(self) -> Signatures:
        """By what these notebooks can be told from each other."""
        return signatures(self.released)

    def template(self, notebook: str) -> Template:
        """A notebook of the assignment itself."""
        return self.templates[self.assignment, notebook]

    @property
    def notebooks(self) -> list[str]:
        """Of the assignment itself."""
        return [notebook for assignment, notebook in self.released if assignment == self.assignment]

    @property
    def names(self) -> dict[str, list[str]]:
        """Notebooks by assignment."""
        found: dict[str, list[str]] = {}
        for assignment, notebook in self.released:
            found.setdefault(assignment, []).append(notebook)
        return found

    def needs(self, template: Template) -> list[Name]:
        """The notebooks that this one loads, directly or by way of others, earliest first."""
        return self._needs[template.assignment, template.notebook]

    @cached_property
    def _needs(self) -> dict[Name, list[Name]]:
        """Worked out once, and before any fork: each submission asks several times."""
        return {name: self._needs_of(*name) for name in self.released}

    def _needs_of(self, assignment: str, notebook: str) -> list[Name]:
        found: dict[Name, None] = {}
        for loaded in loads(self.released[assignment, notebook]):
            name = self._place(loaded, assignment)
            if name and name != (assignment, notebook):
                found |= dict.fromkeys([*self._needs_of(*name), name])
        return list(found)

    def _place(self, notebook: str, assignment: str) -> Name | None:
        """Where the course has this notebook: in the same assignment, or in the last before."""
        places = [n for n in self.released if n[1] == notebook and n[0] <= assignment]
        return max(places, default=None)

    def pack(self) -> bytes:
        packed = msgpack.packb(
            {
                "assignment": self.assignment,
                "released": [[*name, document] for name, document in self.released.items()],
                "solved": [[*name, document] for name, document in self.solved.items()],
                "secret": self.secret,
                "course": self.course.to_json(),
            }
        )
        assert packed is not None  # msgpack's type for "written to a stream"
        return packed

    @classmethod
    def unpack(cls, data: bytes) -> Material:
        found = msgpack.unpackb(data)
        documents = {
            kind: {
                (assignment, notebook): document for assignment, notebook, document in found[kind]
            }
            for kind in ("released", "solved")
        }
        course = CourseSettings.from_json(found["course"])
        return cls(found["assignment"], **documents, secret=found["secret"], course=course)


def load_material(root: Path, assignment: str, secret: bytes) -> Material:
    """Read it from a course folder. Raises TemplateError and SettingsError."""
    released = {}
    for notebook in notebooks_of(root, assignment):
        for template in _with_earlier(root, load_template(root, assignment, notebook)):
            released[template.assignment, template.notebook] = template.document
    loaded = {n for document in released.values() for n in loads(document)}
    solved = {}
    for name in released:
        path = root / "source" / name[0] / f"{name[1]}.ipynb"
        if name[1] in loaded and path.is_file():
            solved[name] = solve(json.loads(path.read_text("utf-8")))
    return Material(assignment, released, solved, secret, settings_of(root))


def _with_earlier(root: Path, template: Template) -> Iterator[Template]:
    """The notebook, after those of the course that it loads."""
    for notebook in loads(template.document):
        paths = sorted((root / "release").glob(f"*/{notebook}.ipynb"), reverse=True)
        places = [path.parent.name for path in paths if path.parent.name <= template.assignment]
        if places and (places[0], notebook) != (template.assignment, template.notebook):
            yield from _with_earlier(root, load_template(root, places[0], notebook))
    yield template
