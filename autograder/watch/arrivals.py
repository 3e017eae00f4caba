"""What lies in submitted/, seen from outside: has something changed, and is it other work?"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from autograder.course.beside import files_below, read_regular
from autograder.course.helpers import EXCHANGE
from autograder.notebook.pictures import SUFFIXES
from autograder.notebook.repair import MAX_BYTES

READ = {".ipynb", ".py", *SUFFIXES}  # what grading reads; of other files the size is enough


def signature(folder: Path) -> str:
    """Changes whenever a file does, without reading one; empty where nothing was handed in."""
    digest, found = hashlib.sha256(), False
    for path in files_below(folder):
        try:
            about = os.lstat(folder / path)
        except OSError:
            continue  # gone meanwhile
        found = found or path.name not in EXCHANGE
        values = (about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)
        digest.update(os.fsencode(path) + repr(values).encode())
    return digest.hexdigest() if found else ""


def contents(folder: Path) -> tuple[str, str]:
    """Hashes of what the student wrote, and of what the exchange put beside it."""
    work, stamp = hashlib.sha256(), hashlib.sha256()
    for path in files_below(folder):
        read = path.suffix.lower() in READ or path.name in EXCHANGE
        data = read_regular(folder / path, MAX_BYTES) if read else None
        if data is None:
            data = str(_size(folder / path)).encode()
        digest = stamp if str(path) in EXCHANGE else work
        name = os.fsencode(path)
        digest.update(len(name).to_bytes(8, "little") + name)
        digest.update(len(data).to_bytes(8, "little") + data)
    return work.hexdigest(), stamp.hexdigest()


def _size(path: Path) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0
