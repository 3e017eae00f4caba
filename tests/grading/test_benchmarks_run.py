"""The benchmarks of grading run, on classes so small that their figures say nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tables(module: str, *options: str) -> list[list[list[str]]]:
    """The rows of each table that a benchmark prints, heads first."""
    command = [sys.executable, "-m", module, "--markdown", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = [block.splitlines() for block in done.stdout.split("\n\n") if block.startswith("|")]
    return [[line.strip("|").split("|") for line in block] for block in found]


def names(table: list[list[str]]) -> list[str]:
    return [cells[0].strip() for cells in table[2:]]


@pytest.mark.nightly
def test_overhead_has_a_row_for_each() -> None:
    costs, stages = tables("benchmarks.overhead", "--submissions", "2")
    assert names(costs) == [
        "stock nbgrader autograde, 2", "ours, one worker, 2", "limit: cells in warm forks, 2",
    ]  # fmt: skip
    for cells in costs[2:]:
        assert all(float(cell) > 0 for cell in cells[1:5])
    assert {"fork (twice)", "lock-down", "cells", "checks"} <= set(names(stages))


@pytest.mark.nightly
def test_class_scale_measures_everybody_on_both_notebooks() -> None:
    speed, goals, profile = tables("benchmarks.class_scale", "--quick", "--no-otter")
    expected = {"stock nbgrader", "ours, 1 worker", "limit, 1 at a time"}
    if len(os.sched_getaffinity(0)) > 1:
        expected |= {"ours, 2 workers", "limit, 2 at a time"}
        expected |= {"stock nbgrader, two processes by hand"}
        assert any(name.startswith("light, 12: ours, 2 workers, over") for name in names(goals))
    assert expected <= set(names(speed))
    for cells in speed[2:]:
        assert "" not in [cell.strip() for cell in cells[1:]] or cells[0].startswith(" ours, 16")
    assert "until the first kernel runs a cell" in names(profile)


@pytest.mark.nightly
def test_each_notebook_has_a_line_with_its_seconds() -> None:
    [table] = tables("benchmarks.each_notebook", "assignment1")
    assert names(table) == [
        "`features`", "`knn`", "`softmax`", "`svm`", "`two_layer_net`", "**assignment1**",
    ]  # fmt: skip
    for cells in table[2:]:
        cells_run, checks, whole = map(float, cells[1:4])
        assert cells_run + checks <= whole + 0.2  # each is rounded
