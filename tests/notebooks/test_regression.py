"""The regression run on notebooks so small that each takes a second."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from autograder.authoring.new_course import new_course
from autograder.authoring.regression import (
    Cell,
    NotebookRun,
    find_notebooks,
    parallel_jobs,
    run_notebooks,
)
from autograder.cli.main import main
from autograder.course.submissions import CourseError
from autograder.host.memory import cores
from tests.waiting import wait_until

CHECKED = "nbval-check-output"
GREEN, RED, NEEDS_HUMAN, WRONG_USE = 0, 1, 1, 2
HOOK = (
    "### BEGIN HIDDEN TESTS\nfrom autograder import hidden\n\n"
    'hidden.check("graded")\n### END HIDDEN TESTS'
)


def write(root: Path, name: str, **cells: str | tuple[str, str] | tuple[str, str, str]) -> Path:
    """A notebook ``name`` below root/source: cells by id, as source, output and tolerance."""
    built = []
    for id_, parts in cells.items():
        source, *rest = [parts] if isinstance(parts, str) else parts
        cell = new_code_cell(source, id=id_.replace("_", "-"))
        if HOOK in source:
            about = {"grade": True, "grade_id": id_, "locked": True, "points": 1, "solution": False}
            cell.metadata["nbgrader"] = about | {"schema_version": 3}
        if rest:
            cell.metadata["tags"] = [CHECKED, *(f"nbval-tolerance-{bound}" for bound in rest[1:])]
            cell.outputs = [new_output("stream", text=rest[0])] if rest[0] else []
        built.append(cell)
    path = root / "source" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=built), path)
    return path


def run_one(path: Path) -> NotebookRun:
    return run_notebooks([path])[0]


def failures(run: NotebookRun) -> dict[str, str]:
    assert not run.trouble, run.trouble
    return {cell.id: cell.kind for cell in run.failed}


def from_a_terminal(root: Path, *words: str) -> tuple[int, str]:
    """(exit status, what was printed) of the command in the folder ``root``."""
    with chdir(root):
        result = CliRunner(env={"COLUMNS": "100"}).invoke(main, ["notebooks", *words])
    return result.exit_code, result.output


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> NotebookRun:
    """One cell of every kind: right, wrong, within tolerance and beyond."""
    path = write(
        tmp_path_factory.mktemp("mixed"),
        "toy/mixed",
        right=("print('same')", "same\n"),
        stale=("print('one'); print('new')", "one\nold\n"),
        unstored=("print('said')", ""),
        silent=("pass", "said\n"),
        longer=("print('a'); print('b')", "a\n"),
        result=("6 * 7", "42"),
        within=("print('accuracy 30.21 %')", "accuracy 30.2 %\n", "0.02"),
        beyond=("print('ok 1.0'); print('accuracy 30.9 %')", "ok 1.01\naccuracy 30.2 %\n", "0.02"),
        word=("print('loss 0.30')", "error 0.30\n", "0.02"),
        raises="def broken():\n    raise ValueError('first line\\nsecond line')\n\nbroken()",
        uncompared="print('whatever')",
        graded=f"print('visible')\n{HOOK}",
        mistyped="%matplotlb inline",
        mistyped_cell="%%tme\n1 + 1",
        mistyped_assigned="x = %whoo",
        due="# NBVAL_RAISES_EXCEPTION\n1 / 0",
        not_due="# NBVAL_RAISES_EXCEPTION\n1 + 1",
        says_so="import sys\nprint('UsageError: not one', file=sys.stderr)",
        took=("print('2.5 s, below /home/somebody/else')", "31 ms, below /tmp/somewhere\n"),
    )
    return run_one(path)


def test_exactly_the_wrong_cells_are_red(mixed: NotebookRun) -> None:
    differs = "output differs"
    assert failures(mixed) == {
        "stale": differs,
        "unstored": differs,
        "silent": differs,
        "longer": differs,
        "result": differs,  # stored as printed, now a result
        "beyond": differs,
        "word": differs,
        "raises": "raised",
        "mistyped": "raised",
        "mistyped-cell": "raised",
        "mistyped-assigned": "raised",
        "not-due": "raised nothing",
    }
    assert len(mixed.cells) == 19
    assert all(cell.seconds > 0 for cell in mixed.cells)


def test_red_cells_show_what_is_wrong(mixed: NotebookRun) -> None:
    lines = {cell.id: cell.lines for cell in mixed.failed}
    assert lines["stale"] == ("-old", "+new")
    assert lines["unstored"] == ("+said",)
    assert lines["silent"] == ("-said",)
    assert lines["longer"] == ("+b",)
    assert lines["beyond"] == (
        "-accuracy 30.2 %",
        "+accuracy 30.9 %",
        "  (30.2 became 30.9: 0.7 apart, 0.02 allowed)",
    )
    assert lines["word"][2] == "  (the text between the numbers differs)"
    assert lines["raises"] == ("ValueError: first line", "second line")
    assert lines["mistyped"] == ("UsageError: Line magic function `%matplotlb` not found.",)
    assert lines["mistyped-cell"] == ("UsageError: Cell magic `%%tme` not found.",)
    assert lines["not-due"] == ("tagged raises-exception, and nothing was raised",)
    assert "Missing output fields from running code: {'stdout'}" in lines["result"]


def test_prose_that_its_output_contradicts_is_red(tmp_path: Path) -> None:
    path = write(tmp_path, "toy/remarks", printing=("print('0.418')", "0.418\n"))
    nb = nbformat.read(path, as_version=4)
    nb.cells += [
        new_markdown_cell("That is 42 %. <!-- printed by: printing -->", id="right"),
        new_markdown_cell("That is 43 %. <!-- printed by: printing -->", id="wrong"),
    ]
    nbformat.write(nb, path)
    status, output = from_a_terminal(tmp_path, str(path))
    assert status == RED
    assert "toy/remarks: the prose and the output differ" in output
    assert "cell 'wrong', “That is 43 %.”: 43 % is not in what 'printing' prints" in output
    assert "That is 42 %" not in output


def test_two_notebooks_at_once_load_each_other_and_the_same_data(tmp_path: Path) -> None:
    """Each sees its siblings (hooks and all) in its folder, and one cache of embedded images."""
    write(tmp_path, "toy/one", values="VALUE = 231", graded=HOOK)
    write(
        tmp_path,
        "toy/two",
        load='from cs231n_lib.notebooks import load\n\none = load("one")',
        use=("print(one.VALUE)", "231\n"),
        images="from cs231n_lib.data.spritecifar import cached_chunks\n"
        "present, total = cached_chunks()\nassert present == total",
        threads=(
            "from threadpoolctl import threadpool_info\nimport numpy\n"
            "print(max(pool['num_threads'] for pool in threadpool_info()))",
            "1\n",
        ),
    )
    seen: list[tuple[str, str]] = []
    runs = run_notebooks(
        find_notebooks(tmp_path, ["toy"]),
        jobs=2,
        on_cell=lambda path, cell: seen.append((path.stem, cell.id if cell else "done")),
    )
    assert [(run.name, run.failed, run.trouble) for run in runs] == [
        ("toy/one", (), ""),
        ("toy/two", (), ""),
    ]
    assert [cell for name, cell in seen if name == "two"] == [
        "load", "use", "images", "threads", "done"
    ]  # fmt: skip
    assert not (tmp_path / "source" / "toy" / "cache").exists()


def test_personal_settings_stay_outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    profile = tmp_path / "ipython" / "profile_default" / "startup"
    profile.mkdir(parents=True)
    (profile / "mine.py").write_text("mine = 1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("CS231N_DATA", str(tmp_path / "nowhere"))
    monkeypatch.setenv("CS231N_SCALE", "full")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--nonsense")
    path = write(
        tmp_path,
        "toy/quiet",
        environment="import os\n"
        "assert [n for n in os.environ if n.startswith('CS231N_')] == ['CS231N_CACHE']",
        profile="assert 'mine' not in globals()",
        data="from cs231n_lib.data import find_cifar10\nassert find_cifar10() is None",
    )
    assert failures(run_one(path)) == {}


def test_a_dead_kernel_ends_the_run_long_before_the_cells_time_is_up(tmp_path: Path) -> None:
    path = write(tmp_path, "toy/dies", dies="import os\nos._exit(1)", after="print('never')")
    run = run_one(path)
    assert [cell.id for cell in run.cells] == ["dies"]
    assert failures(run) == {"dies": "broke off"}
    assert run.cells[0].lines == ("KernelDied: the kernel's process ended in this cell",)


def test_a_cell_that_hangs_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.authoring.regression.CELL_SECONDS", 1)
    path = write(tmp_path, "toy/hangs", hangs="import time\ntime.sleep(60)", after="print('never')")
    assert failures(run_one(path)) == {"hangs": "timed out"}


def test_the_summary_names_red_cells_and_what_to_do(tmp_path: Path) -> None:
    write(tmp_path, "toy/fine", one=("print(1)", "1\n"))
    write(tmp_path, "toy/wrong", stale=("print(2)", "1\n"), raises="assert False, 'take the root'")
    status, text = from_a_terminal(tmp_path, "toy", "--jobs", "2")
    assert status == RED, text
    assert "toy/fine" in text
    assert "green" in text
    assert "2 red" in text
    assert "toy/wrong, cell stale: output differs\n    -1\n    +2\n" in text
    assert "python -m autograder refresh source/toy/wrong.ipynb" in text
    assert "toy/wrong, cell raises: raised\n    AssertionError: take the root\n" in text
    assert "over 60 s" not in text


def test_all_green_is_status_0_and_a_path_is_enough(tmp_path: Path) -> None:
    write(tmp_path, "toy/fine", one=("print(1)", "1\n"))
    write(tmp_path, "toy/wrong", one=("print(1)", "2\n"))
    status, text = from_a_terminal(tmp_path, "source/toy/fine.ipynb")
    assert status == GREEN, text
    assert "1 of 1" in text
    assert "toy/wrong" not in text


def test_wrong_use_is_status_2_with_a_hint(tmp_path: Path) -> None:
    status, text = from_a_terminal(tmp_path)
    assert (status, "no notebooks; expected" in text) == (WRONG_USE, True), text
    write(tmp_path, "toy/odd", numbers=("print(1)", "1\n", "abc"))
    status, text = from_a_terminal(tmp_path, "toy/evn")
    assert status == WRONG_USE, text
    assert "'toy/evn' is neither a notebook nor an assignment" in text
    assert "toy/odd" in text
    status, text = from_a_terminal(tmp_path)
    assert status == WRONG_USE, text
    assert (
        "odd.ipynb: cell 'numbers': the tag 'nbval-tolerance-abc' does not name a tolerance" in text
    )
    assert "Traceback" not in text


def test_nbval_on_its_own_refuses_malformed_tags_too(tmp_path: Path) -> None:
    path = write(tmp_path, "toy/odd", numbers=("print(1)", "1\n", "-1"))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "autograder.authoring.nbval_plugin",
            "--nbval-lax",
            path,
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 4
    assert "odd.ipynb: cell 'numbers': the tag 'nbval-tolerance--1' does not name" in done.stderr


def test_a_damaged_notebook_is_named(tmp_path: Path) -> None:
    path = write(tmp_path, "toy/damaged", one="1")
    path.write_text("{")
    with pytest.raises(CourseError, match=r"damaged\.ipynb: not a readable notebook"):
        run_one(path)


def test_slow_notebooks_are_warned_about(capsys: pytest.CaptureFixture[str]) -> None:
    from rich.console import Console

    from autograder.cli.notebooks import print_summary

    slow = NotebookRun(Path("source/toy/slow.ipynb"), (Cell("a", 1.0), Cell("b", 61.5)))
    assert slow.green
    print_summary(Console(width=100), [slow], {"toy/slow": 2})
    text = capsys.readouterr().out
    assert "green, over 60 s" in text
    assert "slowest: b 61.5 s, a 1.0 s" in text


def test_interrupting_leaves_no_process_behind(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    sleep = f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    write(tmp_path, "toy/sleeps", sleeps=sleep)
    process = subprocess.Popen(
        [sys.executable, "-m", "autograder", "notebooks"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    wait_until(lambda: pid.exists() and pid.read_text() != "", process)
    process.send_signal(signal.SIGINT)  # to it alone: a terminal would signal the whole group
    process.communicate(timeout=120)  # nbval gives its kernel 5 s; a busy machine takes more
    assert process.returncode != GREEN
    kernel = Path("/proc") / pid.read_text()
    wait_until(lambda: not kernel.exists())


def test_as_many_notebooks_at_a_time_as_there_are_cores() -> None:
    assert parallel_jobs(1) == 1
    assert parallel_jobs(100) == min(100, cores())
    assert parallel_jobs(100, 100) == 100
    assert parallel_jobs(5, 2) == 2


def test_a_new_course_is_green(tmp_path: Path) -> None:
    """Its README names the command; the stored output is that of its sample."""
    new_course(tmp_path / "algebra")
    status, printed = from_a_terminal(tmp_path / "algebra")
    assert (status, "assignment1/scales" in printed) == (GREEN, True), printed


@pytest.mark.parametrize("package", ["nbval", "pytest"])
def test_without_nbval_a_sentence_says_what_to_install(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As graders have it, with `.[ta]` alone."""
    write(tmp_path, "toy/one", one="1 + 1")
    monkeypatch.setitem(sys.modules, package, None)
    status, printed = from_a_terminal(tmp_path)
    assert status == NEEDS_HUMAN
    assert printed.startswith(f"Error: what runs notebooks is not installed ({package}): ")
    assert 'run `pip install -e ".[dev]"`' in printed
    assert printed.count("\n") == 1
