"""Rules that no value can show, read off the source: no loops here, no such function there.

A function is followed into the helpers it calls, as far as they are written in the notebook.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from autograder.judge.expect import Failed
from autograder.judge.student import Student
from autograder.judge.syntax import parse_cell

LOOPS = (ast.For, ast.AsyncFor, ast.While)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# Functions that call a Python function once for each row: a loop by another name.
DISGUISED_LOOPS = frozenset({"map", "vectorize", "apply_along_axis", "apply_over_axes"})


def forbid_loops(student: Student, name: str, hint: str) -> None:
    """Fail when function ``name``, or a helper it calls, loops in Python."""
    for function in _with_helpers(student, name):
        for node in ast.walk(function):
            if isinstance(node, LOOPS + COMPREHENSIONS):
                raise Failed(f"{_where(function, node)} is a Python loop. {hint}")
            if _identifier(node) in DISGUISED_LOOPS:
                called = _identifier(node)
                raise Failed(f"{_where(function, node)}: {called} is a loop in disguise. {hint}")


def forbid_nested_loops(student: Student, name: str, hint: str) -> None:
    """Fail when function ``name``, or a helper it calls, has a loop inside a loop."""
    for function in _with_helpers(student, name):
        for outer in ast.walk(function):
            if not isinstance(outer, LOOPS + COMPREHENSIONS):
                continue
            several = len(getattr(outer, "generators", ())) > 1
            inner = (n for n in ast.walk(outer) if n is not outer)
            if several or any(isinstance(n, LOOPS + COMPREHENSIONS) for n in inner):
                raise Failed(f"{_where(function, outer)} holds a second loop. {hint}")


def forbid_names(student: Student, name: str, names: Collection[str], hint: str) -> None:
    """Fail when function ``name``, or a helper, uses one of ``names``, also under an alias."""
    aliases = {alias: real for alias, real in _imports(student) if set(real) & set(names)}
    for function in _with_helpers(student, name):
        for node in ast.walk(function):
            used = _identifier(node)
            if used in names or used in aliases:
                raise Failed(f"{_where(function, node)} uses {used}, which is not allowed. {hint}")


def _with_helpers(student: Student, name: str) -> Iterator[ast.FunctionDef]:
    """The function and every function of the notebook that it calls, directly or not."""
    waiting, seen = [name], set()
    while waiting:
        current = waiting.pop()
        found = None if current in seen else student.definition(current)
        seen.add(current)
        if found is not None:
            yield found[1]
            calls = (n for n in ast.walk(found[1]) if isinstance(n, ast.Call))
            waiting += [_identifier(call.func) for call in calls]


def _imports(student: Student) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(name in the notebook, parts of what it stands for) of every import."""
    for source in student.sources.values():
        for node in ast.walk(parse_cell(source)):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield alias.asname or alias.name.split(".")[0], tuple(alias.name.split("."))
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    parts = (*(node.module or "").split("."), alias.name)
                    yield alias.asname or alias.name, parts


def _identifier(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _where(function: ast.FunctionDef, node: ast.AST) -> str:
    return f"line {getattr(node, 'lineno', function.lineno)} of the cell, in {function.name},"
