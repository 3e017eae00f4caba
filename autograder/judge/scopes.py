"""Which names a piece of Python reads, which are its own, and which are only computed with."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from functools import lru_cache

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@lru_cache(maxsize=1024)
def own_names(function: ast.AST) -> frozenset[str]:
    """The names that are a function's own: parameters, and what is bound in its body."""
    found, outer = set(), set()
    waiting = list(ast.iter_child_nodes(function))
    while waiting:
        node = waiting.pop()
        match node:
            case ast.arg(arg=name):
                found.add(name)
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                outer |= set(names)
            case ast.alias(name=name, asname=alias):
                found.add(alias or name.split(".")[0])
            case ast.ExceptHandler(name=str(name)):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
                continue
            case ast.ClassDef(name=name):
                found.add(name)
                continue
        if not isinstance(node, (*FUNCTIONS, *COMPREHENSIONS)):
            waiting += ast.iter_child_nodes(node)
    return frozenset(found - outer)


def evaluated_before(function: ast.AST) -> list[ast.expr]:
    """Decorators and default arguments: they mean what they meant where they stand."""
    arguments: ast.arguments = getattr(function, "args")  # noqa: B009
    defaults = [*arguments.defaults, *(d for d in arguments.kw_defaults if d)]
    return [*getattr(function, "decorator_list", ()), *defaults]


def loads(node: ast.AST, own: frozenset[str]) -> Iterator[tuple[ast.AST, bool]]:
    """The names and attributes that are read below ``node``, and whether a name is not ``own``."""
    waiting = [(node, own)]
    while waiting:
        current, bound = waiting.pop()
        if isinstance(current, ast.Name | ast.Attribute) and isinstance(current.ctx, ast.Load):
            yield current, isinstance(current, ast.Name) and current.id not in bound
        if isinstance(current, FUNCTIONS):
            waiting += [(outside, bound) for outside in evaluated_before(current)]
            inner = bound | own_names(current)
            body = current.body if isinstance(current.body, list) else [current.body]
            waiting += [(statement, inner) for statement in body]
            continue
        if isinstance(current, COMPREHENSIONS):
            targets = (n for g in current.generators for n in ast.walk(g.target))
            bound |= {n.id for n in targets if isinstance(n, ast.Name)}
        waiting += [(child, bound) for child in ast.iter_child_nodes(current)]


def values(node: ast.AST, modules: Callable[[ast.AST], object]) -> set[int]:
    """Ids of the nodes that are only computed with: operands, indices, arguments of NumPy's."""
    found: set[int] = set()
    for parent in ast.walk(node):
        match parent:
            case ast.BinOp(left=left, right=right):
                found |= {id(left), id(right)}
            case ast.UnaryOp(operand=operand):
                found.add(id(operand))
            case ast.Compare(left=left, comparators=others):
                found |= {id(left), *map(id, others)}
            case ast.Subscript(value=value, slice=index):
                found |= {id(value), id(index)}
            case ast.Call(func=ast.Attribute(value=inner), args=args):
                if modules(inner):
                    found |= {*map(id, args), *(id(k.value) for k in parent.keywords)}
            case ast.For(iter=iterated) | ast.comprehension(iter=iterated):
                found.add(id(iterated))
    # tools[0](x) calls what it takes out.
    called = (n.func for n in ast.walk(node) if isinstance(n, ast.Call))
    for function in called:
        while isinstance(function, ast.Attribute | ast.Subscript | ast.Call):
            inner = function.func if isinstance(function, ast.Call) else function.value
            function = inner
            found.discard(id(function))
    return found
