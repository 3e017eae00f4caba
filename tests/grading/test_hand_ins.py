"""Another hand-in, other hidden inputs: whatever differs in it, and nothing else can be carried in.

Each submission here keeps what the hidden checks send it, and looks at the files beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.authoring.release import release
from autograder.batch.run import grade_assignment
from autograder.batch.task import Task
from autograder.course.attempts import attempts_path, read_attempts
from autograder.judge.zygote import Zygote
from tests.little import (
    ASSIGNMENT,
    CLASS_POINTS,
    answer,
    cell_of,
    copy_course,
    submit,
    write_course,
)

SMUGGLED = "carried in from the last attempt"
KEEPS = """
kept = []
right = KNearestNeighbor.compute_distances_two_loops
def keeping(self, X):
    kept.append(X)
    return right(self, X)
KNearestNeighbor.compute_distances_two_loops = keeping
"""
TELLS = """
from pathlib import Path
import json
files = {path.name: path.read_text() for path in Path(".").iterdir() if path.is_file()}
print(json.dumps([kept[0].ravel()[:4].tolist(), files]))  # and "notes.ipynb" is named
"""


def spying(change: Callable[[dict], object] = lambda document: None) -> bytes:
    def spy(document: dict) -> None:
        cell_of(document, "k-nearest-neighbor")["source"] += KEEPS
        empty = {"metadata": {}, "outputs": [], "execution_count": None}
        document["cells"].append({"cell_type": "code", "id": "tells", "source": TELLS, **empty})
        change(document)

    return answer(spy)


def with_metadata(document: dict) -> None:
    document["metadata"]["mine"] = SMUGGLED
    cell_of(document, "knn-two-loops")["metadata"]["mine"] = SMUGGLED


def with_outputs(document: dict) -> None:
    output = {"output_type": "stream", "name": "stdout", "text": SMUGGLED}
    cell_of(document, "imports")["outputs"] = [output]


def notes(remark: str) -> bytes:
    cell = {"cell_type": "code", "id": SMUGGLED, "metadata": {"mine": SMUGGLED}, "source": remark}
    output = {"output_type": "stream", "name": "stdout", "text": SMUGGLED}
    cell |= {"outputs": [output], "execution_count": 1}
    about = {"metadata": {"mine": SMUGGLED}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps({"cells": [cell], **about}).encode()


class Class:
    """A course with one student, ann."""

    def __init__(self, root: Path, zygote: Zygote) -> None:
        self.root, self.zygote = root, zygote

    def grade(self, own: bytes, *, force: bool = False, **beside: bytes) -> tuple[list, dict]:
        """The first inputs of the first check, and the files in the kernel's work folder."""
        submit(self.root, "ann", own)
        for name, data in beside.items():
            submit(self.root, "ann", data, f"{name}.ipynb")
        (graded,) = grade_assignment(self.root, ASSIGNMENT, lambda: self.zygote, force=force)
        assert graded.score == CLASS_POINTS
        last = json.loads(graded.document)["cells"][-1]
        seen, files = json.loads(last["outputs"][0]["text"])
        return seen, files

    @property
    def record(self) -> list[str]:
        return read_attempts(attempts_path(self.root, "ann", (ASSIGNMENT, "knn")))


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = write_course(tmp_path_factory.mktemp("course"))
    release(root, [ASSIGNMENT])
    return root


@pytest.fixture
def course(released: Path, zygote: Zygote, tmp_path: Path) -> Class:
    return Class(copy_course(released, tmp_path / "course"), zygote)


@pytest.mark.sandbox
def test_what_differs_in_a_hand_in_draws_other_inputs_and_the_same_one_the_same(
    course: Class,
) -> None:
    """Sources are the same each time: only metadata, outputs and a notebook beside differ."""
    first, files = course.grade(spying())
    assert list(files) == ["knn.ipynb"]
    seen = [first]
    for change in (with_metadata, with_outputs):
        inputs, files = course.grade(spying(change))
        assert SMUGGLED not in str(files)
        seen.append(inputs)
    for remark in ("a = 1", "a = 2"):
        inputs, files = course.grade(spying(), notes=notes(remark), unnamed=notes("b = 3"))
        assert sorted(files) == ["knn.ipynb", "notes.ipynb"]
        assert remark in files["notes.ipynb"]
        assert SMUGGLED not in str(files)
        seen.append(inputs)
    assert len({str(inputs) for inputs in seen}) == 5
    assert len(course.record) == 5
    # What it does not name it does not see, and nothing is drawn from that.
    again, _ = course.grade(spying(), notes=notes("a = 2"), unnamed=notes("b = 4"), force=True)
    assert again == seen[-1]
    assert len(course.record) == 5


@pytest.mark.sandbox
def test_the_number_of_a_hand_in_counts_and_outlives_an_interrupted_run(course: Class) -> None:
    second = spying(with_metadata)
    submit(course.root, "ann", second)

    def interrupt(event: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade_assignment(course.root, ASSIGNMENT, lambda: course.zygote, on_event=interrupt)
    assert len(course.record) == 1
    as_first, _ = course.grade(second)
    assert len(course.record) == 1
    attempts_path(course.root, "ann", (ASSIGNMENT, "knn")).unlink()
    course.grade(spying())
    as_second, _ = course.grade(second)
    assert as_second != as_first
    forced, _ = course.grade(second, force=True)
    assert forced == as_second


def test_numbers_go_to_workers_as_plain_data() -> None:
    task = Task("ann", "knn", {"knn.ipynb": b"{}"}, b"{}", attempts={(ASSIGNMENT, "knn"): 3})
    assert Task.unpack(task.pack()) == task
