"""A small network of a student's class over right layers, asked for scores, loss and gradients.

TwoLayerNet, FullyConnectedNet and ThreeLayerConvNet are asked alike. The cell with the class is
executed again in a copy of the notebook, where the names of the layers stand for functions that the
judge answers: a mistake in a layer costs nothing in the question about the class.

Shapes: X (N, d_1, ..., d_k), y (N,); scores (N, C).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from autograder.checks.shared import in_kernel_net
from autograder.checks.shared.layers import Array, unpack
from autograder.checks.shared.net_case import NetCase
from autograder.judge import Student, expect, expect_near, expect_shape, expect_unchanged, named

Settings = dict[str, Any]

CALLS = 1000  # of one layer in one request: at most 60 steps of training with a few layers
# Layers with weights are answered for the network's only: matrices, or gamma.
WEIGHTS = {"affine_": 2, "conv_": 2, "batchnorm_": 1, "layernorm_": 1}


@dataclass(frozen=True)
class StudentNet:
    """How a network of a class is made for a case.

    ``settings(case)``: ``args`` and ``kwargs`` for __init__, ``dtype`` by name where the class has
    one, and ``attributes`` that the class's given text sets. ``layers``: what the judge answers, by
    name; of those in ``updating`` the last answer is what changes in the dictionary they are given.
    """

    name: str
    settings: Callable[[Any], Settings]
    layers: Mapping[str, Callable[..., Any]]
    updating: Sequence[str] = field(default=())

    def with_layers(
        self, layers: Mapping[str, Callable[..., Any]], updating: Sequence[str] = ()
    ) -> Self:
        """The same over further layers."""
        more = {**self.layers, **layers}
        return replace(self, layers=more, updating=(*self.updating, *updating))

    def apply(
        self, student: Student, case: NetCase, function: Callable[..., Any], *args: Any
    ) -> Any:
        """``function(notebook, made, *args)`` in the kernel; see `in_kernel_net`."""
        cell = student.cell_defining(self.name)
        empty = {"args": [], "kwargs": {}, "dtype": "", "attributes": {}}
        made = {
            **empty,
            **self.settings(case),
            "name": self.name,
            "cell": cell,
            "params": {name: value.copy() for name, value in case.params.items()},
            "reg": case.reg,
            "updating": list(self.updating),
        }
        trains = function is in_kernel_net.scores_after_training  # other weights with every step
        answering = {
            name: student.stand_in(layer, calls=CALLS, weights=0 if trains else _axes(name))
            for name, layer in self.layers.items()
        }
        cells = (cell,) if cell else ()
        return student.apply(function, made, *args, cells=cells, bindings=answering)

    def answers(self, student: Student, case: NetCase, *batches: tuple[Array, ...]) -> list[Any]:
        """What loss returns for batches (X,) or (X, y), one after the other, of one network."""
        copies = [[array.copy() for array in batch] for batch in batches]
        return self.apply(student, case, in_kernel_net.answers, copies)

    def scores_of(self, student: Student, case: NetCase) -> Array:
        """What ``loss(X)`` returns: it must be the scores (N, C) alone."""
        return as_scores(self.answers(student, case, (case.X,))[0], case)

    def loss_of(self, student: Student, case: NetCase) -> float:
        """The loss alone, whatever the gradients are."""
        return as_loss(self.answers(student, case, (case.X, case.y))[0])

    def gradients_of(self, student: Student, case: NetCase) -> dict[str, Any]:
        """The student's gradients by name, not yet looked at."""
        return as_gradients(self.answers(student, case, (case.X, case.y))[0])

    def expect_nothing_changed(self, student: Student, case: NetCase) -> None:
        """X, y and the parameters must be as before: training changes them, the loss does not."""
        function = in_kernel_net.arguments_afterwards
        X, y, params = self.apply(student, case, function, case.X.copy(), case.y.copy())
        expect_unchanged(X, case.X, "X")
        expect_unchanged(y, case.y, "y")
        for name, value in case.params.items():
            expect_unchanged(params.get(name), value, f"params[{name!r}]")


def _axes(layer: str) -> int:
    return max((axes for name, axes in WEIGHTS.items() if layer.startswith(name)), default=0)


def as_scores(answer: Any, case: NetCase, what: str = "loss(X)") -> Array:
    """An answer of ``loss(X)``: it must be the scores (N, C) alone."""
    expect(not isinstance(answer, tuple), f"{what} returned several values, not the scores alone")
    return expect_shape(answer, (len(case.X), case.classes), what)


def as_loss(answer: Any) -> float:
    """The loss in an answer of ``loss(X, y)``."""
    return float(expect_shape(unpack("loss(X, y)", answer, "loss, grads")[0], (), "the loss"))


def as_gradients(answer: Any) -> dict[str, Any]:
    """The gradients in an answer of ``loss(X, y)``: a dictionary."""
    _, grads = unpack("loss(X, y)", answer, "loss, grads")
    expect(isinstance(grads, dict), "grads is not a dictionary")
    return grads


def expect_entries(grads: Mapping[str, Any], names: Iterable[str]) -> None:
    """There is a gradient for each of these parameters."""
    missing = [name for name in names if name not in grads]
    expect(not missing, f"grads has no entry for {', '.join(missing[:6])}")


def expect_gradients(grads: Mapping[str, Any], want: Mapping[str, Array], about: str) -> None:
    """The numbers of all gradients; their shapes have a check of their own."""
    expect_entries(grads, want)
    for name, right in want.items():
        what = f"grads[{name!r}] {about}"
        expect_near(grads[name], right, what=what, squeeze=True)


def expect_gradient_shapes(grads: Mapping[str, Any], case: NetCase) -> None:
    """Each gradient that is there is of its parameter's shape; there are no others."""
    for name, value in case.params.items():
        if name in grads:
            expect_shape(grads[name], value.shape, f"grads[{name!r}]")
    extra = named(name for name in grads if name not in case.params)
    expect(not extra, f"grads has entries that are not parameters: {extra}")
