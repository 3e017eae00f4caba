"""The one writer of the gradebook, in a thread of its own: grading does not wait for the disk.

Nor does it wait for nbgrader, which takes two seconds to import: that is done in the thread, too,
while the first kernels run.
"""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from autograder.judge.results import GradedNotebook

if TYPE_CHECKING:
    from autograder.course.gradebook import GradebookEntry, GradebookWriter

MAX_QUEUED = 32  # submissions kept in memory at most, when the gradebook is slower than grading


@dataclass(frozen=True)
class _Entry:
    student: str
    graded: tuple[GradedNotebook, ...]
    when: datetime.datetime | None
    regraded: bool


class GradebookRecorder:
    """Context manager around the gradebook of a course, for the grades of one assignment.

    It is opened in the background; ``prepare`` is called there first. ``recorded`` is called with
    each student whose grades are in it, mostly in the background. ``refused``: why the
    gradebook did not take one student's grades; complete once the context is left. What could not
    be written, because another program had locked the gradebook, is tried again at the end; leaving
    the context raises GradebookError when that fails, too.
    """

    def __init__(
        self,
        root: Path,
        assignment: str,
        prepare: Callable[[], object] = lambda: None,
        recorded: Callable[[str], object] = lambda student: None,
    ) -> None:
        self._recorded = recorded
        self._root = root
        self._assignment = assignment
        self._prepare = prepare
        self._thread = ThreadPoolExecutor(1, "gradebook")
        self._room = threading.BoundedSemaphore(MAX_QUEUED)
        self._writer: GradebookWriter | None = None
        self._entries: dict[str, GradebookEntry] = {}
        self._failed: list[_Entry] = []
        self.refused: dict[str, str] = {}
        self._error: BaseException | None = None
        self._opening: Future[None] | None = None

    def __enter__(self) -> GradebookRecorder:
        return self

    def open(self) -> bool:
        """Begin to open it, unless that has begun; says whether `wait` would return at once."""
        return self._begun().done()

    def wait(self) -> None:
        """Until the gradebook is open. Raises GradebookError, and what ``prepare`` raises."""
        self._begun().result()

    def _begun(self) -> Future[None]:
        self._opening = self._opening or self._thread.submit(self._open)
        return self._opening

    def record(
        self,
        student: str,
        graded: Sequence[GradedNotebook],
        when: datetime.datetime | None,
        *,
        regraded: bool,
    ) -> None:
        """Write a submission's grades; unless ``regraded``, only if the gradebook lacks them.

        What is graded anew is written even where it is the same: nbgrader marks what people graded
        by hand for another look.
        """
        self.wait()
        if self._error:
            raise self._error
        book = self._entries.get(student)
        if not regraded and book and book.holds(graded, when):
            self._recorded(student)
            return
        light = tuple(replace(one, document="") for one in graded)
        self._room.acquire()
        self._thread.submit(self._write, _Entry(student, light, when, regraded))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._thread.submit(self._finish).result()
        finally:
            self._thread.shutdown()
        if self._error and error is None:
            raise self._error

    # -- in the thread --------------------------------------------------------------------------

    def _open(self) -> None:
        from autograder.course.gradebook import GradebookWriter

        self._prepare()
        writer = GradebookWriter(self._root)
        writer.__enter__()
        self._writer = writer
        self._entries = writer.entries(self._assignment)

    def _write(self, entry: _Entry) -> None:
        from autograder.course.gradebook import GradebookError

        try:
            self._put(entry)
        except GradebookError:
            self._failed.append(entry)
        except BaseException as error:  # raised by the next `record`, or at the end
            self._error = self._error or error
        finally:
            self._room.release()

    def _finish(self) -> None:
        try:
            for entry in self._failed:
                self._put(entry)
        finally:
            if self._writer is not None:
                self._writer.__exit__(None, None, None)

    def _put(self, entry: _Entry) -> None:
        from autograder.course.gradebook import EntryRefused

        assert self._writer is not None  # nothing is recorded before it is open
        try:
            self._writer.record(
                entry.student, self._assignment, entry.graded, entry.when, regraded=entry.regraded
            )
        except EntryRefused as error:
            self.refused[entry.student] = str(error)
        else:
            self._recorded(entry.student)
