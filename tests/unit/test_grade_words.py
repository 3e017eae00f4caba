"""What a TA reads in a terminal while grading and after it, with 80 columns."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from autograder.authoring.regression import Cell, NotebookRun
from autograder.batch.engine import HELD_UP, Event
from autograder.cli.grade_display import Display
from autograder.cli.grade_table import show_table
from autograder.cli.grading_start import GradingOptions, Start
from autograder.cli.mutate import print_measured
from autograder.cli.notebooks import print_summary
from autograder.judge.results import CellVerdict, GradedNotebook
from autograder.mutate.mutants import Mutant
from autograder.mutate.run import Measured, Outcome
from autograder.sandbox.policy import OWN_LIBRARY

ROOT = Path(__file__).resolve().parents[2]
LONGEST = "Generative_Adversarial_Networks"
STUDENT = "wilhelmina.van-der-heide-okafor"
WHY = "the cell 'train' did not stop within 60 s; [red]look[/red] at its loop"


def graded(**more: str) -> GradedNotebook:
    cells = (CellVerdict("q", 27.0, 10.25, ()),)
    times = {"total": 128.4}
    return GradedNotebook(
        STUDENT, "assignment3", LONGEST, cells, ("w1", "w2"), timings=times, **more
    )


def terminal(width: int = 80, *, real: bool = True) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=real, color_system=None)


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_no_name_is_cut_in_the_table_of_80_columns() -> None:
    console = terminal()
    show_table(console, "assignment3", [graded(needs_human=WHY)])
    lines = said(console).splitlines()
    assert max(map(len, lines)) <= 80
    [row] = [line for line in lines if line.startswith(f"{STUDENT} ")]
    assert row.split() == [STUDENT, LONGEST, "10.25", "/", "27"], "the least of the numbers"
    below = " ".join(said(console).split())
    assert f"{STUDENT}/{LONGEST} needs a human: {WHY}" in below
    wide = terminal(100)
    show_table(wide, "assignment3", [graded()])
    assert "10.25 / 27 2 128.4" in " ".join(said(wide).split())


def test_a_large_class_of_which_nothing_needs_a_human_is_a_line() -> None:
    console = terminal()
    show_table(console, "assignment3", [graded()] * 41)
    assert "and 41 more: see the report" in said(console)


FUNCTION = "CaptioningTransformerDecoderLayer.forward_with_cached_keys_and_values"
QUESTION, CHECK = (
    "transformer-decoder-layer-with-cached-keys",
    "two_heads_see_only_what_came_before_them",
)


def test_the_tables_of_mutate_and_notebooks_cut_no_name() -> None:
    key = (QUESTION, CHECK)
    mutant = Mutant("cell", FUNCTION, "swapped", by_hand=False, source="", before="a", after="b")
    outcome = Outcome(mutant, (key,), questions=frozenset([QUESTION]))
    console = terminal()
    print_measured(console, Measured("assignment3", LONGEST, (outcome,), (key,)))
    lines = said(console).splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in said(console)
    for heading in ("automatic", "equivalent", "by hand", "noticed", "alone"):
        assert heading in said(console)
    functions, _, checks = said(console).partition("mutants noticed")
    assert lines_of(functions, 0) == FUNCTION + "inall"
    assert (lines_of(checks, 0), lines_of(checks, 1)) == (QUESTION, CHECK)
    console = terminal(60)
    run = NotebookRun(Path("source/assignment3", f"{LONGEST}_{LONGEST}.ipynb"), (Cell("a", 61.0),))
    print_summary(console, [run], {run.name: 1})
    assert "…" not in said(console)
    assert lines_of(said(console).partition("61.0 s; slowest")[0], 0).startswith(run.name)


def lines_of(text: str, column: int) -> str:
    """What stands in a column of a table's body, its lines put together."""
    rows = [line.split("│")[1:-1] for line in text.splitlines() if line.startswith("│")]
    return "".join(row[column].strip().replace(" ", "") for row in rows)


def test_what_is_waited_for_and_what_is_tried_again_is_said_with_whole_names() -> None:
    console = terminal()
    with Display(console) as display:
        display.show(Event(STUDENT, LONGEST, 0, 2, 2))
        display.show(Event("bo", LONGEST, 0, 2, 2))
        assert display.waiting() == f"waiting for {STUDENT}/{LONGEST} 0 s, bo/{LONGEST} 0 s"
        display.show(Event("bo", LONGEST, 0, 2, 2, later=HELD_UP))
        display.show(Event(STUDENT, LONGEST, 1, 2, 2, graded(outcome="timed out")))
        assert display.waiting() == "waiting for the gradebook"
    assert display.waiting() == ""
    text = said(console)
    assert f"bo/{LONGEST} {HELD_UP}" in " ".join(text.split())
    bar = [line for line in text.splitlines() if "1/2" in line][-1]
    assert LONGEST in bar
    assert "1 unfinished" in bar
    assert "…" not in text


@pytest.mark.parametrize(
    ("start", "options", "words"),
    [
        (
            Start("all", 2, OWN_LIBRARY, judges=[None, None], submitted=9, new=9),
            {},
            "starting 2 workers for 9 ",
        ),
        (
            Start("all", 1, OWN_LIBRARY, judges=[None], submitted=1, new=1),
            {},
            "starting 1 worker for 1 notebook ",
        ),
        (Start("all", 2, OWN_LIBRARY, submitted=9), {}, "nothing new at first sight"),
        (
            Start("all", 2, OWN_LIBRARY, submitted=9, new=9),
            {"scheduler": "tcp://h:1"},
            "scheduler at tcp://h:1 ",
        ),
        (Start("all", 2, OWN_LIBRARY), {}, ""),
    ],
)
def test_the_first_line_says_what_is_begun(start: Start, options: dict, words: str) -> None:
    told = start.told(GradingOptions(**options))
    assert words in told
    assert bool(words) == bool(told)


@pytest.mark.parametrize(
    "command",
    [
        ["-m", "autograder", "grade", "assignment1"],
        ["-c", "import sys; sys.argv = ['/usr/bin/nbgrader']; __file__ = 'nbgrader_config.py'\n"
               "exec(compile(open(__file__).read(), __file__, 'exec'))"],
    ],
    ids=["autograder", "nbgrader"],
)  # fmt: skip
def test_a_forgotten_environment_is_one_line(command: list[str]) -> None:
    """With -S this Python has no packages, as the system's has none."""
    done = subprocess.run(
        [sys.executable, "-S", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 2)
    [line] = (done.stdout + done.stderr).splitlines()
    assert line.startswith(("python -m autograder: ", "nbgrader: "))
    assert sys.executable in line
    assert "lacks click, nbgrader, nbconvert and 5 more packages; " in line
    assert "activate" in line
