"""Where downloads and generated images are kept, and how a file gets there whole or not at all."""

import contextlib
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

CACHE_VARIABLE = "CS231N_CACHE"


def cache_dir() -> Path:
    """``$CS231N_CACHE``, or the platform's cache folder for this user (it may not exist yet)."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    # Only here: pooch takes a while to import, and most calls have the variable or never get this
    # far. It imports tqdm's bars for notebooks, which warn where ipywidgets is missing.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pooch

    return Path(pooch.os_cache("cs231n"))


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let ``write`` fill a temporary neighbour of ``path``, then put it in place in one step.

    Two processes doing so at once is harmless: the later one wins with the same bytes.
    Raises OSError when the folder cannot be written or the disk is full; then nothing is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
        Path(temporary).chmod(0o644)  # readable for others: a grader's sandbox is another user
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
