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
        **kwargs: Any,
    ) -> Any:
        """Call a method; see :meth:`Student.call`."""
        message = {
            "op": "call",
            "on": self.reference,
            "name": method,
            "args": list(args),
            "kwargs": kwargs,
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
