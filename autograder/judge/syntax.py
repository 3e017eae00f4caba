"""The source of a cell as a syntax tree."""

from __future__ import annotations

import ast
from functools import lru_cache


@lru_cache(maxsize=1024)
def parse_cell(source: str) -> ast.Module:
    """The syntax tree of a cell, empty where it does not parse (magics, errors). Read only."""
    lines = ["pass" if line.lstrip()[:1] in ("%", "!") else line for line in source.split("\n")]
    try:
        return ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module(body=[], type_ignores=[])
