"""The benchmarks' own arithmetic, and that they can be started; they are run at night."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import each_notebook, overhead
from benchmarks.class_scale.__main__ import parse
from benchmarks.class_scale.figures import (
    HEAVY,
    LIGHT,
    NBGRADER,
    Goal,
    Measured,
    Stages,
    Took,
    goals,
    limit,
    ours,
    profile,
    speed,
)
from benchmarks.class_scale.submissions import make_class, right_class
from benchmarks.measure import ROOT, Figures, markdown, watched
from benchmarks.overhead import Cost, Seconds
from tests.made_up_class import made_up_class

SCALE = (ROOT / "docs" / "scale.md").read_text("utf-8")


def a_night() -> Measured:
    """Round numbers: kNN computes for 2 s; nbgrader adds 1 s to whatever it runs."""
    measured = Measured({HEAVY: 40, LIGHT: 1000})
    measured.took |= {
        (HEAVY, limit(1)): Took.evenly(40, 80.0, 80.0),
        (HEAVY, ours(1)): Took(40, 84.0, 88.0, 2.05),
        (HEAVY, limit(2)): Took.evenly(40, 40.0, 80.0),
        (HEAVY, ours(2)): Took(40, 50.0, 90.0, 1.1),
        (HEAVY, NBGRADER): Took.evenly(8, 26.0, 27.0, start=2.0),
        (LIGHT, limit(2)): Took.evenly(100, 2.0, 4.0),
        (LIGHT, ours(2)): Took(1000, 110.0, 220.0, 0.107),
        (LIGHT, NBGRADER): Took.evenly(20, 22.0, 22.0, start=2.0),
    }
    measured.stages |= {
        (HEAVY, limit(2)): Stages(1.9, 0.1),
        (HEAVY, ours(2)): Stages(1.95, 0.15, 0.1, first_kernel=2.4, first_verdict=4.6, tail=0.5),
    }
    measured.mixed |= {
        limit(2): Took.evenly(20, 30.0, 60.0),
        ours(2): Took(20, 60.0, 70.0, 2.0),
    }
    return measured


def row(table: Figures, begin: str) -> list[str]:
    [found] = [list(cells) for cells in table.rows if cells[0].startswith(begin)]
    return found


def test_a_class_is_computed_from_fewer_submissions_and_says_so() -> None:
    # 2 s until it begins, 3 s each; and the number of processors is CPU over wall.
    assert row(speed(a_night()), NBGRADER)[1:5] == ["8", "≈ 122.0", "3.050", "1.04"]
    assert row(speed(a_night()), ours(2))[1:5] == ["40", "50.0", "1.250", "1.80"]


def test_slowest_first() -> None:
    names = [cells[0] for cells in speed(a_night()).rows]
    assert names == [NBGRADER, ours(1), limit(1), ours(2), limit(2)]


def test_the_limit_stands_beside_every_goal() -> None:
    table = goals(a_night())
    assert row(table, f"kNN, 40: {ours(2)}, over {NBGRADER}") == [
        "kNN, 40: ours, 2 workers, over stock nbgrader", "≥ 2.75", "3.05", "2.44", "not met",
    ]  # fmt: skip
    assert row(table, f"light, 1000: {ours(2)}, over")[1:] == ["≥ 8.00", "50.10", "9.11", "met"]
    assert row(table, f"kNN, 40: {ours(1)}, of the limit")[1:] == ["≥ 0.95", "1.00", "0.95", "met"]
    assert row(table, f"kNN, 40: {ours(2)}, of the limit")[1:4] == ["≥ 0.90", "1.00", "0.80"]
    assert row(table, "kNN, 20 of whom some hang")[3] == "0.50"
    assert row(table, "kNN, 40: 2 workers over 1")[1:] == ["≥ 1.80", "2.00", "1.68", "not met"]
    assert row(table, f"light, 1000: {ours(2)}, seconds each")[1:] == [
        "≤ 0.100", "0.020", "0.110", "not met",
    ]  # fmt: skip
    assert row(table, f"kNN: {ours(2)}, seconds until the first kernel")[1:] == [
        "≤ 2.5", "", "2.4", "met",
    ]  # fmt: skip
    assert row(table, f"kNN: {ours(2)}, seconds until the first verdict")[2:4] == ["2.0", "4.6"]


def test_a_goal_beyond_the_limit_is_no_promise() -> None:
    assert Goal("over nbgrader", 2.4, 2.9, 8.0).verdict() == "out of reach: the limit forbids it"
    assert Goal("seconds each", 0.2, 0.15, 0.1, least=False).verdict().startswith("out of reach")


def test_sixteen_workers_have_a_line_only_where_they_ran() -> None:
    measured = a_night()
    assert "16" not in markdown(goals(measured))
    measured.took[HEAVY, ours(16)] = Took(160, 30.0, 400.0, 0.15)
    measured.took[HEAVY, limit(16)] = Took.evenly(160, 24.0, 360.0)
    # One worker would need 84 + 120 * 2.05 = 330 s, the limit 320 s.
    found = row(goals(measured), "kNN, 160: 16 workers over 1")
    assert found[1:] == ["≥ 13.00", "13.33", "11.00", "not met"]


def test_markdown_is_a_table() -> None:
    table = Figures("not printed", ("", "s"), [["ours", "1.0"], ["theirs", ""]])
    assert markdown(table) == "| | s |\n| --- | ---: |\n| ours | 1.0 |\n| theirs | |"


def test_where_the_seconds_are() -> None:
    table = profile(a_night())
    assert list(table.heads) == ["", f"kNN: {limit(2)}", f"kNN: {ours(2)}"]
    assert row(table, "one submission more") == ["one submission more", "1.000", "1.100"]
    assert row(table, "from the last verdict") == ["from the last verdict to the end", "", "0.500"]


def test_overhead_is_over_the_limit_in_wall_and_in_cpu() -> None:
    stock = Cost("stock", 10, Seconds(50, 40), Seconds(4, 3), 200)
    mine = Cost("ours", 10, Seconds(30, 29), Seconds(2.6, 2.55), 300)
    least = Cost("limit", 10, Seconds(25, 25), None, 100)
    table = overhead.costs(stock, mine, least)
    assert row(table, "ours")[1:] == [
        "30.0", "29.0", "1.20", "1.16", "500", "400", "100", "50", "300",
    ]  # fmt: skip
    assert row(table, "limit")[3:] == ["1.00", "1.00", "", "", "", "", "100"]


def test_what_the_overhead_starts_has_one_processor(tmp_path: Path) -> None:
    """It once let ours have two, and called that one worker."""
    program = (
        "from benchmarks import measure, overhead\n"
        "chosen = overhead.use_one_processor()\n"
        "asked = 'import os, subprocess as s, sys; s.run([sys.executable, *sys.argv[1:]])'\n"
        "tell = 'import os; print(*os.sched_getaffinity(0))'\n"
        "import pathlib, sys\n"
        "ran = measure.watched([sys.executable, '-c', asked, '-c', tell], pathlib.Path('.'))\n"
        "assert [line.text for line in ran.said] == [str(chosen)], ran\n"
        "assert ran.cpu <= ran.wall + 0.1, ran\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_what_a_program_says_is_written_down_with_the_seconds(tmp_path: Path) -> None:
    ran = watched([sys.executable, "-c", "print('one'); print('two'); raise SystemExit(3)"], ROOT)
    assert (ran.status, ran.end()) == (3, "one\ntwo")
    assert 0 <= ran.said[0].at <= ran.said[1].at <= ran.wall


def test_a_line_for_each_notebook_and_their_sum() -> None:
    graded = list(made_up_class(1, notebooks=3))
    graded = [replace(one, timings={"cells": 2.0, "checks": 0.5, "total": 3}) for one in graded]
    *each, last = each_notebook.rows(graded, "assignment1", 11.25)
    assert [line[0] for line in each] == [f"`{one.notebook}`" for one in graded]
    assert each[0][1:] == ("2.0", "0.5", "3.0", "")
    assert last == ("**assignment1**", "6.0", "1.5", "9.0", "11.2")


def test_everybody_has_a_place_in_the_class() -> None:
    who = make_class(20)
    assert len(set(who.all)) == 20
    assert min(map(len, (who.right, who.wrong, who.hang, who.crash))) > 0
    halves = [name[0] for name in right_class(8).all]
    assert halves.count("a") == halves.count("b") == 4


def test_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert parse(["--markdown"]).submissions == 16
    with pytest.raises(SystemExit):
        parse(["--submissions", "1"])
    assert "at least 4" in capsys.readouterr().err


def test_figures_of_the_document_have_their_places() -> None:
    for command in ("class_scale", "overhead", "each_notebook"):
        begin = f"<!-- figures: python -m benchmarks.{command} --markdown -->"
        assert SCALE.count(begin) == 1
        assert "<!-- end of figures -->" in SCALE.partition(begin)[2]
