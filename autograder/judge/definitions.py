"""Where the cells of a notebook define a function or a class."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from autograder.notebook.syntax import parse_cell


def cell_defining(sources: Mapping[str, str], name: str) -> str:
    """The id of the last cell that defines this function or class; empty where none does."""
    found = ""
    for cell, source in sources.items():
        for node in parse_cell(source).body:
            defines = isinstance(node, ast.ClassDef | ast.FunctionDef)
            if defines and node.name == name:
                found = cell
    return found


def definition(sources: Mapping[str, str], name: str) -> tuple[str, ast.FunctionDef] | None:
    """The last function or method ``name`` in the cells: (cell id, syntax tree)."""
    found = None
    for cell, source in sources.items():
        for node in ast.walk(parse_cell(source)):
            if isinstance(node, ast.FunctionDef) and node.name == name:
                found = cell, node
    return found
