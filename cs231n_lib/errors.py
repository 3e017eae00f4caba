"""What goes wrong outside the student's own code: each message names the place and the remedy."""


class CourseError(Exception):
    """A problem the reader can solve; the command line prints it without a traceback."""


class DataError(CourseError):
    """A data set is missing, incomplete, damaged, or could not be fetched."""


class NotebookError(CourseError):
    """A notebook could not be found or read."""


class LayerError(CourseError):
    """A layer of the reader's own is needed, and is missing or returns something else."""


class WrongUse(CourseError):
    """The command cannot be understood, or nothing is there for it to do: exit status 2."""
