"""Where the pages about a student are, from the course folder: the report's and the feedback's."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

MAX_NAME_LENGTH = 80


def student_file(name: str) -> str:
    """A file name for a student's page: readable, and safe whatever the name is."""
    safe = re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:MAX_NAME_LENGTH]
    if safe != name or not safe:  # changed, so two names might meet here
        raw = name.encode("utf-8", "surrogateescape")
        safe = f"{safe}-{hashlib.blake2b(raw, digest_size=6).hexdigest()}".lstrip("-")
    return f"{safe}.html"


def report_page(assignment: str, student: str) -> Path:
    """The student's page in the report."""
    return Path("report", assignment, "students", student_file(student))


def feedback_page(student: str, assignment: str, notebook: str) -> Path:
    """The graded notebook as its student gets it."""
    return Path("feedback", student, assignment, f"{notebook}.html")
