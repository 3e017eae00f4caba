"""One notebook checked: its questions, what visible checks say, and what is open."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from cs231n_lib.hand_in.folder import seen_by
from cs231n_lib.hand_in.look import Remark, remarks, title_of
from cs231n_lib.hand_in.note import ANSWER, TESTS, WRITTEN
from cs231n_lib.hand_in.notebook import Notebook
from cs231n_lib.hand_in.run import Ran, Run, run

PASSED = "✓ "  # how a line of cs231n_lib.feedback begins that says that a check holds
TO_DO = "write your code here"


@dataclass(frozen=True)
class Question:
    """A graded cell. ``state`` in a few words; ``message`` is what the check that failed says."""

    name: str
    title: str
    points: float
    state: str
    open: bool
    message: str = ""


@dataclass(frozen=True)
class Report:
    """``run`` is None where the notebook was only looked at."""

    notebook: Notebook
    questions: tuple[Question, ...]
    stubs: tuple[str, ...]
    remarks: tuple[Remark, ...]
    run: Run | None

    @property
    def ready(self) -> bool:
        """Whether nothing is known to be missing or to fail."""
        asked = any(question.open for question in self.questions)
        return not (asked or self.stubs or any(remark.open for remark in self.remarks))

    @property
    def points(self) -> float:
        return sum(question.points for question in self.questions)

    @property
    def at_stake(self) -> float:
        """The points of questions of which something is known to be open."""
        return sum(question.points for question in self.questions if question.open)


def make_report(
    notebook: Notebook,
    *,
    with_run: bool = True,
    seconds: float | None = None,
    tell: Callable[[int, int], object] = lambda done, of: None,
) -> Report:
    """Look at a notebook, and run it ``with_run``. Raises CourseError where that is impossible."""
    beside, missing = seen_by(notebook)
    done = run(notebook, beside, seconds=seconds, tell=tell) if with_run else None
    said = [*remarks(notebook, missing), *(_stops(notebook, done) if done else ())]
    return Report(
        notebook,
        tuple(_questions(notebook, done)),
        tuple(dict.fromkeys(name for cell in notebook.cells for name in cell.stubs)),
        tuple(said),
        done,
    )


def _questions(notebook: Notebook, done: Run | None) -> list[Question]:
    found = []
    waits = asked = False  # of the answers that come next: one is a stub; a test has used them
    for number, cell in enumerate(notebook.cells):
        if cell.kind == ANSWER:
            stops = done is not None and _is_stub(done.cells.get(number))
            waits, asked = stops or (waits and not asked), False
        if cell.kind not in (TESTS, WRITTEN):
            continue
        title = title_of(notebook, number)
        if cell.kind == WRITTEN:
            state = "not answered" if cell.unanswered else "answered"
            found.append(Question(cell.id, title, cell.points, state, cell.unanswered))
        elif done is None:
            found.append(Question(cell.id, title, cell.points, "not run", False))
        else:
            asked = True
            state, message = _state(done.cells.get(number))
            if message and waits:  # what the test met is what was there before the stub
                state, message = NOT_WRITTEN, ""
            open_ = bool(message) or state in (NOT_WRITTEN, NOT_REACHED)
            found.append(Question(cell.id, title, cell.points, state, open_, message))
    for name in notebook.missing:
        if name in notebook.note.points:
            worth = notebook.note.points[name]
            found.append(Question(name, "", worth, "the cell is missing", True))
    return found


NOT_WRITTEN, NOT_REACHED = "not written yet", "not reached"


def _state(ran: Ran | None) -> tuple[str, str]:
    """In a few words, and the message where a check failed."""
    if ran is None:
        return NOT_REACHED, ""
    passed = sum(line.startswith(PASSED) for line in ran.printed.splitlines())
    if not ran.error:
        return (f"{passed} passed" if passed else "no error"), ""
    if _is_stub(ran):
        return NOT_WRITTEN, ""
    return f"{passed} passed, 1 failed", ran.error


def _is_stub(ran: Ran | None) -> bool:
    """Whether a cell came to where code is to be written."""
    return ran is not None and ran.kind == "NotImplementedError" and TO_DO in ran.error


def _stops(notebook: Notebook, done: Run) -> list[Remark]:
    """Cells that are no visible tests, and stopped; and the end of all."""
    said = []
    unwritten: list[str] = []  # answers above, which define what a cell of the course names
    for number, ran in sorted(done.cells.items()):
        cell = notebook.cells[number]
        stub = cell.kind == ANSWER and _is_stub(ran)
        if stub:
            unwritten.append(cell.source)
        if not ran.error or cell.kind == TESTS or stub or "raises-exception" in cell.tags:
            continue
        given = cell.id and cell.kind != ANSWER and not cell.changed
        if _is_stub(ran) or (given and _lacks(ran, unwritten)):
            said.append(Remark(f"{_where(cell.id, number)} waits for code of yours."))
        else:
            said.append(Remark(f"{_where(cell.id, number)} stops: {ran.error}", open=True))
    if done.stopped:
        said.append(Remark(f"Nothing below was run: {done.stopped}.", open=True))
    return said


def _lacks(ran: Ran, unwritten: list[str]) -> bool:
    """Whether a cell lacks a name that an answer gives which is not written yet."""
    name = re.search(r"name '(\w+)' is not defined", ran.error) if ran.kind == "NameError" else None
    return name is not None and any(re.search(rf"\b{name[1]}\b", text) for text in unwritten)


def _where(name: str, number: int) -> str:
    return f"The cell {name!r}" if name else f"Your own cell (number {number + 1} in the notebook)"
