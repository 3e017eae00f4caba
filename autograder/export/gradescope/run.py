"""Inside Gradescope's container: one submission -> ``results/results.json``.

``AUTOGRADER_ROOT`` (default /autograder) holds, as Gradescope lays it out, ``source/`` (the zip,
unpacked), ``submission/``, ``submission_metadata.json`` and ``results/``. The submission is graded
as any other, by ``python -m autograder grade`` in a course folder of its own, and its results are
exported from there. What is printed here only the course staff sees.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course.records import results
from autograder.export.gradescope.hand_ins import HAND_INS, bring, of_record
from autograder.export.gradescope.refusal import not_graded, unreached
from autograder.export.gradescope.results import Json, as_json, plain, results_json
from autograder.export.gradescope.upload import hand_in
from autograder.export.standing import of_verdicts
from autograder.files import write_bytes
from autograder.notebook.template import load_template, notebooks_of
from autograder.settings import settings_of

SPARE_SECONDS = 30  # of Gradescope's limit, for starting, copying and writing
LOG_BYTES = 1 << 20


@dataclass(frozen=True)
class Settings:
    """What the zip was built with."""

    assignment: str
    minutes: float
    visibility: str
    gpus: bool = False  # for a runner of one's own; Gradescope's containers have none


def main() -> None:
    """Grade and write the file, whatever happens: a student must not see a silent 0."""
    root = Path(os.environ.get("AUTOGRADER_ROOT", "/autograder"))
    began = time.monotonic()
    try:
        settings = Settings(**json.loads((root / "source" / "settings.json").read_bytes()))
        with tempfile.TemporaryDirectory(prefix="cs231n-course-") as scratch:
            found = grade_upload(root, settings, Path(scratch, "course"))
    except Exception as error:
        traceback.print_exc(file=sys.stdout)
        found = not_graded(f"the grader failed: {type(error).__name__}: {error}")
    found["execution_time"] = round(time.monotonic() - began, 1)
    if not found["extra_data"]["graded"]:
        print("NOT GRADED")
    write_bytes(root / "results" / "results.json", as_json(found))


def grade_upload(root: Path, settings: Settings, course: Path) -> Json:
    """The results of ``root/submission``, graded in a new course folder."""
    metadata = root / "submission_metadata.json"
    assignment, student = settings.assignment, student_of(metadata)
    shutil.copytree(root / "source" / "course", course)
    open_library(course)
    submitted = course / "submitted" / student
    (submitted / assignment).mkdir(parents=True)
    notes = hand_in(root / "submission", course, assignment, submitted)
    notebooks = notebooks_of(course, assignment)
    bring(metadata, course, assignment, student, notebooks)
    seconds = settings.minutes * 60 - SPARE_SECONDS
    complaint = grade(assignment, course, seconds, gpus=settings.gpus)
    graded = [one for one in results(course, assignment) if one.student == student]
    for one in graded:
        if one.needs_human:
            print(plain(f"{one.notebook} needs a human: {one.needs_human}"))
    if not graded:
        return not_graded(complaint or "grading left no verdict", notes)
    found = results_json(of_verdicts(student, graded), graded, settings.visibility)
    left = sorted(set(notebooks) - {one.notebook for one in graded})
    for notebook in left:
        questions = load_template(course, assignment, notebook).auto_graded()
        found["tests"] += unreached(notebook, questions, complaint, settings.visibility)
    if left:
        notes.insert(0, f"NOT GRADED: {', '.join(left)}. {complaint}")
    found["output"] = plain("\n".join(filter(None, [*notes, found["output"]])))
    found["extra_data"]["graded"] = not left
    found["extra_data"][HAND_INS] = of_record(course, assignment, student, notebooks)
    return found


def open_library(course: Path) -> None:
    """Let kernels, which may run as another user, read the data that a course's own library holds.

    setup.sh has closed the whole folder; the rest of it stays closed.
    """
    library = settings_of(course).library
    if library.folder:
        for folder in (course.parent, course):
            folder.chmod(0o711)
        package = course / library.name
        for path in (package, *package.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)


def student_of(metadata: Path) -> str:
    """A name for the submission's folder, made of the users' numbers: names could be anything."""
    try:
        data: Any = json.loads(metadata.read_bytes())
        numbers = sorted(int(user["id"]) for user in data["users"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"{metadata.name} does not say who it is ({error!r}); it is graded nevertheless")
        numbers = []
    return "-".join(["user", *map(str, numbers)])


def grade(assignment: str, course: Path, seconds: float, *, gpus: bool = False) -> str:
    """Grade everything in the folder; say what went wrong with the grader, if anything did."""
    command = [sys.executable, "-s", "-P", "-m", "autograder", "grade", assignment]
    command += ["--gpus"] if gpus else []
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*command, "--root", str(course), "--workers", "1"],  # containers have little memory
            cwd=course,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that it can be stopped together with all it started
        )
        try:
            status = process.wait(max(seconds, 1))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
            late = (
                f"Grading was stopped after {seconds:.0f} s. Make it faster, or, course staff, "
                "raise the time limit in Gradescope and build the zip with --minutes."
            )
        else:
            late = ""
        log.seek(max(0, log.seek(0, os.SEEK_END) - LOG_BYTES))
        printed = plain(log.read().decode("utf-8", "replace"), LOG_BYTES)
    print(printed)
    if late or status == 0:
        return late
    # A submission that needs a human ends with 1, too: that is no complaint if it has verdicts.
    _, error, last = printed.rpartition("Error: ")
    return last.strip() if error else f"the grader ended with status {status}"


if __name__ == "__main__":
    main()
