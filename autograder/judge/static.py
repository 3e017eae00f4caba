"""Rules that no value can show, read off the source: no loops here, no such function there.

A function is followed into all that runs with it (`reading.py`). What cannot be read keeps no rule:
whoever wants the points writes what can be.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator

from autograder.judge.expect import Failed
from autograder.judge.reading import Reached, Unit, reach
from autograder.judge.scopes import COMPREHENSIONS, FUNCTIONS
from autograder.judge.student import Student

LOOPS = (ast.For, ast.AsyncFor, ast.While)
# Functions that call a Python function once for each row: a loop by another name.
DISGUISED_LOOPS = frozenset(
    {
        *("map", "starmap", "vectorize", "frompyfunc", "apply_along_axis", "apply_over_axes"),
        *("nditer", "ndenumerate", "ndindex", "fromiter", "apply_", "map_"),
    }
)
# Of functools and itertools, or imported from there; np.add.reduce is none.
DISGUISED_NAMES = frozenset({"filter", "reduce", "accumulate"})
SORTERS = frozenset({"sorted", "min", "max"})  # with a key they call it for each item
# With these, what is used cannot be read off the source.
LOOK_UPS = frozenset(
    {
        *("globals", "locals", "vars", "getattr", "eval", "exec", "compile", "__import__"),
        *("import_module", "attrgetter", "methodcaller", "modules", "FunctionType", "CodeType"),
        *("run_cell", "user_ns", "ctypes", "pickle", "marshal", "gc", "inspect"),
    }
)
# Of an object's own names, those that lead nowhere else.
PLAIN = frozenset({"__init__", "__name__", "__doc__", "__len__", "__call__", "__class__"})
PLAIN |= {"__qualname__", "__version__", "__enter__", "__exit__", "__setitem__", "__getitem__"}


def forbid_loops(student: Student, name: str, hint: str) -> None:
    """Fail when function ``name``, or a helper it calls, loops in Python."""
    reached = _reached(student, name)
    for unit in reached.units:
        for node in _running(unit):
            if isinstance(node, LOOPS + COMPREHENSIONS):
                raise Failed(f"{unit.finding(node, 'a Python loop')}. {hint}")
            if disguise := _disguised_loop(node):
                found = unit.finding(node, f"{disguise} is a loop in disguise")
                raise Failed(f"{found}. {hint}")
    _forbid_recursion(reached, hint)
    _expect_readable(reached)


def forbid_nested_loops(student: Student, name: str, hint: str) -> None:
    """Fail when function ``name``, or a helper it calls, has a loop inside a loop."""
    reached = _reached(student, name)
    looping = {unit.name for unit in reached.units if any(map(_is_loop, _running(unit)))}
    looping |= _callers(reached, looping)
    for unit in reached.units:
        for outer in _running(unit):
            if not _is_loop(outer):
                continue
            double = len(getattr(outer, "generators", ())) > 1
            once = {id(n) for n in ast.walk(getattr(outer, "iter", ast.Pass()))}
            inner = [n for n in ast.walk(outer) if n is not outer and id(n) not in once]
            if double or any(_is_loop(n) or _identifier(n) in looping for n in inner):
                raise Failed(f"{unit.finding(outer, 'a loop with a second loop in it')}. {hint}")
    _forbid_recursion(reached, hint)
    _expect_readable(reached)


def forbid_unread(student: Student, name: str) -> None:
    """Fail when function ``name`` leads to code that is not in the notebook, or cannot be read."""
    _expect_readable(_reached(student, name))


def forbid_names(
    student: Student, name: str, names: Collection[str], hint: str, *, unread: bool = False
) -> None:
    """Fail when function ``name``, or a helper, uses one of ``names``, also under an alias.

    With ``unread`` code that cannot be found is let be: `forbid_unread` asks about that.
    """
    forbidden = set(names)
    reached = _reached(student, name, anything=True)
    for alias, imported, call in reached.imports:
        if forbidden & imported.parts:
            if not call:
                raise Failed(_another_name(name, hint))
            raise Failed(f"{call}: uses {alias}, which is not allowed. {hint}")
    for unit in reached.units:
        plain = {
            id(n.func) for n in ast.walk(unit.node) if isinstance(n, ast.Call) and _identifier(n)
        }
        for node in ast.walk(unit.node):
            used = "" if id(node) in plain else _identifier(node)
            if forbidden & ({used} | _imported_here(node)):
                if not unit.call and not unit.is_function:
                    raise Failed(_another_name(name, hint))
                found = used if used in forbidden else min(forbidden & _imported_here(node))
                told = unit.finding(node, f"uses {found}, which is not allowed")
                raise Failed(f"{told}. {hint}")
            if used in LOOK_UPS or (used[:2] == "__" and used not in PLAIN):
                hidden = f"uses {used}, which is not allowed here: it hides what the function uses"
                raise Failed(f"{unit.finding(node, hidden)}. Call functions by their names")
    _expect_defined(reached, name)
    if not unread:
        _expect_readable(reached)


def _another_name(name: str, hint: str) -> str:
    return f"{name} is another name for something that is not allowed. {hint}"


def _reached(student: Student, name: str, *, anything: bool = False) -> Reached:
    """What runs with the function. Failed when there is none to be read."""
    reached = reach(tuple(student.sources.items()), name)
    if not anything:
        _expect_defined(reached, name)
    return reached


def _expect_defined(reached: Reached, name: str) -> None:
    if not any(unit.is_function for unit in reached.units):
        raise Failed(f"{name} cannot be found in the notebook: define it with def")


def _expect_readable(reached: Reached) -> None:
    if reached.unreadable:
        raise Failed(
            f"What the function does cannot be read: {reached.unreadable[0]}. Write it out in the "
            "cell, and call functions by their names"
        )


def _forbid_recursion(reached: Reached, hint: str) -> None:
    for unit in reached.units:
        if unit.is_function and unit.name in reached.recursive:
            raise Failed(f"{unit.finding(unit.node, 'a function that calls itself')}. {hint}")
        for inner in ast.walk(unit.node):
            if isinstance(inner, FUNCTIONS[:2]) and inner is not unit.node and _calls_itself(inner):
                raise Failed(f"{unit.finding(inner, 'a function that calls itself')}. {hint}")


def _callers(reached: Reached, names: Collection[str]) -> set[str]:
    """The functions that lead to one of these."""
    callers: dict[str, list[str]] = {}
    for caller, called in reached.calls.items():
        for name in called:
            callers.setdefault(name, []).append(caller)
    found, waiting = set(), list(names)
    while waiting:
        for caller in callers.get(waiting.pop(), ()):
            if caller not in found:
                found.add(caller)
                waiting.append(caller)
    return found


def _calls_itself(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(n, ast.Name) and n.id == function.name for n in ast.walk(function))


def _running(unit: Unit) -> Iterator[ast.AST]:
    """The nodes that run when the unit is used: of an expression only what is put off till then."""
    if unit.is_function:
        yield from ast.walk(unit.node)
        return
    later = (ast.Lambda, ast.GeneratorExp)
    for node in ast.walk(unit.node):
        if isinstance(node, later):
            yield from ast.walk(node)
        elif _disguised_loop(node):
            yield node


def _is_loop(node: ast.AST) -> bool:
    return isinstance(node, LOOPS + COMPREHENSIONS) or bool(_disguised_loop(node))


def _disguised_loop(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) if name in DISGUISED_LOOPS | DISGUISED_NAMES:
            return name
        case ast.Attribute(attr=name) if name in DISGUISED_LOOPS:
            return name
        case ast.Attribute(value=ast.Name(id="functools" | "itertools"), attr=name):
            return name if name in DISGUISED_NAMES else ""
        case ast.Call(func=ast.Name(id=name), keywords=keywords) if name in SORTERS:
            return f"{name} with a key" if any(k.arg == "key" for k in keywords) else ""
    return ""


def _imported_here(node: ast.AST) -> set[str]:
    """What an import within a function takes from where."""
    match node:
        case ast.Import(names=aliases):
            return {part for alias in aliases for part in alias.name.split(".")}
        case ast.ImportFrom(module=module, names=aliases):
            return {*(module or "").split("."), *(alias.name for alias in aliases)}
    return set()


def _identifier(node: ast.AST) -> str:
    """The name that a node reads, also by ``getattr(x, "name")``."""
    match node:
        case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]):
            return name
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
