"""The sample class earns exactly what it should, in real sandboxes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from autograder.batch.task import Task
from autograder.batch.task_grader import TaskGrader
from autograder.cli.demo import run_demo
from autograder.course.gradebook import course_config
from autograder.course.records import results
from autograder.course.submissions import CourseError, Submission
from autograder.demo import (
    ASSIGNMENT,
    ASSIGNMENTS,
    EARNED,
    EXPECTED,
    FULL,
    NOTEBOOK,
    SMALL,
    DemoClass,
    build_demo,
)
from autograder.demo.build import LIMITS, read
from autograder.grading.job import CELL_SECONDS
from autograder.grading.material import Material, load_material
from autograder.judge.results import GradedNotebook
from autograder.judge.zygote import Zygote
from autograder.notebook.edits import (
    find_definition,
    read_sample,
    read_samples,
    replace_definitions,
    solution_of,
)
from autograder.notebook.template import is_manual, load_template, notebooks_of
from tests.nightly import TRAINING

COURSE = Path(__file__).resolve().parents[2]
PART_OF = {name: part for part in ASSIGNMENTS for name in notebooks_of(COURSE, part)}
NOTEBOOKS = sorted(PART_OF)
#: What is graded here: what a sample does something to, and everything as it was released.
HANDED_IN = sorted((student, name) for student in EARNED for name in read(student))
RELEASED = [("blank", name) for name in NOTEBOOKS if ("blank", name) not in HANDED_IN]
PARTS_OF = {student: sorted({PART_OF[name] for name in read(student)}) for student in EARNED}
HONEST = [pair for pair in HANDED_IN if pair[0] in ("reference", "alternative")]
STOPPED = [(f"cheat_{name}", "knn") for name in ("exits", "fork_bomb", "endless_loop")]
#: They train for a quarter of a minute and more. The first shows what FullyConnectedNets of the
#: same sample shows by day; features is graded for one who searches on the test set; of the others,
#: the tests of their checks ask all that needs no training.
BY_NIGHT = {("wrong_net_relu_mask", "BatchNormalization")}
LONG = ("features", "BatchNormalization", "PyTorch", "Transformer_Captioning")
LONG += ("Seq2Seq_Attention", "Model_Compression")
BY_NIGHT |= {("reference", notebook) for notebook in LONG}
# They use up what they may; by day test_resources and test_kernel do, in seconds.
BY_NIGHT |= {("cheat_endless_loop", "knn"), ("cheat_fork_bomb", "knn")}
Graded = Callable[[str, str], GradedNotebook]
#: One who did nothing, one who cheated, one who went wrong: all of it takes seconds.
TINY = DemoClass(
    students=("blank", "cheat_forged_messages", "wrong_adam_uncorrected"),
    notebooks=("knn", "FullyConnectedNets"),
    student_page=("assignment2", "wrong_adam_uncorrected"),
    feedback_page=("assignment1", "cheat_forged_messages", "knn"),
)


def by_night(pairs: Iterable[tuple[str, str]]) -> list[Any]:
    """Right solutions in another style that train for long are left to the night.

    So are those whose earlier notebooks do; the tests of their checks ask the same solutions.
    """
    return [
        pytest.param(student, notebook, marks=pytest.mark.nightly)
        if (student, notebook) in BY_NIGHT or (student == "alternative" and notebook in TRAINING)
        else (student, notebook)
        for student, notebook in pairs
    ]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All samples. Cells have half of their time, or less: then honest work is far from the limit.

    Limits do not count waiting for a processor, so that holds on a busy machine, too. Where the
    demo sets a limit of its own, a quarter of the usual one, that is short enough.
    """
    root = tmp_path_factory.mktemp("course") / "demo"
    assert build_demo(root, COURSE) == sorted(EARNED)
    for notebook in (name for name in NOTEBOOKS if name not in LIMITS):
        part = PART_OF[notebook]
        template = load_template(root, part, notebook)
        about = template.document["metadata"].setdefault("cs231n", {})
        about["cell_seconds"] = template.limit("cell_seconds", CELL_SECONDS) / 2
        path = root / "release" / part / f"{notebook}.ipynb"
        path.write_text(json.dumps(template.document), "utf-8")
    return root


@pytest.fixture(scope="module")
def graded(demo: Path, zygote: Zygote) -> Graded:
    """Grades a student's notebook after those that it loads, each once."""

    @cache
    def grader_of(part: str) -> tuple[Material, TaskGrader]:
        material = load_material(demo, part, b"a secret")
        return material, TaskGrader(material, lambda: zygote)

    @cache
    def handed_in(student: str) -> dict[str, bytes]:
        return Submission(student, demo / "submitted" / student / PARTS_OF[student][-1]).files()

    @cache
    def once(student: str, notebook: str) -> GradedNotebook:
        material, grader = grader_of(PART_OF[notebook])
        files = handed_in(student)
        needed = material.needs(material.template(notebook))
        earlier = {name: once(student, name[1]) for name in needed if f"{name[1]}.ipynb" in files}
        submission = files[f"{notebook}.ipynb"]
        return grader.grade(Task(student, notebook, files, submission, earlier_verdicts=earlier))

    return once


@pytest.mark.sandbox
@pytest.mark.parametrize(("student", "notebook"), by_night(HANDED_IN + RELEASED))
def test_sample_earns(student: str, notebook: str, graded: Graded) -> None:
    result = graded(student, notebook)
    scores = {cell.grade_id: cell.score for cell in result.cells}
    assert scores == pytest.approx(EARNED[student][notebook], abs=1e-3), messages(result)
    assert result.max_score == sum(FULL[notebook].values())
    assert result.repairs == ()
    assert bool(result.needs_human) == ((student, notebook) in STOPPED), result.needs_human


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_notebooks_that_a_sample_does_not_mention_are_as_released(
    notebook: str, demo: Path
) -> None:
    part = PART_OF[notebook]
    blank = demo / "submitted" / "blank" / part / f"{notebook}.ipynb"
    for student in EARNED:
        submitted = demo / "submitted" / student / part / f"{notebook}.ipynb"
        assert submitted.exists() == (part in PARTS_OF[student])
        if not submitted.exists():
            continue
        same = submitted.read_bytes() == blank.read_bytes()
        assert same == ((student, notebook) not in HANDED_IN or student == "blank")
        if same:
            assert not any(EARNED[student][notebook].values())


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "notebook",
    [
        pytest.param(name, marks=pytest.mark.nightly) if ("reference", name) in BY_NIGHT else name
        for name in NOTEBOOKS
    ],
)
def test_written_answers_are_left_to_people(notebook: str, demo: Path, graded: Graded) -> None:
    template = load_template(demo, PART_OF[notebook], notebook)
    asked = [c for c in template.cells if is_manual(c)]
    assert len(graded("reference", notebook).manual_pending) == len(asked)
    assert graded("blank", notebook).manual_pending == ()


@pytest.mark.sandbox
@pytest.mark.parametrize(("student", "notebook"), by_night(HONEST))
def test_honest_work_raises_nothing(student: str, notebook: str, graded: Graded) -> None:
    """Nor is it late, with half of the time."""
    result = graded(student, notebook)
    outputs = [o for cell in json.loads(result.document)["cells"] for o in cell.get("outputs", ())]
    assert [o for o in outputs if o["output_type"] == "error"] == []


@pytest.mark.sandbox
def test_the_cheat_that_searches_the_disk_finds_nothing(graded: Graded) -> None:
    result = graded("cheat_reads_solutions", NOTEBOOK)
    printed = "".join(
        output.get("text", "")
        for cell in json.loads(result.document)["cells"]
        for output in cell.get("outputs", ())
    )
    assert "0 files:" in printed


@pytest.mark.sandbox
@pytest.mark.parametrize("who", [TINY, pytest.param(SMALL, marks=pytest.mark.nightly)])
def test_the_demo_grades_a_small_class_and_names_three_pages(
    who: DemoClass, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    run_demo(COURSE, tmp_path / "demo", who)
    graded = [one for part in ASSIGNMENTS for one in results(tmp_path / "demo", part)]
    assert {one.student for one in graded} == set(who.students)
    assert {one.notebook for one in graded} == set(who.notebooks)
    for one in graded:
        assert one.score == pytest.approx(sum(EARNED[one.student][one.notebook].values()), abs=1e-3)
        assert bool(one.needs_human) == ((one.student, one.notebook) in STOPPED)
    printed = capsys.readouterr().out
    named = re.findall(r"^  (?:the class|a student|feedback) +(\S+)$", printed, re.MULTILINE)
    assert len(named) == 3, printed
    assert all(page.startswith("demo/") and Path(page).is_file() for page in named)
    assert who.feedback_page[1] in named[2]


def test_another_class_in_the_same_folder_starts_anew(tmp_path: Path) -> None:
    """Questions of notebooks that are no more would stay in the gradebook."""
    assert build_demo(tmp_path / "demo", COURSE, SMALL) == sorted(SMALL.students)
    gradebook = tmp_path / "demo" / "gradebook.db"
    gradebook.touch()
    build_demo(tmp_path / "demo", COURSE, SMALL)
    assert gradebook.exists()
    build_demo(tmp_path / "demo", COURSE, TINY)
    assert not gradebook.exists()
    submitted = (tmp_path / "demo" / "submitted").glob("*/*/*.ipynb")
    assert {(path.parts[-3], path.stem) for path in submitted} == {
        ("blank", "knn"),
        ("cheat_forged_messages", "knn"),
        ("wrong_adam_uncorrected", "FullyConnectedNets"),
    }


def test_building_again_gives_the_same_files(tmp_path: Path) -> None:
    first, second = tmp_path / "one", tmp_path / "two"
    for folder in (first, second):
        build_demo(folder, COURSE)
        (folder / "submitted" / "stray" / ASSIGNMENT).mkdir(parents=True)
        build_demo(folder, COURSE)
    files = {p.relative_to(first): p.read_bytes() for p in first.rglob("*") if p.is_file()}
    again = {p.relative_to(second): p.read_bytes() for p in second.rglob("*") if p.is_file()}
    assert files == again
    handed_in = sum(PART_OF[name] in parts for name in NOTEBOOKS for parts in PARTS_OF.values())
    assert len(files) == handed_in + 2 * len(NOTEBOOKS) + 2  # and the settings and the map
    assert not (first / "submitted" / "stray").exists()


def test_the_demo_never_takes_over_a_folder_of_somebody_else(tmp_path: Path) -> None:
    work = tmp_path / "submitted" / "ann"
    work.mkdir(parents=True)
    with pytest.raises(CourseError, match="not empty and not a demo"):
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
        notebooks = sorted((demo / "submitted" / student).glob("*/*.ipynb"))
        expected = [name for name in NOTEBOOKS if PART_OF[name] in PARTS_OF[student]]
        assert sorted(notebook.stem for notebook in notebooks) == expected
        for notebook in notebooks:
            text = notebook.read_text("utf-8")
            assert "### BEGIN" not in text
            assert "hidden.check" not in text


def test_totals_add_up() -> None:
    assert sorted(FULL) == NOTEBOOKS
    assert EXPECTED["reference"] == EXPECTED["alternative"] == sum(map(sum, points()))
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
    with pytest.raises(ValueError, match="the first marker must be '# %% start from"):
        read_sample(path)
    with pytest.raises(ValueError, match="the first marker must be '# %% notebook"):
        read_samples(path)
    path.write_text("# %% notebook knn\n# %% cell best-k\nbest_k = 1\n")
    with pytest.raises(ValueError, match="the first marker must be '# %% start from"):
        read_samples(path)


def test_a_sample_edits_several_notebooks(tmp_path: Path) -> None:
    path = tmp_path / "sample.py"
    one = "# %% notebook knn\nimport numpy\n# %% start from release\n# %% cell best-k\nbest_k = 1\n"
    path.write_text(f"{one}# %% notebook svm\n# %% start from solutions\n")
    sample = read_samples(path)
    assert [(s.action, s.target, s.text) for s in sample["knn"]] == [
        ("start from", "release", ""),
        ("cell", "best-k", "best_k = 1"),
    ]
    assert [(s.action, s.target) for s in sample["svm"]] == [("start from", "solutions")]
    path.write_text(one * 2)
    with pytest.raises(ValueError, match="knn comes twice"):
        read_samples(path)


def points() -> Iterator[Iterator[float]]:
    """The automatic points of each notebook's questions, from the release."""
    for name in NOTEBOOKS:
        template = load_template(COURSE, PART_OF[name], name)
        yield (worth for _, worth in template.auto_graded())


def messages(result: GradedNotebook) -> str:
    failed = (c for cell in result.cells for c in cell.checks if not c.passed)
    return "\n".join([result.needs_human, *(f"{c.name}: {c.message}" for c in failed)])


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("student", "notebook"), by_night(p for p in HANDED_IN if p[0] == "wrong_net_relu_mask")
)
def test_an_early_mistake_is_paid_once_and_the_report_says_so(
    student: str, notebook: str, graded: Graded
) -> None:
    """The wrong ReLU costs points in two_layer_net; what builds on it is asked with a right one."""
    result = graded(student, notebook)
    notes = [note for note in result.substituted if "relu_backward of two_layer_net" in note]
    assert bool(notes) == (PART_OF[notebook] == "assignment2")
