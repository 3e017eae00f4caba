"""How a failed visible check looks: two lines in Jupyter, an ordinary error everywhere else."""

import pickle
import subprocess
import sys

import nbclient
import nbformat
import pytest
from nbconvert import HTMLExporter, PythonExporter

from cs231n_lib.feedback import CheckFailed, check_close, check_that

FAILS = (
    "import numpy as np\n"
    "from cs231n_lib.feedback import check_close\n"
    "def test():\n"
    "    check_close('dx', np.ones(2), np.zeros(2), meaning='Add the two paths.')\n"
    "check_close('out', np.ones(2), np.ones(2))\n"
    "test()\n"
    "print('never')"
)
LINES = [
    "✗ dx: the relative error is 1.0e+00, above 1e-07; the worst at index (0,) is 1 where 0 was "
    "expected.",
    "  Add the two paths.",
]


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_code_cell(FAILS), nbformat.v4.new_code_cell("assert 1 == 2")]
    made = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(made, kernel_name="python3", allow_errors=True).execute()
    return made


def test_jupyter_shows_two_lines_for_a_failed_check_and_one_for_a_passed_one(notebook) -> None:
    passed, failed = notebook.cells[0].outputs
    assert passed.text == "✓ out (relative error 0.0e+00)\n"
    assert failed.traceback == LINES
    assert failed.evalue == "\n".join(LINES), "for whoever reads the notebook's JSON"
    assert len(notebook.cells[1].outputs[0].traceback) > 2, "other errors keep their traceback"


def test_exported_pages_show_the_same(notebook) -> None:
    page, _ = HTMLExporter(template_name="lab").from_notebook_node(notebook)
    assert LINES[0] in page
    assert "def</span> test" not in page.split(LINES[0])[1].split("assert")[0]


def test_whoever_runs_a_notebook_gets_an_error_with_the_text(notebook) -> None:
    again = nbclient.NotebookClient(nbformat.from_dict(notebook), kernel_name="python3")
    with pytest.raises(nbclient.exceptions.CellExecutionError) as error:
        again.execute()
    assert "\n".join(LINES) in str(error.value)


def test_plain_python_ends_with_a_traceback_and_the_text(notebook) -> None:
    script, _ = PythonExporter().from_notebook_node(notebook)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8")
    assert ran.returncode == 1
    assert "Traceback" in ran.stderr
    assert ran.stderr.rstrip().endswith("CheckFailed: " + "\n".join(LINES))


def test_it_is_an_assertion_error_with_the_same_text() -> None:
    with pytest.raises(AssertionError, match=r"^✗ rows: it does not hold\.\n  Why not\?$") as error:
        check_that("rows", False, "Why not?")
    copied = pickle.loads(pickle.dumps(error.value))
    assert type(copied) is CheckFailed
    assert str(copied) == str(error.value)


def test_without_a_meaning_there_is_one_line() -> None:
    with pytest.raises(CheckFailed) as error:
        check_close("x", None, 1)
    assert error.value._render_traceback_() == ["✗ x: the result is None; is a `return` missing?"]
