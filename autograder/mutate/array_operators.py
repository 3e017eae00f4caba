"""Mutations of what is done with arrays: axes, indices, functions, dtypes, copies."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from autograder.mutate.edits import SYMBOLS, Edit, Operator, Source

_SIBLINGS = {
    "max": "min",
    "min": "max",
    "argmax": "argmin",
    "argmin": "argmax",
    "maximum": "minimum",
    "minimum": "maximum",
    "sum": "mean",
    "mean": "sum",
    "exp": "log",
    "log": "exp",
    "zeros": "ones",
    "ones": "zeros",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "hstack": "vstack",
    "vstack": "hstack",
}
_UNWRAPPED = frozenset({"sqrt", "abs", "square", "copy"})
_ARRAYS_MADE = frozenset({"zeros", "ones", "empty", "zeros_like", "ones_like", "empty_like"})
_IN_PLACE = frozenset({"maximum", "minimum", "exp", "sqrt", "log"})
_SYMMETRIC = frozenset({"maximum", "minimum", "add", "multiply"})


def keywords(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Another axis, no axis, no keepdims, no dtype: any keyword argument left out."""
    if not isinstance(node, ast.Call):
        return
    for keyword in node.keywords:
        if keyword.arg == "axis" and isinstance(keyword.value, ast.Constant | ast.UnaryOp):
            other = {"0": "1", "1": "0"}.get(source.code(keyword.value), "0")
            yield source.replace(keyword, f"axis={other}", "axis")
        if keyword.arg:
            yield _without_argument(source, node, keyword, f"no {keyword.arg}")


def indices(source: Source, node: ast.AST) -> Iterator[Edit]:
    """``a[i, j]`` to ``a[j, i]``, a slice without one of its bounds, a transpose left out."""
    if isinstance(node, ast.Subscript):
        inner = node.slice
        if isinstance(inner, ast.Tuple) and len(inner.elts) == 2:
            first, second = (source.code(part) for part in inner.elts)
            whole = f"{source.code(node.value)}[{second}, {first}]"
            yield source.replace(node, whole, "index order")
        slices = inner.elts if isinstance(inner, ast.Tuple) else [inner]
        for part in slices:
            if isinstance(part, ast.Slice):
                for bound in filter(None, (part.lower, part.upper, part.step)):
                    yield source.replace(bound, "", "slice")
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield source.replace(node, source.code(node.value), "transpose")


def calls(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Swapped arguments, a neighbouring function, a function left out, ``range`` one short."""
    if not isinstance(node, ast.Call):
        return
    name = _name(node.func)
    if len(node.args) >= 2 and name not in _SYMMETRIC:
        first, second = node.args[:2]
        start, end = source.span(first)[0], source.span(second)[1]
        gap = source.between(source.span(first)[1], source.span(second)[0])
        text = source.code(second) + gap + source.code(first)
        yield Edit(start, end, text, "swapped arguments")
    if name in _SIBLINGS:
        start, end = source.span(node.func)
        yield Edit(end - len(name.encode()), end, _SIBLINGS[name], "function")
    method = isinstance(node.func, ast.Attribute) and _name(node.func.value) != "np"
    if name in _UNWRAPPED or name in ("astype", "copy"):
        inside = node.func.value if method else node.args[0] if node.args else None  # type: ignore[attr-defined]
        if inside is not None:
            yield source.replace(node, f"({source.code(inside)})", f"no {name}")
    if name == "range" and len(node.args) == 1:
        limit = source.code(node.args[0])
        yield source.replace(node, f"range(({limit}) - 1)", "range")
        yield source.replace(node, f"range(1, {limit})", "range")
    if name == "len" and node.args:
        yield source.replace(node, f"{source.code(node.args[0])}.shape[-1]", "wrong length")


def dtype(source: Source, node: ast.AST) -> Iterator[Edit]:
    """Whole numbers where fractions are needed. (Single precision is the student's choice.)"""
    if not (isinstance(node, ast.Call) and _name(node.func) in _ARRAYS_MADE):
        return
    if not any(keyword.arg == "dtype" for keyword in node.keywords):
        end = source.span(node)[1] - 1
        gap = "" if source.between(end - 1, end) == "," else ", "
        yield Edit(end, end, f"{gap}dtype=int", "dtype")


def in_place(source: Source, node: ast.AST) -> Iterator[Edit]:
    """``a = a + b`` to ``a += b``, ``np.maximum(a, 0)`` into ``a`` itself."""
    if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp):
        target, left = source.code(node.targets[0]), source.code(node.value.left)
        if target == left:
            text = f"{target} {SYMBOLS[type(node.value.op)]}= {source.code(node.value.right)}"
            yield source.replace(node, text, "in place")
    elif isinstance(node, ast.Call) and _name(node.func) in _IN_PLACE and not node.keywords:
        for first in node.args[:1]:
            if isinstance(first, ast.Name):
                end = source.span(node)[1] - 1
                yield Edit(end, end, f", out={first.id}", "in place")


ARRAY_OPERATORS: tuple[Operator, ...] = (keywords, indices, calls, dtype, in_place)


def _without_argument(source: Source, call: ast.Call, keyword: ast.keyword, kind: str) -> Edit:
    """Take a keyword argument out, with the comma before it (or after it, if it is the first)."""
    start, end = source.span(keyword)
    before = [source.span(a)[1] for a in (*call.args, *call.keywords) if source.span(a)[1] <= start]
    after = [source.span(a)[0] for a in call.keywords if source.span(a)[0] >= end]
    if before:
        return Edit(max(before), end, "", kind)
    return Edit(start, min(after, default=end), "", kind)


def _name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
