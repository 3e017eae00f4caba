"""Mutations as edits of source text: what is shown is the author's own code, a little off."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

SYMBOLS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "is",
    ast.IsNot: "is not",
}


@dataclass(frozen=True)
class Edit:
    """Replace the text from ``start`` to ``end`` (byte offsets) by ``text``."""

    start: int
    end: int
    text: str
    operator: str


class Source:
    """Python source with the offsets of its syntax tree's nodes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = ast.parse(text)
        self._bytes = text.encode()
        self._line_starts = [0]
        for line in self._bytes.splitlines(keepends=True):
            self._line_starts.append(self._line_starts[-1] + len(line))

    def span(self, node: ast.AST) -> tuple[int, int]:
        """Byte offsets of a node that has a position (expressions, statements, keywords)."""
        start = self._line_starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        end = self._line_starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]
        return start, end

    def code(self, node: ast.AST) -> str:
        """The source of a node."""
        start, end = self.span(node)
        return self._bytes[start:end].decode()

    def between(self, start: int, end: int) -> str:
        return self._bytes[start:end].decode()

    def replace(self, node: ast.AST, text: str, operator: str) -> Edit:
        """An edit that puts ``text`` where the node is."""
        return Edit(*self.span(node), text, operator)

    def apply(self, edit: Edit) -> str:
        """The source after an edit."""
        before, after = self._bytes[: edit.start], self._bytes[edit.end :]
        return (before + edit.text.encode() + after).decode()


def changed_lines(before: str, after: str) -> tuple[str, str]:
    """What differs, whole lines without their indentation: (lines before, lines after)."""
    old, new = before.split("\n"), after.split("\n")
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    return _stripped(old[head : len(old) - tail]), _stripped(new[head : len(new) - tail])


def _stripped(lines: list[str]) -> str:
    return "\n".join(line.strip() for line in lines)


#: From a node of a source to edits of it.
Operator = Callable[[Source, ast.AST], Iterator[Edit]]
