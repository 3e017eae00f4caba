"""Threads of the libraries for linear algebra in this process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Have BLAS and OpenMP compute with one thread for a while."""
    with _libraries(len(sys.modules)).limit(limits=1):
        yield


def find_libraries() -> None:
    """Look for them now: a fork then need not, unless it has imported more."""
    _libraries(len(sys.modules))


@lru_cache(maxsize=1)
def _libraries(modules: int) -> ThreadpoolController:
    """Those that are loaded. To find them takes some 20 ms: all that is mapped is looked at.

    ``modules``: how many are imported; with another number other libraries may be loaded.
    """
    return ThreadpoolController()
