"""The automatic mutations: small slips that people make in numerical Python.

Each operator is a function from a node to edits. Mutation-testing packages (mutmut, cosmic-ray)
work on files of a package and know nothing of axes, dtypes and arrays changed in place, which is
where answers of this course go wrong; so the set is ours, and small.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TypeGuard

from autograder.mutate.array_operators import ARRAY_OPERATORS
from autograder.mutate.edits import SYMBOLS, Edit, Operator, Source

_ARITHMETIC = {
    ast.Add: ("-",),
    ast.Sub: ("+",),
    ast.Mult: ("/",),
    ast.Div: ("*",),
    ast.FloorDiv: ("/",),
    ast.Mod: ("*",),
    ast.Pow: ("*",),
    ast.MatMult: ("*",),
}
_COMPARISONS = {
    ast.Lt: ("<=", ">"),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<"),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
}


def mutations(source: Source, first: int, last: int) -> Iterator[Edit]:
    """All edits of the code on lines ``first`` to ``last``, without those that surely are alike."""
    seen = {ast.dump(source.tree)}
    squared = {id(node.left) for node in ast.walk(source.tree) if _is_even_power(node)}
    for node in ast.walk(source.tree):
        if not first <= getattr(node, "lineno", 0) <= last:
            continue
        for operator in OPERATORS:
            for edit in operator(source, node):
                if edit.operator == "swapped operands" and id(node) in squared:
                    continue  # (a - b)**2 is (b - a)**2
                try:
                    form = ast.dump(ast.parse(source.apply(edit)))
                except SyntaxError:
                    continue
                if form not in seen:
                    seen.add(form)
                    yield edit


def arithmetic(source: Source, node: ast.AST) -> Iterator[Edit]:
    """``a + b`` to ``a - b``, ``a += b`` to ``a -= b`` and to ``a = b``, ``a @ b`` to ``b @ a``."""
    if isinstance(node, ast.BinOp):
        for symbol in _ARITHMETIC.get(type(node.op), ()):
            yield _operator(source, node.left, node.right, node.op, symbol, "arithmetic")
        if isinstance(node.op, ast.MatMult | ast.Sub | ast.Div):
            swapped = f"({source.code(node.right)}) {SYMBOLS[type(node.op)]} "
            yield source.replace(node, f"{swapped}({source.code(node.left)})", "swapped operands")
    elif isinstance(node, ast.AugAssign):
        target, value = source.code(node.target), source.code(node.value)
        for symbol in _ARITHMETIC.get(type(node.op), ()):
            yield source.replace(node, f"{target} {symbol}= {value}", "arithmetic")
        yield source.replace(node, f"{target} = {value}", "accumulation lost")


def comparison(source: Source, node: ast.AST) -> Iterator[Edit]:
    """``a > b`` to ``a >= b`` and ``a < b``, and the like."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for symbol in _COMPARISONS[type(node.ops[0])]:
            pair = node.left, node.comparators[0]
            yield _operator(source, *pair, node.ops[0], symbol, "comparison")


def logic(source: Source, node: ast.AST) -> Iterator[Edit]:
    """``and`` to ``or``, ``not a`` to ``a``, a condition always or never met."""
    if isinstance(node, ast.BoolOp):
        word, other = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            start, end = source.span(left)[1], source.span(right)[0]
            text = source.between(start, end).replace(word, other, 1)
            yield Edit(start, end, text, "logic")
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        yield source.replace(node, source.code(node.operand), "logic")
    elif isinstance(node, ast.If | ast.IfExp | ast.While):
        constants = ("False",) if isinstance(node, ast.While) else ("True", "False")
        for constant in constants:
            yield source.replace(node.test, constant, "condition")


def constant(source: Source, node: ast.AST) -> Iterator[Edit]:
    """0 to 1, n to n + 1 and n - 1, x to 2 x, True to False."""
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        yield source.replace(node, str(not value), "constant")
    elif isinstance(value, int):
        for other in (value + 1, value - 1) if value else (1,):
            yield source.replace(node, str(other), "constant")
    elif isinstance(value, float):
        yield source.replace(node, repr(2 * value) if value else "1.0", "constant")


def statements(source: Source, node: ast.AST) -> Iterator[Edit]:
    """A statement left out; ``break`` for ``continue`` and the reverse."""
    assigns = isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
    calls = isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
    if assigns or calls:
        yield source.replace(node, "pass", "statement left out")
    elif isinstance(node, ast.Continue | ast.Break):
        other = "break" if isinstance(node, ast.Continue) else "continue"
        yield source.replace(node, other, "loop control")


def sign(source: Source, node: ast.AST) -> Iterator[Edit]:
    """``-a`` to ``a``; a returned value negated."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield source.replace(node, f"({source.code(node.operand)})", "sign")
    elif isinstance(node, ast.Return) and node.value is not None:
        value = node.value
        parts = value.elts if isinstance(value, ast.Tuple) else [value]
        for part in parts:
            if isinstance(part, ast.Name | ast.BinOp | ast.Call):
                yield source.replace(part, f"-({source.code(part)})", "sign")


OPERATORS: tuple[Operator, ...] = (
    arithmetic,
    comparison,
    logic,
    constant,
    *ARRAY_OPERATORS,
    statements,
    sign,
)


def _operator(
    source: Source, left: ast.expr, right: ast.expr, op: ast.AST, symbol: str, kind: str
) -> Edit:
    """Exchange the operator between two operands, leaving brackets and blanks as they are."""
    start, end = source.span(left)[1], source.span(right)[0]
    gap = source.between(start, end)
    return Edit(start, end, gap.replace(SYMBOLS[type(op)], symbol, 1), kind)


def _is_even_power(node: ast.AST) -> TypeGuard[ast.BinOp]:
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow)):
        return False
    return isinstance(node.right, ast.Constant) and node.right.value == 2
