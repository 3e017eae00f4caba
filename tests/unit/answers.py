"""What students write, and whether a module of the library does it: for test_no_answers."""

import ast
import builtins
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from pathlib import Path

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"

# The part of a solution's syntax that one function of the library has, in the same order and in
# runs of RUN tokens. A copy with other names, texts and a few more lines is near 1; what is
# unrelated was at most 0.54 when this was written.
TOO_SIMILAR, RUN = 0.75, 4
# Tokens. A solution with fewer (`return x @ w`) is in any numerical code; it must be found whole.
# So must one that calls its own parts one after the other, and says little besides.
TOO_SHORT = 20
PLAIN = {"own", "Assign", "Call", "Return", "Expr"}
TOO_PLAIN = 4  # tokens that are not among these
PART = 12  # tokens of a solution that is looked for within a longer function, too
# Names that nobody chooses; all others are alike.
KNOWN = {*dir(builtins), "np", "scipy", "torch", "F", "nn", "plt", "math"}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Tokens = tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """One thing that students write: a function, a method, a class or a cell."""

    name: str  # as the library may not define it; "" for a cell without definitions
    where: str
    tokens: Tokens  # empty for a class


def solution_cells(notebook: Path) -> Iterator[tuple[str, str]]:
    """Where the cell is, and its source."""
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        source = "".join(cell["source"])
        about = cell["metadata"].get("nbgrader", {})
        if cell["cell_type"] == "code" and about.get("solution") and BEGIN in source:
            yield f"{notebook.stem}, cell {about['grade_id']}", source


def tasks_of(where: str, source: str) -> Iterator[Task]:
    tree = ast.parse(source)
    lines = solution_lines(source)
    found = list(definitions(tree, inside_functions=False))
    for name, node in found:
        if overlaps(node, lines):
            yield Task(name, where, tokens(node, lines) if isinstance(node, Function) else ())
    written = [part for part in tree.body if overlaps(part, lines)]
    if not found and not all(map(chooses_a_number, written)):
        yield Task("", where, tokens(tree, lines))


def chooses_a_number(statement: ast.stmt) -> bool:
    """``learning_rate = 1e-3``: no answer that a library could hold."""
    return isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Constant)


def overlaps(node: ast.stmt, lines: set[int]) -> bool:
    return not lines.isdisjoint(range(node.lineno, (node.end_lineno or node.lineno) + 1))


def solution_lines(source: str) -> set[int]:
    inside, lines = False, set()
    for number, line in enumerate(source.splitlines(), start=1):
        inside = (inside or BEGIN in line) and END not in line
        if inside:
            lines.add(number)
    return lines


def definitions(
    tree: ast.AST, prefix: str = "", inside_functions: bool = True
) -> Iterator[tuple[str, Function | ast.ClassDef]]:
    """Functions and classes at any depth; ``Class.method`` for methods, plain names for others."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef):
            yield prefix + node.name, node
        inner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        if inside_functions or not isinstance(node, Function):
            yield from definitions(node, inner, inside_functions)


def bound_names(tree: ast.Module) -> set[str]:
    """What a module defines: functions, classes and methods, its own variables, imports."""
    names = {name for name, _ in definitions(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[-1])
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            stored = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
            names |= {node.id for node in stored if isinstance(node.ctx, ast.Store)}
    return names


def tokens(node: Function | ast.Module, lines: set[int] | None = None) -> Tokens:
    """The syntax of a body in reading order; what anyone may name otherwise is alike.

    Names of variables, of other functions and of attributes of ``self`` are that. Annotations and
    docstrings are left out. ``lines`` picks the statements.
    """

    def walk(node: ast.AST) -> Iterator[str]:
        match node:
            case ast.Expr(value=ast.Constant()) | ast.expr_context():
                return
            case ast.Attribute(value=ast.Name(id="self")):
                yield "own"
                return
            case ast.Name(id=name):
                yield name if name in KNOWN else "own"
            case ast.Attribute(attr=name):
                yield f".{name}"
            case ast.Constant(value=value):
                yield repr(value)
            case _:
                yield type(node).__name__
        for field, value in ast.iter_fields(node):
            if field not in ("annotation", "returns", "decorator_list", "type_params"):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        yield from walk(child)

    body = [part for part in node.body if lines is None or overlaps(part, lines)]
    return tuple(token for statement in body for token in walk(statement))


def similarity(solution: Tokens, function: Tokens) -> float:
    """The part of the solution that the function has in the same order, in runs of four tokens."""
    matcher = SequenceMatcher(None, solution, function, autojunk=False)
    matched = sum(block.size for block in matcher.get_matching_blocks() if block.size >= RUN)
    return matched / len(solution)


def at_most_similar(solution: Tokens, function: Tokens) -> float:
    """A bound on `similarity`, quickly found: the part of the solution in runs of both."""
    runs = _runs(function)
    covered = set()
    for start in range(len(solution) - RUN + 1):
        if solution[start : start + RUN] in runs:
            covered.update(range(start, start + RUN))
    return len(covered) / len(solution)


@cache
def _runs(function: Tokens) -> frozenset[Tokens]:
    return frozenset(function[i : i + RUN] for i in range(len(function) - RUN + 1))


def tasks_in(folder: Path) -> list[Task]:
    return [
        task
        for path in sorted(folder.glob("*/*.ipynb"))
        for cell in solution_cells(path)
        for task in tasks_of(*cell)
    ]


def answers(
    library: Mapping[str, str], tasks: Sequence[Task], allowed: Collection[str] = ()
) -> list[str]:
    """Where a module of the library (file name: source) does one of the tasks.

    ``allowed`` are names that it may define all the same.
    """
    found = []
    for file, source in library.items():
        tree = ast.parse(source)
        names = bound_names(tree) - set(allowed)
        functions = [
            (name, tokens(node)) for name, node in definitions(tree) if isinstance(node, Function)
        ]
        for task in tasks:
            if task.name in names:
                found.append(f"{file} defines {task.name} ({task.where})")
            for name, body in functions:
                if name not in allowed and does(body, task.tokens):
                    found.append(f"{file}: {name} does {task.name or 'the task'} ({task.where})")
    return found


def does(body: Tokens, solution: Tokens) -> bool:
    telling = sum(token not in PLAIN for token in solution)
    if len(solution) < TOO_SHORT or telling < TOO_PLAIN:
        return bool(solution) and _is_whole(body, solution)
    if at_most_similar(solution, body) < TOO_SIMILAR:
        return False
    return similarity(solution, body) >= TOO_SIMILAR


def _is_whole(body: Tokens, solution: Tokens) -> bool:
    """Whether a body is the solution, or has it between lines that may have been given."""
    n = len(solution)
    parts = (body[i : i + n] for i in range(len(body) - n + 1))
    return body == solution or (n >= PART and solution in parts)
