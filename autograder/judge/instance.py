"""Objects of the student's classes, and the errors of the student's code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autograder.wire import Ref

if TYPE_CHECKING:
    from autograder.judge.student import Student

TIME_OUT = "time-out"


class StudentError(Exception):
    """The student's code raised. ``type_name`` and the message are theirs.

    ``type_name`` is TIME_OUT where the judge had to interrupt it.
    """

    def __init__(self, what: str, error: Mapping[str, Any]) -> None:
        self.type_name = str(error.get("type", "Exception"))
        self.text = str(error.get("message", ""))[:400]
        line, code = str(error.get("line", "")), str(error.get("code", ""))
        where = f" ({line}: `{code}`)" if line and code else f" ({line})" if line else ""
        raised = (
            self.text if self.type_name == TIME_OUT else f"raised {self.type_name}: {self.text}"
        )
        super().__init__(f"{what} {raised}{where}")


class Instance:
    """An object of a student's class, living in the kernel."""

    def __init__(self, student: Student, reference: Any, class_name: str) -> None:
        if not isinstance(reference, Ref):
            raise StudentError(
                f"{class_name}()", {"type": "TypeError", "message": "made no object"}
            )
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
