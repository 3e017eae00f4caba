"""The sample class earns exactly what it should, in real sandboxes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from autograder.course import CourseError
from autograder.demo import ASSIGNMENT, EARNED, EXPECTED, NOTEBOOK, build_demo
from autograder.demo.apply import find_definition, read_sample, replace_definitions, solution_of
from autograder.grade import Job, grade
from autograder.gradebook import course_config
from autograder.judge.registry import checks_for
from autograder.judge.results import GradedNotebook
from autograder.judge.zygote import Zygote
from autograder.template import Template, load_template

COURSE = Path(__file__).resolve().parents[2]
MANUAL = {"reference": 3, "alternative": 2, "blank": 0, "cheat_endless_loop": 0}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("course") / "demo"
    assert build_demo(root, COURSE) == sorted(EARNED)
    return root


@pytest.fixture(scope="module")
def template(demo: Path) -> Template:
    return load_template(demo, ASSIGNMENT, NOTEBOOK)


def graded(student: str, demo: Path, template: Template, zygote: Zygote) -> GradedNotebook:
    submission = demo / "submitted" / student / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    checks = checks_for(ASSIGNMENT, NOTEBOOK)
    return grade(Job(student, template, submission.read_bytes(), checks, b"a secret"), zygote)


@pytest.mark.sandbox
@pytest.mark.parametrize("student", sorted(EARNED))
def test_sample_earns(student: str, demo: Path, template: Template, zygote: Zygote) -> None:
    result = graded(student, demo, template, zygote)
    scores = {cell.grade_id: cell.score for cell in result.cells}
    assert scores == pytest.approx(EARNED[student], abs=1e-3), messages(result)
    assert result.max_score == 16
    assert len(result.manual_pending) == MANUAL.get(student, len(result.manual_pending))
    assert result.repairs == ()
    stopped = student in ("cheat_exits", "cheat_fork_bomb", "cheat_endless_loop")
    assert bool(result.needs_human) == stopped, result.needs_human


@pytest.mark.sandbox
@pytest.mark.parametrize("student", ["reference", "alternative"])
def test_honest_work_is_far_from_the_limits(
    student: str, demo: Path, template: Template, zygote: Zygote
) -> None:
    result = graded(student, demo, template, zygote)
    assert result.timings["cells"] < template.limit("cell_seconds", 0)
    outputs = [o for cell in json.loads(result.document)["cells"] for o in cell.get("outputs", ())]
    assert [o for o in outputs if o["output_type"] == "error"] == []


@pytest.mark.sandbox
def test_the_cheat_that_searches_the_disk_finds_nothing(
    demo: Path, template: Template, zygote: Zygote
) -> None:
    result = graded("cheat_reads_solutions", demo, template, zygote)
    printed = "".join(
        output.get("text", "")
        for cell in json.loads(result.document)["cells"]
        for output in cell.get("outputs", ())
    )
    assert "0 files:" in printed


def test_building_again_gives_the_same_files(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    for folder in (first, second):
        build_demo(folder, COURSE)
        (folder / "submitted" / "stray" / ASSIGNMENT).mkdir(parents=True)
        build_demo(folder, COURSE)
    files = {p.relative_to(first): p.read_bytes() for p in first.rglob("*") if p.is_file()}
    again = {p.relative_to(second): p.read_bytes() for p in second.rglob("*") if p.is_file()}
    assert files == again
    assert len(files) == len(EARNED) + 3
    assert not (first / "submitted" / "stray").exists()


def test_the_demo_never_takes_over_a_folder_of_somebody_else(tmp_path: Path) -> None:
    work = tmp_path / "submitted" / "ann"
    work.mkdir(parents=True)
    with pytest.raises(CourseError, match="not empty and no demo"):
        build_demo(tmp_path, COURSE)
    assert work.exists()


def test_the_demo_is_a_course_with_the_repositorys_settings(demo: Path) -> None:
    demo_config, own = course_config(demo), course_config(COURSE)
    assert demo_config.CourseDirectory.root == str(demo)
    assert demo_config.GenerateAssignment == own.GenerateAssignment
    assert demo_config.Autograde == own.Autograde
    assert demo_config.HTMLExporter == own.HTMLExporter


def test_samples_say_what_they_are_and_leave_no_trace_of_the_source(demo: Path) -> None:
    for student in EARNED:
        path = COURSE / "autograder" / "demo" / "samples" / f"{student}.py"
        assert path.read_text("utf-8").startswith('"""')
        notebook = demo / "submitted" / student / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
        text = notebook.read_text("utf-8")
        assert "### BEGIN" not in text
        assert "hidden.check" not in text


def test_totals_add_up() -> None:
    assert EXPECTED["reference"] == EXPECTED["alternative"] == 16
    assert EXPECTED["blank"] == 0


def test_solutions_lose_their_markers_and_mark_schemes() -> None:
    source = (
        "a\n### BEGIN SOLUTION\nb\n### END SOLUTION\n### BEGIN MARK SCHEME\nc\n### END MARK SCHEME"
    )
    assert solution_of(source) == "a\nb"


def test_methods_are_replaced_in_their_class() -> None:
    cell = "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        pass"
    new = replace_definitions(cell, "def f(self):\n    return 2")
    assert new == cell.replace("return 1", "return 2")
    assert replace_definitions(cell, "def h():\n    ...") == f"def h():\n    ...\n\n\n{cell}"
    with pytest.raises(ValueError, match="is no function"):
        replace_definitions(cell, "x = 1")


def test_definitions_are_found_by_qualified_name() -> None:
    cell = "def f():\n    pass\n\nclass A:\n    def g(self): ...\n\nclass B:\n    def g(self): ..."
    assert find_definition(cell, "f").lineno == 1
    assert find_definition(cell, "B.g").lineno == 8
    assert find_definition(cell, "g").lineno == 5
    assert find_definition(cell, "A.f") is None


def test_a_sample_must_say_where_it_starts(tmp_path: Path) -> None:
    path = tmp_path / "sample.py"
    path.write_text("# %% cell best-k\nbest_k = 1\n")
    with pytest.raises(ValueError, match="the first marker must be"):
        read_sample(path)


def messages(result: GradedNotebook) -> str:
    failed = (c for cell in result.cells for c in cell.checks if not c.passed)
    return "\n".join([result.needs_human, *(f"{c.name}: {c.message}" for c in failed)])
