"""Feedback beside grading, by a process of its own that stays (`feedback.standing`).

Pages are made by forks, and a process that has threads, as the watch does, cannot fork safely.
"""

from __future__ import annotations

import json
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
        module = "autograder.feedback.standing"
        self._command = [sys.executable, "-m", module, str(root), assignment]
        self._release = release
        self._changed = threading.Condition()
        self._due: dict[str, None] = {}
        self._under_way: tuple[str, ...] = ()
        self._done: list[tuple[str, str]] = []
        self._process: subprocess.Popen[str] | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="feedback", daemon=True)

    def __enter__(self) -> FeedbackWriter:
        self._process = self._started()  # its imports take a while
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
        if self._process is not None:
            self._process.communicate()

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
        with self._changed:
            if self._closing:
                return "the watch has ended"
            if self._process is None or self._process.poll() is not None:
                self._process = self._started()
            process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(students) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = ""
        if not answer.endswith("\n"):
            return f"the process that writes feedback has ended (exit status {process.wait()})"
        return json.loads(answer)

    def _started(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
