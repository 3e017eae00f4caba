"""What each name of a notebook stands for: definitions, expressions and imports, with their places.

`bindings_reader.read_bindings` reads them off the cells.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Imported:
    """A module, or ``name`` in it, as an import statement says."""

    module: str
    name: str = ""

    @property
    def parts(self) -> set[str]:
        return {*self.module.split("."), self.name} - {""}


@dataclass(frozen=True)
class Binding:
    """What a name was bound to in one place: a definition, an expression or an import.

    ``certain``: the name stood for nothing else from there on. ``place``: the top-level statement,
    counted over the cells. ``owner``: the class in whose body it stands.
    """

    node: ast.AST | Imported
    cell: str
    place: int
    certain: bool
    owner: str = ""
    inside: frozenset[str] = frozenset()  # local names that mean something else in ``node``


@dataclass
class Bindings:
    """``names`` are those of the notebook; ``attributes`` whatever was set on any object."""

    names: dict[str, list[Binding]] = field(default_factory=lambda: defaultdict(list))
    attributes: dict[str, list[Binding]] = field(default_factory=lambda: defaultdict(list))
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    obscure: list[tuple[str, ast.AST, str]] = field(default_factory=list)  # cell, where, what
    stars: set[str] = field(default_factory=set)  # modules of which all names were imported
    modules: set[str] = field(default_factory=set)  # whose source is among the cells

    def of_name(self, name: str, before: float = float("inf")) -> list[Binding]:
        """What ``name`` may stand for at a place."""
        return _live(self.names.get(name, ()), before)

    def of_attribute(self, name: str) -> list[Binding]:
        """What an attribute may be, of whatever object."""
        owners: dict[str, list[Binding]] = {}
        for binding in self.attributes.get(name, ()):
            owners.setdefault(binding.owner, []).append(binding)
        return [binding for found in owners.values() for binding in _live(found)]


def _live(bindings: list[Binding] | tuple[()], before: float = float("inf")) -> list[Binding]:
    """The last certain binding before a place, with those after it, and all that are uncertain."""
    live, settled = [], False
    for binding in reversed(bindings):
        if not binding.certain:
            live.append(binding)
        elif binding.place < before and not settled:
            live.append(binding)
            settled = True
    return live[::-1]
