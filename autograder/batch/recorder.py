"""The one writer of the gradebook, in a thread of its own: grading does not wait for the disk."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from autograder.course.gradebook import (
    EntryRefused,
    GradebookEntry,
    GradebookError,
    GradebookWriter,
)
from autograder.judge.results import GradedNotebook

MAX_QUEUED = 32  # submissions kept in memory at most, when the gradebook is slower than grading


@dataclass(frozen=True)
class _Entry:
    student: str
    graded: tuple[GradedNotebook, ...]
    when: datetime.datetime | None
    regraded: bool


class GradebookRecorder:
    """Context manager around the gradebook of a course, for the grades of one assignment.

    ``refused``: why the gradebook did not take one student's grades; complete once the context is
    left. What could not be written, because another program had locked the gradebook, is tried
    again at the end; leaving the context raises GradebookError when that fails, too.
    """

    def __init__(self, root: Path, assignment: str) -> None:
        self._assignment = assignment
        self._writer = GradebookWriter(root)
        self._thread = ThreadPoolExecutor(1, "gradebook")
        self._room = threading.BoundedSemaphore(MAX_QUEUED)
        self._entries: dict[str, GradebookEntry] = {}
        self._failed: list[_Entry] = []
        self.refused: dict[str, str] = {}
        self._error: BaseException | None = None

    def __enter__(self) -> GradebookRecorder:
        try:
            self._thread.submit(self._open).result()
        except BaseException:
            self._thread.shutdown()
            raise
        return self

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
        if self._error:
            raise self._error
        book = self._entries.get(student)
        if not regraded and book and book.holds(graded, when):
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
        self._writer.__enter__()
        self._entries = self._writer.entries(self._assignment)

    def _write(self, entry: _Entry) -> None:
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
            self._writer.__exit__(None, None, None)

    def _put(self, entry: _Entry) -> None:
        try:
            self._writer.record(
                entry.student, self._assignment, entry.graded, entry.when, regraded=entry.regraded
            )
        except EntryRefused as error:
            self.refused[entry.student] = str(error)
