"""Rules that no value can show, read off the source: no loops here, no such function there.

A function is followed into the helpers it calls, as far as they are written in the notebook, and a
name into what it was set to: ``mine = ready_made`` hides neither.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from autograder.judge.expect import Failed
from autograder.judge.student import Student
from autograder.notebook.syntax import parse_cell

LOOPS = (ast.For, ast.AsyncFor, ast.While)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
# Functions that call a Python function once for each row: a loop by another name.
DISGUISED_LOOPS = frozenset({"map", "vectorize", "apply_along_axis", "apply_over_axes"})
# With these, what is used cannot be read off the source.
LOOK_UPS = frozenset({"globals", "vars", "getattr", "eval", "exec", "__import__", "import_module"})
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# What these return holds, or calls, what they were given.
KEEPERS = frozenset({"partial", "dict", "list", "tuple", "set", "SimpleNamespace"})
# Methods after which a container holds what they were given.
FILLING = frozenset({"append", "extend", "insert", "add", "update", "setdefault"})


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
    forbidden = set(names)
    forbidden |= {alias for alias, parts in _imports(student) if forbidden & set(parts)}
    aliases = list(_aliases(student))
    for _ in aliases:  # as often as an alias of an alias may take
        forbidden |= {alias for alias, values in aliases if forbidden & values}
    if name in forbidden:
        raise Failed(f"{name} is another name for something that is not allowed. {hint}")
    for function in _with_helpers(student, name):
        for node in ast.walk(function):
            used = _identifier(node)
            if used in forbidden:
                raise Failed(f"{_where(function, node)} uses {used}, which is not allowed. {hint}")
            if used in LOOK_UPS:
                raise Failed(
                    f"{_where(function, node)} uses {used}, which is not allowed here: it hides "
                    "what the function uses. Call functions by their names"
                )


def _with_helpers(student: Student, name: str) -> Iterator[ast.FunctionDef]:
    """The function and every function of the notebook that it calls, directly or not.

    Failed when there is none to be read.
    """
    aliases = list(_aliases(student))
    waiting, seen, read = [name], set(), 0
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        waiting += [value for alias, values in aliases if alias == current for value in values]
        found = student.definition(current)
        if found is not None:
            read += 1
            yield found[1]
            calls = (n for n in ast.walk(found[1]) if isinstance(n, ast.Call))
            waiting += [_identifier(call.func) for call in calls]
    if not read:
        raise Failed(f"{name} is not to be found in the notebook: define it with def")


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


def _aliases(student: Student) -> Iterator[tuple[str, set[str]]]:
    """(name, names it stands for): ``f = g``, ``f = partial(g, 1)``, ``f = lambda x: g(x)``.

    A container stands for what it holds: ``tools = {"f": g}``. What any other call returned is no
    alias, and neither is a name within a function.
    """
    for source in student.sources.values():
        for node in _outside_functions(parse_cell(source)):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    yield from _pairs(target, node.value)
            elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.NamedExpr) and node.value:
                yield from _pairs(node.target, node.value)
            elif isinstance(node, ast.Call) and _identifier(node.func) in FILLING:
                container = getattr(node.func, "value", node.func)
                for value in _given(node):
                    yield from _pairs(container, value)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, set[str]]]:
    """The names in ``target``, each with the names in ``value`` that it now stands for."""
    if isinstance(target, ast.Tuple | ast.List):
        values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        if len(values) == len(target.elts):
            for one, other in zip(target.elts, values, strict=True):
                yield from _pairs(one, other)
    elif isinstance(target, ast.Subscript):
        yield from _pairs(target.value, value)
    elif names := _stands_for(value):
        yield _identifier(target), names


def _stands_for(value: ast.expr | None) -> set[str]:
    """The names of what can be reached through a value."""
    match value:
        case ast.Name() | ast.Attribute() | ast.Lambda():
            return {_identifier(node) for node in ast.walk(value)} - {""}
        case ast.Subscript(value=inner) | ast.Starred(value=inner):
            return _stands_for(inner)
        case ast.List(elts=inner) | ast.Tuple(elts=inner) | ast.Set(elts=inner):
            return set().union(*map(_stands_for, inner))
        case ast.Dict(values=inner):
            return set().union(*map(_stands_for, inner))
        case ast.Call(func=called) if _identifier(called) in KEEPERS:
            return set().union(*map(_stands_for, _given(value)))
    return set()


def _given(call: ast.Call) -> list[ast.expr]:
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def _outside_functions(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a cell that run with it, bodies of classes included."""
    for node in ast.iter_child_nodes(tree):
        if not isinstance(node, FUNCTIONS):
            yield node
            yield from _outside_functions(node)


def _identifier(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _where(function: ast.FunctionDef, node: ast.AST) -> str:
    return f"line {getattr(node, 'lineno', function.lineno)} of the cell, in {function.name},"
