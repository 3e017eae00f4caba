"""The command that runs a source notebook and writes it back as it is committed."""

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from autograder.authoring.refresh import refresh
from autograder.authoring.source import CHECKED_OUTPUT_TAG, ReleaseError
from autograder.authoring.source_check import check_sources

SPEAKING = "import sys\nprint('one', flush=True)\nprint('two', flush=True)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An assignment's folder, with nothing beside it: notebooks there may be loaded, too."""
    (tmp_path / "assignment1").mkdir()
    return tmp_path / "assignment1"


def write(path: Path, *sources: str) -> None:
    cells = [new_code_cell(text, id=f"cell-{i}") for i, text in enumerate(sources)]
    cells[0].metadata = {"tags": [CHECKED_OUTPUT_TAG], "collapsed": True}
    nbformat.write(
        new_notebook(
            cells=cells,
            metadata={"widgets": {}, "language_info": {"name": "python", "version": "3.11.7"}},
        ),
        path,
    )


def test_refresh_keeps_the_compared_outputs_and_pasted_pictures(folder: Path) -> None:
    """Of a notebook from an older editor, too: 4.4 knows no ids."""
    path = folder / "toy.ipynb"
    write(path, SPEAKING, "print('not compared')")
    picture = {"p.png": {"image/png": "iVBORw0KGgo="}}
    document = json.loads(path.read_text()) | {"nbformat_minor": 4}
    document["cells"].append(
        {"cell_type": "markdown", "metadata": {}, "source": "gone", "attachments": picture}
    )
    for cell in document["cells"]:
        cell.pop("id", None)
    path.write_text(json.dumps(document))
    refresh(path)
    nb = nbformat.read(path, as_version=4)
    assert nb.nbformat_minor == 5
    assert [cell.id for cell in nb.cells] == ["print-one-flush-true", "print-not-compared", "gone"]
    assert nb.cells[2].attachments == picture  # no text refers to it, and it is not ours to delete
    assert [output.text for output in nb.cells[0].outputs] == ["one\ntwo\n"]
    assert nb.cells[0].metadata == {"tags": [CHECKED_OUTPUT_TAG]}
    assert nb.cells[0].execution_count is None
    assert nb.cells[1].outputs == []
    assert nb.metadata == {"language_info": {"name": "python"}}


def test_refresh_leaves_a_failing_notebook_alone(folder: Path) -> None:
    path = folder / "toy.ipynb"
    write(path, SPEAKING, "1 / 0")
    before = path.read_bytes()
    with pytest.raises(
        ReleaseError, match=r"(?s)a cell failed, so nothing was written.*ZeroDivisionError"
    ):
        refresh(path)
    assert path.read_bytes() == before


def test_refresh_runs_beside_the_siblings_and_writes_nothing_else(folder: Path) -> None:
    write(folder / "first.ipynb", "SEED = 231")
    use = "from cs231n_lib.notebooks import load\nprint(load('first').SEED)"
    write(folder / "second.ipynb", use, "open('scribble.txt', 'w').close()")
    refresh(folder / "second.ipynb")
    nb = nbformat.read(folder / "second.ipynb", as_version=4)
    assert nb.cells[0].outputs[0].text == "231\n"
    assert sorted(path.name for path in folder.iterdir()) == ["first.ipynb", "second.ipynb"]


def test_a_malformed_tolerance_is_no_source(tmp_path: Path) -> None:
    path = tmp_path / "toy.ipynb"
    write(path, SPEAKING)
    nb = nbformat.read(path, as_version=4)
    nb.cells[0].metadata = {"tags": [CHECKED_OUTPUT_TAG, "nbval-tolerance-abc"]}
    nbformat.write(nb, path)
    with pytest.raises(ReleaseError, match=r"toy\.ipynb: cell 'cell-0': the tag 'nbval-tol"):
        check_sources([path])


def test_everything_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    """In cells of one notebook, and in notebooks of a folder; an unreadable one stops nothing."""
    write(tmp_path / "first.ipynb", "### BEGIN SOLUTION\n1", "fine = 1", "### END SOLUTION")
    (tmp_path / "second.ipynb").write_text("{")
    write(tmp_path / "third.ipynb", "### BEGIN SOLUTION\n1\n### END SOLUTION")
    with pytest.raises(ReleaseError) as failure:
        check_sources(sorted(tmp_path.glob("*.ipynb")))
    lines = str(failure.value).splitlines()
    assert len(lines) == 4
    assert "first.ipynb: cell 'cell-0': '### BEGIN SOLUTION' has no end" in lines[0]
    assert "first.ipynb: cell 'cell-2', line 1: found '### END SOLUTION'" in lines[1]
    assert "second.ipynb" in lines[2]
    assert "third.ipynb: cell 'cell-0' holds a solution region" in lines[3]
