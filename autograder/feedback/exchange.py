"""nbgrader's release_feedback for a class of which not everybody hands in through the exchange.

A page is published under a name made from the secret that `nbgrader submit` put beside the hand-in.
Where there is no secret, nbgrader ends with an error, and everybody after that student gets nothing.

``nbgrader_config.py`` names :class:`ReleaseWhereItCameFrom`; `nbgrader release_feedback`, the
formgrader's button and `python -m autograder watch --exchange` all use it.
"""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeReleaseFeedback

from autograder.course.helpers import EXCHANGE

MAX_NAMES = 10  # in one line


class ReleaseWhereItCameFrom(ExchangeReleaseFeedback):
    """Releases what came through the exchange, and names the students whose hand-ins did not."""

    def copy_files(self) -> None:
        """As nbgrader does it, a student after the other."""
        everybody, elsewhere = self.src_path, []
        course: Any = self.coursedir  # traitlets tells no checker what is in a trait
        excluded = set((course.student_id_exclude or "").split(","))
        for folder in map(Path, sorted(glob.glob(everybody))):
            if all((folder / name).is_file() for name in EXCHANGE):
                self.src_path = glob.escape(str(folder))
                super().copy_files()
            elif any(folder.glob("*.html")) and folder.parent.name not in excluded:
                elsewhere.append(folder.parent.name)
        self.src_path = everybody
        if elsewhere:
            more = len(elsewhere) - MAX_NAMES
            self.log.warning(
                "not handed in through the exchange, so their feedback cannot go back through it: "
                "%s%s. Give them the pages in %s the way they handed in",
                ", ".join(elsewhere[:MAX_NAMES]),
                f" and {more} more" if more > 0 else "",
                Path(course.feedback_directory, "STUDENT", course.assignment_id),
            )
