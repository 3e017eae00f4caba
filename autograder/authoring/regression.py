"""Run source notebooks under nbval, several at a time, each in a scratch copy of its folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from autograder.authoring.scratch import (
    UNREADABLE,
    author_copy,
    copy_beside_siblings,
    course_of,
    kernel_environment,
)
from autograder.authoring.source import ReleaseError
from autograder.authoring.tolerance import tolerance
from autograder.course.submissions import CourseError
from autograder.errors import NeedsHuman
from autograder.host.memory import cores
from cs231n_lib.extras import is_there

SANITIZE = Path(__file__).with_name("sanitize.cfg")
CELL_SECONDS = 300  # a whole notebook has 60; a busy machine has more patience
STOP_SECONDS = 30  # nbval gives its kernel 5 to shut down
PLUGINS = (
    "-p",
    "nbval.plugin",
    "-p",
    "autograder.authoring.nbval_plugin",
    "-p",
    "no:cacheprovider",
)
PASSED, SOME_FAILED, NO_CELLS = 0, 1, 5  # pytest's exit statuses


class NoNbvalError(NeedsHuman):
    """What runs the notebooks is not installed."""


@dataclass(frozen=True)
class Cell:
    """A code cell that was run; ``kind`` says how it failed, with lines that show it."""

    id: str
    seconds: float
    kind: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class NotebookRun:
    """What nbval said about a notebook; ``trouble`` is what kept it from saying anything."""

    path: Path
    cells: tuple[Cell, ...]
    trouble: str = ""

    @property
    def name(self) -> str:
        return name_of(self.path)

    @property
    def seconds(self) -> float:
        return sum(cell.seconds for cell in self.cells)

    @property
    def failed(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if cell.kind)

    @property
    def green(self) -> bool:
        return not self.failed and not self.trouble


#: Called from several threads: the notebook, and the cell that is done (None: the notebook is).
OnCell = Callable[[Path, Cell | None], None]


def ensure_nbval() -> None:
    """Graders' packages do not bring it. Raises NoNbvalError."""
    if missing := [name for name in ("nbval", "pytest") if not is_there(name)]:
        raise NoNbvalError(
            f"what runs notebooks is not installed ({', '.join(missing)}): run "
            '`pip install -e ".[dev]"` in the folder that holds autograder/ and pyproject.toml'
        )


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def find_notebooks(root: Path, wanted: Sequence[str] = ()) -> list[Path]:
    """Notebooks below ``root``/source, or those wanted: paths of notebooks, or assignments.

    Raises CourseError when one does not exist.
    """
    source = root / "source"
    if not wanted:
        found = sorted(source.glob("*/*.ipynb"))
        if not found:
            raise CourseError(
                f"{source}: no notebooks; expected {source}/ASSIGNMENT/NOTEBOOK.ipynb"
            )
        return found
    found = []
    for word in wanted:
        places = [place for place in (Path(word), root / word, source / word) if place.exists()]
        notebooks = [n for p in places for n in (sorted(p.glob("*.ipynb")) if p.is_dir() else [p])]
        if not notebooks or any(path.suffix != ".ipynb" for path in notebooks):
            there = ", ".join(map(name_of, sorted(source.glob("*/*.ipynb")))) or "nothing"
            raise CourseError(
                f"{word!r} is neither a notebook nor an assignment; {source} has {there}. Name an "
                "assignment, or the path of a notebook."
            )
        found += [path.resolve() for path in notebooks]
    return list(dict.fromkeys(found))


def code_cells(path: Path) -> list[str]:
    """Ids of the code cells. Raises CourseError when nbval should not even begin."""
    try:
        cells = author_copy(path).cells
    except ReleaseError as error:
        raise CourseError(str(error)) from None
    except UNREADABLE as error:
        raise CourseError(f"{path}: not a readable notebook ({error}); restore it") from None
    except RuntimeError as error:  # from nbgrader
        raise CourseError(f"{path}: {error}") from None
    for cell in cells:
        try:
            tolerance(cell.metadata.get("tags", ()))
        except ValueError as error:
            raise CourseError(f"{path}: cell {cell.id!r}: {error}") from None
    return [cell.id for cell in cells if cell.cell_type == "code"]


def parallel_jobs(notebooks: int, jobs: int | None = None) -> int:
    """How many notebooks are run at once."""
    return max(1, min(jobs or cores(), notebooks))


def run_notebooks(
    paths: Sequence[Path],
    *,
    jobs: int | None = None,
    on_cell: OnCell = lambda path, cell: None,
) -> list[NotebookRun]:
    """Run each notebook under nbval, ``jobs`` at a time (default: as many as cores).

    Raises CourseError when a notebook cannot be read or a tolerance tag is malformed.
    """
    for path in paths:
        code_cells(path)
    jobs = parallel_jobs(len(paths), jobs)
    with tempfile.TemporaryDirectory(prefix="notebooks-") as folder:
        courses = {course_of(path) for path in paths}
        environments = {
            course: kernel_environment(Path(folder, str(number)), course)
            for number, course in enumerate(courses)
        }
        running: list[subprocess.Popen[bytes]] = []
        pool = ThreadPoolExecutor(jobs)
        try:
            started = [
                pool.submit(
                    _run,
                    path,
                    Path(folder, f"notebook-{i}"),
                    environments[course_of(path)],
                    running,
                    on_cell,
                )
                for i, path in enumerate(paths)
            ]
            return [run.result() for run in started]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in running:
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)  # pytest then stops its kernel
            for process in running:
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()  # its kernel ends by itself when it finds its parent gone
            pool.shutdown()


def _run(
    path: Path,
    scratch: Path,
    environment: dict[str, str],
    running: list[subprocess.Popen[bytes]],
    on_cell: OnCell,
) -> NotebookRun:
    copy = copy_beside_siblings(path, scratch)
    (scratch / "pytest.ini").write_text("[pytest]\n")  # the settings of no project above
    log = scratch / "pytest.log"
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "pytest", *PLUGINS, f"--cell-events={writing}"]
    options = ["--nbval-lax", "--nbval-current-env", f"--nbval-sanitize-with={SANITIZE}"]
    limit = f"--nbval-cell-timeout={CELL_SECONDS}"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *options, limit, "--color=no", "--tb=short", copy.name],
            cwd=scratch,
            env=environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[writing],
        )
    os.close(writing)
    running.append(process)
    cells = []
    with os.fdopen(reading, encoding="utf-8") as events:
        for line in events:
            event = json.loads(line)
            cells.append(Cell(**event | {"lines": tuple(event["lines"])}))
            on_cell(path, cells[-1])
    status = process.wait()
    on_cell(path, None)
    expected = SOME_FAILED if any(cell.kind for cell in cells) else PASSED
    trouble = ""
    if status != expected and not (status == NO_CELLS and not cells):
        trouble = f"nbval ended with {status}:\n{log.read_text('utf-8', errors='replace')[-2000:]}"
    return NotebookRun(path, tuple(cells), trouble)
