"""The source of a cell as a syntax tree."""

from __future__ import annotations

import ast
from functools import lru_cache

from cs231n_lib.cell_source import python_of

MAX_DEPTH = 200  # nested nodes; code that people write has some thirty, our recursion ends at 300


def parse_cell(source: str) -> ast.Module:
    """The syntax tree of a cell, empty where it cannot be read (see `unreadable`). Read only.

    Magics, shell commands and help are the calls that IPython makes of them; what stands below
    ``%%time`` or ``%%writefile module.py`` is read as code.
    """
    return _read(source)[0]


def unreadable(source: str) -> str:
    """Why a cell cannot be read, in a few words for a person; empty where it can.

    What is nested so deeply that reading it could bring down the reader counts as unreadable.
    """
    return _read(source)[1]


@lru_cache(maxsize=1024)
def _read(source: str) -> tuple[ast.Module, str]:
    empty = ast.Module(body=[], type_ignores=[])
    try:
        tree = _parsed(source)
    except SyntaxError as error:
        return empty, f"line {error.lineno}: {error.msg}"
    except ValueError as error:
        return empty, str(error)
    except (RecursionError, MemoryError):
        return empty, "it is nested too deeply"
    return (empty, "it is nested too deeply") if _exceeds_depth(tree, MAX_DEPTH) else (tree, "")


def _parsed(source: str) -> ast.Module:
    """Most cells are plain Python, which needs no second look."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.parse(python_of(source, all_code=True))


def _exceeds_depth(tree: ast.AST, maximum: int) -> bool:
    """Level by level, since a walk by recursion is what this is to protect."""
    level: list[ast.AST] = [tree]
    for _ in range(maximum):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return False
    return True
