"""What is graded once more, and which of two verdicts counts.

Limits are on a clock that stands still while a kernel waits for a processor (`judge.clock`), so a
loop without end is one, whoever else is there: what has computed for all of its time is late for
good. Another time-out can be the machine's doing: it still waited after four times its limit, or it
slept while the disk or the memory was somebody else's. That is tried again, after what has been
begun, and beside other work: alone it would have a processor that nobody else wants, and while it
waits for one its clock stands still anyway.
"""

from __future__ import annotations

from dataclasses import replace

from autograder.batch.task import Task
from autograder.judge.results import TIMED_OUT, GradedNotebook


def second_try(task: Task, graded: GradedNotebook, *, crowded: bool) -> Task | None:
    """The task as it is to be graded once more; None: the verdict stands.

    ``crowded``: others were graded on the same machine meanwhile.
    """
    if graded.outcome == TIMED_OUT and graded.held_up and crowded:
        # Who runs out of time there again is not graded to the end: that has been done.
        return replace(task, late_in=graded.late_in)
    return None


def settled(first: GradedNotebook, second: GradedNotebook) -> GradedNotebook:
    """The verdict after two tries: the second, unless it ends where the first was late, too."""
    same_end = (second.outcome, second.late_in) == (TIMED_OUT, first.late_in)
    stands = first if first.outcome == TIMED_OUT and same_end else second
    return replace(stands, attempts=first.attempts + second.attempts)
