"""A first cell for Colab in every released notebook, where the course has an address.

    c.ColabSetup.address = "https://github.com/ORGANIZATION/REPOSITORY"      in nbgrader_config.py

The address is that of what students may see: a repository with `cs231n_lib/`, `pyproject.toml` and
`release/`, and never with `source/`. Without an address a release has no such cell. It installs
`cs231n_lib`, so that a course of one's own cannot have it, and is told so.
"""

from __future__ import annotations

import ast
import re
from urllib.parse import quote

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from autograder.authoring.missing_packages import course_released, imported
from autograder.errors import WrongUse
from autograder.notebook.template import SKIP_TAG
from cs231n_lib.extras import APART, EXTRA_OF

BADGE, CELL = "open-in-colab", "colab-setup"
_GITHUB = re.compile(r"https://github\.com/([\w.-]+/[\w.-]+?)(?:\.git)?/?$")
_ADDRESS = re.compile(r"https://[\w.-]+(?::\d+)?/[\w./~-]+$")

SETUP = """\
# For Colab, and elsewhere without effect: the course's library, and your folder on Google Drive.
import sys

if "google.colab" in sys.modules:
    %pip install --quiet {requirement}
    from cs231n_lib.colab import open_drive

    open_drive({folder!r}{beside})\
"""


class ColabError(WrongUse):
    """A setting is not what it should be."""


class ColabSetup(NbGraderPreprocessor):
    """Puts the cell, and a badge where GitHub has the notebook, above the notebook's own cells."""

    address = Unicode("", help="The repository with what students may see.").tag(config=True)
    branch = Unicode("main", help="Its branch.").tag(config=True)
    notebooks = Unicode("release", help="The folder of the assignments in it.").tag(config=True)
    drive_folder = Unicode("cs231n", help="The course's folder on students' Drive.").tag(
        config=True
    )

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        if not self.address:
            return nb, resources
        if not _ADDRESS.match(self.address):
            raise ColabError(
                f"ColabSetup.address in nbgrader_config.py is {self.address!r}; it takes the https "
                "address of a repository, such as https://github.com/ORGANIZATION/REPOSITORY"
            )
        if (course := course_released(self)).folder:
            raise ColabError(
                "ColabSetup.address in nbgrader_config.py is for CS231n alone: the cell on Colab "
                f"would install CS231n's library, and not {course.library.name}. Delete the line"
            )
        assignment = resources["nbgrader"]["assignment"]
        name = resources["metadata"]["name"]
        nb.cells = [cell for cell in nb.cells if cell.get("id") not in (BADGE, CELL)]
        loaded = _loaded(nb)
        extra = "" if assignment == "assignment1" else ",".join(["student", *_apart(nb)])
        setup = SETUP.format(
            requirement=_requirement(self.address, self.branch, extra),
            folder=f"{self.drive_folder}/{assignment}",
            beside=f", beside={loaded!r}" if loaded else "",
        )
        added = [new_code_cell(setup, id=CELL, metadata={"tags": [SKIP_TAG]})]
        if (found := _GITHUB.match(self.address)) is not None:
            path = quote(f"{self.branch}/{self.notebooks}/{assignment}/{name}.ipynb")
            link = f"https://colab.research.google.com/github/{found[1]}/blob/{path}"
            image = "https://colab.research.google.com/assets/colab-badge.svg"
            added.insert(0, new_markdown_cell(f"[![Open in Colab]({image})]({link})", id=BADGE))
        nb.cells = [*added, *nb.cells]
        return nb, resources


def _apart(nb: NotebookNode) -> list[str]:
    """The extras that a notebook takes besides those of all students."""
    code = [cell.source for cell in nb.cells if cell.cell_type == "code"]
    modules = {name for source in code for name in imported(source)}
    return sorted({EXTRA_OF[name] for name in modules & EXTRA_OF.keys()} & APART)


def _requirement(address: str, branch: str, extra: str) -> str:
    """What pip installs. Ranges of versions keep the NumPy and the torch that Colab has."""
    source = f"git+{address.rstrip('/')}@{branch}"
    return f'"cs231n-course[{extra}] @ {source}"' if extra else f'"cs231n-course @ {source}"'


def _loaded(nb: NotebookNode) -> tuple[str, ...]:
    """The names of the notebooks that this one loads."""
    names: list[str] = []
    for cell in nb.cells:
        if cell.cell_type != "code" or "load(" not in cell.source:
            continue
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:  # a cell with magics loads nothing
            continue
        names += [
            node.args[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id == "load"
            and len(node.args) == 1
            and isinstance(node.args[0], ast.Constant)
            and isinstance(node.args[0].value, str)
        ]
    return tuple(dict.fromkeys(names))
