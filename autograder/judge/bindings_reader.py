"""Reads the bindings of a notebook's names off its cells, in the order in which they ran."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from autograder.judge.bindings import Binding, Bindings, Imported
from autograder.judge.scopes import COMPREHENSIONS, FUNCTIONS, own_names
from autograder.notebook.syntax import parse_cell

# Of these, one part or another runs, once or often: what they bind may be bound, or not.
_PERHAPS = (
    *(ast.If, ast.For, ast.AsyncFor, ast.While, ast.Try, ast.TryStar, ast.Match),
    *(ast.BoolOp, ast.IfExp, *COMPREHENSIONS),
)
# With these a cell can define anything, by names that nobody can read.
_OBSCURE = frozenset({"exec", "eval"})
_WRITTEN = re.compile(r"^%%(?:writefile|file)\s+(?:-a\s+)?(?:\./)?(\w+)\.py\s*$", re.MULTILINE)
_NAMESPACES = frozenset({"globals", "locals", "vars"})
_MAKERS = frozenset({"SimpleNamespace", "dict", "type", "namedtuple", "partial"})
_SHELL = frozenset({"run_cell", "run_cell_async", "ex", "ev", "push", "safe_execfile", "user_ns"})
_READING = frozenset({"get", "keys", "items", "values", "copy"})  # of a dictionary
_TIMING = frozenset({"time", "timeit", "prun"})  # magics that run the rest of their line
# Others that do: what they run is in a file, or in what was typed before.
_DEFINING = frozenset({"run", "rerun", "recall", "macro", "edit", "store"})


def read_bindings(sources: Mapping[str, str]) -> Bindings:
    """All bindings of the code cells, by name."""
    found, place = Bindings(), 0
    for cell, source in sources.items():
        found.modules |= set(_WRITTEN.findall(source))
        if cell.endswith(".py"):
            found.modules.add(cell.removesuffix(".py"))
        for node, where in _nodes(cell, source, place):
            _note(found, node, where)
        place += len(parse_cell(source).body)
    return found


@lru_cache(maxsize=512)
def _nodes(cell: str, source: str, before: int) -> tuple[tuple[ast.AST, _Where], ...]:
    """Everything in a cell, with where it stands; ``before``: statements of the cells above.

    Kept, because each question is asked about the cells so far, and most of them are the same.
    """
    found = []
    for place, statement in enumerate(parse_cell(source).body, before + 1):
        apart = _runs_apart(statement)
        walked = _walk(statement, _Where(cell, place))
        found += [(node, where) for node, where in walked if id(node) not in apart]
    return tuple(found)


def _runs_apart(statement: ast.stmt) -> set[int]:
    """Calls of exec that are given a dictionary made for them: they define nothing elsewhere."""
    nodes = list(ast.walk(statement))
    fresh, other = set(), {node.arg for node in nodes if isinstance(node, ast.arg)}
    for node in nodes:
        if isinstance(node, ast.Assign):
            made = isinstance(node.value, ast.Dict | ast.BinOp)  # {...}, globals() | {...}
            named = {n.id for t in node.targets for n in ast.walk(t) if isinstance(n, ast.Name)}
            plain = {t.id for t in node.targets if isinstance(t, ast.Name)}
            fresh |= plain if made else set()
            items = {n for n in named if n not in plain}  # again["y_train"] = ...
            other |= (plain if not made else set()) | (items - fresh)
    found = set()
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id="exec" | "eval"), args=[_, ast.Name(id=name)]):
                if name in fresh - other:
                    found.add(id(node))
    return found


@dataclass(frozen=True)
class _Where:
    cell: str
    place: int
    kind: str = "module"  # or class, function
    certain: bool = True
    owner: str = ""
    inside: frozenset[str] = frozenset()

    def within(self, node: ast.AST) -> _Where:
        kind, certain, owner, inside = self.kind, self.certain, self.owner, self.inside
        if isinstance(node, FUNCTIONS):
            kind, certain, inside = "function", False, inside | own_names(node)
        elif isinstance(node, ast.ClassDef):
            kind, owner = "class", node.name
        elif isinstance(node, _PERHAPS):
            certain = False
        return _Where(self.cell, self.place, kind, certain, owner, inside)


def _walk(node: ast.AST, where: _Where) -> Iterator[tuple[ast.AST, _Where]]:
    waiting = [(node, where)]
    while waiting:
        current, at = waiting.pop()
        yield current, at
        inner = at.within(current)
        waiting += [(child, inner) for child in reversed(list(ast.iter_child_nodes(current)))]


def _note(found: Bindings, node: ast.AST, where: _Where) -> None:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            _bind_name(found, name, node, where)
        case ast.ClassDef(name=name):
            found.classes[name] = node
            _bind_name(found, name, node, where)
        case ast.Import(names=aliases):
            for alias in aliases:
                whole = alias.name if alias.asname else alias.name.split(".")[0]
                _bind_name(found, alias.asname or whole, Imported(whole), where)
        case ast.ImportFrom(module=module, names=aliases):
            for alias in aliases:
                if alias.name == "*":
                    found.stars.add(module or "")
                imported = Imported(module or "", alias.name)
                _bind_name(found, alias.asname or alias.name, imported, where)
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                _bind(found, target, value, where)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            _bind(found, target, value, where)
        case ast.NamedExpr(target=target, value=value):
            _bind(found, target, value, where)
        case ast.AugAssign(target=target, value=value):
            _bind(found, target, value, where, certain=False)
        case ast.For() | ast.AsyncFor() | ast.comprehension():
            _bind(found, node.target, node.iter, where, certain=False)
        case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
            _bind(found, target, value, where)
        case ast.Call():
            _note_call(found, node, where)


def _bind_name(
    found: Bindings, name: str, node: ast.AST | Imported, where: _Where, *, certain: bool = True
) -> None:
    binding = Binding(
        node, where.cell, where.place, certain and where.certain, where.owner, where.inside
    )
    if where.kind == "class":
        found.attributes[name].append(binding)
    elif where.kind == "module" or name not in where.inside:
        found.names[name].append(binding)


def _bind(
    found: Bindings, target: ast.expr, value: ast.expr, where: _Where, *, certain: bool = True
) -> None:
    match target:
        case ast.Name(id=name):
            _bind_name(found, name, value, where, certain=certain)
        case ast.Attribute(attr=name):
            binding = Binding(value, where.cell, where.place, False, inside=where.inside)
            found.attributes[name].append(binding)
        case ast.Tuple(elts=targets) | ast.List(elts=targets):
            values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            paired = len(values) == len(targets)
            for i, one in enumerate(targets):
                _bind(found, one, values[i] if paired else value, where, certain=certain)
        case ast.Starred(value=inner):
            _bind(found, inner, value, where, certain=certain)
        case ast.Subscript(value=inner):  # a container stands for what it holds
            if _is_namespace(inner):
                found.obscure.append((where.cell, target, "a name set by way of a dictionary"))
            _bind(found, inner, value, where, certain=False)


def _note_call(found: Bindings, call: ast.Call, where: _Where) -> None:
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    maker = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    for keyword in call.keywords:  # SimpleNamespace(f=g), Tool(f=g)
        if keyword.arg and (maker in _MAKERS or maker in found.classes):
            binding = Binding(keyword.value, where.cell, where.place, False, inside=where.inside)
            found.attributes[keyword.arg].append(binding)
    match call.func:
        case ast.Name(id=name) if name in _OBSCURE:
            found.obscure.append((where.cell, call, name))
        case ast.Name(id="setattr") if len(call.args) == 3:
            match call.args:
                case [_, ast.Constant(value=str(name)), value]:
                    _bind(found, ast.Attribute(call, name, ast.Store()), value, where)
                case _:
                    found.obscure.append((where.cell, call, "setattr"))
        case ast.Attribute(attr="run_line_magic") if len(call.args) == 2:
            _note_magic(found, call, where)
        case ast.Attribute(value=inner, attr=method):
            imported = isinstance(inner, ast.Name) and any(
                isinstance(binding.node, Imported) for binding in found.names.get(inner.id, ())
            )
            if (
                (_is_namespace(inner) and method not in _READING)
                or (method in _SHELL and _is_shell(inner))
                or (method in _OBSCURE and imported)
            ):
                found.obscure.append((where.cell, call, method))
            elif not imported:  # tools.append(f): a container stands for what it was given
                for value in given:
                    _bind(found, inner, value, where, certain=False)


def _note_magic(found: Bindings, call: ast.Call, where: _Where) -> None:
    match call.args:
        case [ast.Constant(value=str(name)), ast.Constant(value=str(line))]:
            if name in _DEFINING:
                found.obscure.append((where.cell, call, f"%{name}"))
            elif name in _TIMING:
                for statement in parse_cell(line).body:
                    for node, at in _walk(statement, where):
                        _note(found, node, at)


def _is_namespace(node: ast.AST) -> bool:
    """globals(), sys.modules, np.__dict__."""
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name in _NAMESPACES
        case ast.Attribute(attr=name):
            return name in ("modules", "__dict__", "user_ns", "__globals__", "__builtins__")
        case ast.Name(id=name):
            return name == "__builtins__"
    return False


def _is_shell(node: ast.AST) -> bool:
    return any(isinstance(n, ast.Name) and n.id == "get_ipython" for n in ast.walk(node))
