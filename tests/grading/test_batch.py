"""The engine: what is graded again and what is not, in which order, and what a busy host costs."""

from __future__ import annotations

import dataclasses
import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from autograder.authoring.release import release
from autograder.batch import fingerprints
from autograder.batch.engine import AMENDED, FORCED, Event
from autograder.batch.executors import Again, Answer, LocalExecutor, TaskFailure
from autograder.batch.run import Selection, grade_class
from autograder.batch.task import VERSION, Refused, Task, pack_answer, unpack_answer
from autograder.batch.task_grader import TaskGrader
from autograder.cli.grade_display import Display
from autograder.course.changes import changes_path, person, read_changes
from autograder.course.gradebook import GradebookError, GradebookWriter
from autograder.course.records import results
from autograder.course.submissions import CourseError
from autograder.grading.material import Material, load_material
from autograder.judge.kernel import Kernel, KernelLimits
from autograder.judge.results import (
    DIED,
    MISSING,
    NOT_RUN,
    OUT_OF_MEMORY,
    TIMED_OUT,
    UNREADABLE,
    CellVerdict,
    GradedNotebook,
)
from tests.little import ASSIGNMENT, CLASS_POINTS, NOTEBOOK, answer, cell_of, submit, write_course

ROOT = Path(__file__).resolve().parents[2]
ALL = Selection()
SECONDS = 60
GRADED = GradedNotebook("ada", "a1", "knn", (CellVerdict("q", 2.0, 1.5, ()),), document="{}")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = write_course(tmp_path / "course")
    release(root)
    return root


class Recording:
    """Answers with what it is told to, or by a real task_grader; remembers what was under way."""

    def __init__(self, answers: Callable[[Task], Answer], capacity: int = 3) -> None:
        self._answers = answers
        self._capacity = capacity
        self.waiting: list[tuple[str, Task]] = []
        self.companies: list[list[str]] = []  # students under way, whenever one was waited for

    def capacity(self) -> int:
        return self._capacity

    def submit(self, key: str, task: Task) -> None:
        self.waiting.append((key, task))

    def submit_alone(self, key: str, task: Task) -> None:
        self.submit(key, task)

    def crowded(self) -> bool:
        return self._capacity > 1

    def next(self) -> tuple[str, Answer | Again]:
        self.companies.append([task.student for _, task in self.waiting])
        key, task = self.waiting.pop(0)
        return key, self._answers(task)


def graded(task: Task, outcome: str = "") -> GradedNotebook:
    cells = (CellVerdict("knn-two-loops", 2.0, 0.0 if outcome else 2.0, ()),)
    return GradedNotebook(
        task.student, ASSIGNMENT, task.notebook, cells, outcome=outcome, document="{}"
    )


def run(root: Path, grader: Recording, selection: Selection = ALL) -> list[Event]:
    return [e for e in grade_class(root, ASSIGNMENT, selection, lambda _: grader) if e.graded]


# -- plain data -----------------------------------------------------------------------------------


def test_tasks_and_answers_survive_a_trip() -> None:
    known = {("a1", "svm"): GRADED}
    task = Task("zoë \udcff", "knn", {"knn.ipynb": b"\x00\xff"}, None, "a hint", known)
    assert Task.unpack(task.pack()) == task
    for said in (GRADED, Refused("tcp://1.2.3.4:5", VERSION, "another one")):
        assert unpack_answer(pack_answer(said)) == said


def test_material_survives_a_trip_and_knows_what_needs_what() -> None:
    material = load_material(ROOT, "assignment2", b"secret")
    copy = Material.unpack(material.pack())
    assert copy == material
    needs = copy.needs(copy.template("Dropout"))
    assert ("assignment1", "two_layer_net") in needs
    assert needs.index(("assignment2", "FullyConnectedNets")) < needs.index(
        ("assignment2", "BatchNormalization")
    )


# -- what is graded again -------------------------------------------------------------------------


def test_a_changed_check_touches_the_notebooks_that_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_notebook() -> dict[str, str]:
        fingerprints.checks_code.cache_clear()
        material = load_material(ROOT, "assignment2", b"secret")
        return {
            name: fingerprints.fingerprint(Task("ada", name, {}, b"{}"), material)
            for name in material.notebooks
        }

    real, before = Path.read_bytes, by_notebook()
    changed = "autograder/checks/assignment2/dropout"
    monkeypatch.setattr(
        Path, "read_bytes", lambda path: real(path) + b"#" * (changed in path.as_posix())
    )
    after = by_notebook()
    monkeypatch.undo()
    fingerprints.checks_code.cache_clear()
    assert {name for name in before if before[name] != after[name]} == {"Dropout"}


def test_a_changed_grader_or_library_touches_all() -> None:
    modules = {name for package in fingerprints.INSIDE for name in fingerprints.modules_of(package)}
    modules |= fingerprints.imported_by(fingerprints.GRADER)
    for one in ("judge.student", "judge.score", "grading.grade", "grading.earlier"):
        assert f"autograder.{one}" in modules
    assert {"autograder.notebook.repair", "autograder.sandbox.agent"} <= modules
    assert {"cs231n_lib.solver", "cs231n_lib.notebooks"} <= modules
    assert not [m for m in modules if m.startswith(("autograder.report", "autograder.demo"))]


def test_a_changed_earlier_notebook_touches_those_that_load_it() -> None:
    material = load_material(ROOT, "assignment2", b"secret")
    handed_in = {"FullyConnectedNets.ipynb": b"{}", "PyTorch.ipynb": b"{}"}

    def fingerprint_with(name: str, **changed: bytes) -> str:
        files = handed_in | {f"{notebook}.ipynb": data for notebook, data in changed.items()}
        return fingerprints.fingerprint(Task("ada", name, files, b"{}"), material)

    assert fingerprint_with("Dropout") != fingerprint_with("Dropout", FullyConnectedNets=b"{ }")
    assert fingerprint_with("Dropout") == fingerprint_with("Dropout", PyTorch=b"{ }")
    assert fingerprint_with("PyTorch") == fingerprint_with("PyTorch", FullyConnectedNets=b"{ }")


def test_a_notebook_that_the_student_names_counts_too() -> None:
    material = load_material(ROOT, "assignment2", b"secret")

    def fingerprint_with(submission: bytes, helper: bytes) -> str:
        task = Task("ada", "PyTorch", {"my_helpers.ipynb": helper}, submission)
        return fingerprints.fingerprint(task, material)

    loads = b'{"cells": [{"source": "load(\'my_helpers\')"}]}'
    assert fingerprint_with(loads, b"1") != fingerprint_with(loads, b"2")
    assert fingerprint_with(b"{}", b"1") == fingerprint_with(b"{}", b"2")


def test_nothing_is_given_out_twice(course: Path) -> None:
    for student in ("ada", "zoe"):
        submit(course, student, answer())
    first, second = Recording(graded), Recording(graded)
    assert [e.reused for e in run(course, first)] == [False, False]
    events = run(course, second)
    assert [(e.student, e.reused, e.done, e.total) for e in events] == [
        ("ada", True, 1, 2),
        ("zoe", True, 2, 2),
    ]
    assert second.companies == []
    assert len(run(course, forced := Recording(graded), Selection("ada", force=True))) == 1
    assert forced.companies == [["ada"]]


def test_a_gradebook_that_lost_the_grades_gets_them_again(course: Path, zygote) -> None:
    submit(course, "ada", answer())
    selection = Selection()
    list(
        grade_class(
            course, ASSIGNMENT, selection, lambda m: LocalExecutor(TaskGrader(m, lambda: zygote))
        )
    )
    (course / "gradebook.db").unlink()
    assert [e.reused for e in run(course, Recording(graded))] == [True]
    with GradebookWriter(course) as book:
        scores = book.entries(ASSIGNMENT)["ada"].scores[NOTEBOOK]
    assert sum(score or 0 for score in scores.values()) == CLASS_POINTS


def test_notebooks_are_chosen_by_a_pattern(course: Path) -> None:
    submit(course, "ada", answer())
    assert len(run(course, Recording(graded), Selection(notebooks="k*"))) == 1
    with pytest.raises(CourseError, match="no notebook matches 'svm'; assignment1 has: knn"):
        run(course, Recording(graded), Selection(notebooks="svm"))


def test_two_graders_of_one_course_get_in_each_others_way(course: Path) -> None:
    submit(course, "ada", answer())
    events = grade_class(course, ASSIGNMENT, Selection(), lambda _: Recording(graded))
    next(events)
    other = [sys.executable, "-m", "autograder", "grade", ASSIGNMENT, "--root", str(course)]
    done = subprocess.run(other, capture_output=True, text=True)
    assert done.returncode == 2
    assert "is grading this course already" in done.stderr
    events.close()


# -- outcomes -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("gradebook_first")
def test_who_was_held_up_is_tried_once_more_beside_others(course: Path) -> None:
    for student in ("ada", "bob", "eve", "flo", "zoe"):
        submit(course, student, answer())
    tries: dict[str, int] = {}

    def slow_bob(task: Task) -> GradedNotebook:
        tries[task.student] = tries.get(task.student, 0) + 1
        slow = task.student == "bob" and tries["bob"] == 1
        return dataclasses.replace(graded(task, TIMED_OUT if slow else ""), held_up=slow)

    grader = Recording(slow_bob)
    events = run(course, grader)
    assert tries == {"ada": 1, "bob": 2, "eve": 1, "flo": 1, "zoe": 1}
    # Before those of whom nothing has been begun.
    assert grader.companies[0] == ["ada", "bob", "eve"]
    assert grader.companies[2] == ["eve", "flo", "bob"]
    verdicts = {e.student: (e.graded.outcome, e.graded.attempts) for e in events if e.graded}
    assert verdicts.pop("bob") == ("", 2)
    assert set(verdicts.values()) == {("", 1)}


def test_who_computed_till_his_time_was_up_is_not_tried_again(course: Path) -> None:
    for student in ("ada", "bob"):
        submit(course, student, answer())
    events = run(course, Recording(lambda task: graded(task, TIMED_OUT)))
    found = [(e.graded.outcome, e.graded.attempts) for e in events if e.graded]
    assert found == [(TIMED_OUT, 1)] * 2


def test_who_runs_out_of_time_in_the_same_place_keeps_the_first_verdict(course: Path) -> None:
    """The second attempt ends there, and knows less."""
    for student in ("ada", "bob", "eve"):
        submit(course, student, answer())
    places = {"ada": ["loops", "loops"], "bob": ["loops", "later"], "eve": ["loops", "loops"]}
    tried: list[tuple[str, str]] = []

    def late(task: Task) -> GradedNotebook:
        tried.append((task.student, task.late_in))
        first = not task.late_in
        place = places[task.student][0 if first else 1]
        told = {"late_in": place, "held_up": True, "needs_human": "first" if first else "second"}
        return dataclasses.replace(graded(task, TIMED_OUT), **told)

    grader = Recording(late)
    events = run(course, grader)
    assert [who for who, late_in in tried if late_in == "loops"] == ["ada", "bob", "eve"]
    verdicts = {e.student: (e.graded.needs_human, e.graded.attempts) for e in events if e.graded}
    assert verdicts == {"ada": ("first", 2), "bob": ("second", 2), "eve": ("first", 2)}


def test_who_had_a_machine_alone_is_not_tried_again(course: Path) -> None:
    submit(course, "ada", answer())

    def late(task: Task) -> GradedNotebook:
        return dataclasses.replace(graded(task, TIMED_OUT), held_up=True)

    (event,) = run(course, Recording(late, capacity=1))
    assert event.graded is not None
    assert (event.graded.outcome, event.graded.attempts) == (TIMED_OUT, 1)


def hangs_in_one_loop(document: dict) -> None:
    cell = cell_of(document, "k-nearest-neighbor")
    named = "def compute_distances_one_loop(self, X):"
    cell["source"] = cell["source"].replace(named, f"{named}\n        while True: pass", 1)


def test_a_second_attempt_ends_where_the_first_was_late(course: Path, zygote) -> None:
    material = load_material(course, ASSIGNMENT, b"secret")
    task_grader = TaskGrader(material, lambda: zygote)
    task = Task("ada", NOTEBOOK, {}, answer(hangs_in_one_loop))
    first = task_grader.grade(task)
    place = "the checks of 'knn-one-loop'"
    assert (first.outcome, first.late_in, first.score) == (TIMED_OUT, place, 9.0)
    assert not first.held_up  # a loop without end is one anywhere
    second = task_grader.grade(dataclasses.replace(task, late_in=place))
    assert (second.outcome, second.late_in) == (TIMED_OUT, place)
    notes = {cell.grade_id: cell.note for cell in second.cells}
    assert f"out of time in {place} once more" in notes["knn-no-loops"]
    other = task_grader.grade(dataclasses.replace(task, late_in="cell 'knn-one-loop'"))
    assert other.score == first.score  # to the end


def test_who_brings_down_two_workers_is_left_to_a_human(course: Path) -> None:
    for student in ("ada", "bob"):
        submit(course, student, answer())

    def bob_kills(task: Task) -> Answer:
        return TaskFailure("two workers died with it") if task.student == "bob" else graded(task)

    ada, bob = (event.graded for event in run(course, Recording(bob_kills)))
    assert ada is not None
    assert bob is not None
    assert (ada.outcome, ada.score) == ("", 2.0)
    assert (bob.outcome, bob.score, bob.max_score) == (NOT_RUN, 0.0, CLASS_POINTS)
    assert "knn could not be run: two workers died with it" in bob.needs_human


def loops(document: dict) -> None:
    cell_of(document, "imports")["source"] = "import signal\nwhile True:\n    pass"


def leaves(document: dict) -> None:
    cell_of(document, "imports")["source"] = "import os\nos._exit(0)"


def test_each_ending_has_a_name(course: Path, zygote) -> None:
    submit(course, "loops", answer(loops))
    submit(course, "leaves", answer(leaves))
    submit(course, "unreadable", b"not a notebook")
    submit(course, "missing", answer(), "something.ipynb")
    events = grade_class(
        course, ASSIGNMENT, Selection(), lambda m: LocalExecutor(TaskGrader(m, lambda: zygote))
    )
    outcomes = {e.student: e.graded.outcome for e in events if e.graded}
    assert outcomes == {
        "loops": TIMED_OUT,
        "leaves": DIED,
        "unreadable": UNREADABLE,
        "missing": MISSING,
    }


def test_memory_without_end_is_an_outcome_of_its_own(zygote) -> None:
    kernel = Kernel(zygote.fork(), KernelLimits(memory_bytes=300 << 20))
    with pytest.raises(Exception, match="used more than 300 MB") as death:
        kernel.run_cell("held = []\nwhile True:\n    held.append(bytearray(b'x' * (16 << 20)))")
    assert death.value.kind == OUT_OF_MEMORY  # type: ignore[attr-defined]
    kernel.close()


# -- the gradebook comes later ----------------------------------------------------------------


def test_while_the_gradebook_is_opened_others_are_graded_and_nothing_is_on_record(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        submit(course, f"student-{number}", answer())
    all_graded, opened = threading.Event(), []

    class Watching(Recording):
        def next(self) -> tuple[str, Answer | Again]:
            assert not list(results(course, ASSIGNMENT))
            key, given = super().next()
            if not self.waiting:
                all_graded.set()
            return key, given

    def slow(writer: GradebookWriter) -> GradebookWriter:
        assert all_graded.wait(SECONDS)
        opened.append(True)
        return enter(writer)

    enter = GradebookWriter.__enter__
    monkeypatch.setattr(GradebookWriter, "__enter__", slow)
    assert len(run(course, Watching(graded))) == 5
    assert opened == [True]
    assert len(list(results(course, ASSIGNMENT))) == 5


def test_what_is_graded_again_at_once_is_said_with_the_reason(course: Path) -> None:
    submit(course, "ada", answer())

    class Dying(Recording):
        died = False

        def next(self) -> tuple[str, Answer | Again]:
            if not self.died:
                self.died = True
                return self.waiting[0][0], Again("the process of the judge died (gone)")
            return super().next()

    events = list(grade_class(course, ASSIGNMENT, ALL, lambda _: Dying(graded)))
    told = [event.later for event in events if event.later]
    assert told == ["is graded again, because the process of the judge died (gone)"]
    assert [event.graded.score for event in events if event.graded] == [2.0]
    console = Console(file=io.StringIO(), width=80)
    with Display(console) as display:
        for event in events[:-1]:
            display.show(event)
        assert display.waiting().startswith("waiting for ada/knn "), "it is under way again"
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().strip() == f"ada/knn {told[0]}"


def test_points_changed_by_grading_again_are_in_the_log_of_changes(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By --force and by another check, not by another hand-in or where nothing has changed."""

    def worth(points: float) -> Recording:
        cells = (CellVerdict("knn-two-loops", 2.0, points, ()),)
        return Recording(lambda task: replace(graded(task), cells=cells))

    command = f"grade {ASSIGNMENT}"
    submit(course, "ada", answer())
    run(course, worth(1.0), Selection(command=command))
    forced = Selection(force=True, command=f"{command} --force")
    run(course, worth(1.0), forced)
    assert not changes_path(course).exists()
    run(course, worth(2.0), forced)
    monkeypatch.setattr(fingerprints, "grader_code", lambda: "another")
    run(course, worth(0.5), Selection(command=command))
    submit(course, "ada", answer(lambda document: document["cells"].pop(0)))
    run(course, worth(0.0), Selection(command=command))
    first, second = read_changes(course, ASSIGNMENT)
    assert (first.old, first.new, first.command) == (1.0, 2.0, f"{command} --force")
    assert (first.student, first.user, first.note) == ("ada", person(), FORCED)
    assert (second.old, second.new, second.command, second.note) == (2.0, 0.5, command, AMENDED)
    (question,) = second.questions
    assert (question.notebook, question.grade_id) == (NOTEBOOK, "knn-two-loops")
    assert "| knn-two-loops | 2 | 0.5 | 2 |" in " ".join(second.told(NOTEBOOK))


def test_a_bad_gradebook_ends_the_run_with_nothing_on_record(course: Path) -> None:
    submit(course, "ada", answer())
    (course / "gradebook.db").write_bytes(b"no database" * 100)
    for _ in range(2):
        with pytest.raises(GradebookError, match=r"cannot be opened: .*not a database"):
            run(course, Recording(graded))
    assert not list(results(course, ASSIGNMENT))
    assert not (course / "autograded").exists()


# -- a busy host ----------------------------------------------------------------------------------


def test_a_limit_does_not_count_waiting_for_a_processor(zygote) -> None:
    """One processor for four: each gets a quarter of the time, and is given four times as long."""
    kernel = Kernel(zygote.fork())
    kernel.run_cell("import os, time; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})")
    one = min(os.sched_getaffinity(0))
    busy = (
        f"import os\nos.sched_setaffinity(0, {{{one}}})\nprint('busy', flush=True)\nwhile 1: pass"
    )
    command = [sys.executable, "-c", busy]
    # In sessions of their own, as the kernel is: Linux shares processors out to sessions first.
    others = [
        subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) for _ in range(3)
    ]
    for other in others:
        assert other.stdout is not None
        assert other.stdout.readline() == b"busy\n"
    work = "start = time.process_time()\nwhile time.process_time() - start < 0.8: pass"
    try:
        started = time.monotonic()
        ran = kernel.run_cell(work, seconds=1.5)
        took = time.monotonic() - started
    finally:
        for other in others:
            other.kill()
            other.communicate()
    assert ran.ok, ran.outputs
    assert took > 1.5, "the host was not busy enough to show anything"
    sleeping = kernel.run_cell("time.sleep(30)", seconds=0.5)
    assert sleeping.timed_out
    kernel.close()


def test_results_have_no_documents_on_record(course: Path) -> None:
    submit(course, "ada", answer())
    run(course, Recording(lambda task: dataclasses.replace(graded(task), document="{}")))
    assert [one.document for one in results(course, ASSIGNMENT)] == [""]
