"""Everything of a notebook that runs when one of its functions is called, as far as can be read.

From the function on, each name and each attribute is followed to what it stands for: helpers,
classes, containers, partial functions, decorators, default arguments. What leads to code that is
not in the notebook, or to names that only exist while it runs, is reported as unreadable.
"""

from __future__ import annotations

import ast
import builtins
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter

from autograder.judge.bindings import Binding, Bindings, Imported
from autograder.judge.bindings_reader import read_bindings
from autograder.judge.scopes import FUNCTIONS, evaluated_before, loads, own_names, values

# Whose functions are known by their names.
LIBRARIES = frozenset(sys.stdlib_module_names) | {
    *("IPython", "PIL", "cs231n_lib", "cv2", "h5py", "imageio", "ipywidgets", "jax", "matplotlib"),
    *("numpy", "pandas", "past", "scipy", "seaborn", "six", "skimage", "sklearn", "tensorflow"),
    *("torch", "torchvision", "tqdm", "future", "google"),
}
_of_courses: set[str] = set()  # the libraries of other courses
_METHODS_OF_OBJECT = frozenset(dir(object))


@dataclass(frozen=True)
class Unit:
    """A function, or an expression that a name stands for, on the way from ``call``."""

    node: ast.AST
    cell: str
    name: str
    call: str  # where the function that was asked for leads here; empty for itself
    binding: Binding

    @property
    def is_function(self) -> bool:
        return isinstance(self.node, FUNCTIONS)

    def place(self, node: ast.AST) -> str:
        line = getattr(node, "lineno", getattr(self.node, "lineno", 0))
        cell = f" of cell {self.cell!r}" if self.cell else ""
        if self.cell.endswith(".py"):
            cell = f" of {self.cell}"
        return f"line {line}{cell}" + (f", in {self.name}" if self.is_function else "")

    def finding(self, node: ast.AST, what: str) -> str:
        """Where ``what`` was found, as seen from the function that was asked for."""
        if not self.call:
            return f"{self.place(node)}: {what}"
        leads = "calls" if self.is_function else "uses"
        return f"{self.call}: this {leads} {self.name}, and there, {self.place(node)}: {what}"


@dataclass(frozen=True)
class Reached:
    """``unreadable``: a sentence for each thing that cannot be followed."""

    units: tuple[Unit, ...]
    imports: tuple[tuple[str, Imported, str], ...]  # name, what, where it is used
    calls: Mapping[str, set[str]]
    recursive: frozenset[str]
    unreadable: tuple[str, ...]


def know_library(name: str) -> None:
    """Students may use what a course gives them: it is known by its name, as NumPy is."""
    _of_courses.add(name)


@lru_cache(maxsize=64)
def reach(sources: tuple[tuple[str, str], ...], name: str) -> Reached:
    """What is reached from ``name``, a function or a method of these cells."""
    return _Reader(read_bindings(dict(sources))).read(name)


class _Reader:
    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings
        self._waiting: list[tuple[str, Binding, str]] = []
        self._seen: set[int] = set()
        self._alive = {""}  # classes of which there may be instances; "" owns what was set on any
        self._asleep: dict[str, list[tuple[str, Binding, str]]] = {}  # methods of the others
        self._units: list[Unit] = []
        self._imports: list[tuple[str, Imported, str]] = []
        self._calls: dict[str, set[str]] = {}
        self._unreadable: list[str] = []

    def read(self, name: str) -> Reached:
        for cell, node, what in self._bindings.obscure:
            line = getattr(node, "lineno", 0)
            self._unreadable.append(f"line {line} of cell {cell!r} ({what}) may define anything")
        asked = self._bindings.of_name(name) + self._bindings.of_attribute(name)
        for owner in {binding.owner for binding in asked}:
            self._wake(owner)
        self._waiting += [(name, binding, "") for binding in asked]
        while self._waiting:
            self._follow(*self._waiting.pop())
        return Reached(
            tuple(self._units),
            tuple(self._imports),
            self._calls,
            _cycle(self._calls),
            tuple(dict.fromkeys(self._unreadable)),
        )

    def _follow(self, name: str, binding: Binding, call: str) -> None:
        if id(binding.node) in self._seen:
            return
        self._seen.add(id(binding.node))
        node = binding.node
        if isinstance(node, Imported):
            self._imports.append((name, node, call))
            if node.module in self._bindings.modules:
                own = self._bindings.names.get(node.name, [])
                self._waiting += [(node.name, binding, call) for binding in own]
            elif node.module.split(".")[0] not in LIBRARIES | _of_courses:
                self._unread(call, name, f"comes from {node.module}, which is not in the notebook")
            return
        unit = Unit(node, binding.cell, name, call, binding)
        if isinstance(node, ast.ClassDef):
            self._follow_class(node, unit)
            return
        self._units.append(unit)
        if isinstance(node, FUNCTIONS):
            self._calls.setdefault(name, set())
            for outside in evaluated_before(node):
                self._follow_names(outside, unit, binding.inside, binding.place)
            inner = binding.inside | own_names(node)
            for statement in node.body if isinstance(node.body, list) else [node.body]:
                self._follow_names(statement, unit, inner)
        else:
            self._follow_names(node, unit, binding.inside, binding.place)

    def _follow_class(self, node: ast.ClassDef, unit: Unit) -> None:
        """What making an instance, and an operator on it, runs; other methods if they are named."""
        self._wake(node.name)
        for outside in (*node.decorator_list, *node.bases, *node.keywords):
            self._follow_names(outside, unit, unit.binding.inside, unit.binding.place)
        for method in node.body:
            if isinstance(method, FUNCTIONS[:2]) and method.name.startswith("__"):
                self._add(self._bindings.of_attribute(method.name), method.name, unit, node)

    def _wake(self, owner: str) -> None:
        """From now on the methods of this class, and of those it inherits from, may be meant."""
        if owner in self._alive:
            return
        self._alive.add(owner)
        self._waiting += self._asleep.pop(owner, [])
        for base in self._bindings.classes[owner].bases:
            for name in (n.id for n in ast.walk(base) if isinstance(n, ast.Name)):
                if name in self._bindings.classes:
                    self._wake(name)

    def _follow_names(
        self, node: ast.AST, unit: Unit, own: frozenset[str], before: float = float("inf")
    ) -> None:
        computed = values(node, self._modules) if unit.is_function else set()
        for used, free in loads(node, own):
            if isinstance(used, ast.Name):
                name, found = used.id, self._bindings.of_name(used.id, before) if free else []
                if free and not found:
                    found = self._bindings.of_attribute(name) if hasattr(builtins, name) else []
            elif isinstance(used, ast.Attribute):
                name, found = used.attr, self._bindings.of_attribute(used.attr)
                if modules := self._modules(used.value):  # no methods of a class
                    found = [binding for binding in found if not binding.owner]
                    if modules & self._bindings.modules:
                        found = found + self._bindings.names.get(used.attr, [])
            else:
                continue
            if id(used) in computed:
                found = [binding for binding in found if not self._is_a_result(binding.node)]
            self._add(found, name, unit, used)
        for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
            self._note_call(call, unit, own)

    def _add(self, found: list[Binding], name: str, unit: Unit, used: ast.AST) -> None:
        call = unit.call or unit.place(used)
        for binding in found:
            alive = binding.owner in self._alive
            at = self._waiting if alive else self._asleep.setdefault(binding.owner, [])
            at.append((name, binding, call))
        if any(isinstance(binding.node, FUNCTIONS) for binding in found):
            self._calls.setdefault(unit.name, set()).add(name)

    def _note_call(self, call: ast.Call, unit: Unit, own: frozenset[str]) -> None:
        """Calls of what nobody can find."""
        match call.func:
            case ast.Name(id=name) if name not in own and not hasattr(builtins, name):
                stars = self._bindings.stars
                known = self._bindings.names.get(name) or (stars and self._all_known(stars))
                if not known and unit.is_function:
                    self._unread(unit.call or unit.place(call), name, "is not defined in a cell")
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                owner = self._bindings.classes.get(unit.binding.owner)
                inherits = owner is None or owner.bases
                defined = self._bindings.attributes.get(name) or name in _METHODS_OF_OBJECT
                if not inherits and not defined:
                    place = unit.call or unit.place(call)
                    self._unread(place, f"self.{name}", "is not defined in a cell")

    def _modules(self, node: ast.AST) -> set[str]:
        """The modules that a name stands for; none if it may be something else."""
        found = self._bindings.of_name(node.id) if isinstance(node, ast.Name) else []
        imported = [binding.node for binding in found if isinstance(binding.node, Imported)]
        return {one.module for one in imported} if len(imported) == len(found) else set()

    def _is_a_result(self, node: ast.AST | Imported) -> bool:
        """What some call returned: nothing that runs again when it is computed with.

        An instance of a class of the notebook may be more than that.
        """
        if not isinstance(node, ast.expr):
            return False
        parts = list(ast.walk(node))
        made = any(isinstance(n, ast.Name) and n.id in self._bindings.classes for n in parts)
        return not made and any(isinstance(n, ast.Call) for n in parts)

    def _all_known(self, modules: set[str]) -> bool:
        return all(m.split(".")[0] in LIBRARIES | self._bindings.modules for m in modules)

    def _unread(self, place: str, name: str, why: str) -> None:
        self._unreadable.append(f"{place + ': ' if place else ''}{name} {why}")


def _cycle(calls: Mapping[str, set[str]]) -> frozenset[str]:
    """Functions that call each other in a circle; a function that calls itself is one."""
    try:
        TopologicalSorter(calls).prepare()
    except CycleError as error:
        return frozenset(error.args[1])
    return frozenset()
