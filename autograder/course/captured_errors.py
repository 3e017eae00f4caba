"""What nbgrader logs while we call its converters: captured, and reported in one line."""

from __future__ import annotations

import logging


class CapturedErrors(logging.Handler):
    """Collects error messages. ``logger`` is private: nothing reaches the terminal."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []
        self.logger = logging.Logger("autograder.nbgrader", level=logging.ERROR)
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

    def cause(self) -> str:
        """The last line of the first traceback, else of the first message: the exception."""
        tracebacks = [text for text in self.messages if text.startswith("Traceback")]
        first = next(iter(tracebacks or self.messages), "")
        return first.strip().rpartition("\n")[2]
