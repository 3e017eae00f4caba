"""The source of a cell as a syntax tree."""

from __future__ import annotations

import ast
from functools import lru_cache

MAX_DEPTH = 200  # nested nodes; code that people write has some thirty, our recursion ends at 300


@lru_cache(maxsize=1024)
def parse_cell(source: str) -> ast.Module:
    """The syntax tree of a cell, empty where it does not parse (magics, errors). Read only.

    Empty as well where it is nested so deeply that reading it could bring down the reader.
    """
    lines = ["pass" if line.lstrip()[:1] in ("%", "!") else line for line in source.split("\n")]
    empty = ast.Module(body=[], type_ignores=[])
    try:
        tree = ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return empty
    return empty if _exceeds_depth(tree, MAX_DEPTH) else tree


def _exceeds_depth(tree: ast.AST, maximum: int) -> bool:
    """Level by level, since a walk by recursion is what this is to protect."""
    level: list[ast.AST] = [tree]
    for _ in range(maximum):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return False
    return True
