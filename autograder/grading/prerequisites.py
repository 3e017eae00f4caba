"""Nobody pays twice: an earlier notebook, made fit to be loaded by a later one.

Later notebooks use what the student wrote in earlier ones. A piece that lost points there has cost
its points already: here the instructor's takes its place before anything loads the notebook.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.grading.beside import bare_document
from autograder.grading.notebook_run import TIME_OUT
from autograder.judge.caches import Pair
from autograder.judge.registry import Check
from autograder.judge.results import CellVerdict, GradedNotebook
from autograder.notebook.syntax import parse_cell
from autograder.notebook.template import Template, grade_id, is_answer, is_auto_graded, source_of
from cs231n_lib.cell_source import python_of
from cs231n_lib.notebooks import definitions

Document = dict[str, Any]


@dataclass(frozen=True)
class Loadable:
    """A notebook for others to load, and what of it is the instructor's, a sentence for each."""

    content: bytes
    notes: tuple[str, ...] = ()
    doubtful: bool = False  # not all of it has run as it stands here


def loads(document: Document) -> list[str]:
    """The notebooks that a notebook loads: the names in its ``load("...")``."""
    found = []
    for cell in _code_cells(document):
        for node in ast.walk(parse_cell(source_of(cell))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                name = node.args[0]
                if node.func.id == "load" and isinstance(name, ast.Constant):
                    found.append(str(name.value).removesuffix(".ipynb"))
    return list(dict.fromkeys(found))


def course_order(documents: Mapping[str, Document]) -> list[str]:
    """The notebooks of an assignment as they come, but each after those that it loads."""
    ordered: dict[str, None] = {}

    def add(name: str, before: tuple[str, ...]) -> None:
        for earlier in loads(documents[name]):
            if earlier in documents and earlier not in (*before, name):
                add(earlier, (*before, name))
        ordered[name] = None

    for name in documents:
        if name not in ordered:
            add(name, ())
    return list(ordered)


def answers_of(template: Template) -> dict[str, list[str]]:
    """For each grade cell, the ids of the code cells that it asks about.

    They are the student's cells before it; several grade cells in a row ask about the same ones.
    """
    found: dict[str, list[str]] = {}
    answers: list[str] = []
    asked = False
    for cell in template.cells:
        if is_auto_graded(cell):
            found[grade_id(cell)], asked = list(answers), True
        elif is_answer(cell) and cell["cell_type"] == "code":
            answers, asked = ([] if asked else answers) + [cell["id"]], False
    return found


def loadable(
    template: Template,
    graded: GradedNotebook | None,
    solved: Document,
    checks: Mapping[str, Sequence[Check]] | None = None,
    pairs: Sequence[Pair] = (),
    misfits: Collection[str] = (),
) -> Loadable:
    """The graded notebook of a student, with the instructor's cells where points were lost.

    ``graded`` is None where nothing was handed in, ``solved`` the notebook with all solutions.
    ``checks`` are those of the notebook, ``pairs`` the functions that share a cache: the
    instructor's take the place of both. ``misfits`` are the forward functions of pairs that did
    not work beside what was replaced.
    """
    if graded is None:
        return instructors(template.notebook, solved, "was not handed in")
    document = json.loads(graded.document)
    right = {cell["id"]: source_of(cell) for cell in _code_cells(solved)}
    given = dict(_definitions(solved, answers=False))
    released = {cell["id"]: cell["source"].strip() for cell in template.cells}
    replaced = _with_partners(_lost(template, graded, right, checks or {}), right, pairs, misfits)
    if not replaced:
        doubtful = any(_stopped(cell) for cell in _code_cells(document))
        for cell in _code_cells(document):
            cell["source"] = _with_given(cell["id"], source_of(cell), given, released)
        return Loadable(_notebook(document["cells"]), doubtful=doubtful)
    names = {name for cell in replaced for name in defined(right[cell])}
    cells = []
    for cell in _code_cells(document):
        name, source = cell["id"], source_of(cell)
        if name in replaced:
            # Helpers of the student's stay.
            own = source if _may_stay(cell, released.get(name, "")) else ""
            # Under a `%%time` of its own the instructor's would not be loaded.
            own = _without(python_of(own, all_code=True), names - set(defined(right[name])))
            source = f"{own}\n\n{right[name]}"
        else:
            source = _with_given(name, _without(source, names), given, released)
        cells.append(_cell(name, source))
    notes = tuple(
        f"{_listed(defined(right[cell]))} of {template.notebook}: the instructor's was used here, "
        f"because {why}"
        for cell, why in replaced.items()
    )
    return Loadable(_notebook(cells), notes, doubtful=True)


def _with_given(
    cell: str, source: str, given: Mapping[str, str], released: Mapping[str, str]
) -> str:
    """A cell that the course gives, changed by the student, below what was given in it."""
    if cell not in given or source.strip() == released.get(cell):
        return source
    return f"{given[cell]}\n\n{python_of(source)}"


def _lost(
    template: Template,
    graded: GradedNotebook,
    right: Mapping[str, str],
    checks: Mapping[str, Sequence[Check]],
) -> dict[str, str]:
    """The cells that later notebooks cannot build on, and why."""
    asks_about = answers_of(template)
    return {
        cell: "points were lost there"
        for verdict in graded.cells
        if spoils(verdict, checks.get(verdict.grade_id, ()))
        for cell in asks_about.get(verdict.grade_id, ())
        if defined(right.get(cell, ""))  # a cell that only trains is nothing to load
    }


def spoils(verdict: CellVerdict, checks: Sequence[Check]) -> bool:
    """Whether what was asked is so wrong that later notebooks would suffer.

    A condition that is not met (a loop, a changed argument) and a rare case are none of their
    business: the answers are right.
    """
    if verdict.score >= verdict.points - 1e-9:
        return False
    harmless = {check.name for check in checks if check.condition or check.rare}
    failed = {one.name for one in verdict.checks if not (one.passed or one.advice)}
    return not failed or not failed <= harmless


def _with_partners(
    lost: Mapping[str, str],
    right: Mapping[str, str],
    pairs: Sequence[Pair],
    misfits: Collection[str],
) -> dict[str, str]:
    """The cells to replace, in the order of the notebook, and why: both functions of a pair."""
    cell_of = {name: cell for cell, source in right.items() for name in defined(source)}
    replaced = dict(lost)
    beside = _listed([name for cell in lost for name in defined(right[cell])]) if lost else ""
    for pair in pairs:
        cells = list(dict.fromkeys(cell_of[name] for name in pair.names if name in cell_of))
        spoiled = [name for name in pair.names if cell_of.get(name) in lost]
        if spoiled:
            why = f"it shares a cache with {_listed(spoiled)}, where points were lost"
        elif pair.forward in misfits:
            why = f"it did not work beside the instructor's {beside}"
        else:
            continue
        replaced = dict.fromkeys(cells, why) | replaced
    return {cell: replaced[cell] for cell in right if cell in replaced}


def instructors(notebook: str, solved: Document, why: str) -> Loadable:
    """The instructor's definitions in place of the whole notebook."""
    content = _notebook(_cell(name, text) for name, text in _definitions(solved))
    return Loadable(content, (f"{notebook} {why}: all of it is the instructor's here",))


def defined(source: str) -> list[str]:
    """The functions and classes that a cell defines."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node.name for node in parse_cell(source).body if isinstance(node, kinds)]


def _definitions(solved: Document, *, answers: bool = True) -> Iterator[tuple[str, str]]:
    """What ``load`` executes of a notebook, by cell: all, or only what came with it."""
    loaded: set[str] = set()
    for cell in _code_cells(solved):
        kept = definitions(parse_cell(source_of(cell)).body, loaded)
        if kept and (answers or not is_answer(cell)):
            yield cell["id"], ast.unparse(ast.Module(kept, []))


def _may_stay(cell: Document, released: str) -> bool:
    """The student wrote something into this cell, and it ran."""
    wrote = cell["source"].strip() != released
    return wrote and not _stopped(cell) and bool(parse_cell(cell["source"]).body)


def _stopped(cell: Document) -> bool:
    """The cell raised an error, or had to be interrupted."""
    return any(
        output.get("output_type") == "error" or TIME_OUT in str(output.get("text", ""))
        for output in cell.get("outputs", ())
    )


def _without(source: str, names: Collection[str]) -> str:
    """A cell without these definitions: a second one, further down, would count instead."""
    tree = parse_cell(source)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    kept: list[ast.stmt] = []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):  # from a module of the student's, most likely
            imported = [one for one in node.names if (one.asname or one.name) not in names]
            if len(imported) < len(node.names):
                node = ast.ImportFrom(node.module, imported, node.level)
            kept += [node] if imported else []
        elif not (isinstance(node, kinds) and node.name in names):
            kept.append(node)
    return source if kept == tree.body else ast.unparse(ast.Module(kept, []))


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _code_cells(document: Document) -> list[Document]:
    return [cell for cell in document["cells"] if cell["cell_type"] == "code"]


def _cell(name: str, source: str) -> Document:
    empty: Document = {"metadata": {}, "outputs": [], "execution_count": None}
    return {"cell_type": "code", "id": name, "source": source, **empty}


def _notebook(cells: Iterable[Document]) -> bytes:
    return bare_document({"cells": list(cells)})
