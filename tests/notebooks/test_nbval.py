"""Every source notebook runs, and the outputs it stores are those it gives today."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.authoring.regression import NotebookRun, find_notebooks, run_notebooks
from tests.nightly import TRAINING

ROOT = Path(__file__).parents[2]
SOURCES = find_notebooks(ROOT)
KNN = ROOT / "source" / "assignment1" / "knn.ipynb"
# Its pictures take nearly two minutes; by day test_shell_parity runs all of its cells, twice.
BY_NIGHT = TRAINING | {"Network_Visualization"}


@pytest.fixture(scope="session")
def runs(request: pytest.FixtureRequest) -> Mapping[Path, NotebookRun]:
    """The notebooks that were asked for (all, or those of `-k svm`), run side by side."""
    chosen = [
        item.callspec.params["source"]
        for item in request.session.items
        if isinstance(item, pytest.Function) and "runs" in item.fixturenames
    ]
    return {run.path: run for run in run_notebooks(chosen)}


ALL = [
    pytest.param(
        source,
        id=f"{source.parent.name}/{source.stem}",
        marks=pytest.mark.nightly if source.stem in BY_NIGHT else (),
    )
    for source in SOURCES
]


@pytest.mark.parametrize("source", ALL)
def test_notebook_runs_and_stored_outputs_hold(
    source: Path, runs: Mapping[Path, NotebookRun]
) -> None:
    run = runs[source]
    assert run.green, f"{run.failed}\n{run.trouble}"


@pytest.fixture
def knn(tmp_path: Path) -> Callable[[NotebookNode], NotebookRun]:
    """Run a changed copy of the kNN notebook, beside nothing else."""

    def run(nb: NotebookNode) -> NotebookRun:
        path = tmp_path / "assignment1" / "knn.ipynb"
        path.parent.mkdir()
        nbformat.write(nb, path)
        return run_notebooks([path])[0]

    return run


def test_a_broken_solution_turns_its_own_cell_red(
    knn: Callable[[NotebookNode], NotebookRun],
) -> None:
    """The two-loop distance loses its root; the cells before stay green, its test does not."""
    nb = nbformat.read(KNN, as_version=4)
    ids = [cell.id for cell in nb.cells]
    nb.cells = nb.cells[: ids.index("knn-two-loops") + 1]
    solution = nb.cells[ids.index("k-nearest-neighbor")]
    right = "np.sqrt(np.sum((test_row - train_row) ** 2))"
    assert solution.source.count(right) == 1
    solution.source = solution.source.replace(right, "np.sum((test_row - train_row) ** 2)")

    run = knn(nb)

    assert [(cell.id, cell.kind) for cell in run.failed] == [("knn-two-loops", "raised")], run
    assert "returned squared distances: take the square root" in "\n".join(run.failed[0].lines)


def test_a_stale_output_turns_its_cell_red(knn: Callable[[NotebookNode], NotebookRun]) -> None:
    nb = nbformat.read(KNN, as_version=4)
    nb.cells = [cell for cell in nb.cells if cell.id in ("setup", "load-data", "data-shapes")]
    text = nb.cells[-1].outputs[0].text
    nb.cells[-1].outputs[0].text = text.replace("32, 32, 3)", "32, 31, 3)", 1)

    run = knn(nb)

    assert [(cell.id, cell.kind) for cell in run.failed] == [("data-shapes", "output differs")], run
    stored, new = run.failed[0].lines
    assert stored.startswith("-")
    assert "32, 31, 3)" in stored
    assert new == "+" + stored[1:].replace("31", "32")
