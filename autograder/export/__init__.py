"""Grades for other programs: CSV tables, Canvas, Moodle, Gradescope.

gradebook + records  ->  standing  ->  tables, canvas, moodle, results.json
"""

from autograder.errors import WrongUse


class ExportError(WrongUse):
    """The grades cannot be exported as asked; the message says what to do."""
