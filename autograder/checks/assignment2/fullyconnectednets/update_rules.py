"""What is asked of the update rules sgd_momentum, rmsprop and adam.

Shapes: a parameter w, its gradient dw and the arrays in its config are alike.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment2.fullyconnectednets.update_rules_oracle import (
    ADAM,
    Config,
    Rule,
    draw_gradient,
    draw_state,
    fresh,
    right_step,
)
from autograder.checks.shared.layers import Array, several
from autograder.judge import (
    Failed,
    Student,
    as_array,
    expect,
    expect_close,
    expect_near,
    expect_shape,
    name_slip,
)

STEPS = 5


# -- checks ---------------------------------------------------------------------------------------


def one_step_from_a_given_state(student: Student, rng: Generator, rule: Rule) -> None:
    """A step in the midst of a training: the next w, and the memory in config."""
    for shape in ((6,), (4, 3)):
        w, dw = rng.normal(size=shape), draw_gradient(rng, shape)
        _expect_step(student, rule, w, dw, draw_state(rule, rng, shape, learning_rate=0.1))


def five_steps_feed_back_their_config(student: Student, rng: Generator, rule: Rule) -> None:
    """Five steps, each with the config that the one before returned."""
    w = rng.normal(size=(3, 4))
    config: Config = {"learning_rate": 0.05}
    right, right_config = w, fresh(rule, w.shape, **config)
    for number in range(1, STEPS + 1):
        dw = draw_gradient(rng, w.shape)
        w, config = ask(student, rule, w, dw, config)
        right, right_config = right_step(rule, right, dw, right_config)
        hint = "what a step needs of the one before must be stored in config"
        _expect_w(w, right, config, f"w after step {number} of {STEPS}", hint)


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
            hint = "which settings hold where config says nothing?"
            _expect_w(w, right, right_config, what, hint)
        missing = [name for name in rule.memory if name not in config]
        expect(not missing, f"the config that came back has no {missing[:1]}")


def zero_gradients_are_safe(student: Student, rng: Generator, rule: Rule) -> None:
    """A gradient of 0, in the first step and later: nothing is divided by 0."""
    w, dw = rng.normal(size=(2, 3)), np.zeros((2, 3))
    got, _ = ask(student, rule, w, dw, {"learning_rate": 0.1})
    expect_near(got, w, what="w after a first step with a gradient of 0")
    config = draw_state(rule, rng, w.shape, learning_rate=0.1)
    _expect_step(student, rule, w, dw, config)
    some = np.where(rng.permutation(6).reshape(2, 3) < 3, 0.0, draw_gradient(rng, (2, 3)))
    _expect_step(student, rule, w, some, fresh(rule, w.shape, learning_rate=0.1))


def other_settings_count(student: Student, rng: Generator, rule: Rule) -> None:
    """Settings far from the usual ones, in two steps."""
    for settings in rule.others:
        w = rng.normal(size=(5, 2))
        config = draw_state(rule, rng, w.shape, **settings)
        for _ in range(2):
            w, config = _expect_step(student, rule, w, draw_gradient(rng, w.shape), config)


def a_large_epsilon_shortens_the_step(student: Student, rng: Generator, rule: Rule) -> None:
    """epsilon is taken from config: a large one makes the step shorter, and not uphill."""
    w, dw = rng.normal(size=4), draw_gradient(rng, (4,))
    config = {"learning_rate": 1.0, "epsilon": 100.0}
    got, _ = ask(student, rule, w, dw, config)
    usual, _ = right_step(rule, w, dw, fresh(rule, (4,), learning_rate=1.0))
    hint = "with epsilon = 100"
    expect(bool(np.all((got - w) * dw < 0)), f"the step does not go against the gradient {hint}")
    short = bool(np.all(np.abs(got - w) < 0.3 * np.abs(usual - w)))
    expect(short, f"the step is as long {hint} as without: it must be taken from config")


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


def epsilon_is_added_to_the_root(student: Student, rng: Generator, rule: Rule) -> None:
    """Gradients of size 1e-7, and epsilon = 0.01: here the place of epsilon shows."""
    w = rng.normal(size=5)
    _expect_step(student, rule, w, 1e-7 * draw_gradient(rng, (5,)), fresh(rule, (5,)))
    config = fresh(rule, (5,), epsilon=1e-2, learning_rate=0.1)
    _expect_step(student, rule, w, 0.1 * draw_gradient(rng, (5,)), config)


# -- asking the student ---------------------------------------------------------------------------


def ask(
    student: Student, rule: Rule, w: Array, dw: Array, config: Config | None
) -> tuple[Array, Config]:
    """The student's next w and config. Failed unless these are an array like w and a dict."""
    sent = None if config is None else _copied(config)
    answer = several(
        rule.name, student.call(rule.name, w.copy(), dw.copy(), sent), "next_w, config"
    )
    if not isinstance(answer[1], dict):
        raise Failed(f"the second thing that {rule.name} returns must be the dictionary config")
    return expect_shape(answer[0], w.shape, "next_w"), answer[1]


def _expect_step(
    student: Student, rule: Rule, w: Array, dw: Array, config: Config
) -> tuple[Array, Config]:
    """One step, compared: the next w, and the memory. Returns the right ones, for another."""
    want, after = right_step(rule, w, dw, config)
    got, found = ask(student, rule, w, dw, config)
    with np.errstate(all="ignore"):  # a gradient of 0 makes some slips nan, which match nothing
        slips = rule.slips(dw, config)
    name_slip(got - w, want - w, slips)
    _expect_w(got, want, config, "next_w")
    for name in rule.memory:
        expect(name in found, f"the config that came back has no {name!r}")
        hint = "it must be stored in config for the next step, as the notebook defines it"
        expect_near(found[name], after[name], what=f"config[{name!r}]", hint=hint)
    if rule is ADAM:
        count = as_array(found.get("t"), "config['t']")
        expect(count.shape == () and int(count) == after["t"], "config['t'] must count this step")
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
