"""The two kinds of errors that reach people. Every error of ours that may end a command is one.

The command line catches these two bases and nothing else, so that a new class cannot reach a TA as
a traceback: it prints the message on one line and ends with `exit_status`.
"""

from __future__ import annotations

from typing import ClassVar


class AutograderError(Exception):
    """Something a person can do something about; the message says where, what and what to do."""

    exit_status: ClassVar[int]
    next_step: str = ""  # where every error of a class has the same


class WrongUse(AutograderError):
    """What was asked for, or what lies in the course folder, is not as it must be."""

    exit_status = 2


class NeedsHuman(AutograderError):
    """The command was right, but this machine or these files kept it from doing its work."""

    exit_status = 1


class ClusterError(NeedsHuman):
    """There is no cluster, or not the right one; the message says what to do."""
