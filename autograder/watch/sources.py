"""Where hand-ins come from: nbgrader's exchange, and downloads that somebody puts into a folder."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from autograder.collect import CollectError
from autograder.course.config import course_config, find_alembic
from autograder.course.helpers import EXCHANGE
from autograder.errors import NeedsHuman
from autograder.files import write_text


class Downloads:
    """Zips in a folder, each sorted into submitted/ once, as `collect` does it.

    A zip that is the same at two looks is complete. Which have been sorted is on record.
    """

    def __init__(self, root: Path, assignment: str, folder: Path) -> None:
        self._root, self._assignment, self._folder = root, assignment, folder
        self._record = root / ".autograder" / "watch" / assignment / "downloads.json"
        self._done: dict[str, str] = _read(self._record)
        self._seen: dict[str, str] = {}

    def bring(self) -> Sequence[str]:
        """Sort what is new; a line for each zip."""
        lines = []
        found = {path: _state(path) for path in self._folder.glob("*.[zZ][iI][pP]")}
        for path in sorted(found, key=lambda one: (found[one], one.name)):
            settled = self._seen.get(path.name) == found[path]
            self._seen[path.name] = found[path]
            if settled and self._done.get(path.name) != found[path]:
                lines.append(f"{path.name}: {self._sorted(path)}")
                self._done[path.name] = found[path]
                write_text(self._record, json.dumps(self._done, indent=1))
        return lines

    def _sorted(self, path: Path) -> str:
        from autograder.collect.run import collect

        try:
            done = collect(self._root, self._assignment, [path])
        except CollectError as error:
            return str(error)
        counted: dict[str, int] = {}
        for row in done.rows:
            counted[row.outcome] = counted.get(row.outcome, 0) + 1
        said = ", ".join(f"{number} {outcome}" for outcome, number in counted.items())
        look = " (see `python -m autograder collect` with this zip)" if done.needs_human else ""
        return said + look


class ExchangeFailed(NeedsHuman):
    """The exchange is not to be had."""


class Exchange:
    """nbgrader's exchange: `collect` for what has come, `release_feedback` for a student."""

    def __init__(self, root: Path, assignment: str) -> None:
        self._root, self._assignment = root, assignment
        self._seen = self._collected = ""

    def bring(self) -> Sequence[str]:
        """Collect, if there is something new and it was there at the last look already.

        Raises ExchangeFailed; the next look tries again.
        """
        inbound = self._inbound()
        try:
            about = sorted(
                (entry.name, entry.stat(follow_symlinks=False).st_mtime_ns)
                for entry in os.scandir(inbound)
                if f"+{self._assignment}+" in entry.name
            )
        except OSError as error:
            raise ExchangeFailed(
                f"{inbound} cannot be read ({error.strerror}): has the assignment been released "
                f"with `nbgrader release_assignment {self._assignment}`, and are c.Exchange.root "
                "and c.CourseDirectory.course_id in nbgrader_config.py right?"
            ) from None
        seen = repr(about)
        settled, self._seen = seen == self._seen, seen
        if not settled or seen == self._collected or not about:
            return ()
        lines = self._run("Collect", "*")
        self._collected = seen  # not before: what broke off is done again
        return lines

    def release(self, student: str) -> str:
        """Put a student's pages into the exchange; what went wrong, if anything did.

        What did not come through the exchange does not go back through it.
        """
        folder = self._root / "feedback" / student / self._assignment
        if not all((folder / name).is_file() for name in EXCHANGE):
            return ""
        return "; ".join(self._run("ReleaseFeedback", student))

    def _inbound(self) -> Path:
        config = course_config(self._root)
        root = config.Exchange.get("root", "/usr/local/share/nbgrader/exchange")
        return Path(root, str(config.CourseDirectory.get("course_id", "")), "inbound")

    def _run(self, step: str, student: str) -> list[str]:
        """What nbgrader warns of. Raises ExchangeFailed."""
        from nbgrader.auth import Authenticator
        from nbgrader.coursedir import CourseDirectory
        from nbgrader.exchange import ExchangeError, ExchangeFactory

        find_alembic()
        config = course_config(self._root)
        config.CourseDirectory.assignment_id = self._assignment
        config.CourseDirectory.student_id = student
        config.ExchangeCollect.update = True
        log = _Log()
        parts: dict[str, Any] = {
            "coursedir": CourseDirectory(config=config),
            "authenticator": Authenticator(config=config),
            "config": config,
            "log": log.logger,
        }
        make: Callable[..., Any] = getattr(ExchangeFactory(config=config), step)
        try:
            make(**parts).start()
        except (ExchangeError, OSError, RuntimeError, ValueError) as error:
            said = "; ".join(log.lines) or f"{type(error).__name__}: {error}"
            raise ExchangeFailed(f"nbgrader's {step} broke off: {said}") from error
        return log.lines


class _Log(logging.Handler):
    """nbgrader's warnings, as lines."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.logger = logging.Logger("autograder.nbgrader", level=logging.WARNING)
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(" ".join(record.getMessage().split()))


def _state(path: Path) -> str:
    """Of a file, by time and size: one that is being written changes. Older ones come first."""
    try:
        about = path.stat()
    except OSError:
        return ""
    digest = hashlib.sha256(repr((about.st_ino, about.st_size)).encode()).hexdigest()[:16]
    return f"{about.st_mtime_ns:020d}-{digest}"


def _read(path: Path) -> dict[str, str]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
