"""Right solutions on the CPU and on the GPU: the same verdicts? How many seconds each?

All gradings on the CPU run side by side, one on each core. On the GPU our own solutions are graded
one at a time, with the device to themselves, for their seconds; then the others, as many at once as
``TOGETHER`` says.
"""

from __future__ import annotations

import json
import multiprocessing
import time
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from autograder.grading.grade import grade_document
from autograder.grading.job import Job
from autograder.host import memory
from autograder.judge.zygote import Zygote
from autograder.mutate import fairness
from autograder.mutate.trial import Subject, load_subject
from autograder.sandbox.policy import Gpu
from benchmarks.gpu.kernels import zygote_with
from benchmarks.gpu.machine import GIB, Machine
from benchmarks.gpu.table import Row
from benchmarks.measure import ROOT

NOTEBOOKS = {
    "PyTorch": "assignment2",
    "Network_Visualization": "assignment2",
    "Style_Transfer": "assignment2",
    "Transformer_Captioning": "assignment3",
    "Generative_Adversarial_Networks": "assignment3",
    "Self_Supervised_Learning": "assignment3",
}
ANSWERS = Path(__file__).parent / "answers"
TOGETHER = 6
WORTH = 0.7  # of the seconds on the CPU: a notebook that takes less on a GPU gains by it


@dataclass(frozen=True)
class Solution:
    """A right solution of a notebook: a file of edits, or ours (None)."""

    notebook: str
    path: Path | None = None

    @property
    def name(self) -> str:
        return f"{self.notebook}, {self.path.stem if self.path else 'ours'}"


@dataclass(frozen=True)
class Graded:
    """``verdict``: for each question its points and the checks that failed."""

    verdict: tuple[tuple[str, float, tuple[str, ...]], ...]
    full: bool
    outcome: str
    seconds: float


def solutions(names: Collection[str] = tuple(NOTEBOOKS)) -> list[Solution]:
    """Ours, those in other styles, and those that compute on the notebook's device."""
    found = []
    for name in names:
        others = fairness.alternatives(NOTEBOOKS[name], name)
        on_device = sorted((ANSWERS / NOTEBOOKS[name]).glob(f"{name}_*.py"))
        found += [Solution(name, path) for path in (None, *others, *on_device)]
    return found


def verdicts(machine: Machine, names: Collection[str] = tuple(NOTEBOOKS)) -> Iterator[Row]:
    """CPU against GPU for all right solutions of these notebooks."""
    chosen = solutions(names)
    ours = [one for one in chosen if one.path is None]
    others = [one for one in chosen if one.path is not None]
    alone, share = machine.share(8 * GIB), machine.share(2 * GIB)
    began = time.monotonic()
    spare = max(1, memory.cores() - TOGETHER - 1)
    with _workers(machine, spare) as cpu, _workers(machine, 1) as one_gpu:
        on_cpu = {one: cpu.submit(graded, one, None) for one in (*ours, *others)}
        on_gpu = {one: one_gpu.submit(graded, one, alone) for one in ours}
        first = {one: future.result() for one, future in on_gpu.items()}
        with _workers(machine, min(TOGETHER, memory.cores())) as gpu:
            second: dict[Solution, Future[Graded]] = {
                one: gpu.submit(graded, one, share) for one in others
            }
            found = first | {one: future.result() for one, future in second.items()}
        wanted = {one: future.result() for one, future in on_cpu.items()}
    differing = [one for one in chosen if found[one].verdict != wanted[one].verdict]
    for one in ours:
        before, after = wanted[one].seconds, found[one].seconds
        gains = "gains" if after < WORTH * before else "does not gain"
        text = f"CPU {before:.1f}, GPU {after:.1f} ({gains})"
        yield Row(f"{one.notebook}, seconds when graded alone on the device", text)
    same = len(chosen) - len(differing)
    yield Row(
        f"identical verdicts of {len(chosen)} right solutions", f"{same}", f"{len(chosen)}",
        not differing,
    )  # fmt: skip
    poor = [one.name for one in chosen if not (found[one].full and wanted[one].full)]
    yield Row("without full marks", "; ".join(poor) or "none", "none", not poor)
    for one in differing:
        text = _difference(wanted[one], found[one])
        yield Row(f"differs: {one.name}", text, "no difference", False)
    yield Row("seconds of this part", f"{time.monotonic() - began:.0f}")


def _difference(cpu: Graded, gpu: Graded) -> str:
    pairs = zip(cpu.verdict, gpu.verdict, strict=False)
    parts = [f"{was} on the CPU, {now} on the GPU" for was, now in pairs if was != now]
    return "; ".join(parts)[:400] or f"{cpu.outcome} and {gpu.outcome}"


# -- in a worker ----------------------------------------------------------------------------------

_OPEN = ExitStack()
_ZYGOTE: list[Zygote] = []


def _workers(machine: Machine, count: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, context, initializer=_start, initargs=(machine,))


def _start(machine: Machine) -> None:
    """A zygote for this worker, until this ends."""
    _ZYGOTE.append(_OPEN.enter_context(zygote_with(machine)))


@cache
def _subject(notebook: str) -> Subject:
    return load_subject(ROOT, NOTEBOOKS[notebook], notebook)


def graded(one: Solution, gpu: Gpu | None) -> Graded:
    """The whole notebook, graded like a submission."""
    subject = _subject(one.notebook)
    document = json.loads(json.dumps(fairness.solution(subject, one.path)))
    job = Job("benchmark", subject.template, b"", subject.checks, b"seed", subject.files, gpu=gpu)
    # Limits that stand under "gpu" hold on one; most notebooks have none there.
    job.template.document["metadata"].setdefault("cs231n", {}).setdefault("gpu", {})
    found = grade_document(job, document, _ZYGOTE[0])
    verdict = tuple(
        (cell.grade_id, cell.score, tuple(c.name for c in cell.checks if not c.passed))
        for cell in found.cells
    )
    full = all(cell.score == cell.points for cell in found.cells)
    return Graded(verdict, full, found.outcome, found.timings["total"])
