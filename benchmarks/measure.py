"""What the benchmarks of grading share: the course they grade, clocks, and memory meters."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

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


def timed(command: list[str], cwd: Path) -> tuple[float, float]:
    """Wall and CPU seconds of a command that must succeed."""
    began, before = time.monotonic(), machine_cpu()
    process = subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    errors = process.stderr.read()
    if status := process.wait():
        sys.exit(f"{' '.join(command)} ended with status {status}:\n{errors[-3000:]}")
    return time.monotonic() - began, machine_cpu() - before


def peak_mb(command: list[str], cwd: Path) -> float:
    """Peak memory of a command and its descendants."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=cwd, stdout=quiet, stderr=quiet)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(pss_mb(pid) for pid in descendants(process.pid)))
        time.sleep(0.1)
    return peak


def watched(
    command: list[str], cwd: Path, environment: Mapping[str, str] | None = None
) -> tuple[int, list[tuple[float, str]], float]:
    """Run a command: its exit status, what it said with the second it was said at, the seconds."""
    began = time.monotonic()
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
    said = [(time.monotonic() - began, line.rstrip("\n")) for line in process.stdout]
    return process.wait(), said, time.monotonic() - began


def machine_cpu() -> float:
    """CPU seconds that all processes of this machine have used since it started."""
    fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:9]
    user, nice, system, _idle, _iowait, irq, softirq, _stolen = map(int, fields)
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


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
