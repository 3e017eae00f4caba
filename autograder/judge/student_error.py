"""What becomes of an exception that a student's code raises when the judge calls it."""

TIME_OUT = "time-out"


class StudentError(Exception):
    """The student's code raised, or did what comes to the same.

    The text is for the student: it holds nothing of a hidden input (see `told`). ``type_name`` is
    the kernel's word, or TIME_OUT where the judge had to interrupt it.
    """

    def __init__(self, text: str, type_name: str = "TypeError") -> None:
        super().__init__(text)
        self.type_name = type_name

    @property
    def out_of_memory(self) -> bool:
        """Whether it was Python's or NumPy's word for that."""
        return self.type_name in ("MemoryError", "_ArrayMemoryError")
