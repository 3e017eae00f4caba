"""A handle on an object of a student's class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autograder.judge.student_error import StudentError
from autograder.sandbox.wire import Ref

if TYPE_CHECKING:
    from autograder.judge.student import Student


class Instance:
    """An object of a student's class, living in the kernel."""

    def __init__(self, student: Student, reference: Any, class_name: str) -> None:
        if not isinstance(reference, Ref):
            raise StudentError(f"{class_name}() raised TypeError: made no object")
        self.reference = reference
        self._student = student
        self._class = class_name

    def call(
        self,
        method: str,
        *args: Any,
        keep: Sequence[int] | bool = (),
        seconds: float | None = None,
        room: int | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call a method; see :meth:`Student.call`.

        ``room``: bytes of memory that it may take beyond what the kernel has already; what asks
        for more gets a MemoryError, which is a StudentError here (``out_of_memory``).
        """
        message: dict[str, Any] = {
            "op": "call",
            "on": self.reference,
            "name": method,
            "args": list(args),
            "kwargs": kwargs,
            "room": room,
        }
        return self._student.request(f"{self._class}.{method}()", message, keep, seconds)

    def get(self, attribute: str) -> Any:
        """The value of an attribute."""
        message = {"op": "get", "on": self.reference, "name": attribute}
        return self._student.request(f"{self._class}.{attribute}", message)

    def set(self, attribute: str, value: Any) -> None:
        """Give an attribute a value."""
        message = {"op": "set", "on": self.reference, "name": attribute, "value": value}
        self._student.request(f"{self._class}.{attribute}", message)
