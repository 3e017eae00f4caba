"""Checks of the RNN captioning notebook: right answers of every style pass, wrong ones lose."""

from contextlib import AbstractContextManager
from functools import partial

import pytest

from autograder.judge.registry import checks_for
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
from trial_notebook import TrialNotebook

NOTEBOOK = ("assignment3", "RNN_Captioning")
TRIAL = TrialNotebook(*NOTEBOOK)
solved, verdict, changed = TRIAL.solved, TRIAL.verdict, TRIAL.changed
failed, failed_cells = TRIAL.failed, partial(TRIAL.failed_cells, advice=True)
STEP, STEP_BACK = "rnn-step-forward", "rnn-step-backward"
SEQUENCE, SEQUENCE_BACK = "rnn-forward", "rnn-backward"
EMBED, EMBED_BACK, MODEL = "word-embedding-forward", "word-embedding-backward", "captioning-rnn"
GIVEN = ("load-earlier-work", STEP, STEP_BACK, SEQUENCE, SEQUENCE_BACK, EMBED, EMBED_BACK, MODEL)
SETUP = """
import numpy as np
from cs231n_lib.notebooks import load
from cs231n_lib.rnn_layers import *
"""


def student_with(zygote: Zygote, sources: dict[str, str]) -> AbstractContextManager[Student]:
    """A student whose notebook has the definitions, and no data."""
    own = set(sources) - set(solved())  # cells that the student has put in
    run = [source for cell, source in sources.items() if cell in GIVEN or cell in own]
    return TRIAL.student(zygote, sources, (SETUP, *run))


# -- right answers --------------------------------------------------------------------------------


def test_the_reference_passes_whatever_the_seed(zygote) -> None:
    with student_with(zygote, solved()) as student:
        for number in rounds(25):
            for grade_id in checks_for(*NOTEBOOK):
                assert failed(verdict(student, grade_id, number)) == {}, (number, grade_id)


@pytest.mark.parametrize("path", TRIAL.right[1:], ids=lambda path: path.stem)
def test_other_right_solutions_pass(zygote, path) -> None:
    with student_with(zygote, solved(path)) as student:
        for number in rounds(5):
            for grade_id in checks_for(*NOTEBOOK):
                assert failed(verdict(student, grade_id, number)) == {}, (number, grade_id)


# -- faults: what is told, what it costs ----------------------------------------------------------

TANH, BACK = "np.tanh(x @ Wx + prev_h @ Wh + b)", "da = dnext_h * (1 - next_h**2)"
GRADIENTS_OF_STEP = "return da @ Wx.T, da @ Wh.T, x.T @ da, prev_h.T @ da, da.sum(axis=0)"
RUN_STEP = "previous, step_cache = rnn_step_forward(x[:, t], previous, Wx, Wh, b)"
STEP_BACK_CALL = "rnn_step_backward(dh[:, t] + carried, cache[t])"
COUNTED = "temporal_softmax_loss(scores, captions_out, mask)"
SCALED = "loss, dscores = loss / {0}, dscores / {0}"
START = "word = np.full(N, self._start)"
CHOSEN = "word = scores.argmax(axis=1)"
STATE = "h, _ = rnn_step_forward(vectors, h, Wx, Wh, b)"
SEED_001 = [
    (START, f"{START}\n        captions[:, 0] = self._start"),
    ("for t in range(max_length):", "for t in range(1, max_length):"),
]
# What is wrong: the question, the cell, what is replaced, the share of the points that is left,
# what the checks say, and what none of them may say. Checks that are not named here pass.
FAULTS = {
    "no bias": (
        ("rnn-step-fwd", STEP),
        [(TANH, "np.tanh(x @ Wx + prev_h @ Wh)")],
        0,
        {"next_h": "next_h lacks the bias b", "next_h_of_large_numbers": "counts as soon as"},
        "tanh",
    ),
    "no tanh": (
        ("rnn-step-fwd", STEP),
        [(TANH, TANH[7:])],
        0,
        {"next_h": "tanh is missing"},
        "b is",
    ),
    "exponentials that overflow": (
        ("rnn-step-fwd", STEP),
        [(TANH, "1 - 2 / (1 + np.exp(2 * (x @ Wx + prev_h @ Wh + b)) * np.exp(0))")],
        1,
        {},
        "nan",
    ),
    "a quotient of exponentials": (
        ("rnn-step-fwd", STEP),
        [
            (
                f"next_h = {TANH}",
                "e = np.exp(2 * (x @ Wx + prev_h @ Wh + b))\n    next_h = (e - 1) / (e + 1)",
            )
        ],
        5 / 6,
        {"next_h_of_large_numbers": "for x of size 10,000 is nan, infinite or huge. np.tanh is"},
        "differ",
    ),
    "float16": (
        ("rnn-step-fwd", STEP),
        [("return next_h, cache", "return next_h.astype(np.float16), cache")],
        0,
        {"next_h": "12 of 12 entries differ"},
        "bias",
    ),
    "no derivative of tanh": (
        ("rnn-step-bwd", STEP_BACK),
        [(BACK, "da = dnext_h")],
        0,
        {
            "dx": "dx goes back as if there were no tanh",
            "dprev_h_or_dh0": "dprev_h goes back as if there were no tanh",
            "weights_and_bias": "dWx goes back as if there were no tanh",
        },
        "square",
    ),
    "a sigmoid's derivative": (
        ("rnn-step-bwd", STEP_BACK),
        [(BACK, "da = dnext_h * next_h * (1 - next_h)")],
        0,
        {"dx": "next_h * (1 - next_h) is a sigmoid's"},
        "as if there were no tanh",
    ),
    "Wh not transposed": (
        ("rnn-step-bwd", STEP_BACK),
        [("da @ Wh.T", "da @ Wh")],
        6 / 8,
        {"dprev_h_or_dh0": "dprev_h is a product with Wh; it should be with Wh.T"},
        "dx",
    ),
    "db is a mean": (
        ("rnn-step-bwd", STEP_BACK),
        [("da.sum(axis=0)", "da.mean(axis=0)")],
        5 / 8,
        {"weights_and_bias": "db is a mean over the rows"},
        "dWx",
    ),
    "db with an axis too many": (
        ("rnn-step-bwd", STEP_BACK),
        [("da.sum(axis=0)", "da.sum(axis=0, keepdims=True)")],
        7 / 8,
        {"shapes_of_gradients": "db for x of shape (1, 3) and prev_h of shape (1, 6) has shape"},
        "differ",
    ),
    "h0 at every step": (
        ("rnn-seq-fwd", SEQUENCE),
        [(RUN_STEP, RUN_STEP.replace("previous, Wx", "h0, Wx"))],
        0,
        {"h": "every step starts from h0; it should start from the h of the step before"},
        "zeros",
    ),
    "h0 comes first": (
        ("rnn-seq-fwd", SEQUENCE),
        [
            ("        h[:, t] = previous\n", ""),
            (RUN_STEP, f"h[:, t] = previous\n        {RUN_STEP}"),
        ],
        0,
        {"h": "h begins with h0; h[:, 0] is what comes out of the first step"},
        "reverse",
    ),
    "h0 changed in place": (
        ("rnn-seq-fwd", SEQUENCE),
        [("return h, cache", "h0[...] = h[:, -1]\n    return h, cache")],
        4 / 5,
        {"arguments_are_unchanged": "h0 was modified by the call"},
        "x was",
    ),
    "nothing carried back": (
        ("rnn-seq-bwd", SEQUENCE_BACK),
        [(STEP_BACK_CALL, STEP_BACK_CALL.replace(" + carried", ""))],
        0,
        {
            "dx": "dx lacks what comes back from later steps",
            "dprev_h_or_dh0": "dh0 lacks what comes back from later steps",
            "weights_and_bias": "dWx lacks what comes back from later steps",
            "dh_at_one_step_only": "not zero at the last step only: 24 of 30 entries differ",
        },
        "all steps but the last",
    ),
    "only the last dh": (
        ("rnn-seq-bwd", SEQUENCE_BACK),
        [(STEP_BACK_CALL, "rnn_step_backward(carried if cache[t + 1:] else dh[:, t], cache[t])")],
        0,
        {"dx": "dx lacks dh of all steps but the last", "dh_at_one_step_only": "first step only"},
        "comes back from later steps: add",
    ),
    "weights of one step": (
        ("rnn-seq-bwd", SEQUENCE_BACK),
        [("sum(dWxs), sum(dWhs), sum(dbs)", "dWxs[-1], dWhs[-1], dbs[-1]")],
        7 / 10,
        {"weights_and_bias": "dWx is that of the first step only: add up all steps"},
        "dx",
    ),
    "dx in reverse": (
        ("rnn-seq-bwd", SEQUENCE_BACK),
        [("dxs[::-1]", "dxs")],
        6 / 10,
        {"dx": "dx is in reverse order", "dh_at_one_step_only": "dx for dh that is not zero"},
        "dWx",
    ),
    "captions only": (
        ("embed-fwd", EMBED),
        [("return W[x], (x, W)", "N, T = x.shape\n    return W[x], (x, W)")],
        3 / 4,
        {"vectors_of_one_word_each": "`N, T = x.shape`"},
        "differ",
    ),
    "repeated words": (
        ("embed-bwd", EMBED_BACK),
        [("np.add.at(dW, x, dout)", "dW[x] += dout")],
        1 / 4,
        {"gradient_of_repeated_words": "add them up (dW[x] += dout does not do that)"},
        "mean",
    ),
    "unused words": (
        ("embed-bwd", EMBED_BACK),
        [("np.zeros_like(W)", "np.ones_like(W)")],
        0,
        {"gradient_of_different_words": "differ", "gradient_of_repeated_words": "differ"},
        "add them up",
    ),
    "<NULL> is counted": (
        ("caption-loss", MODEL),
        [(COUNTED, COUNTED.replace("mask)", "np.ones_like(mask))"))],
        12 / 19,
        {
            "loss_of_captions": "<NULL> counts among the words to be predicted",
            "nothing_to_predict": "the loss for captions in which all words to be predicted are",
            "scale_of_the_loss": "captions with three more <NULL> at the end",
        },
        "word 0",
    ),
    "<NULL> is taken for word 0": (
        ("caption-loss", MODEL),
        [(COUNTED, COUNTED.replace("mask)", "captions_out != 0)"))],
        18 / 19,
        {"null_with_another_number": "words with the number 0 are left out, not those that are"},
        "counts",
    ),
    "divided by N * T": (
        ("caption-loss", MODEL),
        [(COUNTED, f"{COUNTED}\n        {SCALED.format('mask.shape[1]')}")],
        13 / 19,
        {
            "loss_of_captions": "the loss is divided by N * T; only the number N",
            "scale_of_the_loss": "captions with three more <NULL> at the end",
        },
        "grads",
    ),
    "a sum over the captions": (
        ("caption-loss", MODEL),
        [(COUNTED, f"{COUNTED}\n        {SCALED.format('(1 / len(mask))')}")],
        13 / 19,
        {
            "loss_of_captions": "the loss is a sum over the captions",
            "scale_of_the_loss": "of every caption twice is twice as large: it should be a mean",
        },
        "grads",
    ),
    "the answer goes in": (
        ("caption-loss", MODEL),
        [
            (
                "word_embedding_forward(captions_in, W_embed)",
                "word_embedding_forward(captions_out, W_embed)",
            )
        ],
        7 / 19,
        {
            "loss_of_captions": "the very words that should come out",
            "gradients_of_rnn_and_scores": "grads['W_vocab']",
            "gradients_of_words_and_features": "grads['W_embed']",
        },
        "mask",
    ),
    "features that make no difference": (
        ("caption-loss", MODEL),
        [("rnn_forward(words, h0, Wx", "rnn_forward(words, np.zeros_like(h0), Wx")],
        7 / 19,
        {
            "loss_of_captions": "the features make no difference: h0 is zero",
            "gradients_of_rnn_and_scores": "grads",
            "gradients_of_words_and_features": "grads",
        },
        "<NULL>",
    ),
    "no gradient for the features": (
        ("caption-loss", MODEL),
        [('_, grads["W_proj"], grads["b_proj"] = affine_backward(dh0, proj_cache)', "")],
        15 / 19,
        {"gradients_of_words_and_features": "grads has no entry for W_proj, b_proj"},
        "differ",
    ),
    "a vocabulary must have <START>": (
        ("caption-loss", MODEL),
        [('word_to_idx.get("<START>")', 'word_to_idx["<START>"]')],
        18 / 19,
        {"vocabulary_without_start_and_end": "in __init__: `self._start = word_to_idx["},
        "differ",
    ),
    "features centred in place": (
        ("caption-loss", MODEL),
        [
            (
                "h0, proj_cache = affine",
                "features *= 1.0\n        features += 0.5\n        h0, proj_cache = affine",
            )
        ],
        None,
        {"arguments_are_unchanged": "features was modified by the call"},
        "captions was",
    ),
    "a gradient with an axis too many": (
        ("caption-loss", MODEL),
        [
            (
                "        return loss, grads",
                '        grads["b_proj"] = grads["b_proj"][None]\n        return loss, grads',
            )
        ],
        18 / 19,
        {"shapes_of_gradients": "grads['b_proj'] has shape (1, 7); expected (7,)"},
        "differ",
    ),
    "seed 001: <START> in the first place": (
        ("caption-sample", MODEL),
        SEED_001,
        6 / 9,
        {
            "first_word_comes_first": "captions[:, 0] is <START> in every caption: the first "
            "predicted word belongs there. As it is, each caption is one word short"
        },
        "largest logit",
    ),
    "the first place is empty": (
        ("caption-sample", MODEL),
        SEED_001[1:],
        6 / 9,
        {"first_word_comes_first": "captions[:, 0] is <NULL> in every caption"},
        "<START>",
    ),
    "<START> at every step": (
        ("caption-sample", MODEL),
        [(CHOSEN, f"captions[:, t] = {CHOSEN[7:]}"), ("            captions[:, t] = word\n", "")],
        4 / 9,
        {
            "words_of_several_captions": "<START> goes in at every step",
            "words_of_one_caption": "<START> goes in at every step",
            "captions_that_end_early": "is not the one with the largest logit after <START> and",
        },
        "h0",
    ),
    "h0 at every step of a caption": (
        ("caption-sample", MODEL),
        [
            (STATE, f"state, {STATE[3:]}"),
            ("scores, _ = affine_forward(h,", "scores, _ = affine_forward(state,"),
        ],
        4 / 9,
        {
            "words_of_several_captions": "the hidden state is not carried over: each step starts",
            "words_of_one_caption": "the hidden state is not carried over",
            "captions_that_end_early": "largest logit",
        },
        "goes in",
    ),
    "begins with word 1": (
        ("caption-sample", MODEL),
        [(START, "word = np.full(N, 1)")],
        8 / 9,
        {"words_of_one_caption": "<START>"},
        "h0",
    ),
    "all stop when one ends": (
        ("caption-sample", MODEL),
        [
            (
                "captions[:, t] = word",
                "captions[:, t] = word\n            if (word == self._end).any():\n"
                "                break",
            )
        ],
        8 / 9,
        {"captions_that_end_early": "where other captions have come to <END>"},
        "goes in",
    ),
    "captions of floats": (
        ("caption-sample", MODEL),
        [("        return captions", "        return captions.astype(float)")],
        8 / 9,
        {"integers_of_the_right_shape": "captions holds numbers of type float64"},
        "largest logit",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_named_and_costs_what_it_breaks(zygote, name) -> None:
    (grade_id, cell), edits, left, said, never = FAULTS[name]
    with student_with(zygote, changed(cell, *edits)) as student:
        found = verdict(student, grade_id)
    messages = failed(found)
    for check, part in said.items():
        assert part in messages[check]
    assert never not in "\n".join(messages.values())
    if left is not None:
        assert found.score == pytest.approx(left, abs=1e-3)
        assert left == 0 or set(messages) == set(said)


def test_a_message_names_a_line_of_the_students(zygote) -> None:
    with student_with(zygote, changed(SEQUENCE_BACK, ("cache[t]", "cache[t + 1]"))) as student:
        said = failed(verdict(student, "rnn-seq-bwd"))["dx"]
    assert "raised IndexError" in said
    assert "of cell 'rnn-backward', in rnn_backward" in said


def test_a_loss_without_gradients_is_told_once_for_each_thing_that_is_asked(zygote) -> None:
    edits = ("        return loss, grads", "        return loss")
    with student_with(zygote, changed(MODEL, edits)) as student:
        said = failed(verdict(student, "caption-loss"))
    assert (
        said["loss_of_captions"] == "loss must return 2 values, loss, grads; it returned one value"
    )


# -- nobody pays twice ----------------------------------------------------------------------------

# A mistake in one cell, and the cells that may lose points.
ONE_MISTAKE = {
    "no bias in a step": (STEP, (TANH, "np.tanh(x @ Wx + prev_h @ Wh)"), {"rnn-step-fwd"}),
    "no tanh": (STEP, (TANH, TANH[7:]), {"rnn-step-fwd"}),
    "b outside tanh": (STEP, (TANH, "np.tanh(x @ Wx + prev_h @ Wh) + b"), {"rnn-step-fwd"}),
    "Wh transposed": (STEP, ("prev_h @ Wh +", "prev_h @ Wh.T +"), {"rnn-step-fwd"}),
    "a step back": (STEP_BACK, (BACK, "da = dnext_h"), {"rnn-step-bwd"}),
    "a step that raises": (STEP_BACK, (BACK, "da = dnext_h * cache.missing"), {"rnn-step-bwd"}),
    "a sequence": (SEQUENCE, (RUN_STEP, RUN_STEP.replace("s, Wx", "s * 0, Wx")), {"rnn-seq-fwd"}),
    "a sequence from its end": (
        SEQUENCE,
        ("for t in range(T):", "for t in reversed(range(T)):"),
        {"rnn-seq-fwd"},
    ),
    "a step too few": (SEQUENCE, ("in range(T):", "in range(T - 1):"), {"rnn-seq-fwd"}),
    "no first step": (SEQUENCE, ("in range(T):", "in range(1, T):"), {"rnn-seq-fwd"}),
    "a step for each example": (SEQUENCE, ("in range(T):", "in range(N):"), {"rnn-seq-fwd"}),
    "back through a sequence": (SEQUENCE_BACK, ("dh[:, t] + carried", "dh[:, t]"), {"rnn-seq-bwd"}),
    "word vectors": (EMBED, ("return W[x], (x, W)", "return 2 * W[x], (x, W)"), {"embed-fwd"}),
    "their gradient": (EMBED_BACK, ("np.add.at(dW, x, dout)", "dW[x] += dout"), {"embed-bwd"}),
    "the loss": (MODEL, (COUNTED, COUNTED.replace("mask)", "1 - 0 * mask)")), {"caption-loss"}),
    "the captions": (MODEL, (START, "word = np.full(N, self._null)"), {"caption-sample"}),
}


@pytest.mark.parametrize("name", ONE_MISTAKE)
def test_a_mistake_costs_one_cell(zygote, name) -> None:
    cell, edit, may_lose = ONE_MISTAKE[name]
    with student_with(zygote, changed(cell, edit)) as student:
        assert failed_cells(student) == may_lose


def test_a_wrong_way_back_over_too_few_steps_is_noticed(zygote) -> None:
    sources = changed(SEQUENCE, ("in range(T):", "in range(T - 1):"))
    wrong = changed(SEQUENCE_BACK, ("dh[:, t] + carried", "dh[:, t]"))
    with student_with(zygote, sources | {SEQUENCE_BACK: wrong[SEQUENCE_BACK]}) as student:
        told = failed(verdict(student, "rnn-seq-bwd"))
    assert "dx over the 3 steps that rnn_forward took" in told["dx"]
    assert "weights_and_bias" in told


def test_a_forward_function_that_always_raises_earns_backward_nothing(zygote) -> None:
    sources = changed(SEQUENCE, ("in range(T):", "in range(T + 1):"))
    with student_with(zygote, sources) as student:
        assert verdict(student, "rnn-seq-bwd").score == 0


EARLY = {
    "affine_forward": "lambda x, w, b: (x @ w, (x, w, b))",
    "affine_backward": "lambda dout, cache: (0, 0, 0)",
    "softmax_loss": "lambda x, y: (0.0, 0 * x)",
    "temporal_softmax_loss": "lambda *arguments: (0.0, 0)",
}


@pytest.mark.parametrize("name", EARLY)
def test_layers_of_assignment_1_cost_nothing_here(zygote, name) -> None:
    sources = solved()
    sources["load-earlier-work"] += f"\n{name} = {EARLY[name]}"
    with student_with(zygote, sources) as student:
        assert failed_cells(student) == set()


def test_a_wrong_step_costs_nothing_in_a_sequence_that_takes_its_cache_apart(zygote) -> None:
    """The first of the other right solutions reads the size of x off the cache of a step."""
    sources = solved(TRIAL.right[1])
    assert 'cache[0]["x"].shape[1]' in sources[SEQUENCE_BACK]
    sources[STEP] = sources[STEP].replace("np.dot(x, Wx) + b", "np.dot(x, Wx)")
    sources[STEP_BACK] = sources[STEP_BACK].replace("1 - np.square", "1 + np.square")
    with student_with(zygote, sources) as student:
        assert failed_cells(student) == {"rnn-step-fwd", "rnn-step-bwd"}


def test_a_trivial_step_buys_no_gradients(zygote) -> None:
    sources = changed(STEP, (TANH, TANH[7:])) | {
        STEP_BACK: changed(STEP_BACK, (BACK, "da = dnext_h"))[STEP_BACK]
    }
    with student_with(zygote, sources) as student:
        assert verdict(student, "rnn-step-bwd").score == 0


def test_captions_of_the_judges_own_marks_buy_nothing(zygote) -> None:
    """-1 stands for a word that is lacking, where a caption is known to be one short."""
    edit = ("        return captions", "        return np.full_like(captions, -1)")
    with student_with(zygote, changed(MODEL, edit)) as student:
        assert verdict(student, "caption-sample").score == 0
