"""Whatever a submission does to the judge that reads it, nobody else's grade depends on it."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.authoring.release import release
from autograder.batch.executors import Answer, LocalExecutor
from autograder.batch.run import Selection, grade_class
from autograder.batch.task import Task
from autograder.batch.task_grader import TaskGrader
from autograder.course.records import results
from autograder.grading import grade as grading
from autograder.grading.material import Material
from autograder.host.expendable import Ended, Limits, run_limited
from autograder.judge.kernel import Kernel
from autograder.judge.results import (
    DIED,
    ENDED_JUDGE,
    OUT_OF_MEMORY,
    TIMED_OUT,
    CellVerdict,
    GradedNotebook,
)
from autograder.judge.student import Student, StudentError
from autograder.judge.zygote import Zygote
from autograder.sandbox.policy import SandboxError
from tests.little import (
    ASSIGNMENT,
    CLASS_POINTS,
    NOTEBOOK,
    answer,
    cell_of,
    copy_course,
    submit,
    write_course,
)

ALL = Selection()
LIMITS = Limits(memory_bytes=600 << 20, cpu_seconds=3)

# Bytes of the student's own, in the place of the agent's answer.
FORGED = """
import gc, struct, msgpack
agent = [o for o in gc.get_objects() if type(o).__name__ == "Agent"][0]
def send(body): agent._send_frame(struct.pack(">I", len(body)) + body)
def ext(code, body): return msgpack.packb(msgpack.ExtType(code, body))
def reply(value): send(b"\\x83\\xa2re" + msgpack.packb(agent._request) + b"\\xa2ok\\xc3\\xa5value" + value)
def collide(n): return ext(8, msgpack.packb([msgpack.ExtType(7, str(((1 << 61) - 1) * (i + 1 << 64)).encode()) for i in range(n)]))
def deep(n):
    body = b"\\x01"
    for _ in range(n): body = ext(4, b"\\x91" + body)
    return body
def output(): agent._send({"re": agent._request, "event": {"output_type": "display_data", "data": {"text/plain": "x" * (33 << 20)}}})
"""  # noqa: E501
HOSTILE = {
    "nested": ("reply(deep(260))", "more than 32 tuples or the like within each other"),
    "colliding": ("reply(collide(20000))", "keys with the same hash"),
    "maps": ("n = 8 << 20; reply(b'\\xdd' + n.to_bytes(4, 'big') + b'\\x80' * n)", "max_array_len"),
    "small-maps": ("n = 1 << 20; reply(b'\\xdd' + n.to_bytes(4, 'big') + b'\\x80' * n)", "250,000"),
    "outputs": ("output()", "sent more output than any notebook may"),
}


def forging(code: str) -> Callable[[dict], None]:
    def change(document: dict) -> None:
        cell_of(document, "imports")["source"] += FORGED + code
        if "output()" in code:
            cell_of(document, "k-nearest-neighbor")["source"] += f"\n{code}"

    return change


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_course(tmp_path_factory.mktemp("expendable") / "course")
    release(root)
    return root


@pytest.fixture
def course(released: Path, tmp_path: Path) -> Path:
    return copy_course(released, tmp_path / "course")


def grade(root: Path, zygote: Zygote, limits: Limits = LIMITS) -> list[GradedNotebook]:
    def here(material: Material) -> LocalExecutor:
        return LocalExecutor(TaskGrader(material, lambda: zygote, limits))

    events = grade_class(root, ASSIGNMENT, ALL, here)
    return [event.graded for event in events if event.graded]


@pytest.mark.sandbox
def test_forged_answers_cost_their_author_and_nobody_else(course: Path, zygote: Zygote) -> None:
    submit(course, "ann", answer())
    for student, (code, _) in HOSTILE.items():
        submit(course, student, answer(forging(code)))
    submit(course, "zoe", answer())
    before = zygote.sandboxes()
    found = {graded.student: graded for graded in grade(course, zygote)}
    assert found["ann"].score == found["zoe"].score == CLASS_POINTS
    assert found["ann"].needs_human == found["zoe"].needs_human == ""
    for student, (_, reason) in HOSTILE.items():
        assert found[student].outcome == DIED, student
        assert reason in found[student].needs_human, student
    assert zygote.sandboxes() == before


def spin() -> None:
    while True:
        pass


DEATHS: dict[str, tuple[Callable[[], object], str, str]] = {
    "crash": (lambda: ctypes.string_at(0), ENDED_JUDGE, "ended by signal 11 (SIGSEGV)"),
    "error": (lambda: {}["key"], ENDED_JUDGE, "it raised KeyError: 'key'"),
    "killed": (lambda: os.kill(os.getpid(), 9), ENDED_JUDGE, "ended by signal 9 (SIGKILL)"),
    "loop": (spin, ENDED_JUDGE, "it took more than 3 s of processor time"),
    "memory": (lambda: bytes(1 << 30), OUT_OF_MEMORY, "it needed more than 600 MB of memory"),
    "waits": (signal.pause, TIMED_OUT, "it had not finished after 2 s"),
}


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge dies at the end of a notebook, its kernel still there, as students are called."""
    close = Kernel.close
    jobs: list[grading.Job] = []
    document = grading.grade_document

    def grade_document(job: grading.Job, *rest: Any) -> GradedNotebook:
        jobs.append(job)
        return document(job, *rest)

    def dies(kernel: Kernel) -> None:
        if jobs and jobs[-1].student in DEATHS:
            DEATHS[jobs[-1].student][0]()
        close(kernel)

    monkeypatch.setattr(grading, "grade_document", grade_document)
    monkeypatch.setattr(Kernel, "close", dies)


@pytest.mark.sandbox
@pytest.mark.usefixtures("dying")
def test_however_the_judge_ends_the_reason_is_on_record(course: Path, zygote: Zygote) -> None:
    for student in ("ann", *DEATHS, "zoe"):
        if student != "waits":
            submit(course, student, answer())
    before = zygote.sandboxes()
    found = {graded.student: graded for graded in grade(course, zygote)}
    assert zygote.sandboxes() == before
    for student in ("ann", "zoe"):
        assert (found[student].score, found[student].needs_human) == (CLASS_POINTS, "")
    submit(course, "waits", answer())
    short = Limits(wall_seconds=2)
    found["waits"] = {graded.student: graded for graded in grade(course, zygote, short)}["waits"]
    for student, (_, outcome, reason) in DEATHS.items():
        one = found[student]
        assert (one.outcome, one.score, one.max_score) == (outcome, 0, CLASS_POINTS), student
        assert reason in one.needs_human
        assert "had to be ended" in json.loads(one.document)["cells"][0]["source"]
    assert {graded.student for graded in results(course, ASSIGNMENT)} == set(found)


@pytest.mark.sandbox
def test_a_stand_in_asked_for_too_much_says_so_to_the_student(zygote: Zygote) -> None:
    def ask() -> str:
        kernel = Kernel(zygote.fork())
        try:
            kernel.run_cell("def use(squares):\n    return squares(30000)")
            student = Student(kernel)
            with pytest.raises(StudentError) as error:
                student.call("use", student.stand_in(lambda rows: np.zeros((rows, rows)).sum()))
            return str(error.value)
        finally:
            kernel.close()

    assert "MemoryError" in run_limited(ask, LIMITS)


# -- a run that dies ------------------------------------------------------------------------------


class Dying:
    """An executor that takes the whole process along when it comes to this student."""

    def __init__(self, student: str) -> None:
        self._student = student
        self._waiting: list[tuple[str, Task]] = []

    def capacity(self) -> int:
        return 2

    def crowded(self) -> bool:
        return True

    def submit(self, key: str, task: Task) -> None:
        self._waiting.append((key, task))

    submit_alone = submit

    def next(self) -> tuple[str, Answer]:
        key, task = self._waiting.pop(0)
        if task.student == self._student:
            os.kill(os.getpid(), signal.SIGKILL)
        cells = (CellVerdict("knn-two-loops", 2.0, 2.0, ()),)
        return key, GradedNotebook(task.student, ASSIGNMENT, NOTEBOOK, cells, document="{}")


def outcomes(root: Path, student: str = "", selection: Selection = ALL) -> dict[str, str]:
    """How a run ends that is killed when it comes to ``student``, if it gets there."""
    events = grade_class(root, ASSIGNMENT, selection, lambda _: Dying(student))
    return {event.student: event.graded.outcome for event in events if event.graded}


@pytest.mark.usefixtures("gradebook_first")
def test_what_was_under_way_when_a_run_died_comes_last_and_is_given_up(course: Path) -> None:
    for student in ("ann", "bob", "cyd", "dan"):
        submit(course, student, answer())
    on_record = []
    for _ in range(2):
        with pytest.raises(Ended, match="SIGKILL"):
            run_limited(lambda: outcomes(course, "bob"))
        on_record.append({graded.student for graded in results(course, ASSIGNMENT)})
    assert on_record == [{"ann"}, {"ann", "dan"}]  # cyd was under way beside bob
    third = run_limited(lambda: outcomes(course, "bob"))
    assert third == {"ann": "", "bob": ENDED_JUDGE, "cyd": "", "dan": ""}
    (bob,) = (graded for graded in results(course, ASSIGNMENT) if graded.student == "bob")
    assert "2 runs ended without a message while it was under way" in bob.needs_human
    assert run_limited(lambda: outcomes(course, "bob")) == third  # on record
    again = run_limited(lambda: outcomes(course, "", Selection("bob", force=True)))
    assert again == {"bob": ""}


@pytest.mark.parametrize("error", [KeyboardInterrupt, SandboxError("zygote", "gone"), OSError])
def test_who_stops_a_run_blames_nobody(
    course: Path, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    submit(course, "ann", answer())
    submit(course, "bob", answer())

    def stopped(_: Dying) -> tuple[str, Answer]:
        raise error

    monkeypatch.setattr(Dying, "next", stopped)
    for _ in range(3):
        with pytest.raises(BaseException):  # noqa: B017 - whichever of the three
            outcomes(course)
    assert not list((course / ".autograder" / "under-way").rglob("*.json"))
    monkeypatch.undo()
    assert outcomes(course) == {"ann": "", "bob": ""}


# -- workers --------------------------------------------------------------------------------------


@pytest.mark.sandbox
def test_two_workers_and_their_judges_outlive_it_too(course: Path) -> None:
    submit(course, "ann", answer())
    submit(course, "bob", answer(forging("reply(deep(260))")))
    submit(course, "zoe", answer())
    command = [sys.executable, "-m", "autograder", "grade", ASSIGNMENT, "--workers", "2"]
    done = subprocess.run([*command, "--json"], cwd=course, capture_output=True, text=True)
    graded = {one["student"]: one for one in json.loads(done.stdout)["graded"]}
    assert graded["ann"]["score"] == graded["zoe"]["score"] == CLASS_POINTS
    assert graded["bob"]["outcome"] == DIED
    assert "within each other" in graded["bob"]["needs_human"]
