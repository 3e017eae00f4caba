"""What `test_student` has the kernel call beside the student's code; it imports nothing of ours."""

from typing import Any


def run_with_other_values(notebook: Any, start: int) -> list[int]:
    """The student's cell over a start of ours, and what their namespace then holds."""
    notebook["start"] = start
    notebook.run("count")
    return [notebook["total"], Helper(notebook).step()]


def values_after(notebook: Any, cell: str, names: list[str]) -> dict[str, Any]:
    """The values of ``names`` once the cell has been executed, those that exist."""
    notebook.run(cell)
    return {name: notebook[name] for name in names if name in notebook}


def call_with_none(notebook: Any, name: str) -> Any:
    return notebook[name](None)


class Helper:
    """Whatever the module defines can be used by its functions."""

    def __init__(self, notebook: Any) -> None:
        self.notebook = notebook

    def step(self) -> int:
        return self.notebook["step"]
