"""Grade one student again, and put on record what has changed, by whom and why."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path

from autograder.batch.engine import Event
from autograder.batch.executors import Executor
from autograder.batch.run import Selection, grade_class
from autograder.course.changes import Change, append_change, compared, now, person, total
from autograder.course.records import read_result
from autograder.course.submissions import CourseError, submissions
from autograder.files import write_text
from autograder.grading.material import Material
from autograder.judge.results import GradedNotebook, from_dict, to_dict
from autograder.notebook.template import notebooks_of


def regrade(
    root: Path,
    assignment: str,
    student: str,
    note: str,
    executor: Callable[[Material], Executor],
    on_event: Callable[[Event], object] = lambda event: None,
    *,
    notebooks: str = "*",
) -> Change:
    """Grade what the student handed in once more; return what came of it, which is on record.

    The hand-in keeps its number and so its hidden inputs: what changes is due to the release, the
    checks, the machine, or another file in submitted/. The verdicts that were on record are kept
    until the change is in the log, whatever happens meanwhile. Raises what `grade_class` raises,
    and CourseError where nothing of the student's has been graded yet.
    """
    old = _before(root, assignment, student, notebooks)
    new: dict[str, GradedNotebook] = {}
    selection = Selection(notebooks=notebooks, force=True, only=frozenset([student]))
    with closing(grade_class(root, assignment, selection, executor)) as events:
        for event in events:
            if event.graded:
                new[event.notebook] = replace(event.graded, document="")
            on_event(event)
    graded = list(new.values())
    change = Change(
        time=now(),
        user=person(),
        command=f"regrade {student} {assignment}" + ("" if notebooks == "*" else f" {notebooks}"),
        student=student,
        assignment=assignment,
        note=note,
        old=total(list(old.values())),
        new=total(graded),
        max_score=round(sum(one.max_score for one in graded), 4),
        questions=compared(old, new),
    )
    append_change(root, change)
    _kept(root, assignment, student).unlink(missing_ok=True)
    return change


def _before(root: Path, assignment: str, student: str, notebooks: str) -> dict[str, GradedNotebook]:
    """The verdicts on record, or those before a regrade that was broken off; kept from now on."""
    names = [name for name in notebooks_of(root, assignment) if fnmatch(name, notebooks)]
    known = [one.student for one in submissions(root, assignment)]
    if student not in known:
        near = difflib.get_close_matches(student, known)
        there = (
            f"do you mean {' or '.join(near)}?" if near else f"there are: {', '.join(known[:8])}"
        )
        raise CourseError(f"submitted/ holds no {assignment} of {student!r}; {there}")
    found = {name: read_result(root, student, assignment, name) for name in names}
    old = {name: replace(one[1], document="") for name, one in found.items() if one}
    path = _kept(root, assignment, student)
    if path.is_file():
        kept = json.loads(path.read_text("utf-8"))
        old |= {name: from_dict(one) for name, one in kept.items() if name in names}
    if names and not old:
        raise CourseError(
            f"nothing of {student!r} has been graded in {assignment}, so there is nothing to grade "
            f"again: `python -m autograder grade {assignment}` grades what is new"
        )
    if old:
        plain = {name: to_dict(one) for name, one in old.items()}
        write_text(path, json.dumps(plain))
    return old


def _kept(root: Path, assignment: str, student: str) -> Path:
    return root / ".autograder" / "regrading" / assignment / student / "before.json"
