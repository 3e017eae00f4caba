"""What notebooks save by what is loaded once: processor seconds of their kernels, with and without.

    python -m benchmarks.prepared [NOTEBOOK ...] [--rounds 1]

Our solutions of all notebooks (or of those named) are graded as submissions, with hidden checks.
The two sides take turns, each with a warm process of its own. A kernel's processor time hardly
depends on what else the machine does. The verdicts must be the same, check by check. Two more lines
say what a fork takes, and how large the warm process is.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from unittest.mock import patch

from autograder.grading.grade import grade_document
from autograder.grading.job import Job
from autograder.judge.kernel import Kernel
from autograder.judge.results import GradedNotebook
from autograder.judge.warm import start_zygote
from autograder.judge.zygote import Zygote
from autograder.mutate.trial import SECRET, Subject, load_subject
from autograder.notebook.template import Template

ROOT = Path(__file__).resolve().parents[1]
FORKS = 20


def subjects(wanted: list[str]) -> Iterator[Subject]:
    for path in sorted((ROOT / "source").glob("*/*.ipynb")):
        if not wanted or path.stem in wanted:
            yield load_subject(ROOT, path.parent.name, path.stem)


@contextlib.contextmanager
def nothing_prepared() -> Iterator[None]:
    nothing: Callable[[Template], tuple[str, ...]] = lambda template: ()  # noqa: E731
    with patch.object(Template, "prepared", nothing):
        yield


def graded(subject: Subject, zygote: Zygote) -> tuple[float, GradedNotebook]:
    """Processor seconds of the kernel, and the verdict."""
    seconds = []
    close = Kernel.close

    def noted(kernel: Kernel) -> None:
        with contextlib.suppress(Exception):
            seconds.append(kernel.cpu_seconds())
        close(kernel)

    job = Job("someone", subject.template, b"", subject.checks, SECRET, subject.files)
    with patch.object(Kernel, "close", noted):
        verdict = grade_document(job, json.loads(json.dumps(subject.document)), zygote)
    return max(seconds), verdict


def fork_seconds(zygote: Zygote, prepared: tuple[str, ...]) -> float:
    taken = []
    for _ in range(FORKS):
        began = time.monotonic()
        with zygote.fork(prepared=prepared):
            taken.append(time.monotonic() - began)
    return median(taken)


def resident(zygote: Zygote) -> str:
    lines = Path(f"/proc/{zygote.pid}/status").read_text().splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) >> 10 for line in lines if "Rss" in line}
    return f"{sizes['RssAnon']} MB of its own, {sizes['RssFile']} MB of files"


def checks(verdict: GradedNotebook) -> list[object]:
    return [
        [cell.grade_id, cell.score, cell.note, [replace(check, seconds=0) for check in cell.checks]]
        for cell in verdict.cells
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    total = [0.0, 0.0]
    print(f"{'processor seconds of the kernel':34} {'without':>8} {'with':>8} {'saved':>8}")
    with start_zygote() as plain, start_zygote() as filled:
        names: dict[str, None] = {}
        for subject in subjects(options.notebooks):
            names |= dict.fromkeys(subject.template.prepared())
            sides: tuple[list[float], list[float]] = ([], [])
            for _ in range(options.rounds):
                with nothing_prepared():
                    seconds, before = graded(subject, plain)
                sides[0].append(seconds)
                seconds, after = graded(subject, filled)
                sides[1].append(seconds)
                if checks(before) != checks(after):
                    sys.exit(f"{subject.notebook}: the verdicts differ")
            without, having = (median(side) for side in sides)
            total = [total[0] + without, total[1] + having]
            line = f"{without:8.2f} {having:8.2f} {without - having:8.2f}"
            print(f"{subject.notebook:34} {line}", flush=True)
        print(f"{'all':34} {total[0]:8.2f} {total[1]:8.2f} {total[0] - total[1]:8.2f}")
        for label, zygote, prepared in (("without", plain, ()), ("with", filled, tuple(names))):
            zygote.fork(prepared=prepared).close()
            took = 1000 * fork_seconds(zygote, prepared)
            print(f"{label:8} a fork takes {took:.1f} ms (wall); the process: {resident(zygote)}")


if __name__ == "__main__":
    main()
