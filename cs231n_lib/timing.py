"""How long a call takes."""

import time
from collections.abc import Callable


def time_function(f: Callable[..., object], *args: object, **kwargs: object) -> float:
    """Call ``f(*args, **kwargs)`` once and return the seconds it took (wall clock)."""
    start = time.perf_counter()
    f(*args, **kwargs)
    return time.perf_counter() - start
