"""Starting the warm process that submissions are forked from."""

from __future__ import annotations

import os
import sys

from autograder.judge.zygote import Zygote
from autograder.sandbox import probe

TIER_VARIABLE = "CS231N_ISOLATION"


def start_zygote(tier: str | None = None) -> Zygote:
    """A zygote of the best isolation this host offers, or of the tier named.

    ``tier`` defaults to the environment's ``CS231N_ISOLATION``. Raises SandboxError where no
    isolation is to be had: grading never falls back to running unprotected.
    """
    wanted = tier or os.environ.get(TIER_VARIABLE) or None
    chosen = probe.choose(wanted)
    if chosen == "none":
        print(
            "\033[1;31mNO ISOLATION: grade nothing with this but solutions you wrote yourself."
            "\033[0m",
            file=sys.stderr,
        )
    return Zygote(chosen)
