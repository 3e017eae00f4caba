"""The marks around what only instructors see in a source cell."""

from __future__ import annotations

import re

REGIONS = ("SOLUTION", "HIDDEN TESTS", "MARK SCHEME")
MARKER = re.compile(rf"^\s*### (BEGIN|END) ({'|'.join(REGIONS)})\s*$")
MARK_IN_FILE = re.compile(rf"BEGIN ({'|'.join(REGIONS)})".encode())  # of whatever kind
SLOPPY_MARKER = re.compile(rf"(BEGIN|END) ({'|'.join(REGIONS)})")  # one that nbgrader overlooks
