"""Verdicts on what could not be graded, and errors of one student, kept from all others."""

from __future__ import annotations

import errno

from autograder.batch.task import Task
from autograder.grading.grade import no_points
from autograder.grading.material import Material
from autograder.judge.results import ENDED_JUDGE, NOT_RUN, GradedNotebook, from_dict, to_dict
from autograder.notebook.characters import all_whole, whole

#: Errors of the machine, which would meet the next student, too.
MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE}


def not_run(material: Material, student: str, notebook: str, reason: str) -> GradedNotebook:
    """The verdict on a notebook that no worker could run."""
    template = material.template(notebook)
    told = f"{notebook} could not be run: {reason}"
    return no_points(student, template, "it could not be run", told, NOT_RUN)


def given_up(material: Material, task: Task, deaths: int) -> GradedNotebook:
    """The verdict on what was under way in so many runs that died."""
    reason = (
        f"{task.notebook} is not graded: {deaths} runs ended without a message while it was under "
        "way, the last time with nothing beside it (--force tries once more)"
    )
    note = "the process that was to judge it had to be ended"
    return no_points(task.student, material.template(task.notebook), note, reason, ENDED_JUDGE)


def students_own(error: Exception) -> str:
    """What went wrong with one student's files, as a sentence; raises what is the machine's."""
    if isinstance(error, OSError) and error.errno in MACHINE:
        raise error
    where = error.filename if isinstance(error, OSError) else None
    what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)[:300]
    named = f" ({where})" if isinstance(where, str) else ""
    return whole(f"{type(error).__name__}: {what}{named}")


def readable(graded: GradedNotebook) -> GradedNotebook:
    """A verdict whose texts can be written, whatever the student's program said."""
    return from_dict(all_whole(to_dict(graded)))
