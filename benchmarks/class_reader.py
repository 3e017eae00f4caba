"""A formgrader with a busy TA: asks for the pages one after the other, until it gets SIGTERM.

    python benchmarks/class_reader.py COURSE

It makes the same calls of nbgrader's API as the formgrader's own handlers do: a new NbGraderAPI,
and in it a new connection, for each list, and one connection kept open for single submissions.
Prints a line when it is ready, then a line of JSON for each page.
"""

from __future__ import annotations

import json
import logging
import signal
import sys
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

from measure import ASSIGNMENT, NOTEBOOK
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from sqlalchemy.exc import SQLAlchemyError

from autograder.course.config import course_config


class Formgrader:
    """The pages, by what a TA calls them."""

    def __init__(self, root: Path) -> None:
        self._config = course_config(root)
        course: Any = self._api().coursedir
        self._kept = Gradebook(course.db_url, course.course_id)
        self._chosen = 0
        self.pages: dict[str, Callable[[], Any]] = {
            "all assignments": lambda: self._api().get_assignments(),
            "all submissions": lambda: self._api().get_submissions(ASSIGNMENT),
            "submissions of a notebook": lambda: self._list(),
            "all students": lambda: self._api().get_students(),
            "grades of one submission": self._one,
        }

    def _api(self) -> NbGraderAPI:
        api = NbGraderAPI(config=self._config)
        api.log_level = logging.CRITICAL
        return api

    def _list(self) -> list[dict]:
        return self._api().get_notebook_submissions(ASSIGNMENT, NOTEBOOK)

    def _one(self) -> list[dict]:
        """Another submission each time, with what has been committed since."""
        self._kept.db.rollback()
        written: Any = self._kept.notebook_submissions(NOTEBOOK, ASSIGNMENT)
        if not written:
            return []
        self._chosen = (self._chosen + 37) % len(written)
        found: Any = self._kept.find_submission_notebook_by_id(written[self._chosen].id)
        return [one.to_dict() for one in (*found.grades, *found.comments)]


def main() -> None:
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
    formgrader = Formgrader(Path(sys.argv[1]))
    print("ready", flush=True)
    seen = []
    for name, page in cycle(formgrader.pages.items()):
        if stopping:
            break
        began, error = time.monotonic(), ""
        try:
            page()
        except SQLAlchemyError as failure:
            error = str(failure).splitlines()[0]
        seconds = time.monotonic() - began
        seen.append({"page": name, "milliseconds": 1000 * seconds, "error": error})
    for one in seen:  # at the end: nobody listens before
        print(json.dumps(one))


if __name__ == "__main__":
    main()
