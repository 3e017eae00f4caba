"""A small network of a student's class, asked for scores, loss and gradients.

TwoLayerNet, FullyConnectedNet and ThreeLayerConvNet are asked alike. Each has an oracle of its own,
which draws a ``NetCase``, knows what is right, and how to ``run`` code with a network of the class.

Shapes: X (N, d_1, ..., d_k), y (N,); the L layers have weights W1, ..., WL and biases b1, ..., bL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from autograder.checks.shared import layers
from autograder.checks.shared.layers import Array
from autograder.judge import Student, expect, expect_close, expect_shape, expect_unchanged


@dataclass(frozen=True)
class NetCase:
    """Parameters and data of a small network."""

    params: Mapping[str, Array]
    X: Array
    y: Array
    reg: float = 0.0

    @property
    def depth(self) -> int:
        """L: the number of layers with weights."""
        return sum(name.startswith("W") for name in self.params)

    @property
    def classes(self) -> int:
        return len(self.params[f"b{self.depth}"])

    @property
    def squares(self) -> dict[str, float]:
        """The sum of squares of each parameter."""
        return {name: float(np.sum(value**2)) for name, value in self.params.items()}

    def with_reg(self, reg: float) -> Self:
        return replace(self, reg=reg)

    def with_params(self, params: Mapping[str, Array]) -> Self:
        return replace(self, params=params)


# Goes when every notebook asks through student_net.py.
@dataclass(frozen=True)
class Net:
    """What can be asked of every class.

    ``run(student, case, source, *names, **more)`` executes ``source`` where ``_net`` is a network
    of the student's with the case's parameters, ``_X`` and ``_y`` its data, and returns the values
    of ``names`` afterwards. ``more`` is passed through.
    """

    run: Callable[..., dict[str, Any]]

    def scores_of(self, student: Student, case: NetCase, **more: Any) -> Array:
        """What ``loss(X)`` returns: it must be the scores (N, C) alone."""
        source = "_answer = _net.loss(_X)"
        answer = self.run(student, case, source, "_answer", **more).get("_answer")
        several = isinstance(answer, tuple)
        expect(not several, "loss(X) returned several things, not the scores alone")
        return expect_shape(answer, (len(case.X), case.classes), "loss(X)")

    def loss_of(self, student: Student, case: NetCase, **more: Any) -> tuple[float, dict[str, Any]]:
        """What ``loss(X, y)`` returns: a number, and a dictionary with a gradient for each name."""
        source = "_answer = _net.loss(_X, _y)"
        answer = self.run(student, case, source, "_answer", **more).get("_answer")
        loss, grads = layers.several("loss(X, y)", answer, "loss, grads")
        expect(isinstance(grads, dict), "grads is not a dictionary")
        return float(expect_shape(loss, (), "the loss")), grads

    def gradients_of(self, student: Student, case: NetCase, **more: Any) -> dict[str, Array]:
        """The student's gradients. Failed unless they have the parameters' names and shapes."""
        _, grads = self.loss_of(student, case, **more)
        missing = [name for name in case.params if name not in grads]
        expect(not missing, f"grads has no entry for {', '.join(missing[:6])}")
        extra = sorted(str(name) for name in grads if name not in case.params)
        expect(not extra, f"grads has entries that are no parameters: {', '.join(extra[:4])}")
        return {
            name: expect_shape(grads[name], value.shape, f"grads[{name!r}]")
            for name, value in case.params.items()
        }

    def added_by_reg(self, student: Student, case: NetCase, **more: Any) -> float:
        """What the case's reg adds to the loss."""
        penalized, _ = self.loss_of(student, case, **more)
        return penalized - self.loss_of(student, case.with_reg(0.0), **more)[0]

    def expect_penalty_gradients(self, student: Student, case: NetCase) -> None:
        """What reg adds to the gradients must be the derivative of what it adds to the loss."""
        added = self.added_by_reg(student, case)
        expect(abs(added) > 1e-9, "the loss has no penalty that a gradient could belong to")
        coefficient = added / sum(v for name, v in case.squares.items() if name.startswith("W"))
        with_reg = self.gradients_of(student, case)
        without = self.gradients_of(student, case.with_reg(0.0))
        for name, value in case.params.items():
            difference = with_reg[name].astype(np.float64) - without[name]
            want = 2 * coefficient * value * name.startswith("W")
            hint = "differentiate the penalty as it stands in your loss; biases have none"
            # The difference of two gradients loses digits where they are large: 1e-5 leaves room.
            rtol = 1e-5 if with_reg[name].dtype == np.float64 else 1e-3
            what = f"what reg adds to grads[{name!r}]"
            expect_close(difference, want, what=what, rtol=rtol, atol=rtol, hint=hint)

    def expect_nothing_changed(self, student: Student, case: NetCase, **more: Any) -> None:
        """X, y and the parameters must be as before: training changes them, the loss does not."""
        source = "_net.loss(_X), _net.loss(_X, _y)\n_after = dict(_net.params)"
        after = self.run(student, case, source, "_after", "_X", "_y", **more)
        expect_unchanged(after.get("_X"), case.X, "X")
        expect_unchanged(after.get("_y"), case.y, "y")
        for name, value in case.params.items():
            expect_unchanged(after["_after"].get(name), value, f"params[{name!r}]")
