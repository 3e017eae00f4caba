"""The numbers of a student's hand-ins, from one container to the next.

Each upload is graded in a container of its own, which forgets everything. Gradescope keeps a
result's ``extra_data``, and hands it to the next upload's container in the metadata.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from autograder.course.attempts import attempts_path, read_attempts
from autograder.files import write_text

HAND_INS = "hand_ins"  # in extra_data: digests by notebook, the first hand-in first
DIGEST = 64  # hexadecimal digits


def bring(
    metadata: Path, course: Path, assignment: str, student: str, names: Iterable[str]
) -> None:
    """Put what earlier results say on the course's record."""
    earlier = list(_earlier(metadata))
    for notebook in names:
        known = dict.fromkeys(
            digest for found in earlier for digest in _digests(found.get(notebook))
        )
        if known:
            path = attempts_path(course, student, (assignment, notebook))
            write_text(path, json.dumps(list(known)))


def of_record(course: Path, assignment: str, student: str, names: Iterable[str]) -> dict[str, list]:
    """What is on the course's record now, for ``extra_data``."""
    paths = {name: attempts_path(course, student, (assignment, name)) for name in names}
    found = {name: read_attempts(path) for name, path in paths.items()}
    return {name: digests for name, digests in found.items() if digests}


def _earlier(metadata: Path) -> Iterator[dict[str, Any]]:
    """What the results of earlier uploads hold, in their order; whatever the file is like."""
    try:
        uploads = json.loads(metadata.read_bytes())["previous_submissions"]
        found = [upload["results"]["extra_data"] for upload in uploads if _has_extra_data(upload)]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return
    for extra in found:
        if isinstance(extra.get(HAND_INS), dict):
            yield extra[HAND_INS]


def _has_extra_data(upload: Any) -> bool:
    results = upload.get("results") if isinstance(upload, dict) else None
    return isinstance(results, dict) and isinstance(results.get("extra_data"), dict)


def _digests(found: Any) -> list[str]:
    known = found if isinstance(found, list) else []
    return [digest for digest in known if isinstance(digest, str) and len(digest) == DIGEST]
