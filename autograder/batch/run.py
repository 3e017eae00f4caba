"""Grade an assignment of a course folder: find submissions, grade, write, remember.

The folder is an nbgrader course: ``submitted/STUDENT/ASSIGNMENT/NOTEBOOK.ipynb`` comes in;
``autograded/``, the gradebook and ``.autograder/results/`` (the verdicts as JSON) go out.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial
from pathlib import Path

from autograder.batch.engine import Engine, Event
from autograder.batch.executors import Executor, LocalExecutor
from autograder.batch.recorder import GradebookRecorder
from autograder.batch.task_grader import TaskGrader
from autograder.course.lock import only_one
from autograder.course.secret import course_secret
from autograder.course.submissions import CourseError, Submission, submissions
from autograder.grading.material import Material, load_material
from autograder.grading.prerequisites import course_order
from autograder.judge.registry import checks_for, ensure_checks
from autograder.judge.results import UNASKED, GradedNotebook
from autograder.judge.zygote import Zygote


@dataclass(frozen=True)
class Selection:
    """What of an assignment to grade: patterns of names, as in a shell."""

    students: str = "*"
    notebooks: str = "*"
    force: bool = False  # also what is graded and unchanged
    gpus: bool = False  # for notebooks that want one
    only: frozenset[str] | None = None  # just these students, whatever is in a name
    command: str = ""  # in the log of changes, where it is to be written


def grade_class(
    root: Path,
    assignment: str,
    selection: Selection,
    executor: Callable[[Material], Executor],
    recorded: Callable[[str], object] = lambda student: None,
) -> Generator[Event, None, None]:
    """Grade the submissions of an assignment; events report what happens.

    What is graded and unchanged (submission, release, checks, judge) is not graded again unless
    forced. ``recorded`` is called, in another thread, with each student whose grades are in the
    gradebook. Raises TemplateError, CourseError, CheckError, GradebookError, OSError (a full disk),
    and SandboxError where no isolation is to be had at all. Whatever was graded until then is on
    record, and running it again goes on from there.
    """
    material = load_material(root, assignment, course_secret(root))
    documents = {name: material.template(name).document for name in material.notebooks}
    names = [name for name in course_order(documents) if fnmatch(name, selection.notebooks)]
    if not names:
        known = ", ".join(material.notebooks)
        raise CourseError(f"no notebook matches {selection.notebooks!r}; {assignment} has: {known}")
    for name in names:
        ensure_checks(assignment, name, material.course)
    chosen = _chosen(root, assignment, selection)
    with only_one(root / ".autograder" / "grading.lock", "grading this course"):
        _sweep(root, assignment)
        prepare = partial(_prepare, root, material, names)
        with GradebookRecorder(root, assignment, prepare, recorded) as recorder:
            workers = executor(material)
            if isinstance(workers, LocalExecutor):
                recorder.wait()  # it forks, and no fork may find a module half imported
            engine = Engine(
                root=root,
                material=material,
                notebooks=names,
                submissions=chosen,
                executor=workers,
                recorder=recorder,
                force=selection.force,
                no_gpu="" if selection.gpus else UNASKED,
                command=selection.command,
            )
            yield from engine.run()
        yield from engine.refusals(recorder.refused)


def grade_assignment(
    root: Path,
    assignment: str,
    zygote: Callable[[], Zygote],
    *,
    students: str = "*",
    force: bool = False,
    on_event: Callable[[Event], None] = lambda event: None,
) -> list[GradedNotebook]:
    """Grade in this process, one notebook after the other.

    ``zygote`` gives a live zygote whenever it is called. Raises what `grade_class` raises.
    """
    graded: dict[tuple[str, str], GradedNotebook] = {}
    selection = Selection(students, force=force)
    for event in grade_class(
        root, assignment, selection, lambda m: LocalExecutor(TaskGrader(m, zygote))
    ):
        on_event(event)
        if event.graded:
            graded[event.student, event.notebook] = event.graded
    return [graded[key] for key in sorted(graded)]


def _chosen(root: Path, assignment: str, selection: Selection) -> list[Submission]:
    found = submissions(root, assignment, selection.students)
    if selection.only is None:
        return found
    chosen = [one for one in found if one.student in selection.only]
    if not chosen:
        names = ", ".join(sorted(selection.only))
        raise CourseError(f"submitted/ holds no {assignment} of {names}")
    return chosen


def _prepare(root: Path, material: Material, notebooks: Sequence[str]) -> None:
    """Make the gradebook know the assignment and all cells of its release.

    What has to be right before a verdict is on record, and takes a while to find out. Raises
    CheckError, ReleaseError and GradebookError.
    """
    from autograder.authoring.release import ensure_assignment  # imports nbgrader: two seconds
    from autograder.course.gradebook_rows import ensure_cells

    with tempfile.TemporaryDirectory() as scratch:
        ensure_assignment(root, material.assignment, Path(scratch))
    ensure_cells(root, (material.template(name) for name in material.notebooks))
    for name in notebooks:
        checks_for(material.assignment, name, material.course)


def _sweep(root: Path, assignment: str) -> None:
    """Remove the half-written files of a run that was killed; nobody else is writing now."""
    for place in (root / "autograded", root / ".autograder" / "results"):
        for pattern in (f"*/{assignment}/.*.ipynb-*", f"{assignment}/*/.*.json-*"):
            for left in place.glob(pattern):
                left.unlink(missing_ok=True)
