"""Add a question to a source notebook: its three cells, and where its checks and mutants go.

What is written are beginnings, to be filled in; nothing that is there already is changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.authoring.fields import SCHEMA_VERSION
from autograder.authoring.source import canonical, read_source
from autograder.errors import WrongUse
from autograder.files import write_text
from autograder.settings import CourseSettings, settings_of

KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
ENGINE = Path(__file__).resolve().parents[2]

IDEA = """\
## {title}

The idea, and the mathematics. Then the contract of `{function}`: what it is given, of which \
shapes, what it returns, what it may not change or use.
"""
CODE = '''\
def {function}(x):
    """What it returns, and the shapes."""
    ### BEGIN SOLUTION
    return x
    ### END SOLUTION
'''
TESTS = """\
assert {function}(1.0) is not None, "{function} returns None: is a return statement missing?"

### BEGIN HIDDEN TESTS
from autograder import hidden

hidden.check("{name}")
### END HIDDEN TESTS
"""
CHECKS = '''\
"""Hidden checks of the notebook {notebook}."""

from __future__ import annotations

from numpy.random import Generator

from autograder.judge import Student, check, expect_close
'''
CHECK = '''

@check("{name}")
def {function}_is_right(student: Student, rng: Generator) -> None:
    """What is asked, in a line: students read it."""
    x = rng.normal(size=(7, 3))
    want = x  # replace this by the right answer, found in another way than in the notebook
    expect_close(student.call("{function}", x), want)
'''
MUTANT = """
# Mistakes that students make in {function}. Each must lose points.
# [[mutant]]
# of = "{function}"
# what = "the mistake, in a line"
# find = "a part of the solution that occurs once"
# put = "what is wrong in its place"
"""


class QuestionError(WrongUse):
    """The question cannot be added; nothing was written."""


def add_question(
    root: Path, path: Path, name: str, points: float, tell: Callable[[str], object]
) -> None:
    """Append the cells of question ``name``; ``tell`` is given a line for each file written.

    Its function is called as the question is, with underscores. Raises QuestionError.
    """
    root, path = root.resolve(), path.resolve()
    if path.parent.parent != root / "source" or path.suffix != ".ipynb":
        raise QuestionError(f"{path} is not {root}/source/ASSIGNMENT/NOTEBOOK.ipynb; mend the path")
    if not KEBAB.fullmatch(name):
        raise QuestionError(f"{name!r} is no name for a question; write it as in 'fit-line'")
    course, is_new = settings_of(root), not path.exists()
    nb = _empty(path.stem, course) if is_new else read_source(path)
    cells = _cells(name, points)
    taken = {cell.id for cell in nb.cells}
    if doubled := [cell.id for cell in cells if cell.id in taken]:
        raise QuestionError(f"{path} has a cell {doubled[0]!r} already; name the question anew")
    nb.cells += cells
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, nbformat.writes(canonical(nb)) + "\n")
    what = ", ".join(cell.id for cell in cells)
    tell(f"{path.relative_to(root)}: {'a new notebook with ' if is_new else ''}cells {what}")
    for written, about in (_checks(course, path, name), _mutants(course, path, name)):
        tell(f"{_shown(written, root)}: {about}")


def _empty(notebook: str, course: CourseSettings) -> NotebookNode:
    nb = new_notebook()
    nb.metadata = NotebookNode(
        kernelspec={"display_name": "Python 3", "language": "python", "name": "python3"},
        language_info={"name": "python"},
    )
    setup = f"import numpy as np\n\nimport {course.library.name}"
    nb.cells = [
        new_markdown_cell(f"# {notebook}\n\nWhat this notebook is about.", id="title"),
        new_code_cell(setup, id="setup"),
    ]
    return nb


def _cells(name: str, points: float) -> list[NotebookNode]:
    words = {"name": name, "function": name.replace("-", "_"), "title": _title(name)}
    code = new_code_cell(CODE.format(**words), id=f"{name}-code")
    tests = new_code_cell(TESTS.format(**words), id=name)
    code.metadata.nbgrader = _role(code.id, solution=True)
    tests.metadata.nbgrader = _role(tests.id, grade=True, locked=True) | {"points": points}
    return [new_markdown_cell(IDEA.format(**words), id=f"{name}-idea"), code, tests]


def _title(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _role(grade_id: str, **roles: bool) -> dict[str, object]:
    none = dict.fromkeys(("grade", "locked", "solution", "task"), False)
    return {"grade_id": grade_id, "schema_version": SCHEMA_VERSION, **none, **roles}


def _checks(course: CourseSettings, path: Path, name: str) -> tuple[Path, str]:
    """Where the question's checks are to be written: a beginning of one is there then."""
    words = {"name": name, "function": name.replace("-", "_"), "notebook": path.stem}
    module = course.checks_module(path.parent.name, path.stem)
    base = Path(course.folder or ENGINE, *module.split("."))
    if base.is_dir():
        file = base / f"{words['function']}.py"
        if file.exists():
            return file, "write its hidden checks here"
        write_text(file, CHECKS.format(**words) + CHECK.format(**words))
        return file, "a beginning of its hidden checks; import the module in __init__.py beside it"
    file = base.with_suffix(".py")
    file.parent.mkdir(parents=True, exist_ok=True)
    package = file.parent / "__init__.py"
    if not package.exists():
        write_text(package, f'"""Hidden checks of {path.parent.name}."""\n')
    before = file.read_text("utf-8") if file.exists() else CHECKS.format(**words)
    write_text(file, before + CHECK.format(**words))
    return file, "a beginning of its hidden checks"


def _mutants(course: CourseSettings, path: Path, name: str) -> tuple[Path, str]:
    """Where wrong solutions are to be written."""
    file = Path(course.mutants, path.parent.name, path.stem, "wrong.toml")
    file.parent.mkdir(parents=True, exist_ok=True)
    before = file.read_text("utf-8") if file.exists() else ""
    text = MUTANT.format(function=name.replace("-", "_"))
    write_text(file, before + (text if before else text.lstrip("\n")))
    return file, "wrong solutions go here; right ones in another style into right_1.py beside it"


def _shown(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path
