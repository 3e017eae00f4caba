"""How a failed visible check looks: two lines in Jupyter, an ordinary error everywhere else."""

import pickle
import subprocess
import sys
from types import SimpleNamespace

import IPython  # noqa: F401  (what is asked for the shell)
import nbclient
import nbformat
import numpy as np
import pytest
from nbconvert import HTMLExporter, PythonExporter

from cs231n_lib.failed_asserts import show_failed_asserts_briefly
from cs231n_lib.feedback import CheckFailed, check_close, check_that, explained, in_one_line

FAILS = (
    "import numpy as np\n"
    "from cs231n_lib.feedback import check_close\n"
    "def test():\n"
    "    check_close('dx', np.ones(2), np.zeros(2), meaning='Add the two paths.')\n"
    "check_close('out', np.ones(2), np.ones(2))\n"
    "test()\n"
    "print('never')"
)
STOPS = """import numpy as np
from cs231n_lib.feedback import explained
def distances(X):
    rows = X - np.ones(3)
    return rows
with explained('distances', 'Subtract one image from all rows.'):
    distances(np.ones((4, 2)))
"""
ASSERTS = """from cs231n_lib.plotting import use_course_style
use_course_style()
def sum_of(values):
    assert False not in [value > 0 for value in values], 'are they all positive?'
    return sum(values)
assert (
    sum_of([1, 2])
    == 4
), 'the sum of 1 and 2'
"""
ELSEWHERE = """from types import FunctionType
copied = FunctionType(sum_of.__code__, {'sum': sum}, 'copied')
copied([-1])
"""
LINES = [
    "✗ dx: the relative error is 1.0e+00, above 1e-07; the worst at index (0,) is 1 where 0 was "
    "expected.",
    "  Add the two paths.",
]


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    sources = FAILS, "assert 1 == 2", STOPS, ASSERTS, "sum_of([-1])", ELSEWHERE
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
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
    with pytest.raises(
        AssertionError, match=r"^✗ rows: this does not hold\.\n  Why not\?$"
    ) as error:
        check_that("rows", False, "Why not?")
    copied = pickle.loads(pickle.dumps(error.value))
    assert type(copied) is CheckFailed
    assert str(copied) == str(error.value)


def test_an_assert_of_the_cell_is_two_lines_too(notebook) -> None:
    assert notebook.cells[3].outputs[0].traceback == [
        "✗ the sum of 1 and 2.",
        "  This does not hold: sum_of([1, 2]) == 4",
    ]
    assert notebook.cells[4].outputs[0].traceback == [
        "✗ are they all positive?",
        "  This does not hold in sum_of: False not in [value > 0 for value in values]",
    ]


def test_an_assert_of_other_code_keeps_its_traceback(notebook) -> None:
    shown = notebook.cells[5].outputs[0].traceback
    assert len(shown) > 2
    assert "are they all positive?" in shown[-1]


def test_a_handler_of_the_readers_own_stays() -> None:
    shell = SimpleNamespace(custom_exceptions=(KeyError,))
    assert show_in(shell) == []
    shell.custom_exceptions = ()
    assert show_in(shell) == [(AssertionError,)]


def show_in(shell: SimpleNamespace) -> list[object]:
    """Which exceptions are handled from now on."""
    found: list[object] = []
    shell.set_custom_exc = lambda kinds, handler: found.append(kinds)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("IPython.get_ipython", lambda: shell)
        show_failed_asserts_briefly()
    return found


def test_without_a_meaning_there_is_one_line() -> None:
    with pytest.raises(CheckFailed) as error:
        check_close("x", None, 1)
    assert error.value._render_traceback_() == ["✗ x: the result is None; is a `return` missing?"]


def test_an_exception_in_the_readers_code_is_two_lines_that_name_the_line(notebook) -> None:
    assert notebook.cells[2].outputs[0].traceback == [
        "✗ distances: ValueError: operands could not be broadcast together with shapes (4,2) (3,), "
        "in the line `rows = X - np.ones(3)`.",
        "  Subtract one image from all rows.",
    ]


def test_the_line_is_the_readers_and_never_a_librarys() -> None:
    with pytest.raises(CheckFailed) as error, explained("sum"):
        np.linalg.norm(np.ones((2, 2, 2)), axis=7)
    assert str(error.value).endswith("in the line `np.linalg.norm(np.ones((2, 2, 2)), axis=7)`.")
    assert isinstance(error.value.__cause__, np.exceptions.AxisError)


@pytest.mark.parametrize("kind", [NotImplementedError, KeyboardInterrupt, CheckFailed])
def test_what_says_all_by_itself_comes_through(kind: type[BaseException]) -> None:
    with pytest.raises(kind, match=r"^knn-two-loops$"), explained("distances", "A hint."):
        raise kind("knn-two-loops")


def test_an_exception_without_words() -> None:
    said = r"^✗ x: ValueError: no message, in the line `raise ValueError`\.$"
    with pytest.raises(CheckFailed, match=said), explained("x"):
        raise ValueError


def test_nothing_is_printed_where_nothing_stops(capsys: pytest.CaptureFixture[str]) -> None:
    with explained("x", "A hint."):
        pass
    assert capsys.readouterr().out == ""


def test_many_checks_are_one_line_together(capsys: pytest.CaptureFixture[str]) -> None:
    with in_one_line("all of them"):
        check_that("a", True)
        with in_one_line("inner ones"):
            check_close("b", 1.0, 1.0)
            check_close("c", 1.0, 1.0)
    check_that("d", True)
    with in_one_line("the last"):
        check_that("e", True)
    said = capsys.readouterr().out
    assert said == "✓ all of them (2 checks)\n✓ d\n✓ the last (1 check)\n"


def test_the_first_that_fails_says_so_itself(capsys: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        with in_one_line("all"):
            check_that("a", True)
            check_that("b", False)

    with pytest.raises(CheckFailed, match=r"^✗ b: .*hold"):
        fails()
    check_that("c", True)
    assert capsys.readouterr().out == "✓ c\n"
