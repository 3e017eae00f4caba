"""Verdicts on record: what is graded and unchanged need not be graded again."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from autograder.grade import Job
from autograder.judge.results import GradedNotebook, from_dict, to_dict


def fingerprint(job: Job, code: str) -> str:
    """A hash of everything a grade depends on."""
    digest = hashlib.sha256(code.encode())
    for part in (
        job.student.encode(),
        job.submission or b"",
        json.dumps(job.template.document, sort_keys=True).encode(),
        job.secret,
        job.missing_hint.encode(),
        *(name.encode() + data for name, data in sorted(job.files.items())),
    ):
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def code_fingerprint() -> str:
    """A hash of the grader's own code, checks included, and of the library students import."""
    import autograder
    import cs231n_lib

    digest = hashlib.sha256()
    for package in (autograder, cs231n_lib):
        for path in sorted(Path(str(package.__file__)).parent.rglob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _result_path(root: Path, student: str, assignment: str, notebook: str) -> Path:
    return root / ".autograder" / "results" / assignment / student / f"{notebook}.json"


def write_result(root: Path, graded: GradedNotebook, stamp: str) -> None:
    """Keep a verdict as JSON, with the fingerprint it was made from."""
    path = _result_path(root, graded.student, graded.assignment, graded.notebook)
    write_text(path, json.dumps({"fingerprint": stamp, "graded": to_dict(graded)}))


def read_result(
    root: Path, student: str, assignment: str, notebook: str
) -> tuple[str, GradedNotebook] | None:
    """(fingerprint, verdict) of the last grading, or None when there is none to be read."""
    try:
        text = _result_path(root, student, assignment, notebook).read_text("utf-8")
        data = json.loads(text)
        return data["fingerprint"], from_dict(data["graded"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def results(root: Path, assignment: str) -> Iterator[GradedNotebook]:
    """Every verdict on record for an assignment, by student and notebook.

    Without the graded notebooks themselves (`document` is empty), which would fill the memory.
    """
    for path in sorted((root / ".autograder" / "results" / assignment).glob("*/*.json")):
        found = read_result(root, path.parent.name, assignment, path.stem)
        if found:
            yield replace(found[1], document="")


def write_text(path: Path, text: str) -> None:
    """Write a file so that it is never seen half-written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    Path(temporary).chmod(0o644)
    Path(temporary).replace(path)
