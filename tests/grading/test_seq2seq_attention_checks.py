"""Checks of the notebook on translation: right answers pass, wrong ones lose."""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np
import pytest
import torch
from torch import nn

from autograder.checks.assignment4.seq2seq_attention import attention, beam, oracle, training
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
from trial_notebook import TrialNotebook

QUESTIONS = {
    "encoder-code": "encoder",
    "decoder-code": "decoder-step",
    "teacher-code": "teacher-forcing",
    "loss-code": "sequence-loss",
    "training-step-code": "training-step",
    "greedy-code": "greedy",
    "scores-code": "attention-scores",
    "context-code": "attention-context",
    "attention-translator-code": "attention-translator",
    "beam-code": "beam",
}
(
    ENCODER, DECODER, TEACHER, LOSS, TRAINING_STEP, GREEDY, SCORES, CONTEXT, TRANSLATOR, BEAM,
) = QUESTIONS  # fmt: skip
NUMBERS = "PAD = 0\nSTART = 1\nEND = 2"  # of the cell that makes the corpus
TRIAL = TrialNotebook("assignment4", "Seq2Seq_Attention", answers=tuple(QUESTIONS))


def student_with(zygote: Zygote, sources: dict[str, str]) -> AbstractContextManager[Student]:
    """A student whose notebook has the definitions, and has read no corpus and trained nothing."""
    order = [cell for cell in sources if cell in ("setup", "translator", *QUESTIONS)]
    run = [sources[cell] for cell in order]
    return TRIAL.student(zygote, sources, [run[0], NUMBERS, *run[1:]])


# -- right answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRIAL.right, ids=lambda path: path.stem if path else "reference")
def test_right_solutions_pass_whatever_the_seed(zygote: Zygote, path) -> None:
    with student_with(zygote, TRIAL.solved(path)) as student:
        TRIAL.assert_right(student, QUESTIONS.values(), rounds(25))


def test_the_judges_recurrent_network_is_torchs() -> None:
    rng = np.random.default_rng(0)
    state = oracle.gru_parameters(rng, 4, 3, (oracle.FORWARD, oracle.BACKWARD))
    network = nn.GRU(4, 3, batch_first=True, bidirectional=True, dtype=torch.float64)
    network.load_state_dict(state)
    words = oracle.draw(rng, 6, 4)
    states, sentence = oracle.read(words, state)
    with torch.no_grad():
        want, final = network(words[None])
    torch.testing.assert_close(states, want[0])
    torch.testing.assert_close(sentence, final.flatten())


def test_one_beam_of_the_judge_is_its_greedy_decoding() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        writer, s = oracle.draw_writer(rng, 6, 4, 2, 0.5), oracle.draw(rng, 1, 4)
        found = oracle.search(writer, s, 1, 2, 7, 1, 1.0)
        assert [list(found.words)] == oracle.greedy(writer, s, 1, 2, 7)


def test_no_two_slips_of_the_weights_give_the_same_answer() -> None:
    """Otherwise a message might name the wrong one; and none is right."""
    rng = np.random.default_rng(2)
    scores, mask, _ = attention._draw(rng, (5, 2, 3, 1), 5, 4)
    wrong = attention._slips(scores.numpy(), mask.numpy())
    wrong["right"] = attention._softmax(scores.numpy(), mask.numpy())
    names = list(wrong)
    for number, one in enumerate(names):
        for other in names[number + 1 :]:
            assert not np.allclose(wrong[one], wrong[other], rtol=1e-3), (one, other)


def test_a_beam_case_leaves_no_doubt() -> None:
    """No decision is closer than what float32 can lose, and greedy decoding finds less."""
    rng = np.random.default_rng(3)
    case, right = beam._draw(rng, 3, 1.0, 6, 0.4, beam._differs("hypotheses move"))
    assert right.gap > 1e-3
    assert right.ended
    assert right.words != beam._greedy(case)


# -- the official traps: (cell, edit): the question's points, what is said -------------------------

TRAPS = {
    "halves exchanged": (
        ENCODER, ("[final[0], final[1]]", "[final[1], final[0]]"), 0.7, "the halves are exchanged",
    ),
    "the state at the last word": (
        ENCODER,
        ("torch.cat([final[0], final[1]], dim=1)",
         "states[torch.arange(len(tokens)), lengths - 1]"),
        0.7, "the right-to-left half is that at the last word; it ends at the first",
    ),
    "the old state returned": (
        DECODER, ("return logits, s", "return logits, s * 0"), 0.7, "the new state",
    ),
    "context first": (
        DECODER, ("[embedding(y), context]", "[context, embedding(y)]"), 0.4,
        "the context stands before the word in what the cell sees",
    ),
    "it sees what it is to say": (
        TEACHER, ("step(target[:, t], s)", "step(target[:, t + 1], s)"), 0.2,
        "the decoder sees what it is to say",
    ),
    "padding in the loss": (
        LOSS, (", ignore_index=pad", ""), 0.5, "padding is counted as if it were a word",
    ),
    "the padded length": (
        LOSS,
        ("F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=pad)",
         "F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=pad, "
         'reduction="sum") / targets.numel()'),
        0.5, "the sum over the words is divided by all N * T positions",
    ),
    "not shifted": (
        TRAINING_STEP, ("target[:, 1:], PAD", "target[:, :-1], PAD"), 0.8,
        "the loss compares with the words that were fed: shift the reference by one",
    ),
    "gradients add up": (
        TRAINING_STEP, ("    optimizer.zero_grad()\n", ""), 0.9,
        "the gradient of the batch before is still there: clear it",
    ),
    "goes on after end": (
        GREEDY, ("writing[row] and word != end", "word != end"), 0.8, "go on too long",
    ),
    "the scale is missing": (
        SCORES, (" / math.sqrt(query.shape[1])", ""), 0.6,
        "the scale is missing: divide by the root of A",
    ),
    "the wrong axis": (
        CONTEXT, ("softmax(dim=1)", "softmax(dim=0)"), 0.2,
        "the softmax goes along the sentences of the batch, not along the words",
    ),
    "masked after the softmax": (
        CONTEXT, ("scores.masked_fill(~mask, lowest).softmax(dim=1)", "scores.softmax(dim=1)"), 0.4,
        "padding is set to 0 after the softmax, so that the other weights do not add up to 1",
    ),
    "the state as query": (
        TRANSLATOR, ("query = self.query(s)", "query = s"), 0.2,
        "the state is compared as it is: the query is self.query(s)",
    ),
    "each parameter clipped by itself": (
        TRAINING_STEP,
        ("    nn.utils.clip_grad_norm_(translator.parameters(), 1.0)",
         "    for one in translator.parameters():\n        nn.utils.clip_grad_norm_(one, 1.0)"),
        0.9, "the gradient of each parameter is clipped by itself",
    ),
    "states without a graph": (
        TRANSLATOR, ("memory.mask, memory.states)", "memory.mask, memory.states.detach())"), 0.9,
        "no gradient comes back from the context to the states",
    ),
    "k continuations of each": (
        BEAM,
        ("        sums, chosen = candidates.flatten().topk(count)\n",
         "        best, place = candidates.topk(min(k, V), dim=1)\n        sums = best.flatten()\n"
         "        chosen = (place + V * torch.arange(len(place))[:, None]).flatten()\n"),
        0.4, "k is 3, and a batch of",
    ),
    "probabilities added up": (
        BEAM, ("log_softmax(dim=1)", "softmax(dim=1)"), 0.6,
        "probabilities are added up, not their logarithms",
    ),
    "no normalisation": (
        BEAM, ("sums[place].item() / length**alpha", "sums[place].item()"), 0.85,
        "the best sum wins: it is not divided by the length",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", TRAPS)
def test_a_typical_mistake_loses_points_and_is_named(shared: Student, what: str) -> None:
    cell, edit, at_most, said = TRAPS[what]
    found = TRIAL.verdict(
        TRIAL.with_source(shared, cell, TRIAL.changed(cell, edit)[cell]), QUESTIONS[cell]
    )
    messages = TRIAL.failed(found, advice=False)
    assert any(said in message for message in messages.values()), messages
    assert found.score <= at_most, messages


UNPACKED = """
def encoder_forward(tokens, embedding, gru, pad):
    states, final = gru(embedding(tokens))
    return states, torch.cat([final[0], final[1]], dim=1)
"""


def test_an_encoder_that_reads_padding_is_told_so(shared: Student) -> None:
    found = TRIAL.verdict(TRIAL.with_source(shared, ENCODER, UNPACKED), "encoder")
    messages = TRIAL.failed(found, advice=False)
    assert messages["states_are_right"] == "the right-to-left half has begun in the padding"
    assert "the GRU has read on behind the sentence" in messages["sentence_is_right"]
    assert found.score <= 0.2


# Answers to nothing: each earns at most this share of its question.
EMPTY = {
    ENCODER: "def encoder_forward(tokens, embedding, gru, pad):\n    N, S = tokens.shape\n"
    "    return torch.zeros(N, S, 6), torch.zeros(N, 6)",
    DECODER: "def decoder_step(y, s, context, embedding, cell, output):\n"
    "    return torch.zeros(len(y), output.out_features), s",
    TEACHER: "def teacher_forcing(step, s, target):\n"
    "    return torch.zeros(len(target), target.shape[1] - 1, 8)",
    LOSS: "def sequence_loss(logits, targets, pad):\n    return logits.sum() * 0",
    TRAINING_STEP: "def training_step(*arguments):\n    return 0.0",
    GREEDY: "def greedy_decode(step, s, start, end, max_length):\n    return [[] for _ in s]",
    SCORES: "def additive_scores(query, keys, v):\n    return keys[:, :, 0] * 0\n"
    "def scaled_dot_product_scores(query, keys):\n    return keys[:, :, 0] * 0",
    CONTEXT: "def attention_context(scores, mask, states):\n"
    "    return states.mean(dim=1), mask * 0.1",
    BEAM: "def beam_search(*arguments, **options):\n    return [], 0.0",
}


@pytest.mark.parametrize("cell", EMPTY)
def test_an_empty_answer_earns_little(shared: Student, cell: str) -> None:
    found = TRIAL.verdict(TRIAL.with_source(shared, cell, EMPTY[cell]), QUESTIONS[cell])
    assert found.score <= 0.2, [c.name for c in found.checks if c.passed]


# -- the trained translator ------------------------------------------------------------------------


class Answering(Student):
    """A student whose translator answers with these sentences."""

    def __init__(self, answer) -> None:
        self.answer = answer

    def apply(self, function, *args, **more):
        return self.answer(args[0])


def test_what_a_translator_claims_counts_for_nothing() -> None:
    """Words are compared here; whatever else comes back has no effect."""
    rng = np.random.default_rng(4)
    share = training._share(Answering(lambda sentences: [["le", "chat"]] * len(sentences)), rng)
    assert share == 0


def test_right_words_are_counted() -> None:
    """The grammar's own sentences are all right, and every second one is half."""
    known = {}

    def answer(sentences):
        rows = [known[tuple(one)] for one in sentences]
        return [row if number % 2 else [] for number, row in enumerate(rows)]

    rng = np.random.default_rng(5)
    seed = int(np.random.default_rng(5).integers(1 << 31))
    for pair in training.fresh_pairs(training.SENTENCES, seed):
        known[tuple(pair.english)] = list(pair.french)
    assert training._share(Answering(answer), rng) == 0.5


# -- nobody pays twice ----------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [CONTEXT, SCORES, TEACHER, LOSS])
def test_a_broken_function_costs_its_own_question_only(zygote: Zygote, cell: str) -> None:
    names = {
        CONTEXT: ("attention_context",),
        SCORES: ("additive_scores", "scaled_dot_product_scores"),
        TEACHER: ("teacher_forcing",),
        LOSS: ("sequence_loss",),
    }[cell]
    broken = "\n".join(f"def {name}(*args, **more):\n    raise OSError" for name in names)
    with student_with(zygote, TRIAL.solved() | {cell: broken}) as student:
        failed = TRIAL.failed_cells(student) & set(QUESTIONS.values())
        assert failed == {QUESTIONS[cell]}
