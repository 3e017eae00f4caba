"""Rules that no value can show, read off the source: no loops here, no such function there.

A function is followed into the helpers it calls, as far as they are written in the notebook, and a
name into what it was set to: ``mine = ready_made`` hides neither.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from dataclasses import dataclass

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


@dataclass(frozen=True)
class _Code:
    """A function that is read: ``call`` is where the one that was asked for leads to it."""

    cell: str
    function: ast.FunctionDef
    call: str = ""  # empty for the function that was asked for itself

    def place(self, node: ast.AST) -> str:
        line = getattr(node, "lineno", self.function.lineno)
        cell = f" of cell {self.cell!r}" if self.cell else ""
        return f"line {line}{cell}, in {self.function.name}"

    def finding(self, node: ast.AST, what: str) -> str:
        """Where ``what`` was found, as seen from the function that was asked for."""
        if not self.call:
            return f"{self.place(node)}: {what}"
        return (
            f"{self.call}: this calls {self.function.name}, and there, {self.place(node)}: {what}"
        )


def forbid_loops(student: Student, name: str, hint: str) -> None:
    """Fail when function ``name``, or a helper it calls, loops in Python."""
    for code in _with_helpers(student, name):
        for node in ast.walk(code.function):
            if isinstance(node, LOOPS + COMPREHENSIONS):
                raise Failed(f"{code.finding(node, 'a Python loop')}. {hint}")
            if _identifier(node) in DISGUISED_LOOPS:
                disguise = f"{_identifier(node)} is a loop in disguise"
                raise Failed(f"{code.finding(node, disguise)}. {hint}")


def forbid_nested_loops(student: Student, name: str, hint: str) -> None:
    """Fail when function ``name``, or a helper it calls, has a loop inside a loop."""
    for code in _with_helpers(student, name):
        for outer in ast.walk(code.function):
            if not isinstance(outer, LOOPS + COMPREHENSIONS):
                continue
            double = len(getattr(outer, "generators", ())) > 1
            inner = (n for n in ast.walk(outer) if n is not outer)
            if double or any(isinstance(n, LOOPS + COMPREHENSIONS) for n in inner):
                raise Failed(f"{code.finding(outer, 'a loop with a second loop in it')}. {hint}")


def forbid_names(student: Student, name: str, names: Collection[str], hint: str) -> None:
    """Fail when function ``name``, or a helper, uses one of ``names``, also under an alias."""
    forbidden = set(names)
    forbidden |= {alias for alias, parts in _imports(student) if forbidden & set(parts)}
    aliases = list(_aliases(student))
    for _ in aliases:  # as often as an alias of an alias may take
        forbidden |= {alias for alias, values in aliases if forbidden & values}
    if name in forbidden:
        raise Failed(f"{name} is another name for something that is not allowed. {hint}")
    for code in _with_helpers(student, name):
        for node in ast.walk(code.function):
            used = _identifier(node)
            if used in forbidden:
                raise Failed(f"{code.finding(node, f'uses {used}, which is not allowed')}. {hint}")
            if used in LOOK_UPS:
                hidden = f"uses {used}, which is not allowed here: it hides what the function uses"
                raise Failed(f"{code.finding(node, hidden)}. Call functions by their names")


def _with_helpers(student: Student, name: str) -> Iterator[_Code]:
    """The function and every function of the notebook that it calls, directly or not.

    Failed when there is none to be read.
    """
    aliases = list(_aliases(student))
    waiting, seen, read = [(name, "")], set(), 0
    while waiting:
        current, call = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        for alias, values in aliases:
            if alias == current:
                waiting += [(value, call) for value in values]
        found = student.definition(current)
        if found is None:
            continue
        read += 1
        code = _Code(*found, call)
        yield code
        for node in ast.walk(code.function):
            if isinstance(node, ast.Call):
                waiting.append((_identifier(node.func), call or code.place(node)))
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
