"""Parts that grade a class: a CUDA error in a notebook, a hog beside a neighbour, many workers."""

from __future__ import annotations

import json
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from autograder.authoring.release import release
from autograder.batch.executors import LocalExecutor
from autograder.batch.run import Selection, grade_class
from autograder.batch.task_grader import TaskGrader
from autograder.grading.material import Material
from autograder.host import memory
from autograder.judge.results import GradedNotebook
from autograder.judge.zygote import Zygote
from autograder.notebook.edits import solve
from benchmarks.gpu.kernels import zygote_with
from benchmarks.gpu.machine import Machine
from benchmarks.gpu.table import Row
from benchmarks.measure import OUR_CONFIG, ROOT, watched, write

Document = dict[str, Any]

ASSIGNMENT, NOTEBOOK = "assignment2", "Style_Transfer"
KEPT = {  # of the notebook: what needs no photographs and no network
    *("setup", "content-loss", "st-content-loss", "gram-matrix", "st-gram-matrix"),
    *("style-loss", "st-style-loss", "tv-loss", "st-tv-loss"),
}
GPU = {"share": 2, "memory_mb": 2048}
WORKERS = (1, 2, 4, 8, 16)
SUBMISSIONS = 48
SPEEDUP = 13.0

#: A loss with ten labels asked of nine classes: the kernel on the device fails an assertion.
ASSERTS = """
scores = torch.zeros(10, 9, device={cuda!r}, requires_grad=True)
torch.nn.functional.cross_entropy(scores, torch.arange(10, device={cuda!r})).item()
"""
#: Memory past PyTorch, as much as there is; it stays until the judge ends the kernel.
TAKES_ALL = """
import ctypes, time
torch.zeros(1, device={cuda!r})
driver, taken = ctypes.CDLL("libcuda.so.1"), 0
while not driver.cuMemAlloc_v2(ctypes.byref(ctypes.c_void_p()), ctypes.c_size_t(256 << 20)):
    taken += 1
time.sleep(30)
"""
#: An honest notebook, which asks the device for a little again and again.
ASKS_AGAIN = """
import time
until = time.monotonic() + 5
while time.monotonic() < until:
    torch.empty(64 << 20, dtype=torch.uint8, device={cuda!r})
    if {cuda!r} == "cuda":
        torch.cuda.empty_cache()
"""


def asserts(machine: Machine) -> Iterator[Row]:
    """A device-side assert in a cell: the rest of the notebook is not lost with it."""
    with tempfile.TemporaryDirectory() as folder, zygote_with(machine) as zygote:
        root = write_course(Path(folder), {"ada": with_cell(ASSERTS.format(cuda=machine.cuda))})
        (found,) = graded_class(root, zygote)
        full = points(root)
    said = f"{found.score:g} of {full:g} on {found.device}; {found.outcome or 'no outcome'}; "
    said += f"attempts {found.attempts}; {found.fallback or found.needs_human or 'nothing said'}"
    right = found.score == full and found.device == "cpu"
    yield Row("a device-side assert in one cell", said, f"{full:g}, graded again on the CPU", right)


def hogs(machine: Machine) -> Iterator[Row]:
    """Two notebooks on one device at once: one takes all its memory, the other loses nothing."""
    cuda = "cuda" if not machine.dry else "cpu"
    hog = with_cell(TAKES_ALL.format(cuda=cuda) if not machine.dry else "pass")
    documents = {"hog": hog, "honest": with_cell(ASKS_AGAIN.format(cuda=cuda))}
    results: dict[str, GradedNotebook] = {}
    with tempfile.TemporaryDirectory() as folder:
        roots = {
            name: write_course(Path(folder, name), {name: document})
            for name, document in documents.items()
        }

        def grade(name: str) -> None:  # its own worker, as in a class
            with zygote_with(machine) as zygote:
                (results[name],) = graded_class(roots[name], zygote)

        threads = [threading.Thread(target=grade, args=(name,)) for name in ("honest", "hog")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        full = points(roots["hog"])
    honest = results["honest"]
    said = f"{honest.score:g} of {full:g} on {honest.device}, attempts {honest.attempts}"
    yield Row("an honest notebook beside a hog", said, f"{full:g}", honest.score == full)
    yield Row("the hog", f"{results['hog'].outcome or 'no outcome'}")


def workers(
    machine: Machine, counts: tuple[int, ...] = WORKERS, class_of: int = SUBMISSIONS
) -> Iterator[Row]:
    """A class on the CPU with 1 to 16 workers: wall seconds of the command, start included."""
    counts = tuple(count for count in counts if count <= memory.cores())
    seconds = {}
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            students = {f"s{n:03}": with_cell(f"own = {n}") for n in range(class_of)}
            root = write_course(Path(folder), students)
            command = [sys.executable, "-m", "autograder", "grade", ASSIGNMENT]
            ran = watched([*command, "--workers", str(count)], root)
            if ran.status:
                sys.exit(f"grading with {count} workers ended with {ran.status}:\n{ran.end()}")
            seconds[count] = ran.wall
    for count, taken in seconds.items():
        found = f"{taken:.1f} s, {seconds[1] / taken:.1f}x"
        last = count == WORKERS[-1]
        right = seconds[1] / taken >= SPEEDUP if last else None
        yield Row(f"{class_of} light submissions, {count} workers", found,
                  f"at least {SPEEDUP:g}x" if last else "", right)  # fmt: skip


# -- a course -------------------------------------------------------------------------------------


def source() -> Document:
    """The notebook, cut down, that wants a GPU."""
    text = (ROOT / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").read_text("utf-8")
    document = json.loads(text)
    document["cells"] = [cell for cell in document["cells"] if cell["id"] in KEPT]
    document["metadata"]["cs231n"] = {"gpu": GPU}
    return document


def with_cell(text: str) -> Document:
    """Our solution, with a cell of the student's own after the setup."""
    document = solve(source())
    own = {"cell_type": "code", "id": "own", "metadata": {}, "source": text}
    document["cells"].insert(1, own | {"outputs": [], "execution_count": None})
    return document


def write_course(root: Path, documents: Mapping[str, Document]) -> Path:
    """A course with this notebook, and what each student handed in."""
    path = Path(ASSIGNMENT, f"{NOTEBOOK}.ipynb")
    write(root / "source" / path, json.dumps(source()))
    ours = str(ROOT / "nbgrader_config.py")
    write(root / "nbgrader_config.py", OUR_CONFIG.format(ours=ours, root=str(root)))
    release(root)
    for student, document in documents.items():
        write(root / "submitted" / student / path, json.dumps(document))
    return root


def graded_class(root: Path, zygote: Zygote) -> list[GradedNotebook]:
    """Graded as by ``grade --gpus --workers 1``."""

    def here(material: Material) -> LocalExecutor:
        return LocalExecutor(TaskGrader(material, lambda: zygote))

    events = grade_class(root, ASSIGNMENT, Selection(gpus=True), here)
    return [event.graded for event in events if event.graded]


def points(root: Path) -> float:
    """What the notebook gives at most."""
    cells = json.loads((root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").read_text())["cells"]
    return float(sum(cell["metadata"].get("nbgrader", {}).get("points", 0) for cell in cells))
