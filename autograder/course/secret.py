"""The course's secret: what hidden inputs are drawn from, so that nobody can foresee them."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from autograder.course.submissions import CourseError

VARIABLE = "CS231N_COURSE_SECRET"
SECRET_BYTES = 32


def course_secret(root: Path) -> bytes:
    """From the environment, else from ``.autograder/secret``, made on first use (mode 0600).

    Regrading with the same secret draws the same inputs. Keep it private, and keep it. Raises
    CourseError where the file holds none: nobody is graded with an empty one, as a full disk could
    have left.
    """
    given = os.environ.get(VARIABLE)
    if given:
        return given.encode()
    path = root / ".autograder" / "secret"
    path.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(SECRET_BYTES) + "\n")
    except OSError:
        path.unlink()
        raise
    return _read(path)


def _read(path: Path) -> bytes:
    try:
        secret = bytes.fromhex(path.read_text("ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) < SECRET_BYTES:
        raise CourseError(
            f"{path} holds no secret of {SECRET_BYTES} bytes in hexadecimal: put back the one that "
            "this course was graded with, or remove the file to have a new one made"
        )
    return secret
