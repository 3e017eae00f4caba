"""The benchmark for GPU machines, where there is none: it says so, and its parts do work."""

from __future__ import annotations

import subprocess
import sys

import pynvml
import pytest

from benchmarks.gpu import classes, kernels, places, verdicts
from benchmarks.gpu.__main__ import main
from benchmarks.gpu.machine import STAND_IN, Machine
from benchmarks.gpu.table import Row, table
from benchmarks.measure import ONE_THREAD
from tests.little import ROOT

pytestmark = pytest.mark.sandbox

DRY = Machine(STAND_IN, "cpu")


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    called = [sys.executable, "-m", "benchmarks.gpu", *arguments]
    return subprocess.run(called, cwd=ROOT, capture_output=True, text=True, check=False)


def found(rows) -> dict[str, str]:
    return {row.what: row.found for row in rows}


@pytest.fixture
def without_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_driver() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", no_driver)
    for name in ONE_THREAD:  # which the benchmark sets for itself and its workers
        monkeypatch.setenv(name, "1")


@pytest.mark.usefixtures("without_a_gpu")
def test_without_a_gpu_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Nothing was measured: no GPU here (NVML: ")
    assert said.err.count("\n") == 1


def test_the_table_names_what_is_not_as_wanted() -> None:
    rows = [Row("a|b", "2\n3", "3", False), Row("c", "1", "1", True), Row("d", "5")]
    lines = table([("part", rows)], judged=True).splitlines()
    assert lines[2:] == [
        "| part | a/b | 2 3 | 3 | **NOT SO** |",
        "| part | c | 1 | 1 | ok |",
        "| part | d | 5 |  |  |",
    ]
    assert "NOT SO" not in table([("part", rows)], judged=False)


@pytest.mark.nightly
def test_one_kernel_does_what_its_line_says() -> None:
    """On the CPU nothing refuses memory of a GPU, so this only shows that the cells run."""
    (row,) = kernels.starts(DRY, ("none",))
    assert row.right, row
    said = found(kernels.caps(DRY))
    assert said["of its share PyTorch gives out"] == "no end"
    assert "libcuda" in said["the driver is asked for twice the share"]
    said = found(kernels.around(DRY))
    assert said["a notebook that gets no GPU: warnings, CUDA"] == "[] False"
    assert said["CUDA in a child process"] == "CUDA starts"


@pytest.mark.nightly
def test_memory_files_are_counted() -> None:
    rows = list(kernels.host_memory(DRY))
    assert rows[0].right, rows[0]
    assert rows[1].found == "CUDA starts"  # what stands for it needs no memory file


@pytest.mark.nightly
def test_places_are_counted() -> None:
    row, _ = places.places(DRY, (1, 3))
    assert row.right, row


@pytest.mark.nightly
def test_a_class_is_graded() -> None:
    (row,) = classes.asserts(DRY)
    assert row.found.startswith("16 of 16 on cpu"), row
    honest, _ = classes.hogs(DRY)
    assert honest.right, honest


@pytest.mark.nightly
def test_verdicts_are_held_against_each_other() -> None:
    """Where both are of the CPU they have to be the same."""
    said = found(verdicts.verdicts(DRY, ("Style_Transfer",)))
    assert said["identical verdicts of 6 right solutions"] == "6"
    assert said["without full marks"] == "none"


@pytest.mark.nightly
def test_the_command_prints_one_table() -> None:
    done = command("--dry-run", "--only", "places")
    assert done.returncode == 0, done.stderr
    assert "DRY RUN" in done.stdout
    assert "no GPU, a dry run" in done.stdout
    assert done.stdout.count("| part | what | found | wanted |") == 1
