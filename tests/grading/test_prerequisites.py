"""Nobody pays twice: mistakes in an earlier notebook cost nothing in later ones. Real kernels."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

import autograder.checks
from autograder.authoring.release import release
from autograder.batch.run import grade_assignment
from autograder.course.records import read_result
from autograder.grading import earlier
from autograder.grading.prerequisites import answers_of, course_order, loads
from autograder.judge.results import GradedNotebook
from autograder.notebook.edits import solve
from autograder.notebook.template import load_template, notebooks_of
from tests.little import CONFIG, ROOT

LOAD = "from cs231n_lib.notebooks import load"
# An early notebook in one assignment; one that loads it beside it, and one in the next assignment.
CHECKS = {
    "assignment8/layers": {"double": ("double", 4, 8), "triple": ("triple", 4, 12)},
    "assignment8/a_net": {"net": ("net", 4, 9)},
    "assignment9/deep": {"sixfold": ("sixfold", 4, 24), "ninefold": ("ninefold", 4, 36)},
}
CHECK = """
from autograder.judge import check, expect_equal

@check({name!r})
def {function}_is_right(student, rng):
    'One number.'
    expect_equal(student.call({function!r}, {given}), {want})
"""


def cell(name: str, source: str, **about: object) -> dict:
    empty = {"cell_type": "code", "id": name, "outputs": [], "execution_count": None}
    kind = {"schema_version": 3, "grade_id": name, "locked": False} | about
    return empty | {"source": source, "metadata": {"nbgrader": kind} if about else {}}


def question(name: str, head: str, body: str) -> list[dict]:
    solved = f"{head}\n    ### BEGIN SOLUTION\n    {body}\n    ### END SOLUTION"
    hook = f"### BEGIN HIDDEN TESTS\nfrom autograder import hidden\n\nhidden.check({name!r})\n"
    return [
        cell(f"{name}-code", solved, solution=True, grade=False),
        cell(
            name, f"{hook}### END HIDDEN TESTS", solution=False, grade=True, points=1, locked=True
        ),
    ]


NOTEBOOKS = {
    "assignment8/layers": [
        cell("imports", "import math\nBASE = 2"),
        *question("double", "def double(x):", "return BASE * x"),
        *question("triple", "def triple(x):", "return math.prod((3, x))"),
    ],
    "assignment8/a_net": [
        cell("load", f"{LOAD}\nlayers = load('layers')"),
        *question("net", "def net(x):", "return layers.double(x) + 1"),
    ],
    "assignment9/deep": [
        cell("load", LOAD),
        cell("load-layers", "layers = load('layers')"),
        cell("names", "double, triple = layers.double, layers.triple"),
        *question("sixfold", "def sixfold(x):", "return double(triple(x))"),
        *question("ninefold", "def ninefold(x):", "return triple(triple(x))"),
    ],
}


def as_notebook(cells: list[dict]) -> str:
    about = {"cs231n": {"cell_seconds": 2, "call_seconds": 2}}
    about["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps({"cells": cells, "metadata": about, "nbformat": 4, "nbformat_minor": 5})


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two assignments with hidden checks of their own, released."""
    root, checks = tmp_path_factory.mktemp("course"), tmp_path_factory.mktemp("checks")
    for name, cells in NOTEBOOKS.items():
        path = root / "source" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_notebook(cells), "utf-8")
        module = checks / f"{name}.py"
        module.parent.mkdir(exist_ok=True)
        (module.parent / "__init__.py").touch()
        texts = [
            CHECK.format(name=grade_id, function=f, given=given, want=want)
            for grade_id, (f, given, want) in CHECKS[name].items()
        ]
        module.write_text("".join(texts), "utf-8")
    config = CONFIG.format(ours=str(ROOT / "nbgrader_config.py"), root=str(root))
    (root / "nbgrader_config.py").write_text(config, "utf-8")
    release(root, ["assignment8", "assignment9"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(autograder.checks, "__path__", [*autograder.checks.__path__, str(checks)])
        yield root
    for name in [m for m in sys.modules if m.startswith("autograder.checks.assignment")]:
        if "assignment8" in name or "assignment9" in name:
            del sys.modules[name]


def hand_in(root: Path, student: str, name: str, **changed: str) -> None:
    """The solutions, but for the cells named."""
    cells = solve({"cells": NOTEBOOKS[name]})["cells"]
    for one in cells:
        one["source"] = changed.pop(one["id"].replace("-", "_"), one["source"])
    cells += [cell(f"own-{key}", source) for key, source in changed.items()]
    path = root / "submitted" / student / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_notebook(cells), "utf-8")


def graded(root: Path, assignment: str, student: str, zygote) -> dict[str, GradedNotebook]:
    done = grade_assignment(root, assignment, lambda: zygote, students=student)
    return {one.notebook: one for one in done}


def scores(one: GradedNotebook) -> dict[str, float]:
    return {cell.grade_id: cell.score for cell in one.cells}


RIGHT = {"sixfold": 1.0, "ninefold": 1.0}
HANGS = "class Slow:\n    while True:\n        pass"
DOUBLE, FROM = "def double(x):\n    return ", "from doubling import double"
FROM_LATE = "from late import double"
# What becomes of assignment8/layers: (cells changed, what it earns, what the later notebook says)
EARLY: dict[str, tuple[dict[str, str] | None, dict[str, float], list[str]]] = {
    "right": ({}, {"double": 1, "triple": 1}, []),
    "wrong": (
        {"double_code": "def double(x):\n    return x + 2"},
        {"double": 0, "triple": 1},
        ["double of layers: the instructor's was used here"],
    ),
    "raises": (
        {"double_code": "def double(x):\n    return y\n1 / 0"},
        {"double": 0, "triple": 1},
        ["double of layers"],
    ),
    "syntax": (
        {"triple_code": "def triple(x:\n    return 3 * x"},
        {"double": 1, "triple": 0},
        ["triple of layers"],
    ),
    "again": (
        {"double_code": "def double(x):\n    return x", "late": "def double(x):\n    return x * x"},
        {"double": 0, "triple": 1},
        ["double of layers"],
    ),
    "helper": (
        {
            "double_code": "def times(a, b):\n    return a * b\n\ndef double(x):\n    return x",
            "triple_code": "def triple(x):\n    return times(3, x)",
        },
        {"double": 0, "triple": 1},
        ["double of layers"],
    ),
    "hangs": (
        {"double_code": f"{HANGS}\ndef double(x):\n    return 2 * x"},
        {"double": 0, "triple": 1},
        ["double of layers"],
    ),
    "hangs_elsewhere": (
        {"own": HANGS},
        {"double": 1, "triple": 1},
        ["layers could not be loaded: all of it is the instructor's"],
    ),
    "nothing_right": (
        {"imports": "", "double_code": "", "triple_code": ""},
        {"double": 0, "triple": 0},
        ["double of layers", "triple of layers"],
    ),
    "in_a_module": (
        {"imports": f"%%writefile doubling.py\n{DOUBLE}2 * x", "double_code": FROM},
        {"double": 1, "triple": 1},
        [],
    ),
    "wrong_in_a_module": (
        {"imports": f"%%writefile doubling.py\n{DOUBLE}x", "double_code": f"%%time\n{FROM}"},
        {"double": 0, "triple": 1},
        ["double of layers"],
    ),
    "imported_again": (
        {"double_code": f"{DOUBLE}x", "aside": f"%%file late.py\n{DOUBLE}x", "last": FROM_LATE},
        {"double": 0, "triple": 1},
        ["double of layers"],
    ),
    "missing": (None, {"double": 0, "triple": 0}, ["layers was not handed in: all of it"]),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", EARLY)
def test_one_early_mistake_costs_once(
    course: Path, zygote, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, early_scores, notes = EARLY[name]
    if name == "hangs_elsewhere":  # it burns all of it, for each of the two that load it
        monkeypatch.setattr(earlier, "LOAD_SECONDS", 3.0)
    if changed is not None:
        hand_in(course, name, "assignment8/layers", **changed)
    hand_in(course, name, "assignment8/a_net")
    hand_in(course, name, "assignment9/deep")
    early = graded(course, "assignment8", name, zygote)
    late = graded(course, "assignment9", name, zygote)["deep"]
    assert scores(early["layers"]) == early_scores
    assert scores(early["a_net"]) == {"net": 1}, "the notebook beside it"
    assert scores(late) == RIGHT, [cell.checks for cell in late.cells]
    for found in (late, early["a_net"]):
        assert len(found.substituted) == len(notes)
        for sentence, note in zip(found.substituted, notes, strict=True):
            assert sentence.startswith(note)
        assert all(note in found.document for note in notes)
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        assert gradebook.find_submission("assignment9", name).score == 2.0


@pytest.mark.sandbox
def test_a_module_beside_an_earlier_notebook_is_there_for_later_ones(course: Path, zygote) -> None:
    """Another content is another submission; one that is refused is named."""
    hand_in(course, "beside", "assignment8/layers", double_code=FROM)
    hand_in(course, "beside", "assignment9/deep")
    module = course / "submitted" / "beside" / "assignment8" / "doubling.py"
    for body, earned in (("2 * x", 1), ("x", 0)):
        module.write_text(DOUBLE + body)
        early = graded(course, "assignment8", "beside", zygote)["layers"]
        late = graded(course, "assignment9", "beside", zygote)["deep"]
        assert (scores(early)["double"], scores(late)) == (earned, RIGHT)
        assert len(late.substituted) == 1 - earned
    module.rename(module.with_name("elsewhere.py"))
    module.symlink_to("elsewhere.py")
    early = graded(course, "assignment8", "beside", zygote)["layers"]
    assert (
        "doubling.py, handed in beside the notebook, is not used: it is a sym" in early.needs_human
    )
    assert "No module named 'doubling'" in early.needs_human


@pytest.mark.sandbox
def test_a_mistake_of_its_own_still_costs(course: Path, zygote) -> None:
    hand_in(course, "own", "assignment8/layers", double_code="def double(x):\n    return x")
    hand_in(course, "own", "assignment9/deep", sixfold_code="def sixfold(x):\n    return x")
    late = graded(course, "assignment9", "own", zygote)["deep"]
    assert scores(late) == {"sixfold": 0, "ninefold": 1}


@pytest.mark.sandbox
def test_earlier_assignments_need_not_be_graded_before(course: Path, zygote) -> None:
    """They are looked at when needed, again when they have changed, and not recorded."""
    hand_in(course, "early", "assignment8/layers", double_code="def double(x):\n    return x")
    hand_in(course, "early", "assignment9/deep")
    found = graded(course, "assignment9", "early", zygote)["deep"]
    assert (scores(found), len(found.substituted)) == (RIGHT, 1)
    assert read_result(course, "early", "assignment8", "layers") is None
    graded(course, "assignment8", "early", zygote)
    hand_in(course, "early", "assignment8/layers")  # mended, and not graded again yet
    found = graded(course, "assignment9", "early", zygote)["deep"]
    assert (scores(found), found.substituted) == (RIGHT, ())


@pytest.mark.sandbox
def test_without_solutions_everything_is_as_handed_in(
    course: Path, zygote, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in(course, "bare", "assignment8/layers", double_code="def double(x):\n    return x")
    hand_in(course, "bare", "assignment9/deep")
    (course / "source").rename(course / "elsewhere")
    try:
        found = graded(course, "assignment9", "bare", zygote)["deep"]
    finally:
        (course / "elsewhere").rename(course / "source")
    assert scores(found) == {"sixfold": 0, "ninefold": 1}
    assert found.substituted == ()


def test_notebooks_are_graded_after_those_they_load(course: Path) -> None:
    documents = {
        name: load_template(course, "assignment8", name).document
        for name in notebooks_of(course, "assignment8")
    }
    assert loads(documents["a_net"]) == ["layers"]
    assert list(documents) == ["a_net", "layers"]
    assert course_order(documents) == ["layers", "a_net"]


@pytest.mark.parametrize(
    "assignment", sorted({path.parent.name for path in (ROOT / "release").glob("*/*.ipynb")})
)
def test_every_grade_cell_of_the_course_asks_about_some_answer(assignment: str) -> None:
    for name in notebooks_of(ROOT, assignment):
        template = load_template(ROOT, assignment, name)
        for grade_id, answers in answers_of(template).items():
            assert answers, f"{assignment}/{name}: what does {grade_id} ask about?"
