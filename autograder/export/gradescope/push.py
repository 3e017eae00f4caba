"""One commit that a student pushed -> its results: what a CI runner asks for, see docs/runners.md.

    python -s -P -m autograder.export.gradescope.push BUNDLE REPOSITORY-ID RECORDS < commit.zip

BUNDLE is what ``autograder gradescope`` built, unpacked; the commit is graded as an upload there
would be, in a course folder of its own. The results go to stdout, as ``results.json``: everything
in it is for the student. What only the course staff may see, and the digests of earlier hand-ins,
are kept in RECORDS, which the user who runs the CI agent cannot read.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from autograder.collect.archives import ArchiveLimits, Unpacker
from autograder.errors import WrongUse
from autograder.export.gradescope.hand_ins import HAND_INS
from autograder.export.gradescope.refusal import not_graded
from autograder.export.gradescope.results import Json, as_json, plain
from autograder.export.gradescope.run import Settings, grade_upload
from autograder.files import write_bytes

MOST_PACKED = 256 << 20  # bytes of a commit
LIMITS = ArchiveLimits(total_bytes=1 << 30, total_files=5_000, file_bytes=64 << 20, zips=1)
LINES = 20  # about what was not unpacked
GRADED, NEEDS_HUMAN, WRONG_USE = 0, 1, 2


class PushError(WrongUse):
    """The runner is not set up as docs/runners.md says."""

    next_step = "docs/runners.md says how a runner is set up"


def main() -> None:
    """Write the results to stdout, whatever happens. Exit status: see docs/runners.md."""
    try:
        bundle, student, records = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
        settings = read_settings(bundle)
    except (IndexError, ValueError, PushError) as error:
        print(f"push: {error or 'give BUNDLE REPOSITORY-ID RECORDS'}", file=sys.stderr)
        sys.exit(WRONG_USE)
    record = records / settings.assignment / f"{student}.json"
    with _log(record.with_suffix(".log")):
        found = grade_commit(bundle, settings, student, record, sys.stdin.buffer)
    sys.stdout.buffer.write(as_json(found))
    extra = found["extra_data"]
    sys.exit(GRADED if extra["graded"] and not extra["needs_human"] else NEEDS_HUMAN)


def read_settings(bundle: Path) -> Settings:
    """What the bundle was built with. Raises PushError."""
    try:
        settings = Settings(**json.loads((bundle / "settings.json").read_bytes()))
    except (OSError, ValueError, TypeError) as error:
        raise PushError(f"{bundle} is not a bundle of `autograder gradescope`: {error}") from None
    if settings.visibility != "visible":
        raise PushError(
            f"{bundle} was built with --visibility {settings.visibility}, but whoever pushes sees "
            "what comes back: build it with --visibility visible"
        )
    return settings


def grade_commit(
    bundle: Path, settings: Settings, student: int, record: Path, commit: BinaryIO
) -> Json:
    """The results of a zip, for its student. Never raises over what is in it."""
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="cs231n-push-") as scratch:
            root = Path(scratch)
            (root / "source").symlink_to(bundle.resolve())
            notes = unpack(commit, root)
            _write_metadata(root, student, record)
            found = grade_upload(root, settings, root / "course")
        found["output"] = plain("\n".join(filter(None, [*notes, found["output"]])))
        _keep(record, found)
    except Exception as error:
        traceback.print_exc(file=sys.stdout)
        found = not_graded(f"the grader failed: {type(error).__name__}: {error}")
    found["execution_time"] = round(time.monotonic() - began, 1)
    found["extra_data"].setdefault("needs_human", True)
    for test in found["tests"]:
        if test["visibility"] != "visible":
            print(f"{test['name']}: {test['output']}")  # into the record
    found["tests"] = [test for test in found["tests"] if test["visibility"] == "visible"]
    return found


def unpack(commit: BinaryIO, root: Path) -> list[str]:
    """Put the zip's ordinary files into ``root/submission``; a line on each that is left out."""
    packed = root / "submission.zip"
    with packed.open("wb") as file:
        left = MOST_PACKED
        while left >= 0 and (chunk := commit.read(1 << 20)):
            left -= len(chunk)
            file.write(chunk)
    if left < 0:
        packed.unlink()
        (root / "submission").mkdir()
        return [f"The commit has more than {MOST_PACKED >> 20} MB, so nothing in it is graded."]
    unpacker = Unpacker(root / "unpacked", LIMITS)
    unpacker.unpack(packed).folder.rename(root / "submission")
    refused = [f"{one.where.partition('/')[2]}: {one.reason}" for one in unpacker.refused]
    more = len(refused) - LINES
    return refused[:LINES] + ([f"and {more} more files were left out"] if more > 0 else [])


def _write_metadata(root: Path, student: int, record: Path) -> None:
    """As Gradescope would: who it is, and what earlier results say."""
    earlier = []
    with contextlib.suppress(OSError, ValueError):
        earlier = [{"results": {"extra_data": {HAND_INS: json.loads(record.read_bytes())}}}]
    metadata = {"users": [{"id": student}], "previous_submissions": earlier}
    (root / "submission_metadata.json").write_text(json.dumps(metadata))


def _keep(record: Path, found: Json) -> None:
    """Digests of hand-ins are of no use to the student, and must outlive this one."""
    known = found["extra_data"].pop(HAND_INS, None)
    if known:
        write_bytes(record, json.dumps(known).encode())


@contextmanager
def _log(path: Path) -> Iterator[None]:
    """Whatever is printed meanwhile goes to this file, not to the student."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as log, contextlib.redirect_stdout(log):
        yield


if __name__ == "__main__":
    main()
