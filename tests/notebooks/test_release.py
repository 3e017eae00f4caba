"""release/ is what source/ makes of it, tells nothing it should not, and its stubs raise."""

from __future__ import annotations

import ast
import builtins
import collections
import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import MagicMock

import nbformat
import pytest
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.utils import is_solution

from autograder import hidden
from autograder.authoring.release import ReleaseError, make_release, release

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "source").glob("*/*.ipynb"))
ASSIGNMENTS = sorted({path.parent.name for path in SOURCES})
SHORT, LONG = "assignment4", ("assignment1", "assignment2", "assignment3")
#: Classes of the library, or of an earlier cell, that a solution cell's class is made of.
OTHER_BASES = ("CIFAR10Images", "DiffusionBase", "ForwardProcess", "ConditionalUnet")
OTHER_BASES += ("Translator",)
REGION = re.compile(r"^ *### BEGIN SOLUTION\n(.*?)^ *### END SOLUTION", re.DOTALL | re.MULTILINE)


@pytest.fixture(params=SOURCES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def source(request: pytest.FixtureRequest) -> Path:
    return request.param


@pytest.fixture
def released(source: Path) -> Path:
    return ROOT / "release" / source.parent.name / source.name


def code(path: Path) -> str:
    nb = nbformat.read(path, as_version=4)
    return "\n".join(cell.source for cell in nb.cells if cell.cell_type == "code")


# -- what is committed ----------------------------------------------------------------------------


def test_release_holds_the_notebooks_of_source_and_no_others() -> None:
    committed = (ROOT / "release").glob("*/*.ipynb")
    assert sorted(path.relative_to(ROOT / "release") for path in committed) == [
        path.relative_to(ROOT / "source") for path in SOURCES
    ]


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_release_is_not_stale_and_repeats_to_the_byte(assignment: str, tmp_path: Path) -> None:
    """What is committed was released by somebody before: this is the second time."""
    assert_released(make_release(ROOT, assignment, tmp_path, database=tmp_path / "made.db"))


@pytest.mark.parametrize(
    "assignment", [SHORT, *(pytest.param(one, marks=pytest.mark.nightly) for one in LONG)]
)
def test_a_gradebook_that_knows_the_assignment_changes_nothing(
    assignment: str, tmp_path: Path
) -> None:
    for folder in ("first", "again"):
        made = make_release(ROOT, assignment, tmp_path / folder, database=tmp_path / "made.db")
        assert_released(made)


def assert_released(made: Sequence[Path]) -> None:
    """Each file is the one that is committed, to the byte."""
    for path in made:
        committed = ROOT / "release" / path.parent.name / path.name
        assert committed.read_bytes() == path.read_bytes(), (
            f"{committed} is stale; run `make release`"
        )


def test_release_leaks_nothing(released: Path) -> None:
    text = released.read_text(encoding="utf-8")
    for trace in ("BEGIN ", "END ", "hidden", "autograder", "MARK SCHEME"):
        lines = [line for line in text.splitlines() if trace in line and "###" in line]
        assert lines == [], trace
    assert "from autograder" not in text
    assert "hidden.check" not in text
    for cell in nbformat.read(released, as_version=4).cells:
        assert cell.get("outputs", []) == [], cell.id
        assert cell.get("execution_count") is None, cell.id
        if is_solution(cell) and cell.cell_type == "markdown":
            assert cell.source == "*Your answer:*"


def test_release_holds_no_line_of_a_solution(source: Path, released: Path) -> None:
    """A line that also stands outside the regions may stay as often as it stands there."""
    whole = code(source)
    outside = collections.Counter(stripped(REGION.sub("", whole)))
    left = collections.Counter(stripped(code(released)))
    regions = [line for region in REGION.findall(whole) for line in stripped(region)]
    assert regions
    assert [line for line in regions if left[line] > outside[line]] == []


def stripped(text: str) -> Iterator[str]:
    return (line.strip() for line in text.splitlines() if len(line.strip()) > 3)


# -- stubs ----------------------------------------------------------------------------------------


class Anything(dict):
    """A namespace in which every name that is not defined stands for a mock."""

    def __missing__(self, name: str) -> object:
        if hasattr(builtins, name):
            raise KeyError(name)
        return MagicMock(name=name)


def test_every_region_became_a_stub_that_raises(source: Path, released: Path) -> None:
    answers = {cell.id: cell for cell in nbformat.read(source, as_version=4).cells}
    for cell in nbformat.read(released, as_version=4).cells:
        if not (is_solution(cell) and cell.cell_type == "code"):
            continue
        stubs = list(stubs_of(ast.parse(cell.source)))
        assert len(stubs) == len(REGION.findall(answers[cell.id].source)), cell.id
        for qualified_name in stubs:
            question = qualified_name.split(".")[-1] or cell.id
            tries = itertools.product(("train", "test"), (2, 3, 4))
            errors = [error_of(cell, qualified_name, mode, axes) for mode, axes in tries]
            assert repr(NotImplementedError(f"{question}: write your code here")) in errors


def stubs_of(tree: ast.AST, inside: str = "") -> Iterator[str]:
    """Qualified name ('' at the top level) of the definition around each stub."""
    for node in ast.iter_child_nodes(tree):
        name = getattr(node, "name", None) if isinstance(node, ast.stmt) else None
        if isinstance(node, ast.Raise) and "write your code here" in ast.unparse(node):
            yield inside
        yield from stubs_of(node, f"{inside}.{name}".lstrip(".") if name else inside)


def error_of(cell: NotebookNode, qualified_name: str, mode: str, axes: int) -> str:
    """What a stub raises: in the cell itself, or called with mocks for arguments."""
    try:
        call(cell, qualified_name, mode, axes)
    except Exception as error:
        return repr(error)
    return ""


def call(cell: NotebookNode, qualified_name: str, mode: str, axes: int) -> None:
    """Execute the cell's definitions, then call one of them with mocks for arguments."""
    namespace = Anything()
    # A class is made of a class, not of a mock.
    namespace["nn"] = MagicMock(Module=object)
    namespace["rnn"] = SimpleNamespace(CaptioningRNN=object)
    namespace |= dict.fromkeys(OTHER_BASES, object)
    # What stands before a stub knows global names only; a class's default arguments and decorators
    # do not ask __missing__ for them.
    mocks = {name: MagicMock(name=name) for name in ("np", "torch")}
    for decorator in ("no_grad", "inference_mode"):
        getattr(mocks["torch"], decorator).return_value = lambda function: function
    namespace |= mocks  # where a function's decorators are looked for
    known = Anything({"__name__": "stub", **mocks})
    exec(compile(cell.source, cell.id, "exec"), known, namespace)
    owner, _, name = qualified_name.rpartition(".")
    made = namespace[owner] if owner else None
    function = (vars(made) if owner else namespace)[name]
    required = function.__code__.co_argcount - len(function.__defaults__ or ())  # self included
    arguments = [argument(mode, axes) for _ in range(required)]
    if owner:
        arguments[0].__class__ = made  # super().__init__() asks self for it
    function(*arguments)


def argument(mode: str, axes: int) -> MagicMock:
    """A mock. As a dictionary of settings it has this mode; as a cache it is a pair.

    As an array it has so many axes; as a size every number divides it.
    """
    mock = MagicMock()
    mock.__getitem__.side_effect = lambda key: mode if key == "mode" else argument(mode, axes)
    mock.__iter__.side_effect = lambda: iter((argument(mode, axes), argument(mode, axes)))
    mock.__mod__.return_value = 0
    mock.shape = tuple(MagicMock() for _ in range(axes))
    return mock


# -- the machinery, on a small course -------------------------------------------------------------


def notebook(*cells: NotebookNode) -> NotebookNode:
    return nbformat.v4.new_notebook(cells=list(cells))


def solution_cell(source: str, **metadata: object) -> NotebookNode:
    nbgrader = {
        "grade": False,
        "grade_id": "double",
        "locked": False,
        "schema_version": 3,
        "solution": True,
        "task": False,
    }
    return nbformat.v4.new_code_cell(
        source, id="double", metadata={"nbgrader": nbgrader | metadata, "collapsed": True}
    )


GOOD = "def double(x):\n    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    (tmp_path / "source" / "toy").mkdir(parents=True)
    rewrite(tmp_path, solution_cell(GOOD))
    return tmp_path


@pytest.fixture(scope="module")
def released_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("released")
    (root / "source" / "toy").mkdir(parents=True)
    rewrite(root, solution_cell(GOOD))
    release(root)  # creating the gradebook takes nbgrader two seconds
    return root


@pytest.fixture
def released_course(released_once: Path, tmp_path: Path) -> Path:
    return shutil.copytree(released_once, tmp_path / "course")


def rewrite(course: Path, *cells: NotebookNode) -> None:
    nbformat.write(notebook(*cells), course / "source" / "toy" / "toy.ipynb")


def test_release_of_a_small_course(course: Path) -> None:
    (path,) = release(course)
    (cell,) = nbformat.read(path, as_version=4).cells
    assert path == course / "release" / "toy" / "toy.ipynb"
    assert cell.source == (
        'def double(x):\n    raise NotImplementedError("double: write your code here")'
    )
    assert set(cell.metadata) == {"nbgrader", "deletable"}
    assert (course / "gradebook.db").exists()
    assert {p.name for p in course.iterdir()} == {"source", "release", "gradebook.db"}


def test_region_outside_a_function_names_the_grade_id(released_course: Path) -> None:
    rewrite(released_course, solution_cell("### BEGIN SOLUTION\nx = 1\n### END SOLUTION"))
    (path,) = release(released_course, ["toy", "toy"])  # named twice: built once
    assert 'NotImplementedError(\\"double: write' in path.read_text()


PLAIN = nbformat.v4.new_code_cell(GOOD, id="plain")


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        (solution_cell(GOOD.rpartition("\n")[0]), "'double': '### BEGIN SOLUTION' has no end"),
        (solution_cell(GOOD + "\n### END SOLUTION"), "line 5: .* while no region is open"),
        (solution_cell(GOOD.replace("END", "BEGIN")), "line 4: .*SOLUTION' is still open"),
        (solution_cell(GOOD.replace("### BEGIN", "# BEGIN")), "a marker is a line of its own"),
        (solution_cell(GOOD, grade_id=""), "grade_id is missing; add one"),
        (solution_cell("x = 1"), "a solution cell without a region"),
        (solution_cell(GOOD + "\n(", grade_id="double"), "line 5: '\\(' was never closed"),
        (PLAIN, "cell 'plain' holds a solution region; mark it nbgrader solution=true"),
    ],
)
def test_bad_source_is_named_and_the_old_release_stays(
    released_course: Path, cell: NotebookNode, complaint: str
) -> None:
    path = released_course / "release" / "toy" / "toy.ipynb"
    before = path.read_bytes()
    rewrite(released_course, cell)
    with pytest.raises(ReleaseError, match=complaint) as caught:
        release(released_course)
    assert "toy.ipynb" in str(caught.value)
    assert path.read_bytes() == before
    assert list(released_course.glob(".release-*")) == []


def test_what_nbgrader_refuses_is_reported_in_one_line(course: Path) -> None:
    untaught = nbformat.v4.new_markdown_cell("### BEGIN MARK SCHEME\n### END MARK SCHEME", id="m")
    rewrite(course, solution_cell(GOOD), untaught)
    with pytest.raises(
        ReleaseError, match=r"toy: nbgrader could not .*mark scheme region"
    ) as caught:
        release(course)
    assert "\n" not in str(caught.value)
    assert not (course / "release" / "toy").exists()


def test_what_has_grades_is_said_to_have_them_and_what_to_do(released_course: Path) -> None:
    with Gradebook(f"sqlite:///{released_course}/gradebook.db") as book:
        book.add_student("ann")
        book.add_submission("toy", "ann")
    another = solution_cell(GOOD, grade_id="another")
    another.id = "another"
    rewrite(released_course, solution_cell(GOOD), another)
    with pytest.raises(ReleaseError, match=r"There are grades of this notebook, .*gradebook\.db"):
        release(released_course)


def test_missing_and_unreadable_notebooks(course: Path) -> None:
    with pytest.raises(ReleaseError, match=r"typo: no source notebook"):
        release(course, ["typo"])
    (course / "source" / "toy" / "toy.ipynb").write_text("not JSON")
    with pytest.raises(ReleaseError, match=r"toy.ipynb: not a readable notebook"):
        release(course)


def test_nbgrader_itself_writes_the_same_bytes(course: Path, released_once: Path) -> None:
    """Through nbgrader_config.py, by somebody who did not activate the environment."""
    expected = (released_once / "release" / "toy" / "toy.ipynb").read_bytes()
    config = (ROOT / "nbgrader_config.py").read_text()
    (course / "nbgrader_config.py").write_text(config)
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", "toy"],
        cwd=course,
        env=os.environ | {"PATH": os.defpath, "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )
    assert (course / "release" / "toy" / "toy.ipynb").read_bytes() == expected


def test_hidden_checks_refuse_an_unprotected_run() -> None:
    with pytest.raises(hidden.UnprotectedError, match=r"knn-two-loops: .*autograder grade"):
        hidden.check("knn-two-loops")
