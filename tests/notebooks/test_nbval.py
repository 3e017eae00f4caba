"""Every source notebook runs, and the outputs it stores are those it gives today."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.authoring import without_hooks

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SOURCES = sorted((ROOT / "source").glob("*/*.ipynb"))
#: The stored outputs belong to the embedded data, not to what this user has at home.
OURS = ("CS231N_DATA", "MPLBACKEND", "PYTEST_ADDOPTS")


def author_copy(source: Path) -> NotebookNode:
    """The notebook as nbval can run and believe it."""
    nb = without_hooks(nbformat.read(source, as_version=4))
    for cell in nb.cells:
        if cell.get("outputs"):
            cell.execution_count = 1  # nbval believes no output of a cell that was never run
    return nb


def nbval(path: Path) -> tuple[list[str], str]:
    """Run the notebook under nbval: (ids of the cells that failed, the report)."""
    (path.parent / "pytest.ini").write_text("[pytest]\n")  # keep our own pytest settings out
    options = ["--nbval-lax", "--nbval-current-env", "--nbval-sanitize-with", HERE / "sanitize.cfg"]
    quiet = ["-q", "-rf", "--color=no", "-p", "no:cacheprovider", "-p", "no:xdist"]
    environment = {k: v for k, v in os.environ.items() if k not in OURS}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *quiet, path.name],
        cwd=path.parent,
        env=environment | {"CS231N_CACHE": str(path.parent / "cache")},
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr  # 1: some cell failed
    code = [c.id for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    failed = re.findall(r"^FAILED .*::Cell (\d+)", done.stdout, re.MULTILINE)
    assert bool(failed) == (done.returncode == 1), done.stdout
    return [code[int(number)] for number in failed], done.stdout


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_notebook_runs_and_stored_outputs_hold(source: Path, tmp_path: Path) -> None:
    copy = tmp_path / source.name
    nbformat.write(author_copy(source), copy)
    failed, report = nbval(copy)
    assert failed == [], report


def test_a_broken_solution_turns_its_own_cell_red(tmp_path: Path) -> None:
    """The two-loop distance loses its root; the cells before stay green, its test does not."""
    nb = author_copy(ROOT / "source" / "assignment1" / "knn.ipynb")
    ids = [cell.id for cell in nb.cells]
    nb.cells = nb.cells[: ids.index("knn-two-loops") + 1]
    solution = nb.cells[ids.index("k-nearest-neighbor")]
    right = "np.sqrt(np.sum((test_row - train_row) ** 2))"
    assert solution.source.count(right) == 1
    solution.source = solution.source.replace(right, "np.sum((test_row - train_row) ** 2)")
    nbformat.write(nb, tmp_path / "knn.ipynb")

    failed, report = nbval(tmp_path / "knn.ipynb")

    assert failed == ["knn-two-loops"], report
    assert "returned squared distances: take the square root" in report


def test_a_stale_output_turns_its_cell_red(tmp_path: Path) -> None:
    nb = author_copy(ROOT / "source" / "assignment1" / "knn.ipynb")
    nb.cells = [cell for cell in nb.cells if cell.id in ("setup", "load-data", "data-shapes")]
    nb.cells[-1].outputs[0].text = nb.cells[-1].outputs[0].text.replace("5000", "4999")
    nbformat.write(nb, tmp_path / "knn.ipynb")
    assert nbval(tmp_path / "knn.ipynb")[0] == ["data-shapes"]
