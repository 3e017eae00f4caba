"""What a grade depends on, as a hash: while it is the same, nothing is graded again."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from autograder.batch.task import Task
from autograder.grading.beside import seen_by
from autograder.grading.material import Document, Material, Name
from autograder.judge.results import GradedNotebook
from autograder.notebook.shown import without_told
from autograder.settings import CS231N, CourseSettings

OURS = ("autograder", "cs231n_lib")
# Where grading begins; what runs in the sandbox, and what students import, is found by name only.
GRADER, INSIDE = "autograder.batch.task_grader", ("autograder.sandbox", "cs231n_lib")


def fingerprint(task: Task, material: Material, problem: str = "") -> str:
    """A hash of the submission and of everything of the course that can change its grade.

    ``problem``: with the submission as a whole, for a human.
    """
    name = (material.assignment, task.notebook)
    template = material.templates[name]
    needed = material.needs(template)
    code = grader_code() + checks_code(*name, material.course)
    digest = hashlib.sha256(code.encode())
    for part in (
        task.student.encode("utf-8", "surrogatepass"),
        b"-" if task.submission is None else b"+" + task.submission,
        _canonical(without_told(template.document)),
        material.secret,
        task.missing_hint.encode("utf-8", "surrogatepass"),
        "\0".join(task.found).encode("utf-8", "surrogatepass"),
        problem.encode("utf-8", "surrogatepass"),
        *(_earlier(task, material, one) for one in needed),
        *_others(task, [notebook for _, notebook in needed]),
        str(task.attempts.get(name, 1)).encode(),
    ):
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def _earlier(task: Task, material: Material, name: Name) -> bytes:
    """What a needed notebook is to those that load it: the file, its verdict, the solutions."""
    own = task.handed_in.get(f"{name[1]}.ipynb", b"")
    parts = (own, _canonical(material.solved.get(name)), _verdict(task.earlier_verdicts.get(name)))
    hashes = b"".join(hashlib.sha256(part).digest() for part in parts)
    # Its checks say what of it later notebooks can use; without a verdict, they grade it first.
    return hashes + checks_code(*name, material.course).encode()


def _verdict(graded: GradedNotebook | None) -> bytes:
    if graded is None:
        return b""
    scores = [
        (cell.grade_id, cell.score, cell.points, [c.name for c in cell.checks if not c.passed])
        for cell in graded.cells
    ]
    return _canonical([graded.outcome, graded.submission, scores])


def _others(task: Task, needed: list[str]) -> Iterator[bytes]:
    """Files of the student that this notebook can see, although the lesson does not load them."""
    seen = seen_by(task.notebook, task.submission, task.handed_in, needed)
    for file, own in seen.items():
        if file.removesuffix(".ipynb") not in needed:
            yield file.encode("utf-8", "surrogatepass") + b"\0" + own


def _canonical(value: Document | list | None) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


@cache
def grader_code() -> str:
    """A hash of the code that grades, the checks aside, and of the library students import."""
    modules = {name for name in imported_by(GRADER) if not name.startswith("autograder.checks.")}
    return _hash_of(modules | {name for package in INSIDE for name in modules_of(package)})


@cache
def checks_code(assignment: str, notebook: str, course: CourseSettings) -> str:
    """A hash of a notebook's hidden checks and of what they import.

    And of the library that students import, where the course has one of its own.
    """
    parts = modules_of(course.checks_module(assignment, notebook), course)
    code = _hash_of({used for part in parts for used in imported_by(part, course)}, course)
    if not course.folder:
        return code
    digest = hashlib.sha256(code.encode())
    for path in sorted(Path(course.folder, course.library.name).rglob("*")):  # its data, too
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(course.folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _hash_of(modules: Iterable[str], course: CourseSettings = CS231N) -> str:
    digest = hashlib.sha256()
    for name in sorted(modules):
        path = _path(name, course)
        if path:
            digest.update(name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def modules_of(name: str, course: CourseSettings = CS231N) -> list[str]:
    """A module and, where it is a package, all modules below it."""
    path = _path(name, course)
    if path is None or path.name != "__init__.py":
        return [name]
    inside = sorted(path.parent.rglob("*.py"))
    parts = [file.relative_to(path.parent).with_suffix("").parts for file in inside]
    return [".".join((name, *part)).removesuffix(".__init__") for part in parts]


def imported_by(name: str, course: CourseSettings = CS231N) -> set[str]:
    """A module and all modules of ours, or of the course's folder, that it imports.

    Directly or not; they are read, not executed.
    """
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in found and _path(current, course):
            found.add(current)
            waiting += _imports(current, course)
    return found


@cache
def _imports(name: str, course: CourseSettings) -> tuple[str, ...]:
    path = _path(name, course)
    assert path is not None
    ours = (*OURS, *course.packages)
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            # What is imported from a package may be a module of it.
            found |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return tuple(sorted(part for one in found if one.startswith(ours) for part in _parents(one)))


def _parents(name: str) -> list[str]:
    """``a``, ``a.b`` and ``a.b.c``: importing the last runs them all."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]


@cache
def _path(name: str, course: CourseSettings) -> Path | None:
    """The file of a module of ours, or None when it is something in a module."""
    first = name.partition(".")[0]
    root = Path(course.folder) if first in course.packages else Path(__file__).resolve().parents[2]
    base = root.joinpath(*name.split("."))
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file():
            return path
    return None
