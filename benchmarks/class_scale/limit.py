"""The limit: what grading takes when only the cells and the hidden checks cost anything.

    python -m benchmarks.class_scale.limit COURSE WORKERS PATTERN

Each submission runs in a fork of a process that has everything imported. The checks are asked in
the same fork: what they call is the student's function itself. No isolation, no kernel, no files,
no gradebook. What hangs is stopped at the same limits as in our grading, once for each cell and
once for its checks. Prints a line of JSON for each submission, then the seconds of them all.
"""

from __future__ import annotations

import copy
import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path
from types import FrameType
from typing import Any

import matplotlib

from autograder.judge.kernel import CallTimeout
from autograder.judge.registry import checks_for
from autograder.judge.score import Seed, grade_cell
from autograder.judge.student import Student
from autograder.notebook.template import (
    Cell,
    grade_id,
    is_auto_graded,
    load_template,
    nbgrader,
    source_of,
)
from autograder.sandbox.wire import Ref, StandIn
from benchmarks.measure import ASSIGNMENT, NOTEBOOK, ONE_THREAD, ROOT, skipped


@dataclass(frozen=True)
class Cost:
    """One submission: its score, and the seconds its cells and the checks took."""

    student: str
    score: float
    cells: float
    checks: float


def run_limit(course: Path, workers: int, pattern: str) -> tuple[float, list[Cost]]:
    """Seconds for all submissions that match, and what each took. Who crashes is not among them."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.class_scale.limit",
        str(course),
        str(workers),
        pattern,
    ]
    environment = os.environ | ONE_THREAD
    done = subprocess.run(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    *graded, total = map(json.loads, done.stdout.splitlines())
    return total, [Cost(**one) for one in graded]


class Late(BaseException):
    """The time is up; ``except Exception`` does not catch it."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise Late in what runs inside when it takes longer, not counting waiting for a processor.

    All that hangs in this class computes: processor time is what our grading counts, too.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        raise Late

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


class Notebook(dict[str, Any]):
    """A copy of the student's namespace, and cells that can be run in it."""

    cells: Mapping[str, str] = {}

    def run(self, cell: str) -> None:
        exec(compile(self.cells[cell], cell, "exec"), self)


class Direct:
    """Answers a Student's requests as a kernel does, by calling what is in the same process."""

    def __init__(self, space: dict[str, Any]) -> None:
        self._space = space
        self._kept: list[Any] = []

    def request(
        self,
        message: dict[str, Any],
        seconds: float,
        on_output: object = None,
        stand_ins: Mapping[int, Callable[..., Any]] | None = None,
    ) -> dict[str, Any]:
        try:
            with limited(seconds):
                value = self._answer(message, stand_ins or {})
        except Late:
            raise CallTimeout(f"took longer than {seconds:g} s") from None
        except Exception as error:
            return {"ok": False, "error": {"type": type(error).__name__, "message": str(error)}}
        return {"ok": True, "value": value, "stdout": ""}

    def _answer(self, message: dict[str, Any], stand_ins: Mapping[int, Callable]) -> Any:
        def real(value: Any) -> Any:
            if isinstance(value, StandIn):
                return _stand_in(value, stand_ins[value.id])
            return self._kept[value.id] if isinstance(value, Ref) else value

        match message["op"]:
            case "call":
                args = [real(value) for value in message["args"]]
                kwargs = {name: real(value) for name, value in message["kwargs"].items()}
                return self._shallow(self._target(message)(*args, **kwargs), message["keep"])
            case "get":
                return self._target(message)
            case "put":
                return self._keep(copy.deepcopy(message["value"]))
            case "fetch":
                value = real(message["value"])
                return value if message["rows"] is None else value[: message["rows"]]
            case "draw":
                import numpy as np

                rng = np.random.default_rng(message["seed"])
                return self._keep(rng.normal(size=message["shape"]))
            case "apply":
                notebook = Notebook(self._space)
                notebook |= {name: real(value) for name, value in message["bindings"].items()}
                notebook.cells = message["cells"]
                module: dict[str, Any] = {"__name__": "in_kernel"}
                exec(compile(message["source"], "in_kernel", "exec"), module)
                args = [real(value) for value in message["args"]]
                kwargs = {name: real(value) for name, value in message["kwargs"].items()}
                function = module[message["function"]]
                return self._shallow(function(notebook, *args, **kwargs), message["keep"])
        raise NotImplementedError(message["op"])

    def _target(self, message: dict[str, Any]) -> Any:
        if "on" not in message:
            return self._space[message["name"]]
        return getattr(self._kept[message["on"].id], message["name"])

    def _keep(self, value: Any) -> Ref:
        self._kept.append(value)
        return Ref(len(self._kept) - 1, type(value).__name__)

    def _shallow(self, value: Any, keep: Sequence[int] | bool) -> Any:
        if keep is True:
            return self._keep(value)
        if keep:
            return tuple(self._keep(one) if i in keep else one for i, one in enumerate(value))
        return value


def _stand_in(spec: StandIn, serve: Callable[..., Any]) -> Any:
    """A class whose methods the check answers."""

    def method(name: str) -> Callable[..., Any]:
        return lambda self, *args, **kwargs: serve(id(self), name, list(args), kwargs)

    return type(spec.name, (), {name: method(name) for name in (*spec.methods, "__init__")})


def grade(student: str, cells: list[Cell], limits: tuple[float, float]) -> Cost:
    """Grade one submission; this process is not to be used again."""
    cell_seconds, call_seconds = limits
    space: dict[str, Any] = {"__name__": "__main__"}
    sources: dict[str, str] = {}
    asked: Any = Direct(space)
    proxy = Student(asked, sources, call_seconds)
    checks = checks_for(ASSIGNMENT, NOTEBOOK)
    total = in_cells = in_checks = 0.0
    for cell in cells:
        sources[cell["id"]] = cell["source"]
        began = time.monotonic()
        try:
            with limited(cell_seconds):
                exec(compile(cell["source"], cell["id"], "exec"), space)
        except (Exception, Late):
            pass  # the checks will notice
        done = time.monotonic()
        in_cells += done - began
        if is_auto_graded(cell):
            name, points = grade_id(cell), float(nbgrader(cell)["points"])
            seed = Seed(b"of the limit", ASSIGNMENT, NOTEBOOK, student)
            total += grade_cell(proxy, name, points, checks[name], seed).verdict.score
            in_checks += time.monotonic() - done
    return Cost(student, total, in_cells, in_checks)


def read(path: Path) -> list[Cell]:
    """The code cells that grading runs."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code" and not skipped(cell)]
    return [cell | {"source": source_of(cell)} for cell in code]


def main() -> None:
    course, workers, pattern = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    template = load_template(course, ASSIGNMENT, NOTEBOOK)
    limits = (template.limit("cell_seconds", 60), template.limit("call_seconds", 20))
    paths = sorted((course / "submitted").glob(f"*/{ASSIGNMENT}/{NOTEBOOK}.ipynb"))
    waiting = {path.parents[1].name: read(path) for path in paths}
    warm_up()
    began = time.monotonic()
    running = 0
    for student, cells in waiting.items():
        if not fnmatch(student, pattern):
            continue
        if running == workers:
            os.wait()
            running -= 1
        running += 1
        if os.fork() == 0:
            out = os.dup(1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            cost = grade(student, cells, limits)
            os.write(out, f"{json.dumps(asdict(cost))}\n".encode())
            os._exit(0)
    for _ in range(running):
        os.wait()
    print(time.monotonic() - began)


def warm_up() -> None:
    """Import what the notebook and its checks do; what is here is copied by no fork."""
    matplotlib.use("agg")
    importlib.import_module("matplotlib.pyplot")
    for module in ("data", "plotting", "timing"):
        importlib.import_module(f"cs231n_lib.{module}")
    checks_for(ASSIGNMENT, NOTEBOOK)
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    main()
