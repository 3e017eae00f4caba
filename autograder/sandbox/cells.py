"""The student's cells in the kernel: run again for the judge, and found in tracebacks."""

from __future__ import annotations

import linecache
import os
import re
import traceback
from pathlib import Path
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from cs231n_lib.cell_source import python_of

AGAIN = "<cell {}>"  # the file name of a cell that is executed again
TIMED = "<timed "  # what `%%time` calls the code below it, whichever the cell
MODULE = "<module>"


class Notebook(dict):
    """A copy of the student's namespace, for a function of the judge's to change and to run in.

    ``cells``: source by cell id. ``bindings`` replace names of the student's.
    """

    def __init__(
        self, shell: InteractiveShell, cells: dict[str, str], bindings: dict[str, Any]
    ) -> None:
        super().__init__({**shell.user_ns, **bindings})
        self._shell = shell
        self._cells = cells

    def run(self, cell: str) -> None:
        """Execute this cell here."""
        source, name = python_of(self._cells[cell], all_code=True), AGAIN.format(cell)
        lines: list[str] = list(source.splitlines(True))
        linecache.cache[name] = (len(source), None, lines, name)  # for tracebacks
        exec(compile(source, name, "exec"), self)


class CellNames:
    """Which cell of the notebook a line of code belongs to, by the name that it is compiled under.

    IPython numbers what a cell runs within itself, as ``%%capture`` does, like the next cell.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self._current = ""
        self._cells: dict[str, str] = {}
        self._sources: dict[str, str] = {}
        name_of = shell.compile.cache

        def cache(transformed_code: str, number: int = 0, raw_code: str | None = None) -> str:
            name = name_of(transformed_code, number, raw_code)
            self._cells[name] = self._current
            return name

        shell.compile.cache = cache
        self._work = Path.cwd()  # where helper modules of the student's are

    def starts(self, cell: str, source: str) -> None:
        """The cell of this id is executed next."""
        self._current = cell
        self._sources.pop(cell, None)
        self._sources[cell] = source

    def describe(self, error: BaseException) -> dict[str, str]:
        """An exception as text: type, message, and the last of the student's lines on its way.

        Lines of libraries and of the judge's own code are no place a student could look at.
        """
        try:
            message = str(error)
        except Exception:
            message = "(its message cannot be printed)"
        line = code = ""
        for frame, number in traceback.walk_tb(error.__traceback__):
            block = frame.f_code
            found = self._place(block.co_filename, number, block.co_name)
            if found is not None:
                (line, code), within = found, _function(block.co_qualname)
                line += within and f", in {within}"
        if isinstance(error, SyntaxError) and error.filename and error.lineno:
            found = self._place(error.filename, error.lineno, MODULE)
            if found is not None:  # not the line that imports it, but the one that is wrong
                (line, code), message = found, error.msg
        name = type(error).__name__
        return {"type": name, "message": message[:2000], "line": line, "code": code.strip()[:200]}

    def _place(self, filename: str, number: int, function: str) -> tuple[str, str] | None:
        """``line 3 of cell 'sgd'`` and what stands there; None for code that is not the student's.

        ``number`` counts what Python was given, which may lack lines of the cell.
        """
        if filename.startswith(TIMED):
            return self._timed(number, function)
        code = linecache.getline(filename, number)
        if ".ipynb" in filename:  # a notebook that this one loads
            return f"line {number} of {filename.strip('<>')}", code
        if again := re.fullmatch(AGAIN.format("(.*)"), filename):
            return f"line {number} of cell {again[1]!r}", code
        cell = self._cells.get(filename)
        if cell is None:
            helper = os.path.relpath(filename, self._work)
            known = filename.endswith(".py") and not helper.startswith("..")
            return (f"line {number} of {helper}", code) if known else None
        if not cell:
            return f"line {number}", code
        number = _line_of_cell(linecache.getlines(filename), number, self._sources[cell])
        return f"line {number} of cell {cell!r}", code

    def _timed(self, number: int, function: str) -> tuple[str, str] | None:
        """The place in the last cell under ``%%time`` that has this function."""
        for cell, source in reversed(self._sources.items()):
            magic, _, rest = source.lstrip().partition("\n")
            if magic.startswith("%%time") and (function == MODULE or f"def {function}" in rest):
                lines = source.split("\n")
                number += len(lines) - len(rest.lstrip().split("\n"))
                code = lines[number - 1] if number <= len(lines) else ""
                return f"line {number} of cell {cell!r}", code
        return None


def _function(qualified: str) -> str:
    """The function or method that has this code: ``f``, not ``f.<locals>.<listcomp>``."""
    names = [name for name in qualified.split(".") if not name.startswith("<")]
    return names[-1] if names else ""


def _line_of_cell(given: list[str], number: int, source: str) -> int:
    """The line of the cell that Python saw as line ``number``.

    IPython takes out blank lines above the first, and the line of a cell magic. So the lines are
    compared: how many are lacking is what makes most of those round this one the same.
    """
    lines = source.split("\n")

    def agree(lacking: int) -> int:
        nearby = range(max(0, number - 3), min(len(given), number + 2, len(lines) - lacking))
        return sum(given[i].strip() == lines[i + lacking].strip() for i in nearby)

    return number + max(range(max(0, len(lines) - len(given)) + 1), key=agree)
