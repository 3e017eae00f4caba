"""Checks of the update rules sgd_momentum, rmsprop and adam.

Shapes: a parameter w, its gradient dw and the arrays in its config are alike.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.fullyconnectednets.rules import (
    ADAM,
    MOMENTUM,
    RMSPROP,
    Config,
    Rule,
    constant_slips,
    draw_gradient,
    draw_state,
    fresh,
    memory_slips,
    right_step,
)
from autograder.checks.shared.layers import Array, unpack
from autograder.judge import (
    Failed,
    Student,
    as_array,
    check_each,
    expect,
    expect_close,
    expect_near,
    expect_shape,
    name_slip,
)

STEPS = 5
CELLS = {"fcn-momentum": MOMENTUM, "fcn-rmsprop": RMSPROP, "fcn-adam": ADAM}
WITH_EPSILON = {"fcn-rmsprop": RMSPROP, "fcn-adam": ADAM}
FORGOTTEN = "this step is as if config held nothing of the step before: store in it what is needed"
KEEP = "it must be stored in config for the next step, as the notebook defines it"

# -- checks ---------------------------------------------------------------------------------------


@check_each(CELLS, probe="OPT-A1", weight=3)
def one_step_from_a_given_state(student: Student, rng: Generator, rule: Rule) -> None:
    """A step in the midst of a training: the next w."""
    for shape in ((6,), (4, 3)):
        w, dw = rng.normal(size=shape), draw_gradient(rng, shape)
        _expect_step(student, rule, w, dw, draw_state(rule, rng, shape, learning_rate=0.1))


@check_each(CELLS, probe="OPT-A1")
def memory_is_stored(student: Student, rng: Generator, rule: Rule) -> None:
    """What config holds after a step in the midst of a training."""
    w, dw = rng.normal(size=(4, 3)), draw_gradient(rng, (4, 3))
    config = draw_state(rule, rng, w.shape, learning_rate=0.1)
    _, found = ask(student, rule, w, dw, config)
    _, after = right_step(rule, w, dw, config)
    slips = memory_slips(rule, config, after)
    for name in rule.memory:
        expect(name in found, f"the config that came back has no {name!r}")
        what = f"config[{name!r}]"
        expect_near(found[name], after[name], what=what, slips=slips[name], hint=KEEP)
    if rule is ADAM:
        count = as_array(found.get("t"), "config['t']")
        expect(count.shape == () and int(count) == after["t"], "config['t'] must count this step")


@check_each(CELLS, probe="OPT-A2", weight=2)
def five_steps_feed_back_their_config(student: Student, rng: Generator, rule: Rule) -> None:
    """Five steps, each with the config that the one before returned."""
    w = rng.normal(size=(3, 4))
    config: Config = {"learning_rate": 0.05}
    right, right_config = w, fresh(rule, w.shape, **config)
    anew = fresh(rule, w.shape, **config)
    for number in range(1, STEPS + 1):
        dw = draw_gradient(rng, w.shape)
        before = w
        w, config = ask(student, rule, w, dw, config)
        right, right_config = right_step(rule, right, dw, right_config)
        forgotten, _ = rule.move(dw, anew)
        name_slip(w - before, right - before, {FORGOTTEN: forgotten})
        _expect_w(w, right, right_config, f"w after step {number} of {STEPS}")


@check_each(CELLS, probe="OPT-A3")
def missing_settings_have_defaults(student: Student, rng: Generator, rule: Rule) -> None:
    """No config, an empty one, and one with nothing but a learning rate."""
    for given in (None, {}, {"learning_rate": 0.25}):
        w, dw = rng.normal(size=5), draw_gradient(rng, (5,))
        right, right_config = w, fresh(rule, w.shape, **(given or {}))
        config: Config | None = None if given is None else dict(given)
        # With the second step every default shows, also that of what is left of the memory.
        for number in (1, 2):
            w, config = ask(student, rule, w, dw, config)
            right, right_config = right_step(rule, right, dw, right_config)
            what = f"w after step {number}, begun with config = {given}"
            hint = "which settings apply where config has none?"
            _expect_w(w, right, right_config, what, hint)


@check_each(CELLS, probe="OPT-A4")
def zero_gradients_are_safe(student: Student, rng: Generator, rule: Rule) -> None:
    """A gradient of 0, in the first step and later: nothing is divided by 0."""
    w, dw = rng.normal(size=(2, 3)), np.zeros((2, 3))
    got, _ = ask(student, rule, w, dw, {"learning_rate": 0.1})
    expect_near(got, w, what="w after a first step with a gradient of 0")
    config = draw_state(rule, rng, w.shape, learning_rate=0.1)
    _expect_step(student, rule, w, dw, config)
    some = np.where(rng.permutation(6).reshape(2, 3) < 3, 0.0, draw_gradient(rng, (2, 3)))
    _expect_step(student, rule, w, some, fresh(rule, w.shape, learning_rate=0.1))


@check_each(CELLS, probe="OPT-A5")
def other_settings_count(student: Student, rng: Generator, rule: Rule) -> None:
    """Settings far from the usual ones, in two steps."""
    for settings in rule.others:
        w = rng.normal(size=(5, 2))
        config = draw_state(rule, rng, w.shape, **settings)
        for _ in range(2):
            w, config = _expect_step(student, rule, w, draw_gradient(rng, w.shape), config)


@check_each(CELLS, probe="OPT-A6")
def two_parameters_are_independent(student: Student, rng: Generator, rule: Rule) -> None:
    """Two parameters in turn, each with its own config, and with none to begin with."""
    hint = "is anything remembered outside of config?"
    for begin in ({"learning_rate": 0.05}, None):
        ws = [rng.normal(size=4), rng.normal(size=4)]
        configs: list[Config | None] = [begin and dict(begin) for _ in ws]
        right, right_configs = list(ws), [fresh(rule, (4,), **(begin or {})) for _ in ws]
        for which in (0, 1, 0, 1):
            dw = draw_gradient(rng, (4,))
            ws[which], configs[which] = ask(student, rule, ws[which], dw, configs[which])
            step = right_step(rule, right[which], dw, right_configs[which])
            right[which], right_configs[which] = step
            what = f"w of parameter {which + 1} of two"
            _expect_w(ws[which], right[which], right_configs[which], what, hint)


@check_each(CELLS, probe="OPT-A7")
def float32_and_images_are_accepted(student: Student, rng: Generator, rule: Rule) -> None:
    """float32 arrays, and arrays with four axes."""
    for dtype in (np.float32, np.float64):
        shape = (2, 3, 2, 2)
        w, dw = rng.normal(size=shape).astype(dtype), draw_gradient(rng, shape).astype(dtype)
        right, right_config = w, fresh(rule, shape, learning_rate=0.05)
        config: Config = {"learning_rate": 0.05}
        for number in (1, 2):
            w, config = ask(student, rule, w, dw, config)
            right, right_config = right_step(rule, right, dw, right_config)
            what = f"w ({np.dtype(dtype).name}, four axes) after step {number}"
            _expect_w(w, right, right_config, what)


@check_each(WITH_EPSILON, probe="OPT-A5", rare=True)
def a_large_epsilon_shortens_the_step(student: Student, rng: Generator, rule: Rule) -> None:
    """epsilon is taken from config: a large one makes the step shorter, and not uphill."""
    w, dw = rng.normal(size=4), draw_gradient(rng, (4,))
    config = {"learning_rate": 1.0, "epsilon": 100.0}
    got, _ = ask(student, rule, w, dw, config)
    usual, _ = right_step(rule, w, dw, fresh(rule, (4,), learning_rate=1.0))
    with_it = "with epsilon = 100"
    downhill = bool(np.all((got - w) * dw < 0))
    expect(downhill, f"the step does not go against the gradient {with_it}")
    short = bool(np.all(np.abs(got - w) < 0.3 * np.abs(usual - w)))
    expect(short, f"the step is hardly shorter {with_it} than without: take epsilon from config")


@check_each(WITH_EPSILON, probe="OPT-B1", advises=True)
def epsilon_is_added_to_the_root(student: Student, rng: Generator, rule: Rule) -> None:
    """Gradients of size 1e-7, and epsilon = 0.01: here the place of epsilon shows."""
    second = "v_hat" if rule is ADAM else "cache"
    w, belongs = rng.normal(size=5), f"it belongs beside the root: sqrt({second}) + epsilon"
    small = fresh(rule, (5,)), 1e-7 * draw_gradient(rng, (5,))
    large = fresh(rule, (5,), epsilon=1e-2, learning_rate=0.1), 0.1 * draw_gradient(rng, (5,))
    for config, dw in (large, small):
        want, _ = right_step(rule, w, dw, config)
        got, _ = ask(student, rule, w, dw, config)
        slips = rule.epsilon_slips(dw, config) if rule.epsilon_slips else {}
        name_slip(got - w, want - w, {f"{slip}; {belongs}": move for slip, move in slips.items()})
        size = "1e-7" if config is small[0] else "0.1"
        what = f"next_w for gradients of size {size} and epsilon = {config['epsilon']:g}"
        _expect_w(got, want, config, what, belongs.replace("it", "epsilon", 1))


# -- asking the student ---------------------------------------------------------------------------


def ask(
    student: Student, rule: Rule, w: Array, dw: Array, config: Config | None
) -> tuple[Array, Config]:
    """The student's next w and config. Failed unless these are an array like w and a dict."""
    sent = None if config is None else _copied(config)
    answer = unpack(rule.name, student.call(rule.name, w.copy(), dw.copy(), sent), "next_w, config")
    if not isinstance(answer[1], dict):
        raise Failed(f"the second thing that {rule.name} returns must be the dictionary config")
    return expect_shape(answer[0], w.shape, "next_w"), answer[1]


def _expect_step(
    student: Student, rule: Rule, w: Array, dw: Array, config: Config
) -> tuple[Array, Config]:
    """The next w of one step. Returns the right one, and the right config, for another."""
    want, after = right_step(rule, w, dw, config)
    got, _ = ask(student, rule, w, dw, config)
    with np.errstate(all="ignore"):  # a gradient of 0 makes some slips nan, which match nothing
        slips = rule.slips(dw, config) | constant_slips(rule, dw, config)
    name_slip(got - w, want - w, slips)
    _expect_w(got, want, config, "next_w")
    return want, after


def _expect_w(got: Array, want: Array, config: Config, what: str, hint: str = "") -> None:
    """A step right to 4 digits, as the contract asks where somebody computes in float32.

    The step itself is compared, which is about the learning rate long; w is far larger, and in
    float32 rounded to a part in 10 million.
    """
    atol = 1e-4 * config["learning_rate"] + 1e-6
    expect_close(got, want, what=what, hint=hint, rtol=0, atol=atol)


def _copied(config: Config) -> Config:
    return {n: v.copy() if isinstance(v, np.ndarray) else v for n, v in config.items()}
