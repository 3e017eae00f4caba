"""What is asked of the loss of a fully connected class, over right layers.

Each notebook declares these checks for its own class, depths and probes.

Shapes: X (N, d_1, ..., d_k), y (N,); W1 (D, H_1), b1 (H_1,), ..., WL (H_(L-1), C), bL (C,).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.random import Generator

from autograder.checks.shared import in_kernel_net
from autograder.checks.shared.fully_connected import Case, draw_case, right_loss, right_scores
from autograder.checks.shared.penalty import expect_penalty, expect_penalty_gradients
from autograder.checks.shared.student_net import (
    StudentNet,
    as_gradients,
    as_loss,
    as_scores,
    expect_gradient_shapes,
    expect_gradients,
)
from autograder.judge import Student, check, expect, expect_near, expect_shape

AGAIN = "a second call, with the same X and y"
READ = "read self.params and self.reg inside loss, each time"


def declare_net_loss_checks(
    module: str, cell: str, net: StudentNet, depths: Sequence[Sequence[int]], probes: Mapping
) -> None:
    """Declare them for a notebook's ``module``.

    ``depths``: the hidden layers of each case. ``probes``: the curriculum's names for scores, loss,
    penalty, gradients, shape (of X), reg, params and arguments.

    A function that changes its parameters is of no use in training. So loss and gradients are asked
    for twice, of the same network.
    """

    def cases(rng: Generator) -> list[Case]:
        return [draw_case(rng, hidden=hidden) for hidden in depths]

    @check(cell, probe=probes["scores"], weight=2, module=module)
    def scores_are_right(student: Student, rng: Generator) -> None:
        """loss(X): the scores, before and after loss(X, y)."""
        for case in cases(rng):
            X, want = case.X, right_scores(case)
            before, _, after = net.answers(student, case, (X,), (X, case.y), (X,))
            last = f"b{case.depth}"
            slips = {
                f"the scores lack {last}": want - case.params[last],
                "there is a ReLU after the last layer: scores may be negative": np.maximum(want, 0),
            }
            what = f"loss(X) for {case.depth} layers"
            expect_near(as_scores(before, case), want, what=what, slips=slips)
            expect_near(as_scores(after, case), want, what="loss(X) after loss(X, y)")

    @check(cell, probe=probes["loss"], weight=2, module=module)
    def loss_is_right(student: Student, rng: Generator) -> None:
        """loss(X, y), twice: the loss without penalty."""
        for case in cases(rng):
            batch, (want, _) = (case.X, case.y), right_loss(case)
            first, second = net.answers(student, case, batch, batch)
            what = f"the loss of {case.depth} layers for reg = 0"
            expect_near(
                as_loss(first), want, what=what, slips={f"{what} is a sum": want * len(case.X)}
            )
            expect_near(as_loss(second), want, what=f"the loss of {AGAIN},")

    @check(cell, probe=probes["penalty"], weight=2, module=module)
    def penalty_is_right(student: Student, rng: Generator) -> None:
        """What reg adds to the loss."""
        case = cases(rng)[-1].with_reg(0.7)
        expect_penalty(case, lambda one: net.loss_of(student, one))

    @check(cell, probe=probes["gradients"], weight=4, module=module)
    def gradients_are_right(student: Student, rng: Generator) -> None:
        """loss(X, y), twice: all gradients without penalty."""
        for case in cases(rng):
            batch, (_, want) = (case.X, case.y), right_loss(case)
            first, second = net.answers(student, case, batch, batch)
            expect_gradients(as_gradients(first), want, f"of {case.depth} layers")
            expect_gradients(as_gradients(second), want, f"of {AGAIN},")

    @check(cell, probe=probes["gradients"], weight=2, module=module)
    def penalty_gradients_are_right(student: Student, rng: Generator) -> None:
        """What reg adds to the gradients."""
        case = cases(rng)[-1].with_reg(3.14)
        loss_of, gradients_of = net.loss_of, net.gradients_of
        expect_penalty_gradients(
            case, lambda one: loss_of(student, one), lambda one: gradients_of(student, one)
        )

    @check(cell, probe=probes["gradients"], module=module)
    def gradients_have_their_shapes(student: Student, rng: Generator) -> None:
        """Each entry of grads has the shape of its parameter, and there are no others."""
        for case in cases(rng):
            expect_gradient_shapes(net.gradients_of(student, case), case)

    @check(cell, probe=probes["shape"], module=module)
    def images_and_single_examples_are_accepted(student: Student, rng: Generator) -> None:
        """Images (3, 4, 4), and N = 1: scores, loss and gradients."""
        hidden = depths[-1]
        for about, case in (
            ("for images", draw_case(rng, image=(3, 4, 4), hidden=hidden)),
            ("for N = 1", draw_case(rng, N=1, image=(2, 3), hidden=hidden)),
        ):
            scores, answer = net.answers(student, case, (case.X,), (case.X, case.y))
            loss, grads = right_loss(case)
            expect_near(as_scores(scores, case), right_scores(case), what=f"loss(X) {about}")
            expect_near(as_loss(answer), loss, what=f"the loss {about}")
            expect_gradients(as_gradients(answer), grads, about)

    @check(cell, probe=probes["reg"], module=module)
    def scores_do_not_depend_on_reg(student: Student, rng: Generator) -> None:
        """loss(X) for reg = 5."""
        case = cases(rng)[-1].with_reg(5.0)
        expect_near(net.scores_of(student, case), right_scores(case), what="loss(X) for reg = 5")

    @check(cell, probe=probes["params"], module=module)
    def parameters_are_read_when_called(student: Student, rng: Generator) -> None:
        """Other parameters and another reg between two calls."""
        case = cases(rng)[-1]
        halved = case.with_params({name: 0.5 * value for name, value in case.params.items()})
        function = in_kernel_net.after_changes
        scores, penalized, plain = net.apply(student, case, function, case.X.copy(), case.y.copy())
        after, (loss, _) = "after params changed", right_loss(halved)
        expect_near(scores, right_scores(halved), what=f"loss(X) {after}", hint=READ)
        expect_near(plain, loss, what=f"the loss {after}", hint=READ)
        differs = abs(float(expect_shape(penalized, (), "the loss")) - loss) > 1e-6
        expect(differs, "changing self.reg later makes no difference", READ)

    @check(cell, probe=probes["arguments"], condition=True, module=module)
    def arguments_are_unchanged(student: Student, rng: Generator) -> None:
        """X, y and the parameters are as before: training changes them, the loss does not."""
        net.expect_nothing_changed(student, cases(rng)[-1].with_reg(0.7))
