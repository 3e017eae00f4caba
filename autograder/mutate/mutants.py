"""Mutants of a notebook's solutions: made automatically, and written by hand.

``mutants/ASSIGNMENT/NOTEBOOK/``, ours or the course's, holds ``wrong.toml`` (mistakes that students
make) and ``equivalent.toml`` (automatic mutants that a person has found to be right after all).
"""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import WrongUse
from autograder.mutate.edits import Source, changed_lines
from autograder.mutate.operators import mutations
from autograder.notebook.edits import find_definition, replace_definitions, solution_of
from autograder.notebook.regions import MARKER
from autograder.notebook.template import is_answer, source_of
from autograder.settings import CourseSettings

MUTANTS = Path(__file__).parents[1] / "mutants"


class MutantError(WrongUse):
    """A file of mutants does not fit the notebook; the message says where and what to do."""


@dataclass(frozen=True)
class Mutant:
    """One solution cell with one thing wrong."""

    cell: str
    of: str  # the function, "Class.method", or "cell ID"
    what: str  # the operator, or the mistake in one line
    by_hand: bool
    source: str  # of the whole cell
    before: str  # the lines that differ, as they were and as they are
    after: str


@dataclass(frozen=True)
class Region:
    """What a student writes in one place: lines ``first`` to ``last`` of a solution cell."""

    cell: str
    of: str
    first: int
    last: int
    source: str  # of the whole cell, without markers


@dataclass(frozen=True)
class Equivalent:
    """An automatic mutant that is no mistake, with the reason."""

    of: str
    find: str
    put: str
    reason: str


def regions(document: Mapping[str, Any]) -> list[Region]:
    """Every solution region of a source notebook, in order."""
    found = []
    for cell in document["cells"]:
        if cell["cell_type"] != "code" or not is_answer(cell):
            continue
        text = solution_of(source_of(cell))
        for first, last in _region_lines(source_of(cell)):
            of = _enclosing(text, first) or f"cell {cell['id']}"
            found.append(Region(cell["id"], of, first, last, text))
    return found


def automatic(region: Region) -> Iterator[Mutant]:
    """Every mutant that the operators make of a region."""
    source = Source(region.source)
    for edit in mutations(source, region.first, region.last):
        mutated = source.apply(edit)
        before, after = changed_lines(region.source, mutated)
        yield Mutant(region.cell, region.of, edit.operator, False, mutated, before, after)


def folder_of(course: CourseSettings) -> Path:
    """Where a course's mutants are."""
    return Path(course.mutants) if course.folder else MUTANTS


def written_by_hand(
    assignment: str, notebook: str, places: list[Region], course: CourseSettings
) -> list[Mutant]:
    """The mutants of ``wrong.toml``. Raises MutantError where one does not fit the notebook."""
    path = folder_of(course) / assignment / notebook / "wrong.toml"
    return [_by_hand(path, entry, places) for entry in _read(path).get("mutant", [])]


def equivalents(assignment: str, notebook: str, course: CourseSettings) -> list[Equivalent]:
    """The entries of ``equivalent.toml``. Raises MutantError when one is incomplete."""
    path = folder_of(course) / assignment / notebook / "equivalent.toml"
    entries = _read(path).get("equivalent", [])
    try:
        return [Equivalent(**entry) for entry in entries]
    except TypeError as error:
        raise MutantError(f"{path}: an entry has of, find, put and reason ({error})") from None


def fits(mutant: Mutant, entry: Equivalent) -> bool:
    """The entry speaks of this mutant."""
    same = (entry.find.strip(), entry.put.strip()) == (mutant.before, mutant.after)
    return entry.of == mutant.of and same


def stale(known: Iterable[Equivalent], mutants: Collection[Mutant]) -> list[Equivalent]:
    """The entries that fit no mutant any more, because the solution has changed since."""
    return [entry for entry in known if not any(fits(mutant, entry) for mutant in mutants)]


def _by_hand(path: Path, entry: Mapping[str, Any], places: list[Region]) -> Mutant:
    of, what = str(entry.get("of", "")), str(entry.get("what", ""))
    region = next((place for place in places if place.of == of), None)
    if region is None or not what:
        known = ", ".join(dict.fromkeys(place.of for place in places))
        raise MutantError(f"{path}: {of or 'an entry'!r} ({what}): of is none of {known}")
    if "code" in entry:
        whole_cell = region.of.startswith("cell ")
        code = str(entry["code"]).strip("\n")
        mutated = code if whole_cell else replace_definitions(region.source, code)
    else:
        mutated = _edited(f"{path}: {of} ({what})", entry, region)
    try:
        ast.parse(mutated)
    except SyntaxError as error:
        raise MutantError(f"{path}: {of} ({what}): {error}") from None
    if mutated == region.source:
        raise MutantError(f"{path}: {of} ({what}) changes nothing")
    before, after = changed_lines(region.source, mutated)
    return Mutant(region.cell, of, what, True, mutated, before, after)


def _edited(where: str, entry: Mapping[str, Any], region: Region) -> str:
    """The cell with ``find`` replaced by ``put`` inside the function (or the cell) it is about."""
    lines = region.source.split("\n")
    node = find_definition(region.source, region.of)
    span = slice(node.lineno - 1, node.end_lineno) if node else slice(None)
    text = "\n".join(lines[span])
    finds, puts = (entry.get(key, []) for key in ("find", "put"))
    pairs = [(finds, puts)] if isinstance(finds, str) else list(zip(finds, puts, strict=True))
    if not pairs:
        raise MutantError(f"{where}: give find and put, or code")
    for find, put in pairs:
        if text.count(find) != 1:
            raise MutantError(f"{where}: {find!r} occurs {text.count(find)} times, not once")
        text = text.replace(find, put)
    lines[span] = text.split("\n")
    return "\n".join(lines)


def _region_lines(source: str) -> Iterator[tuple[int, int]]:
    """First and last line of each solution region, counted without marker lines."""
    number, first = 0, 0
    for line in source.split("\n"):
        marker = MARKER.match(line)
        if marker is None:
            number += 1
        elif marker[1] == "BEGIN":
            first = number + 1
        else:
            yield first, number


def _enclosing(source: str, line: int) -> str:
    """Qualified name of the outermost function or method around a line; empty outside of one."""
    for node in ast.parse(source).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        owner = f"{node.name}." if isinstance(node, ast.ClassDef) else ""
        for child in inside:
            function = isinstance(child, ast.FunctionDef)
            if function and child.lineno <= line <= (child.end_lineno or 0):
                return f"{owner}{child.name}"
    return ""


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise MutantError(f"{path}: {error}") from None
