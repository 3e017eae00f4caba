"""The student's lstm_forward and lstm_backward over steps that the judge answers.

A mistake in lstm_step_forward or lstm_step_backward has lost its points; over right steps, the
functions of whole sequences may still be right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.checks.assignment3.lstm_captioning import cell, in_kernel, sequence
from autograder.checks.assignment3.lstm_captioning.cell import Case
from autograder.checks.assignment3.lstm_captioning.sequence import SequenceCase
from autograder.checks.shared.layers import Array, unpack
from autograder.judge import Failed, Student, StudentError, as_array

NOTHING = np.empty(0)


@dataclass
class Steps:
    """How a student's sequences are asked: over right steps, or over their own.

    ``taken``: the arguments of each step of the last call of lstm_forward, if it took right steps.
    """

    student: Student
    right: bool
    taken: list[Case] = field(default_factory=list)

    def forward(self, case: SequenceCase) -> tuple[Any, Any]:
        """The student's h, not yet looked at, and the cache left in the kernel."""
        self.taken.clear()
        answer = self._call(in_kernel.call, "lstm_forward", *case.arguments, keep=(1,))
        h, cache = unpack("lstm_forward", answer, "h, cache")
        return h, cache

    def backward(self, case: SequenceCase) -> tuple[dict[str, Any], Any]:
        """The student's gradients by name, from the cache of their own forward; and their h."""
        h, cache = self.forward(case)
        answer = self._call(in_kernel.call, "lstm_backward", case.dh.copy(), cache)
        found = unpack("lstm_backward", answer, ", ".join(sequence.GRADIENTS))
        return dict(zip(sequence.GRADIENTS, found, strict=True)), h

    def arguments_after_forward(self, case: SequenceCase) -> list[Any]:
        """x, h0, Wx, Wh and b after lstm_forward was called with them."""
        return self._call(in_kernel.arguments_afterwards, "lstm_forward", *case.arguments)

    def _call(
        self, function: Callable[..., Any], name: str, *args: Any, keep: tuple[int, ...] = ()
    ) -> Any:
        steps = {"lstm_step_forward": self._step, "lstm_step_backward": _step_back}
        right = {name: self.student.stand_in(step) for name, step in steps.items() if self.right}
        cell = self.student.cell_defining(name) if self.right else ""
        cells = (cell,) if cell else ()
        return self.student.apply(
            function, name, cell, list(right), *args, cells=cells, bindings=right, keep=keep
        )

    def _step(self, x: Any, prev_h: Any, prev_c: Any, Wx: Any, Wh: Any, b: Any) -> tuple:
        """A step as it should be; its arguments are its cache."""
        h = as_array(prev_h, "prev_h")
        c = np.broadcast_to(as_array(prev_c, "prev_c"), h.shape)  # a plain 0 will do
        arrays = as_array(x, "x"), h, np.array(c), *map(as_array, (Wx, Wh, b))
        case = _case(arrays, NOTHING, NOTHING)
        self.taken.append(case)
        return *cell.run(case), arrays


def _step_back(dnext_h: Any, dnext_c: Any, cache: Any) -> tuple[Array, ...]:
    arrays = [as_array(array) for array in cache]
    shape = arrays[1].shape
    of_h, of_c = (np.broadcast_to(as_array(d), shape).copy() for d in (dnext_h, dnext_c))
    return tuple(cell.autograd(_case(arrays, of_h, of_c)).values())


def _case(arrays: Sequence[Array], dnext_h: Array, dnext_c: Array) -> Case:
    arguments = dict(zip(cell.ARGUMENTS, arrays, strict=True))
    return Case(**arguments, dnext_h=dnext_h, dnext_c=dnext_c)


def over_either(student: Student, judge: Callable[[Steps], None]) -> None:
    """``judge`` must not fail over right steps, or else over the student's own.

    The latter is for those who take the step apart, so that only their own cache will do.
    """
    try:
        judge(Steps(student, right=True))
    except (Failed, StudentError) as error:
        try:
            judge(Steps(student, right=False))
        except (Failed, StudentError):
            raise error from None
