"""Feedback beside grading: the command `feedback` in a process of its own, for whoever is due.

Pages are made by forks, and a process that has threads, as the watch does, cannot fork safely.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

Released = Callable[[str], str]


class FeedbackWriter:
    """Context manager. Takes students at any time; those that are due together are done together.

    ``release`` is called with each student whose pages are written; it returns what went wrong.
    """

    def __init__(self, root: Path, assignment: str, release: Released | None = None) -> None:
        self._command = [sys.executable, "-m", "autograder", "feedback", assignment, "--anyway"]
        self._root = root
        self._release = release
        self._changed = threading.Condition()
        self._due: dict[str, None] = {}
        self._under_way: tuple[str, ...] = ()
        self._done: list[tuple[str, str]] = []
        self._process: subprocess.Popen[str] | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="feedback", daemon=True)

    def __enter__(self) -> FeedbackWriter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """What is under way is broken off: pages are written whole or not at all."""
        with self._changed:
            self._closing = True
            if self._process is not None:
                self._process.terminate()
            self._changed.notify_all()
        self._thread.join()

    def begin(self, student: str) -> None:
        """Write this student's feedback, soon."""
        with self._changed:
            self._due[student] = None
            self._changed.notify_all()

    def finished(self, *, wait: bool) -> Sequence[tuple[str, str]]:
        """(student, what went wrong) of those done since the last call."""
        with self._changed:
            while wait and (self._due or self._under_way) and self._thread.is_alive():
                self._changed.wait(1.0)
            done, self._done = self._done, []
            return done

    # -- in the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        while True:
            with self._changed:
                while not (self._due or self._closing):
                    self._changed.wait()
                if self._closing:
                    return
                self._under_way, self._due = tuple(self._due), {}
            done = self._written(self._under_way)
            with self._changed:
                self._done += done
                self._under_way = ()
                self._changed.notify_all()

    def _written(self, students: Sequence[str]) -> list[tuple[str, str]]:
        problem = self._run(students)
        if problem and len(students) > 1 and not self._closing:  # one of them: which?
            return [one for student in students for one in self._written([student])]
        if problem or self._release is None:
            return [(student, problem) for student in students]
        return [(student, self._released(student)) for student in students]

    def _released(self, student: str) -> str:
        assert self._release is not None
        try:
            return self._release(student)
        except Exception as error:  # nbgrader's; the next student is not to suffer
            return f"it could not be released ({type(error).__name__}: {error})"

    def _run(self, students: Sequence[str]) -> str:
        """What went wrong, in a line; empty: nothing did."""
        names = [word for student in students for word in ("--student", student)]
        with self._changed:
            if self._closing:
                return "the watch has ended"
            self._process = subprocess.Popen(
                [*self._command, *names, "--root", str(self._root)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
            )
        said = self._process.communicate()[1]
        if not self._process.returncode:
            return ""
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        return lines[-1] if lines else f"exit status {self._process.returncode}"
