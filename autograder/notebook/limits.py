"""The limits that a notebook may set for itself in its ``cs231n`` metadata."""

from __future__ import annotations

import json
import math
from typing import Any

LIMITS = ("cell_seconds", "call_seconds", "notebook_seconds", "memory_mb", "search_seconds")


def limit_complaint(settings: Any) -> str:
    """What is wrong with the limits that a notebook sets for itself; empty when nothing is."""
    if not isinstance(settings, dict):
        return f"metadata 'cs231n' is {json.dumps(settings)}; make it what docs/grading.md shows"
    gpu = settings.get("gpu")
    for place, about in (("", settings), ("gpu: ", gpu if isinstance(gpu, dict) else {})):
        for name in LIMITS:
            value = about.get(name, 1)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (number and 0 < value < math.inf):
                return (
                    f"metadata 'cs231n': {place}{name} is {json.dumps(value)}; "
                    "make it a number above 0, without a unit, e.g. 60"
                )
    return ""
