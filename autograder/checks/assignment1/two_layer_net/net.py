"""What is asked of TwoLayerNet: how it starts, and what its loss computes over right layers.

Shapes: X (N, d_1, ..., d_k), W1 (D, H), b1 (H,), W2 (H, C), b2 (C,), y (N,).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment1.two_layer_net.net_oracle import (
    NAMES,
    NET,
    Case,
    draw_case,
    gradients_of,
    loss_of,
    right_loss,
    right_scores,
    run,
    scores_of,
)
from autograder.checks.shared.layers import Array
from autograder.judge import (
    Student,
    as_array,
    expect,
    expect_close,
    expect_near,
    expect_shape,
    name_slip,
)

REG = 0.7
CLASS = "TwoLayerNet"
CHANGED = """
_net.loss(_X), _net.loss(_X, _y)
for _name in list(_net.params):
    _net.params[_name] = 0.5 * _net.params[_name]
_net.reg = 2.0
_scores, _loss = _net.loss(_X), _net.loss(_X, _y)[0]
_net.reg = 0.0
_plain = _net.loss(_X, _y)[0]
"""

# -- __init__ -------------------------------------------------------------------------------------


def parameters_have_their_shapes(student: Student, rng: Generator) -> None:
    """Names and shapes of the parameters, with given sizes and with the default ones."""
    for sizes, (D, H, C) in (
        ({"input_dim": 11, "hidden_dim": 7, "num_classes": 4}, (11, 7, 4)),
        ({"input_dim": 3, "hidden_dim": 8}, (3, 8, 10)),
        ({}, (3072, 100, 10)),
    ):
        params = _parameters(student, **sizes)
        shapes = {"W1": (D, H), "b1": (H,), "W2": (H, C), "b2": (C,)}
        expect(set(params) == set(NAMES), f"params has the keys {sorted(map(str, params))[:8]}")
        for name, shape in shapes.items():
            expect_shape(params[name], shape, f"params[{name!r}]")


def weights_have_the_asked_spread(student: Student, rng: Generator) -> None:
    """The standard deviation of both weights, for several weight_scale and the default one."""
    for more, scale in (({"weight_scale": 0.5}, 0.5), ({"weight_scale": 2e-2}, 2e-2), ({}, 1e-3)):
        for name, weights in _weights(student, **more).items():
            spread = float(weights.std())
            hint = "draw from a normal distribution, times weight_scale"
            # 10,000 numbers: the spread varies by 0.7 %, so 10 % is never reached by chance.
            what = f"the standard deviation of {name} for weight_scale = {scale:g}"
            expect_close(spread, scale, what=what, rtol=0.1, atol=0, hint=hint)


def weights_are_normal_around_zero(student: Student, rng: Generator) -> None:
    """Mean zero, as many large numbers as a normal distribution has, no two weights alike."""
    for name, weights in _weights(student, weight_scale=1.0).items():
        # The mean of 10,000 numbers varies by 0.01, their fourth moment (3) by 0.1.
        expect(abs(float(weights.mean())) < 0.07, f"{name} has a mean that is not 0")
        expect(bool(weights.std()), f"all numbers in {name} are equal")
        fourth = float(np.mean((weights / weights.std()) ** 4))
        expect(2.4 < fourth < 3.6, f"{name} is not normally distributed")
        repeated = f"{name} repeats its numbers: units that start alike stay alike"
        expect(len(np.unique(weights)) > 0.9 * weights.size, repeated)


def biases_start_at_zero(student: Student, rng: Generator) -> None:
    """Both biases, whatever the scale of the weights."""
    params = _parameters(student, input_dim=6, hidden_dim=5, num_classes=3, weight_scale=2.0)
    for name, size in (("b1", 5), ("b2", 3)):
        bias = expect_shape(params.get(name), (size,), f"params[{name!r}]")
        expect(not bias.any(), f"params[{name!r}] does not start at zero")
        whole = f"params[{name!r}] holds whole numbers: no small step can change them in place"
        expect(bias.dtype.kind == "f", whole)
    expect(as_array(params.get("W1"), "params['W1']").any(), "params['W1'] is zero as well")


def reg_is_kept(student: Student, rng: Generator) -> None:
    """self.reg, given and by default; arguments by position, in the order of the contract."""
    for args, want in (((), 0.0), ((6, 5, 3, 1e-2, 0.25), 0.25)):
        reg = as_array(student.new(CLASS, *args).get("reg"), "self.reg")
        expect_close(reg, want, what="self.reg")
    got = as_array(student.new(CLASS, reg=3.5).get("reg"), "self.reg")
    expect_close(got, 3.5, what="self.reg")


def _parameters(student: Student, **sizes: float) -> dict:
    params = student.new(CLASS, **sizes).get("params")
    expect(isinstance(params, dict), "self.params is not a dictionary")
    return params


def _weights(student: Student, **more: float) -> dict[str, Array]:
    """W1 and W2 of a net in which each has 10,000 numbers, D, H and C being different."""
    params = _parameters(student, input_dim=50, hidden_dim=200, num_classes=50, **more)
    return {
        name: expect_shape(params.get(name), shape, f"params[{name!r}]").astype(np.float64)
        for name, shape in (("W1", (50, 200)), ("W2", (200, 50)))
    }


# -- loss(X) --------------------------------------------------------------------------------------


def scores_are_right(student: Student, rng: Generator) -> None:
    """loss(X) for rows: the scores."""
    for case in (draw_case(rng), draw_case(rng, N=3, H=5, C=6)):
        got, want = scores_of(student, case), right_scores(case)
        name_slip(got, want, {"the scores lack b2": want - case.params["b2"]})
        expect_near(got, want, what="loss(X)", hint="affine, ReLU, affine")


def images_are_accepted(student: Student, rng: Generator) -> None:
    """Images (3, 4, 4) and single examples: scores, loss and gradients."""
    for case in (draw_case(rng, image=(3, 4, 4), H=5), draw_case(rng, N=1, image=(2, 2))):
        expect_near(scores_of(student, case), right_scores(case), what="loss(X)")
        loss, grads = right_loss(case)
        expect_near(loss_of(student, case)[0], loss, what="the loss")
        _expect_gradients(student, case, grads)


def scores_do_not_depend_on_reg(student: Student, rng: Generator) -> None:
    """loss(X) is the same whatever the penalty, and is an array alone."""
    case = draw_case(rng)
    for reg in (0.0, 5.0):
        expect_near(scores_of(student, case.with_reg(reg)), right_scores(case), what="loss(X)")


def parameters_are_read_when_called(student: Student, rng: Generator) -> None:
    """Other parameters and another reg between two calls."""
    case = draw_case(rng)
    after = run(student, case, CHANGED, "_scores", "_loss", "_plain")
    halved = replace(case, params={name: 0.5 * value for name, value in case.params.items()})
    hint = "read self.params and self.reg inside loss, each time"
    want, (loss, _) = right_scores(halved), right_loss(halved)
    expect_near(after.get("_scores"), want, what="loss(X) after params changed", hint=hint)
    expect_near(after.get("_plain"), loss, what="the loss after params changed", hint=hint)
    differs = abs(float(expect_shape(after.get("_loss"), (), "the loss")) - loss) > 1e-6
    expect(differs, f"changing self.reg later makes no difference: {hint}")


# -- loss(X, y) -----------------------------------------------------------------------------------


def loss_is_right(student: Student, rng: Generator) -> None:
    """The loss without penalty."""
    for case in (draw_case(rng), draw_case(rng, N=3, H=5, C=6)):
        expect_near(loss_of(student, case)[0], right_loss(case)[0], what="the loss for reg = 0")


def penalty_has_one_half(student: Student, rng: Generator) -> None:
    """What reg adds to the loss."""
    case = draw_case(rng)
    added = NET.added_by_reg(student, case.with_reg(REG))
    squares = case.squares
    weights, biases = squares["W1"] + squares["W2"], squares["b1"] + squares["b2"]
    slips = {
        "reg makes no difference to the loss": 0.0,
        "the penalty is twice what this notebook defines: it is 0.5 * reg * (sum of squares), "
        "with 0.5 (the notebooks svm and softmax, and some years of the course, have none)": 2.0,
        "the biases are penalised too": (weights + biases) / weights,
        "W2 is not penalised": squares["W1"] / weights,
        "W1 is not penalised": squares["W2"] / weights,
        "the penalty is divided by the number of examples": 1 / len(case.X),
    }
    want = 0.5 * REG * weights
    name_slip(added, want, {message: factor * want for message, factor in slips.items()})
    what = "the penalty, loss with reg minus loss without,"
    expect_close(added, want, what=what, rtol=1e-5)


def gradients_are_right(student: Student, rng: Generator) -> None:
    """All four gradients without penalty."""
    for case in (draw_case(rng), draw_case(rng, N=3, H=5, C=6)):
        _expect_gradients(student, case, right_loss(case)[1])


def penalty_gradients_fit_the_loss(student: Student, rng: Generator) -> None:
    """What reg adds to the gradients is the derivative of what it adds to the loss."""
    NET.expect_penalty_gradients(student, draw_case(rng).with_reg(REG))


def loss_leaves_everything(student: Student, rng: Generator) -> None:
    """X, y and the parameters are as before: training changes them, the loss does not."""
    NET.expect_nothing_changed(student, draw_case(rng).with_reg(REG))


def _expect_gradients(student: Student, case: Case, want: dict[str, Array]) -> None:
    grads = gradients_of(student, case)
    for name in NAMES:
        expect_near(grads[name], want[name], what=f"grads[{name!r}] for reg = {case.reg:g}")
