"""A notebook run from top to bottom in a fresh kernel, in a folder with what grading puts there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cs231n_lib.data.cache import CACHE_VARIABLE
from cs231n_lib.data.folders import DATA_VARIABLE
from cs231n_lib.errors import CourseError
from cs231n_lib.extras import install, is_there
from cs231n_lib.hand_in.notebook import Cell, Notebook

RUNNING = "CS231N_CHECKING"  # in the environment of the kernel
CELL_SECONDS = 60.0  # as when it is graded, where the notebook does not say
PATIENCE = 4  # how many times as long a cell may take here: this machine may be slow
LATE = "CellTimeout"  # the kind of error of a cell that was interrupted
LONGEST_START, LONGEST_STOP = 300, 30  # seconds until a kernel answers; until it has let go
REMEDY = (
    f"running notebooks takes nbclient and ipykernel: run {install('jupyter')}; with --no-run they "
    "are only looked at."
)
#: What installs packages: there is no network where notebooks are graded, and here it need not.
INSTALLS = re.compile(
    r"^([ \t]*)[%!]\s*(?:\w+\s+-m\s+)?(?:pip3?|conda|mamba|uv)\b.*$", re.MULTILINE
)
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Ran:
    """What became of one cell. ``error`` is what is shown in place of a traceback, in one line."""

    printed: str = ""
    error: str = ""
    kind: str = ""  # of the error
    seconds: float = 0.0


@dataclass(frozen=True)
class Run:
    """``cells`` by their place in the notebook; ``stopped`` says why some have no entry."""

    cells: Mapping[int, Ran] = field(default_factory=dict)
    seconds: float = 0.0
    stopped: str = ""


def run(
    notebook: Notebook,
    beside: Mapping[str, Path],
    *,
    seconds: float | None = None,
    tell: Callable[[int, int], object] = lambda done, of: None,
) -> Run:
    """Run what grading runs, go on after errors, and keep nothing of it but what was printed.

    ``beside``: the files that the notebook can see, by name. ``seconds``: how long a cell may take.
    ``tell`` is given how many cells have been run, of how many. Raises CourseError where there is
    no Jupyter to run it with.
    """
    numbers = [n for n, cell in enumerate(notebook.cells) if is_run(cell)]
    limit = seconds or PATIENCE * _limit(notebook)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="cs231n-", ignore_cleanup_errors=True) as place:
        for name, path in beside.items():
            shutil.copyfile(path, Path(place, name))
        try:
            done, stopped = _run_cells(notebook, numbers, place, max(1, round(limit)), tell)
        except (OSError, RuntimeError) as error:
            raise CourseError(
                f"{notebook.path.name}: no kernel could be started or kept ({error}). Does the "
                "notebook run in Jupyter? With --no-run it is only looked at."
            ) from error
    return Run(done, time.monotonic() - started, stopped)


def is_run(cell: Cell) -> bool:
    """Whether it is executed: what grading skips is skipped here as well."""
    return cell.type == "code" and bool(cell.source.strip()) and not cell.skipped


def _run_cells(
    notebook: Notebook, numbers: Iterable[int], folder: str, limit: int, tell: Callable
) -> tuple[dict[int, Ran], str]:
    try:
        import nbformat
        from nbclient import NotebookClient
        from nbclient.exceptions import DeadKernelError
    except ImportError:
        raise CourseError(REMEDY) from None
    if not is_there("ipykernel"):
        raise CourseError(REMEDY)
    numbers = list(numbers)
    cells = [nbformat.v4.new_code_cell(_source(notebook.cells[n])) for n in numbers]
    late: list[bool] = []  # of each cell, whether it had to be interrupted
    client = NotebookClient(
        nbformat.v4.new_notebook(cells=cells),
        kernel_name="python3",
        allow_errors=True,
        timeout=limit,
        interrupt_on_timeout=True,
        # Else it would wait for ever for a cell that ignores the interrupt.
        error_on_timeout={"ename": LATE, "evalue": "", "traceback": []},
        iopub_timeout=LONGEST_STOP,  # a slow machine would lose what a cell has printed
        startup_timeout=LONGEST_START,
        on_cell_executed=lambda execute_reply, **_: late.append(_is_late(execute_reply)),
        resources={"metadata": {"path": folder}},
    )
    client.log.disabled = True  # what it would say is said here
    done: dict[int, Ran] = {}
    # What the kernel itself says on stderr is about how it was started.
    with client.setup_kernel(env=_environment(), stderr=subprocess.DEVNULL):
        for place, (number, cell) in enumerate(zip(numbers, cells, strict=True)):
            tell(place, len(numbers))
            begun = time.monotonic()
            try:
                client.execute_cell(cell, place)
                done[number] = _outcome(cell, time.monotonic() - begun, limit if late[-1] else 0)
                if late[-1]:
                    client.timeout = LONGEST_STOP
                    client.execute_cell(nbformat.v4.new_code_cell("0"), place)
                    client.timeout = limit
                    if late[-1]:
                        return done, f"{_title(notebook.cells[number])} could not be interrupted"
            except DeadKernelError:
                seconds = time.monotonic() - begun
                done[number] = Ran(error="the kernel died here", kind="died", seconds=seconds)
                why = f"the kernel died in {_title(notebook.cells[number])}"
                return done, f"{why} (out of memory, or an exit of its own)"
        tell(len(numbers), len(numbers))
    return done, ""


def _source(cell: Cell) -> str:
    return INSTALLS.sub(r"\1pass", cell.source)


def _environment() -> dict[str, str]:
    """As ours, without the sign that a person watches: bars are for people."""
    kept = {name: text for name, text in os.environ.items() if name != "JPY_SESSION_NAME"}
    for name in (DATA_VARIABLE, CACHE_VARIABLE):  # the kernel works in another folder
        if kept.get(name):
            kept[name] = str(Path(kept[name]).expanduser().absolute())
    return kept | {RUNNING: "1", "PYTHONHASHSEED": "0"}


def _limit(notebook: Notebook) -> float:
    seconds = notebook.settings.get("cell_seconds", CELL_SECONDS)
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else CELL_SECONDS


def _is_late(reply: Mapping[str, Any]) -> bool:
    return reply["content"].get("ename") == LATE


def _outcome(cell: Any, seconds: float, late: int) -> Ran:
    """``late``: the seconds after which it was interrupted, if it was."""
    printed, error, kind = "", "", ""
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stdout":
            printed += output.text
        elif output.output_type == "error":
            kind = output.ename
            shown = _COLOURS.sub("", "\n".join(output.traceback)).strip()
            brief = shown.startswith("✗")  # a visible check says what is wrong in two lines
            first = shown.splitlines()[0] if brief else f"{kind}: {output.evalue}"
            error = " ".join(first.split())
    if late:
        kind, error = LATE, f"interrupted after {late} s: is there a loop that never ends?"
    return Ran(printed, error, kind, seconds)


def _title(cell: Cell) -> str:
    return f"the cell {cell.id!r}" if cell.id else "a cell of your own"
