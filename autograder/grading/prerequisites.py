"""Nobody pays twice: an earlier notebook, made fit to be loaded by a later one.

Later notebooks use what the student wrote in earlier ones. A piece that lost points there has cost
its points already: here the instructor's takes its place before anything loads the notebook.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from autograder.grading.beside import bare_document
from autograder.grading.grade import TIME_OUT
from autograder.judge.results import GradedNotebook
from autograder.notebook.syntax import parse_cell
from autograder.notebook.template import Template, grade_id, is_answer, is_auto_graded, source_of
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
    """The notebooks of an assignment, each after those that it loads."""
    ordered: dict[str, None] = {}

    def add(name: str, before: tuple[str, ...]) -> None:
        for earlier in loads(documents[name]):
            if earlier in documents and earlier not in (*before, name):
                add(earlier, (*before, name))
        ordered[name] = None

    for name in sorted(documents):
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


def loadable(template: Template, graded: GradedNotebook | None, solved: Document) -> Loadable:
    """The graded notebook of a student, with the instructor's cells where points were lost.

    ``graded`` is None where nothing was handed in, ``solved`` the notebook with all solutions.
    """
    if graded is None:
        return instructors(template.notebook, solved, "was not handed in")
    document = json.loads(graded.document)
    right = {cell["id"]: source_of(cell) for cell in _code_cells(solved)}
    released = {cell["id"]: cell["source"].strip() for cell in template.cells}
    asks_about = answers_of(template)
    lost = [c.grade_id for c in graded.cells if c.score < c.points - 1e-9]
    replaced = dict.fromkeys(
        cell
        for name in lost
        for cell in asks_about.get(name, ())
        if defined(right.get(cell, ""))  # a cell that only trains is nothing to load
    )
    if not replaced:
        doubtful = any(_stopped(cell) for cell in _code_cells(document))
        return Loadable(_notebook(document["cells"]), doubtful=doubtful)
    names = {name for cell in replaced for name in defined(right[cell])}
    cells = [_cell("given", source) for source in _definitions(solved, answers=False)]
    for cell in _code_cells(document):
        source = source_of(cell)
        if cell["id"] in replaced:
            own = source if _may_stay(cell, released.get(cell["id"], "")) else ""
            source = f"{own}\n\n{right[cell['id']]}"  # helpers of the student's stay
        elif names & set(defined(source)):
            source = _without(source, names)
        cells.append(_cell(cell["id"], source))
    notes = tuple(
        f"{_listed(defined(right[cell]))} of {template.notebook}: the instructor's was used here, "
        "because points were lost there"
        for cell in replaced
    )
    return Loadable(_notebook(cells), notes, doubtful=True)


def instructors(notebook: str, solved: Document, why: str) -> Loadable:
    """The instructor's definitions in place of the whole notebook."""
    content = _notebook(_cell(f"{i}", text) for i, text in enumerate(_definitions(solved)))
    return Loadable(content, (f"{notebook} {why}: all of it is the instructor's here",))


def defined(source: str) -> list[str]:
    """The functions and classes that a cell defines."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return [node.name for node in parse_cell(source).body if isinstance(node, kinds)]


def _definitions(solved: Document, *, answers: bool = True) -> Iterator[str]:
    """What ``load`` executes of a notebook: all, or only what came with it."""
    loaded: set[str] = set()
    for cell in _code_cells(solved):
        kept = definitions(parse_cell(source_of(cell)).body, loaded)
        if kept and (answers or not is_answer(cell)):
            yield ast.unparse(ast.Module(kept, []))


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


def _without(source: str, names: Iterable[str]) -> str:
    """A cell without these definitions: a second one, further down, would count instead."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    kept = [
        node
        for node in parse_cell(source).body
        if not (isinstance(node, kinds) and node.name in names)
    ]
    return ast.unparse(ast.Module(kept, []))


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _code_cells(document: Document) -> list[Document]:
    return [cell for cell in document["cells"] if cell["cell_type"] == "code"]


def _cell(name: str, source: str) -> Document:
    empty: Document = {"metadata": {}, "outputs": [], "execution_count": None}
    return {"cell_type": "code", "id": name, "source": source, **empty}


def _notebook(cells: Iterable[Document]) -> bytes:
    return bare_document({"cells": list(cells)})
