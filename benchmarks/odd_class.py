"""A class with every odd and hostile submission in it: does anybody else notice?

    python -m benchmarks.odd_class [--students 40] [--folder DIR]

One table. The same ordinary students (right in two styles, and wrong) are graded alone, and in a
class with all cases of ``odd_cases.py`` mixed in, once with one worker and once with two. Ordinary
students must get the same grades each time. Honest odd ones earn full points, or a person is asked.
What the odd ones cost is the difference of the wall times; what they cost *others* is how the
seconds of the ordinary students' own notebooks change.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograder.authoring.release import make_release
from autograder.notebook.template import load_template
from benchmarks.class_scale.submissions import Class, full_points, handed_in
from benchmarks.measure import (
    ASSIGNMENT,
    NOTEBOOK,
    ONE_THREAD,
    OUR_CONFIG,
    ROOT,
    cpu_used,
    lines,
    write,
)
from benchmarks.odd_cases import Case, cases

PATIENCE = 3600  # seconds for a run, which would otherwise hang for ever
LIMITS = {"cell_seconds": 10, "call_seconds": 5}
LITTLE = {
    "title", "setup", "k-nearest-neighbor", "knn-two-loops", "knn-one-loop", "knn-no-loops",
    "knn-predict-labels", "question-bright-rows-text", "knn-question-bright-rows",
}  # fmt: skip
SHOWN = 60  # characters of what is said for a person


@dataclass(frozen=True)
class Run:
    """One grading of the whole class."""

    workers: int
    wall: float
    cpu: float
    graded: dict[str, dict]
    trouble: str = ""

    def seconds(self, students: list[str]) -> float:
        return sum(self.graded.get(student, {}).get("seconds", 0.0) for student in students)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--only", default="*", metavar="GLOB", help="Only cases like this.")
    parser.add_argument(
        "--whole", action="store_true", help="The whole notebook, not its first question."
    )
    parser.add_argument("--folder", type=Path, help="Where to build the courses, and leave them.")
    options = parser.parse_args()
    os.environ.update(ONE_THREAD)
    odd = [case for case in cases() if fnmatch(case.name, options.only)]
    with tempfile.TemporaryDirectory() as scratch:
        problems = examine(
            options.folder or Path(scratch), options.students, odd, whole=options.whole
        )
    for problem in problems:
        print(f"PROBLEM: {problem}")
    sys.exit(1 if problems else 0)


def examine(folder: Path, students: int, odd: list[Case], *, whole: bool) -> list[str]:
    """Grade a class of so many three times, print the table; return what is not as it must be."""
    ordinary = ordinary_class(max(2, students - len(odd)))
    alone = grade(course(folder / "alone", ordinary, [], whole=whole), 1)
    one = grade(course(folder / "one", ordinary, odd, whole=whole), 1)
    two = grade(course(folder / "two", ordinary, odd, whole=whole), 2)
    pages = feedback(folder / "one")
    full = full_points(folder / "one")
    show(odd, list(ordinary.all), full, (alone, one, two), pages)
    problems = [run.trouble for run in (alone, one, two) if run.trouble]
    mixed = tuple(run for run in (one, two) if not run.trouble)
    problems += disagreements(list(ordinary.all), alone, mixed)
    problems += unfair(odd, full, mixed)
    if without := sorted({*(case.name for case in odd), *ordinary.all} - set(pages)):
        problems.append(f"no feedback page: {', '.join(without)}")
    return problems


def ordinary_class(count: int) -> Class:
    """Two thirds right in two styles, one third wrong."""
    right = [f"right {number:02}" for number in range(count - count // 3)]
    wrong = [f"wrong {number:02}" for number in range(count // 3)]
    return Class(right=tuple(right), wrong=tuple(wrong), hang=(), crash=())


def course(root: Path, ordinary: Class, odd: list[Case], *, whole: bool) -> Path:
    """A course folder with its class: of the notebook, what the cases need, or the whole of it."""
    source = json.loads((ROOT / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").read_text("utf-8"))
    source["metadata"]["cs231n"] = LIMITS
    source["cells"] = [cell for cell in source["cells"] if whole or cell["id"] in LITTLE]
    for cell in source["cells"]:
        _, mark, hook = "".join(lines(cell)).partition("### BEGIN HIDDEN TESTS")
        if mark and not whole:  # the visible tests need data
            cell["source"] = f"print('visible tests')\n\n{mark}{hook}"
    write(root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb", json.dumps(source))
    make_release(root, ASSIGNMENT)
    release = load_template(root, ASSIGNMENT, NOTEBOOK).document
    for student, document in handed_in(ordinary, release, source).items():
        write(root / "submitted" / student / ASSIGNMENT / f"{NOTEBOOK}.ipynb", json.dumps(document))
    config = OUR_CONFIG.format(root=str(root), ours=str(ROOT / "nbgrader_config.py"))
    write(root / "nbgrader_config.py", config)
    text = (root / "submitted" / ordinary.right[0] / ASSIGNMENT / f"{NOTEBOOK}.ipynb").read_text()
    for case in odd:
        right = json.loads(text)
        for cell in right["cells"]:
            cell["source"] = "".join(cell["source"])
        for name, content in case.files(right).items():
            path = root / "submitted" / case.name / ASSIGNMENT / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return root


def grade(root: Path, workers: int) -> Run:
    command = [sys.executable, "-m", "autograder", "grade", ASSIGNMENT, "--root", str(root)]
    command += ["--json", "--workers", str(workers)]
    began, before = time.monotonic(), cpu_used()
    trouble, said = "", ""
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
        said = done.stdout
        if done.returncode not in (0, 1) or not said.startswith("{"):
            trouble = f"status {done.returncode}: {done.stderr[-1500:]}"
    except subprocess.TimeoutExpired:
        trouble = f"not at its end after {PATIENCE} s"
    wall, cpu = time.monotonic() - began, cpu_used() - before
    graded = {} if trouble else {one["student"]: one for one in json.loads(said)["graded"]}
    return Run(workers, wall, cpu, graded, trouble and f"{root.name}, {workers} workers: {trouble}")


def feedback(root: Path) -> list[str]:
    """Whose page was written."""
    command = [sys.executable, "-m", "autograder", "feedback", ASSIGNMENT, "--root", str(root)]
    subprocess.run(command, cwd=ROOT, capture_output=True, timeout=PATIENCE)
    return sorted({path.parts[-3] for path in (root / "feedback").glob("*/*/*.html")})


def disagreements(students: list[str], alone: Run, mixed: tuple[Run, ...]) -> list[str]:
    """Ordinary students whose grade is another one among odd ones."""
    found = []
    for student in students:
        expected = _verdict(alone, student)
        for run in mixed:
            if _verdict(run, student) != expected:
                found.append(
                    f"{student}, {run.workers} workers: {_verdict(run, student)}, not {expected}"
                )
    return found


def unfair(odd: list[Case], full: float, mixed: tuple[Run, ...]) -> list[str]:
    """Odd ones that are not on record; right ones that lost points, and nobody is asked."""
    found = []
    for run, case in ((run, case) for run in mixed for case in odd):
        one = run.graded.get(case.name)
        where = f"{case.name}, {run.workers} workers"
        if one is None:
            found.append(f"{where}: not graded at all")
        elif case.honest and one["score"] < full and not one["needs_human"]:
            found.append(f"{where}: {one['score']:g} of {full:g}, and nobody is asked")
    return found


def _verdict(run: Run, student: str) -> tuple[object, ...]:
    one = run.graded.get(student)
    return ("not graded",) if one is None else (one["score"], one["outcome"], one["needs_human"])


def show(
    odd: list[Case], ordinary: list[str], full: float, runs: tuple[Run, ...], pages: list[str]
) -> None:
    kinds = {case.name: "honest" if case.honest else "hostile" for case in odd}
    kinds |= dict.fromkeys(ordinary, "ordinary")
    alone, one, two = runs
    table = Table(title=f"{len(kinds)} students; full points: {full:g}")
    for heading in ("student", "kind", "alone", "1 worker", "2 workers", "seconds", "outcome"):
        table.add_column(heading, overflow="fold")
    for student, kind in sorted(kinds.items(), key=lambda item: (item[1], item[0])):
        scores = [f"{run.graded[student]['score']:g}" if student in run.graded else "-"
                  for run in runs]  # fmt: skip
        found = one.graded.get(student, {})
        said = f"{found.get('outcome', 'not graded')}. {found.get('needs_human', '')}"
        page = "" if student in pages else " NO PAGE"
        seconds = f"{found.get('seconds', 0):.1f}"
        table.add_row(escape(student), kind, *scores, seconds, escape(said[:SHOWN]) + page)
    console = Console(width=130)
    console.print(table)
    for name, run in (("alone", alone), ("mixed", one), ("mixed", two)):
        print(
            f"{name}, {run.workers} worker(s): wall {run.wall:.0f} s, processor "
            f"{run.cpu:.0f} s, ratio {run.cpu / run.wall:.2f}; ordinary students' notebooks: "
            f"{run.seconds(ordinary):.1f} s"
        )
    if alone.seconds(ordinary):
        change = one.seconds(ordinary) / alone.seconds(ordinary) - 1
        print(f"among odd ones an ordinary notebook takes {change:+.1%} (1 worker)")


if __name__ == "__main__":
    main()
