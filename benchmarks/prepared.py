"""What notebooks save by what is loaded once: processor seconds of their kernels, with and without.

    python -m benchmarks.prepared [NOTEBOOK ...] [--rounds 3] [--whole]

Of all notebooks, or of those named, the cells are run that load something, each notebook in a
fresh kernel. The two sides take turns, each with a warm process of its own; the numbers are
medians. With ``--whole`` our solutions are graded as submissions, with hidden checks, and the
verdicts must be the same, check by check. Two more lines say what a fork takes, and how large the
warm process is.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from unittest.mock import patch

from autograder.grading.grade import grade_document
from autograder.grading.job import Job
from autograder.judge.kernel import Kernel, KernelLimits
from autograder.judge.results import GradedNotebook
from autograder.judge.warm import start_zygote
from autograder.judge.zygote import Zygote
from autograder.mutate.trial import SECRET, Subject, load_subject
from autograder.notebook.template import Template
from cs231n_lib.prepared import NAMED_BY

ROOT = Path(__file__).resolve().parents[1]
FORKS = 40


def subjects(wanted: list[str]) -> Iterator[Subject]:
    for path in sorted((ROOT / "source").glob("*/*.ipynb")):
        if not wanted or path.stem in wanted:
            yield load_subject(ROOT, path.parent.name, path.stem)


@contextlib.contextmanager
def nothing_prepared() -> Iterator[None]:
    nothing: Callable[[Template], tuple[str, ...]] = lambda template: ()  # noqa: E731
    with patch.object(Template, "prepared", nothing):
        yield


def loaded(subject: Subject, zygote: Zygote) -> tuple[float, None]:
    """Processor seconds of a kernel that runs only the cells which load something."""
    names = "|".join(name for kind in NAMED_BY.values() for name in kind)
    kernel = Kernel(subject.fork(zygote), KernelLimits())
    try:
        for cell in subject.document["cells"]:
            if cell["cell_type"] == "code" and re.search(rf"\b({names})\b", cell["source"]):
                kernel.run_cell(cell["source"])  # what it does beside may need the cells left out
        return kernel.cpu_seconds(), None
    finally:
        kernel.close()


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


def fork_seconds(sides: list[tuple[Zygote, tuple[str, ...]]]) -> list[float]:
    """Seconds until a sandbox is there, for each side; they take turns."""
    taken: list[list[float]] = [[] for _ in sides]
    for _ in range(FORKS):
        for seconds, (zygote, prepared) in zip(taken, sides, strict=True):
            began = time.monotonic()
            with zygote.fork(prepared=prepared):
                seconds.append(time.monotonic() - began)
    return [median(seconds) for seconds in taken]


def resident(zygote: Zygote) -> str:
    lines = Path(f"/proc/{zygote.pid}/status").read_text().splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) >> 10 for line in lines if "Rss" in line}
    return f"{sizes['RssAnon']} MB of its own, {sizes['RssFile']} MB of files"


def checks(verdict: GradedNotebook | None) -> list[object]:
    return [
        [cell.grade_id, cell.score, cell.note, [replace(check, seconds=0) for check in cell.checks]]
        for cell in (verdict.cells if verdict else ())
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebooks", nargs="*", metavar="NOTEBOOK")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--whole", action="store_true", help="grade our solutions")
    options = parser.parse_args()
    measure = graded if options.whole else loaded
    total = [0.0, 0.0]
    print(f"{'processor seconds of the kernel':34} {'without':>8} {'with':>8} {'saved':>8}")
    with start_zygote() as plain, start_zygote() as filled:
        names: dict[str, None] = {}
        for subject in subjects(options.notebooks):
            names |= dict.fromkeys(subject.template.prepared())
            sides: tuple[list[float], list[float]] = ([], [])
            for _ in range(options.rounds):
                with nothing_prepared():
                    seconds, before = measure(subject, plain)
                sides[0].append(seconds)
                seconds, after = measure(subject, filled)
                sides[1].append(seconds)
                if checks(before) != checks(after):
                    sys.exit(f"{subject.notebook}: the verdicts differ")
            without, having = (median(side) for side in sides)
            total = [total[0] + without, total[1] + having]
            line = f"{without:8.2f} {having:8.2f} {without - having:8.2f}"
            print(f"{subject.notebook:34} {line}", flush=True)
        print(f"{'all':34} {total[0]:8.2f} {total[1]:8.2f} {total[0] - total[1]:8.2f}")
        both = [(plain, ()), (filled, tuple(names))]
        filled.fork(prepared=tuple(names)).close()
        for label, took, (zygote, _) in zip(
            ("without", "with"), fork_seconds(both), both, strict=True
        ):
            took *= 1000
            print(f"{label:8} a fork takes {took:.1f} ms (wall); the process: {resident(zygote)}")


if __name__ == "__main__":
    main()
