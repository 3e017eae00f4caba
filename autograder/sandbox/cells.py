"""The student's cells in the kernel: run again for the judge, and found in tracebacks."""

from __future__ import annotations

import linecache
import re
import traceback
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

AGAIN = "<cell {}>"  # the file name of a cell that is executed again


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
        source, name = str(self._shell.transform_cell(self._cells[cell])), AGAIN.format(cell)
        lines: list[str] = list(source.splitlines(True))
        linecache.cache[name] = (len(source), None, lines, name)  # for tracebacks
        exec(compile(source, name, "exec"), self)


class CellNames:
    """Which cell of the notebook a line of code belongs to, by execution count."""

    def __init__(self, shell: InteractiveShell) -> None:
        self._shell = shell
        self._cells: dict[int, str] = {}

    def starts(self, cell: str) -> None:
        """The cell of this id is executed next."""
        self._cells[self._shell.execution_count] = cell

    def describe(self, error: BaseException) -> dict[str, str]:
        """An exception as text: type, message, and the last of the student's lines on its way.

        Lines of libraries and of the judge's own code are no place a student could look at.
        """
        try:
            message = str(error)
        except Exception:
            message = "(its message cannot be printed)"
        line = code = ""
        for frame in traceback.extract_tb(error.__traceback__):
            place = self._place(frame.filename)
            if place is not None:
                within = "" if frame.name == "<module>" else f", in {frame.name}"
                line = f"line {frame.lineno}{place}{within}"
                code = (frame.line or "").strip()[:200]
        return {"type": type(error).__name__, "message": message[:2000], "line": line, "code": code}

    def _place(self, filename: str) -> str | None:
        """`` of cell 'sgd'``, or what is known of it; None for code that is not the student's."""
        if ".ipynb" in filename:  # a notebook that this one loads
            return f" of {filename.strip('<>')}"
        if again := re.fullmatch(AGAIN.format("(.*)"), filename):
            cell = again[1]
        else:
            label = self._shell.compile.format_code_name(filename)  # e.g. ("Cell", "In[3]")
            if label is None:
                return None
            cell = self._cells.get(int("0" + re.sub(r"\D", "", label[1])), "")
        return f" of cell {cell!r}" if cell else ""
