"""One notebook, two sizes: quick on the embedded data, complete on the real CIFAR-10."""

import os
from typing import TypeVar

from cs231n_lib.errors import CourseError

SCALE_VARIABLE = "CS231N_SCALE"
_EMBEDDED, _FULL = "embedded", "full"

T = TypeVar("T")


def at_scale(*, embedded: T, full: T) -> T:
    """Return ``embedded``, or ``full`` where the environment says ``CS231N_SCALE=full``.

    Write ``num_training = at_scale(embedded=9000, full=49000)`` for a size that the embedded data
    or a minute's patience does not allow to be as large as on the real CIFAR-10.
    Raises CourseError when the variable has another value: a typing mistake must not quietly
    change the experiment.
    """
    chosen = os.environ.get(SCALE_VARIABLE) or _EMBEDDED
    if chosen not in (_EMBEDDED, _FULL):
        raise CourseError(
            f"{SCALE_VARIABLE} is {chosen!r}; set it to {_EMBEDDED!r} or {_FULL!r}, or unset it "
            f"(which means {_EMBEDDED!r})."
        )
    return full if chosen == _FULL else embedded
