"""What the benchmarks of grading share: the course they grade, clocks, memory meters, tables."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

ROOT = Path(__file__).resolve().parents[1]
ASSIGNMENT, NOTEBOOK = "assignment1", "knn"
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}

STOCK_CONFIG = """
c = get_config()
c.CourseDirectory.root = {root!r}
c.NbGrader.logfile = ""
c.ExecutePreprocessor.timeout = {seconds}
"""
OUR_CONFIG = """
from pathlib import Path
exec(compile(Path({ours!r}).read_text(), {ours!r}, "exec"), {{**globals(), "__file__": {ours!r}}})
c.CourseDirectory.root = {root!r}
"""


def same_environment() -> None:
    """The same BLAS for everybody: the sandbox's environment is scrubbed. Our programs on PATH."""
    for name in [n for n in os.environ if n.startswith("OPENBLAS_")]:
        del os.environ[name]
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


@dataclass(frozen=True)
class Line:
    """Something a program said, and the seconds and CPU seconds from its start until then."""

    at: float
    cpu: float
    text: str


@dataclass(frozen=True)
class Ran:
    """A command that has ended: its exit status, what it said, its seconds and CPU seconds."""

    status: int
    said: list[Line]
    wall: float
    cpu: float

    def end(self) -> str:
        """The last of what it said, for whoever wants to know why it failed."""
        return "\n".join(line.text for line in self.said[-20:])


def peak_mb(command: list[str], cwd: Path) -> float:
    """Peak memory of a command and its descendants."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=cwd, stdout=quiet, stderr=quiet)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(pss_mb(pid) for pid in descendants(process.pid)))
        time.sleep(0.1)
    return peak


def watched(command: list[str], cwd: Path, environment: Mapping[str, str] | None = None) -> Ran:
    """Run a command, and write down when it said what."""
    began, before = time.monotonic(), cpu_used()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    assert process.stdout is not None
    said = [
        Line(time.monotonic() - began, cpu_used() - before, line.rstrip("\n"))
        for line in process.stdout
    ]
    status = process.wait()
    return Ran(status, said, time.monotonic() - began, cpu_used() - before)


def use_one_processor() -> int:
    """Stay on one processor, and so does all that is started from now on; which one it is."""
    chosen = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {chosen})
    return chosen


def cpu_used() -> float:
    """CPU seconds spent since the machine started, on those processors that we may use.

    By everybody: kernels in a sandbox are nobody's children, and their seconds are in no sum of
    the kernel's but this one.
    """
    ours = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    ticks = 0
    for line in Path("/proc/stat").read_text().splitlines():
        name, *fields = line.split()
        if name in ours:
            user, nice, system, _idle, _iowait, irq, softirq, _stolen = map(int, fields[:8])
            ticks += user + nice + system + irq + softirq
    return ticks / os.sysconf("SC_CLK_TCK")


def descendants(pid: int) -> list[int]:
    """A process and all below it."""
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        for path in Path(f"/proc/{current}/task").glob("*/children"):
            try:
                waiting += map(int, path.read_text().split())
            except OSError:
                continue  # ended meanwhile
    return found


def pss_mb(pid: int) -> float:
    """The proportional share of a process in the memory in use; 0 when it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")) / 1024


def idle_mb() -> float:
    """Memory that one idle kernel, with its supervisor, shares with no other process."""
    from autograder.judge.kernel import Kernel
    from autograder.judge.warm import start_zygote

    with start_zygote() as zygote:
        kernel = Kernel(zygote.fork())
        kernel.run_cell("pass")
        kilobytes = 0
        for pid in descendants(kernel.sandbox.supervisor):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith(("Private_Clean:", "Private_Dirty:")):
                    kilobytes += int(line.split()[1])
        kernel.close()
    return kilobytes / 1024


def skipped(cell: dict) -> bool:
    """Whether it is a cell for looking, which grading leaves out."""
    return "skip-when-grading" in cell["metadata"].get("tags", [])


def lines(cell: dict) -> list[str]:
    """The source, whichever way the file has it."""
    source = cell["source"]
    return source if isinstance(source, list) else [source]


def write(path: Path, text: str) -> None:
    """Write a file, with the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


WATCHED_SECONDS = 3  # seconds for which the machine is watched before anything is measured
BUSY = 0.2  # processors that others use meanwhile, above which figures are not to be believed


def about_the_machine() -> str:
    """Where, when and with what it is measured; whether the machine had other things to do."""
    model = Path("/proc/cpuinfo").read_text().partition("model name\t: ")[2].partition("\n")[0]
    processors = len(os.sched_getaffinity(0))
    versions = ", ".join(f"{name} {version(name)}" for name in ("nbgrader", "distributed", "numpy"))
    today = date.today()
    text = f"{today.day} {today:%B %Y}, {model.strip() or platform.machine()}, "
    text += f"{processors} processor{'s' * (processors > 1)}, "
    text += f"Python {platform.python_version()}, {versions}"
    before = cpu_used()
    time.sleep(WATCHED_SECONDS)
    busy = (cpu_used() - before) / WATCHED_SECONDS
    if busy > BUSY:
        text += (
            f". **The machine was busy ({busy:.1f} of {processors} processors before we began): "
            "do not believe these figures**"
        )
    return text


@dataclass(frozen=True)
class Figures:
    """A table: what stands above it, and its columns. The first column is text."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


def markdown(table: Figures) -> str:
    """As it is pasted into a document."""
    rule = ["---", *["---:"] * (len(table.heads) - 1)]
    rows = [list(table.heads), rule, *table.rows]
    return "\n".join(f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in row)}|" for row in rows)


def show(table: Figures) -> None:
    """As it is read in a terminal."""
    shown = Table(title=escape(table.title), title_justify="left", box=box.SIMPLE_HEAD)
    for number, head in enumerate(table.heads):
        shown.add_column(escape(head), justify="right" if number else "left")
    for row in table.rows:
        shown.add_row(*map(escape, row))
    console = Console(width=None if sys.stdout.isatty() else 200)
    console.print(shown, highlight=False)
