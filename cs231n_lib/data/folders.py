"""Where real data sets may lie, and what is said when an embedded one takes their place."""

import functools
import os
from pathlib import Path

from cs231n_lib.data.cache import cache_dir
from cs231n_lib.errors import DataError

DATA_VARIABLE = "CS231N_DATA"


def data_folders() -> list[Path]:
    """The folders to look in, first choice first: ``$CS231N_DATA``, then the user cache.

    Raises DataError when the variable names no folder: a typing mistake must not quietly change
    the data.
    """
    folders = [cache_dir()]
    if chosen := os.environ.get(DATA_VARIABLE):
        folders.insert(0, Path(chosen).expanduser())
        if not folders[0].is_dir():
            raise DataError(
                f"{DATA_VARIABLE} is {chosen!r}, which is not a folder. Correct or unset it."
            )
    return folders


@functools.cache
def announce_once(text: str) -> None:
    """Print this once in each process: which data these are."""
    print(text)
