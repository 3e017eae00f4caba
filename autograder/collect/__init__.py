"""Downloads of Canvas, Moodle and Gradescope -> submitted/: whose is it, which notebook is it?

Read `run.collect` first. `plugins` holds what nbgrader's zip_collect takes.
"""

from __future__ import annotations

__all__ = ["FORMATS", "CollectError"]

FORMATS = ("auto", "canvas", "moodle", "gradescope", "folder")


class CollectError(Exception):
    """Nothing was collected: a path, the roster or the gradebook is not as it must be."""
