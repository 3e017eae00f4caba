"""Checks of the LSTM notebook: right answers of every style pass, wrong ones lose and are told."""

from contextlib import AbstractContextManager

import pytest

from autograder.judge.registry import checks_for
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
from trial_notebook import TrialNotebook

NOTEBOOK = ("assignment3", "LSTM_Captioning")
TRIAL = TrialNotebook(*NOTEBOOK)
solved, verdict, changed = TRIAL.solved, TRIAL.verdict, TRIAL.changed
failed, failed_cells = TRIAL.failed, TRIAL.failed_cells
STEP, STEP_BACK, FORWARD, BACKWARD, MODEL = (
    "lstm-step-forward",
    "lstm-step-backward",
    "lstm-forward",
    "lstm-backward",
    "captioning-lstm",
)
CELLS = ("load-earlier-work", STEP, STEP_BACK, FORWARD, BACKWARD, MODEL)
SETUP = """
import numpy as np

from cs231n_lib.notebooks import load
from cs231n_lib.rnn_layers import (
    sigmoid,
    temporal_affine_backward,
    temporal_affine_forward,
    temporal_softmax_loss,
)
"""


def student_with(zygote: Zygote, sources: dict[str, str]) -> AbstractContextManager[Student]:
    """A student whose notebook has the definitions, and no data."""
    return TRIAL.student(zygote, sources, (SETUP, *(sources[cell] for cell in CELLS)))


# -- right answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRIAL.right, ids=lambda path: path.stem if path else "reference")
def test_right_solutions_pass_whatever_the_seed(zygote, path) -> None:
    with student_with(zygote, solved(path)) as student:
        for number in rounds(25):
            for grade_id in checks_for(*NOTEBOOK):
                assert failed(verdict(student, grade_id, number)) == {}, (number, grade_id)


# -- what is told, and what it costs --------------------------------------------------------------

NO_PATH = ("dnext_c + dnext_h * o * (1 - tanh_c**2)", "dnext_c")
CARRIED_CELL = "h, c, step_cache = lstm_step_forward"
IN_PYTORCHS_ORDER = ("a_i, a_f, a_o, a_g = np.split", "a_i, a_f, a_g, a_o = np.split")
JOINED_IN_PYTORCHS_ORDER = (
    "do * o * (1 - o), dg * (1 - g**2)]",
    "dg * (1 - g**2), do * o * (1 - o)]",
)
NO_C = ("lstm_step_backward(dnext_h, dprev_c,", "lstm_step_backward(dnext_h, 0 * dprev_c,")
OVERFLOW = ("sigmoid(a_i)", "np.exp(a_i) / (1 + np.exp(a_i))")
SUMS = "sum(dWxs), sum(dWhs), sum(dbs)"
CELL_OF_SAMPLE = "h, c, _ = lstm_step_forward"
PROJECTION = '_, grads["W_proj"], grads["b_proj"] = affine_backward(dh0, proj_cache)'
# The cell of the mistake, what is replaced, the one question that loses points, the share of them
# that is left, and what its first failing check says.
MISTAKES = {
    "blocks in another order": (
        STEP,
        [IN_PYTORCHS_ORDER],
        "lstm-step-fwd",
        0,
        "the blocks are taken as i, f, g, o; their order is i, f, o, g",
    ),
    "interleaved gates": (
        STEP,
        [("np.split(a, 4, axis=1)", "(a[:, k::4] for k in range(4))")],
        "lstm-step-fwd",
        0,
        "the gates are blocks of H columns",
    ),
    "input and forget gate exchanged": (
        STEP,
        [("f * prev_c + i * g", "i * prev_c + f * g")],
        "lstm-step-fwd",
        0,
        "input and forget gate are exchanged",
    ),
    "sigmoid for the candidate": (
        STEP,
        [("np.tanh(a_g)", "sigmoid(a_g)")],
        "lstm-step-fwd",
        0,
        "the candidate g goes through a sigmoid",
    ),
    "no tanh of the cell": (
        STEP,
        [("next_h = o * tanh_c", "next_h = o * next_c")],
        "lstm-step-fwd",
        0.6,
        "next_h is o * next_c; it is o * tanh(next_c)",
    ),
    "overflow": (STEP, [OVERFLOW], "lstm-step-fwd", 0.9, "np.exp overflows"),
    "prev_c changed in place": (
        STEP,
        [
            (
                "next_c = f * prev_c + i * g",
                "old = prev_c.copy()\n    prev_c *= 2\n    next_c = f * old + i * g",
            ),
            ("cache = x, prev_h, prev_c,", "cache = x, prev_h, old,"),
        ],
        "lstm-step-fwd",
        0.9,
        "prev_c was modified",
    ),
    "no path through h": (
        STEP_BACK,
        [NO_PATH],
        "lstm-step-bwd",
        0,
        "dprev_c: the cell lacks the path through next_h",
    ),
    "no direct path": (
        STEP_BACK,
        [("dnext_c + dnext_h * o", "dnext_h * o")],
        "lstm-step-bwd",
        0,
        "dprev_c: the cell lacks dnext_c",
    ),
    "slope of a sigmoid for the candidate": (
        STEP_BACK,
        [("(1 - g**2)", "g * (1 - g)")],
        "lstm-step-bwd",
        4 / 14,
        "dx: the candidate has the slope of a sigmoid",
    ),
    "blocks joined in another order": (
        STEP_BACK,
        [JOINED_IN_PYTORCHS_ORDER],
        "lstm-step-bwd",
        4 / 14,
        "dx: the blocks are joined as i, f, g, o",
    ),
    "dprev_c without the gate": (
        STEP_BACK,
        [("dc * f\n", "dc\n")],
        "lstm-step-bwd",
        11 / 14,
        "dprev_c is the cell's gradient, unchanged",
    ),
    "mean over the examples": (
        STEP_BACK,
        [("da.sum(axis=0)", "da.mean(axis=0)")],
        "lstm-step-bwd",
        10 / 14,
        "db: it is divided by N",
    ),
    "db with two axes": (
        STEP_BACK,
        [("da.sum(axis=0)", "da.sum(axis=0, keepdims=True)")],
        "lstm-step-bwd",
        13 / 14,
        "db for N = 3 has shape (1, 24); expected (24,)",
    ),
    "the cell starts anew": (
        FORWARD,
        [(CARRIED_CELL, "h, _, step_cache = lstm_step_forward")],
        "lstm-seq-fwd",
        0,
        "the cell starts from zero at every step",
    ),
    "the cell starts at h0": (
        FORWARD,
        [("np.zeros_like(h0)", "h0")],
        "lstm-seq-fwd",
        0,
        "the cell starts at h0; it starts at zero",
    ),
    "h begins with h0": (
        FORWARD,
        [("np.stack(states, axis=1)", "np.stack([h0, *states[:-1]], axis=1)")],
        "lstm-seq-fwd",
        0,
        "h begins with h0",
    ),
    "the gradient of h is not carried": (
        BACKWARD,
        [("dh[:, t] + dprev_h", "dh[:, t]")],
        "lstm-seq-bwd",
        0,
        "dx: the h of step t also acts through step t + 1",
    ),
    "the gradient of the cell is not carried": (
        BACKWARD,
        [NO_C],
        "lstm-seq-bwd",
        0,
        "dx: the cell's gradient is not carried back",
    ),
    "weights of one step": (
        BACKWARD,
        [(SUMS, "dWxs[-1], dWhs[-1], dbs[-1]")],
        "lstm-seq-bwd",
        0.5,
        "dWx: only the first step counts",
    ),
    "dx the wrong way round": (
        BACKWARD,
        [("dxs[::-1]", "dxs")],
        "lstm-seq-bwd",
        0.7,
        "dx: the steps are in the order of the loop",
    ),
    "no gradient of the projection": (
        MODEL,
        [(PROJECTION, "affine_backward(dh0, proj_cache)")],
        "lstm-caption-loss",
        0.7,
        "grads has no entry for W_proj, b_proj",
    ),
    "gradients exchanged": (
        MODEL,
        [("affine_backward(dh0, proj_cache)", "affine_backward(dh[:, 0], proj_cache)")],
        "lstm-caption-loss",
        0.7,
        "grads['W_proj'] for captions of shape (3, 6)",
    ),
    "the cell is not carried in sample": (
        MODEL,
        [(CELL_OF_SAMPLE, "h, _, _ = lstm_step_forward")],
        "lstm-caption-sample",
        0,
        "the cell is not carried over: each step starts with a cell of zeros",
    ),
    "the cell of sample starts at h0": (
        MODEL,
        [("c = np.zeros_like(h)", "c = h")],
        "lstm-caption-sample",
        0,
        "the cell starts at h0; it starts at zero",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_and_costs_its_own_question(zygote, name) -> None:
    cell, edits, grade_id, left, said = MISTAKES[name]
    with student_with(zygote, changed(cell, *edits)) as student:
        assert failed_cells(student, advice=True) == {grade_id}
        found = verdict(student, grade_id)
    assert said in next(iter(failed(found).values()))
    assert found.score == pytest.approx(left, abs=1e-3)


# -- nobody pays twice ----------------------------------------------------------------------------

ALL_WORDS = ("mask)", "np.ones_like(mask))")
# What RNN_Captioning has charged: what advice says here.
CHARGED_BEFORE = {
    "padding counts": ([ALL_WORDS], "lstm-caption-loss", "<NULL> counts among the words"),
    "h0 is zero": (
        [
            ("lstm_forward(words, h0, Wx", "lstm_forward(words, 0 * h0, Wx"),
            ("affine_backward(dh0, ", "affine_backward(0 * dh0, "),
        ],
        "lstm-caption-loss",
        "the features make no difference",
    ),
    "START in the first place": (
        [
            (
                "for t in range(max_length):",
                "captions[:, 0] = word\n        for t in range(1, max_length):",
            ),
        ],
        "lstm-caption-sample",
        "captions[:, 0] is not a predicted word",
    ),
    "START at every step": (
        [
            (
                "            word = scores.argmax(axis=1)\n            captions[:, t] = word",
                "            captions[:, t] = scores.argmax(axis=1)",
            )
        ],
        "lstm-caption-sample",
        "<START> goes in at every step",
    ),
}


@pytest.mark.parametrize("name", CHARGED_BEFORE)
def test_what_rnn_captioning_has_charged_is_advice(zygote, name) -> None:
    edits, grade_id, said = CHARGED_BEFORE[name]
    with student_with(zygote, changed(MODEL, *edits)) as student:
        assert failed_cells(student) == set()
        found = verdict(student, grade_id)
    assert found.score == 1
    message = failed(found)["as_in_rnn_captioning"]
    assert said in message
    assert message.endswith("This was asked for in RNN_Captioning; here it costs nothing")


def test_a_mistake_of_the_cell_is_charged_beside_one_of_the_rnn_notebook(zygote) -> None:
    edits = [
        *CHARGED_BEFORE["START in the first place"][0],
        (CELL_OF_SAMPLE, "h, _, _ = lstm_step_forward"),
    ]
    with student_with(zygote, changed(MODEL, *edits)) as student:
        found = verdict(student, "lstm-caption-sample")
    assert found.score == 0
    assert "the cell is not carried over" in failed(found)["words_of_several_captions"]


def test_a_gradient_that_fits_a_wrong_forward_is_right(zygote) -> None:
    """Whoever differentiates what is there has made one mistake, not two."""
    anew = changed(FORWARD, (CARRIED_CELL, "h, _, step_cache = lstm_step_forward"))
    sources = anew | {BACKWARD: changed(BACKWARD, NO_C)[BACKWARD]}
    with student_with(zygote, sources) as student:
        assert failed_cells(student) == {"lstm-seq-fwd"}
    few = changed(FORWARD, ("range(x.shape[1])", "range(x.shape[1] - 1)"))
    with student_with(zygote, few) as student:
        assert failed_cells(student) == {"lstm-seq-fwd"}
    with student_with(zygote, few | {BACKWARD: changed(BACKWARD, NO_C)[BACKWARD]}) as student:
        assert failed_cells(student) == {"lstm-seq-fwd", "lstm-seq-bwd"}
    permuted = changed(STEP, IN_PYTORCHS_ORDER)
    joined = changed(STEP_BACK, JOINED_IN_PYTORCHS_ORDER)
    with student_with(zygote, permuted | {STEP_BACK: joined[STEP_BACK]}) as student:
        assert failed_cells(student) == {"lstm-step-fwd"}


def test_steps_that_raise_cost_their_own_questions(zygote) -> None:
    raising = changed(
        STEP, ("    a = x @ Wx", "    raise RuntimeError('not today')\n    a = x @ Wx")
    )
    with student_with(zygote, raising) as student:
        assert failed_cells(student) == {"lstm-step-fwd", "lstm-step-bwd"}  # it has no cache


def test_nothing_is_earned_by_nothing(zygote) -> None:
    nothing = {
        cell: f"def {cell.replace('-', '_')}(*args):\n    return ()"
        for cell in (STEP, STEP_BACK, FORWARD, BACKWARD)
    }
    empty = "class CaptioningRNN(rnn.CaptioningRNN):\n    loss = lambda *batch: (0.0, {})"
    with student_with(zygote, solved() | nothing | {MODEL: empty}) as student:
        for grade_id in checks_for(*NOTEBOOK):
            assert verdict(student, grade_id).score == 0
