"""Writes the feedback of whoever is asked for, until its input ends.

It does what the command `feedback` does. That takes nearly three seconds of processor time to start
and much less to make a page, so `watch` keeps one such process. Run as ``python -m
autograder.feedback.standing ROOT ASSIGNMENT``: each line of JSON on its input, a list of students,
is answered by one on its output, what went wrong, which is empty where nothing did.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from autograder.feedback.pages import write_feedback


def main() -> None:
    """Answer until the caller closes our input."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the watch's to handle
    root, assignment = Path(sys.argv[1]), sys.argv[2]
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)  # whatever else is printed is no answer
        for line in sys.stdin:
            problem = _problem(root, assignment, json.loads(line))
            print(json.dumps(problem), file=answers, flush=True)


def _problem(root: Path, assignment: str, students: Sequence[str]) -> str:
    try:
        made = write_feedback(root, assignment, students)
    except Exception as error:  # the next student is not to suffer
        return str(error) or type(error).__name__
    return made.warnings()[0] if made.problems else ""


if __name__ == "__main__":
    main()
