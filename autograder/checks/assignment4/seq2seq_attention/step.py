"""What is asked of decoder_step, against the equations of a GRU cell.

Weights: a step that forgets its new state writes the same word for ever.
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment4.seq2seq_attention import in_kernel, oracle
from autograder.judge import Student, check, expect, expect_near

QUESTION, CELL, NAME = "decoder-step", "decoder-code", "decoder_step"
V, E, H = 7, 3, 4


def _draw(rng: Generator, N: int, D: int) -> tuple[oracle.State, Tensor, Tensor, Tensor]:
    cell = oracle.gru_parameters(rng, E + D, H, ("",))
    state = {f"cell.{name}": value for name, value in cell.items()} | {
        "words": oracle.draw(rng, V, E),
        "out.weight": oracle.draw(rng, V, H + D),
        "out.bias": oracle.draw(rng, V),
    }
    y = torch.from_numpy(rng.integers(0, V, size=N))
    return state, y, oracle.draw(rng, N, H), oracle.draw(rng, N, D)


def _ask(student: Student, state: oracle.State, y: Tensor, s: Tensor, context: Tensor) -> Any:
    sent = {name: value.float() for name, value in state.items()}
    cell = student.cell_defining(NAME) or CELL
    return student.apply(in_kernel.decoded, sent, y, s.float(), context.float(), cells=(cell,))


def _moved(state: oracle.State, x: Tensor, s: Tensor) -> Tensor:
    return oracle.gru_step(x, s, {name[5:]: v for name, v in state.items() if name[:5] == "cell."})


def _logits(state: oracle.State, *parts: Tensor) -> Tensor:
    return torch.cat(parts, dim=1) @ state["out.weight"].T + state["out.bias"]


@check(QUESTION, probe="S2S-A2", weight=4)
def logits_are_right(student: Student, rng: Generator) -> None:
    """Logits of the new state and the context, for sizes that all differ."""
    D = 5
    state, y, s, context = _draw(rng, 3, D)
    x = torch.cat([state["words"][y], context], dim=1)
    after = _moved(state, x, s)
    want = _logits(state, after, context)
    nothing = torch.zeros_like(context)
    slips = {
        "the logits are made from the old state": _logits(state, s, context),
        "the context stands before the state in what the output layer sees": _logits(
            state, context, after
        ),
        "there is a softmax at the end: return the logits": want.softmax(dim=1),
        "there is a log-softmax at the end: return the logits": want.log_softmax(dim=1),
        "the context stands before the word in what the cell sees": _logits(
            state, _moved(state, torch.cat([context, state["words"][y]], dim=1), s), context
        ),
        "the output layer does not see the context": _logits(state, after, nothing),
        "the cell does not see the context": _logits(
            state, _moved(state, torch.cat([state["words"][y], nothing], dim=1), s), context
        ),
        "the cell begins with a state of zeros": _logits(
            state, _moved(state, x, torch.zeros_like(s)), context
        ),
    }
    expect_near(
        _ask(student, state, y, s, context)["logits"], want.numpy(), what="the logits",
        precision="float32", slips={name: wrong.numpy() for name, wrong in slips.items()},
    )  # fmt: skip


@check(QUESTION, probe="S2S-A2", weight=3)
def state_is_new(student: Student, rng: Generator) -> None:
    """The state that comes back is that of the cell."""
    state, y, s, context = _draw(rng, 2, 4)
    x = torch.cat([state["words"][y], context], dim=1)
    want = _moved(state, x, s)
    slips = {
        "this is the state that came in": s,
        "the cell begins with a state of zeros": _moved(state, x, torch.zeros_like(s)),
        "the new state is added to the old one": want + s,
    }
    expect_near(
        _ask(student, state, y, s, context)["s"], want.numpy(), what="the new state",
        precision="float32", slips={name: wrong.numpy() for name, wrong in slips.items()},
    )  # fmt: skip


@check(QUESTION, probe="S2S-A2", weight=1)
def one_sentence_is_a_batch(student: Student, rng: Generator) -> None:
    """N = 1: shapes (1, V) and (1, H)."""
    state, y, s, context = _draw(rng, 1, 2)
    found = _ask(student, state, y, s, context)
    after = _moved(state, torch.cat([state["words"][y], context], dim=1), s)
    expect_near(found["s"], after.numpy(), what="the new state", precision="float32")
    want = _logits(state, after, context).numpy()
    expect_near(found["logits"], want, what="the logits", precision="float32")


@check(QUESTION, probe="S2S-A2", weight=1)
def gradients_reach_word_state_and_context(student: Student, rng: Generator) -> None:
    """A gradient comes back to the embedding, the state and the context."""
    flows = _ask(student, *_draw(rng, 2, 3))["flows"]
    expect(flows, "no gradient reaches the word, the state or the context", "Is the graph cut?")
