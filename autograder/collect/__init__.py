"""Downloads of Canvas, Moodle and Gradescope -> submitted/: whose is it, which notebook is it?

Read `run.collect` first. `plugins` holds what nbgrader's zip_collect takes.
"""

from __future__ import annotations

from autograder.errors import WrongUse

__all__ = ["FORMATS", "CollectError"]

FORMATS = ("auto", "canvas", "moodle", "gradescope", "folder")


class CollectError(WrongUse):
    """Nothing was collected: a path, the roster or the gradebook is not as it must be."""
