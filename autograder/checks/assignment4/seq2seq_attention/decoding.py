"""What is asked of teacher_forcing and greedy_decode, over a small network that the judge knows.

Weights: a decoder that is fed other words than it should be learns, or writes, something else.
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment4.seq2seq_attention import in_kernel, oracle
from autograder.judge import Failed, Student, check, expect, expect_near, expect_shape

FORCING, GREEDY = "teacher-forcing", "greedy"
V, H, START, END = 8, 4, 1, 2
Rows = list[list[int]]


# -- teacher forcing -------------------------------------------------------------------------------


def _forced(student: Student, writer: oracle.Writer, s: Tensor, target: Tensor) -> Any:
    cell = student.cell_defining("teacher_forcing") or "teacher-code"
    return student.apply(in_kernel.forced, writer.parameters, s, target, cells=(cell,))


def _draw_target(rng: Generator, N: int, T: int) -> Tensor:
    target = torch.from_numpy(rng.integers(3, V, size=(N, T)))
    target[:, 0] = START
    target[0, -1] = END
    return target


def _along(writer: oracle.Writer, s: Tensor, fed: Tensor, stale: bool = False) -> Tensor:
    logits, state = [], s
    for y in fed.T:
        scores, after = writer.step(y, state)
        logits.append(scores)
        state = s if stale else after
    return torch.stack(logits, dim=1)


@check(FORCING, probe="S2S-A4", weight=4)
def logits_are_right(student: Student, rng: Generator) -> None:
    """Logits (N, T - 1, V): those at position t come after column t of the reference."""
    writer, N, T = oracle.draw_writer(rng, V, H, END), 3, 5
    s, target = oracle.draw(rng, N, H), _draw_target(rng, N, T)
    want = _along(writer, s, target[:, :-1])
    ahead, free, y, state = _along(writer, s, target[:, 1:]), [], target[:, 0], s
    for _ in range(T - 1):
        scores, state = writer.step(y, state)
        free.append(scores)
        y = scores.argmax(dim=1)
    started = target[:, :-1].clone()
    started[:, 1:] = START
    slips = {
        "column t + 1 of the reference is fed at position t: the decoder sees what it is to say": (
            ahead
        ),
        "the decoder is fed its own words": torch.stack(free, dim=1),
        "the state is not handed on from step to step": _along(writer, s, target[:, :-1], True),
        "<start> is fed at every step": _along(writer, s, started),
    }
    got = _forced(student, writer, s, target)["logits"]
    expect_near(
        got, want.numpy(), what="the logits",
        slips={name: wrong.numpy() for name, wrong in slips.items()},
    )  # fmt: skip


@check(FORCING, probe="S2S-A4", weight=2)
def columns_are_fed(student: Student, rng: Generator) -> None:
    """step is given the columns of the reference, T - 1 of them."""
    writer, N, T = oracle.draw_writer(rng, V, H, END), 2, 6
    target = _draw_target(rng, N, T)
    found = _forced(student, writer, oracle.draw(rng, N, H), target)
    fed, want = found["fed"], target[:, :-1].T.tolist()
    expect(len(fed) == T - 1, f"step is called {len(fed)} times for a reference of {T} columns")
    wrong = [t for t in range(T - 1) if list(fed[t]) != want[t]]
    expect(not wrong, f"in step {wrong[0] if wrong else 0}, another column is fed")


@check(FORCING, probe="S2S-A4", weight=1)
def short_references(student: Student, rng: Generator) -> None:
    """A batch of one, and a reference of two columns."""
    writer = oracle.draw_writer(rng, V, H, END)
    for N, T in ((1, 4), (2, 2), (1, 2)):
        s, target = oracle.draw(rng, N, H), _draw_target(rng, N, T)
        got = expect_shape(_forced(student, writer, s, target)["logits"], (N, T - 1, V), "logits")
        want = _along(writer, s, target[:, :-1]).numpy()
        expect_near(got, want, what=f"the logits of {N} references of {T} columns")


@check(FORCING, probe="S2S-A4", weight=1)
def gradient_goes_through_all_steps(student: Student, rng: Generator) -> None:
    """The last logits have a gradient for the first state."""
    writer = oracle.draw_writer(rng, V, H, END)
    found = _forced(student, writer, oracle.draw(rng, 2, H), _draw_target(rng, 2, 5))
    expect(found["flows"], "no gradient comes back from the last logits to the first state",
           "Is the graph cut (detach, no_grad, item)?")  # fmt: skip


# -- greedy decoding -------------------------------------------------------------------------------


def _written(
    student: Student, writer: oracle.Writer, s: Tensor, longest: int, start: int = START,
    end: int = END,
) -> dict[str, Any]:  # fmt: skip
    cell = student.cell_defining("greedy_decode") or "greedy-code"
    return student.apply(in_kernel.greedy, writer.parameters, s, start, end, longest, cells=(cell,))


def _draw_clear(
    rng: Generator, N: int, longest: int, ended: int, start: int = START, end: int = END
) -> tuple[oracle.Writer, Tensor, Rows]:
    """No word leads by so little that rounding decides; ``ended`` of N sentences end in time.

    Those that end do so at different lengths, and would go on with other words.
    """
    while True:
        writer, s = oracle.draw_writer(rng, V, H, end, eager=0.8), oracle.draw(rng, N, H)
        rows = oracle.greedy(writer, s, start, end, longest)
        short = [row for row in rows if len(row) < longest]
        varied = all(len(set(row)) > 1 for row in rows if len(row) > 2)
        lengths = {len(row) for row in short}
        distinct = len(lengths) == len(short) and (len(short) < 2 or min(lengths) < longest - 1)
        if len(short) != ended or not distinct or not varied:
            continue
        if oracle.margin_of_greedy(writer, s, start, longest) > 1e-3:
            return writer, s, rows


def _expect_rows(found: dict[str, Any], want: Rows, what: str) -> None:
    rows = [list(row) for row in found["words"]]
    expect(len(rows) == len(want), f"{what}: {len(rows)} sentences come back of {len(want)}")
    if rows == want:
        return
    kept_end = [[*row, END] for row in want]
    if any(END in row for row in rows):
        after = any(END in row[:-1] for row in rows)
        if after:
            raise Failed(f"{what}: a sentence goes on after end")
        same = zip(rows, want, kept_end, strict=True)
        if all(row in (right, ended) for row, right, ended in same):
            raise Failed(f"{what}: end is kept as a word of the sentence")
    if all(row == [START, *right] for row, right in zip(rows, want, strict=True)):
        raise Failed(f"{what}: start is kept as a word of the sentence")
    bad = sum(row != right for row, right in zip(rows, want, strict=True))
    longer = sum(
        len(row) > len(right) and row[: len(right)] == right
        for row, right in zip(rows, want, strict=True)
    )
    if bad and longer == bad:
        raise Failed(f"{what}: {bad} of {len(want)} sentences go on too long")
    raise Failed(f"{what}: {bad} of {len(want)} sentences are wrong")


@check(GREEDY, probe="S2S-A5", weight=4)
def words_are_the_most_probable(student: Student, rng: Generator) -> None:
    """One sentence alone, which ends."""
    writer, s, want = _draw_clear(rng, 1, 8, 1)
    while len(want[0]) < 3:
        writer, s, want = _draw_clear(rng, 1, 8, 1)
    _expect_rows(_written(student, writer, s, 8), want, "one sentence")


@check(GREEDY, probe="S2S-A5", weight=3)
def batch_ends_at_different_times(student: Student, rng: Generator) -> None:
    """Three sentences, of which two end at different lengths and one does not."""
    writer, s, want = _draw_clear(rng, 3, 7, 2)
    _expect_rows(_written(student, writer, s, 7), want, "three sentences, two of which end")


@check(GREEDY, probe="S2S-A5", weight=2)
def own_words_are_fed(student: Student, rng: Generator) -> None:
    """start first, for all rows, and then what was written."""
    writer, s, want = _draw_clear(rng, 3, 6, 1)
    fed = _written(student, writer, s, 6)["fed"]
    expect(len(fed) > 0, "step is never called")
    expect(list(fed[0]) == [START] * 3, "the first words that are fed are not start")
    ended = next(row for row, words in enumerate(want) if len(words) < 6)
    for row, words in enumerate(want):
        upto = len(words) if row == ended else 5
        got = [step[row] for step in fed[1 : upto + 1]]
        expect(got == words[:upto], f"row {row} is fed other words than it has written")


@check(GREEDY, probe="S2S-A5", weight=2)
def stops_in_time(student: Student, rng: Generator) -> None:
    """When all sentences have ended, and when max_length words are written."""
    writer, s, want = _draw_clear(rng, 2, 6, 2)
    steps = len(_written(student, writer, s, 6)["fed"])
    needed = max(map(len, want)) + 1
    expect(steps <= needed, f"step is called {steps - needed} more times after all have ended")
    writer, s, want = _draw_clear(rng, 2, 5, 0)
    found = _written(student, writer, s, 5)
    expect(len(found["fed"]) <= 5, f"max_length is 5, and step is called {len(found['fed'])} times")
    _expect_rows(found, want, "two sentences that do not end within max_length")


@check(GREEDY, probe="S2S-A5", weight=1, rare=True)
def numbers_of_start_and_end_are_arguments(student: Student, rng: Generator) -> None:
    """start is 6 and end is 4 here."""
    writer, s, want = _draw_clear(rng, 2, 7, 2, start=6, end=4)
    rows = [list(row) for row in _written(student, writer, s, 7, 6, 4)["words"]]
    expect(rows == want, "with other numbers of start and end the sentences are wrong")


@check(GREEDY, probe="S2S-A5", weight=1, condition=True)
def answers_are_lists_of_int(student: Student, rng: Generator) -> None:
    """A list of lists of Python ints."""
    writer, s, _ = _draw_clear(rng, 2, 6, 1)
    found = _written(student, writer, s, 6)
    expect(list(found["lists"]) == ["list"], f"these are of type {', '.join(found['lists'])}")
    kinds = list(found["kinds"])
    expect(kinds in (["int"], []), f"the words are of type {', '.join(kinds)}, not int")
