"""What is asked of PositionalEncoding(embed_dim, dropout=0.1, max_len=5000).

Shapes: x (N, S, D) -> (N, S, D), pe (1, max_len, D).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.assignment3.transformer_captioning import asking, in_kernel, oracle
from autograder.judge import (
    Student,
    check,
    expect,
    expect_near,
    expect_shape,
    expect_unchanged,
)

CELL = "positions"
NAME = "PositionalEncoding"


# A wrong table makes all of it wrong: that costs most.
@check(CELL, probe="PE-A1, PE-A2", weight=5)
def positions_are_right(student: Student, rng: Generator) -> None:
    """What is added to the tokens, for several numbers of features and lengths."""
    for D, S, max_len in ((4, 5, 30), (2, 1, 4), (12, 40, 40)):
        got = asking.answers(student, NAME, (D, 0.0, max_len), {}, [torch.zeros(2, S, D)])[0]
        added = expect_shape(got, (2, S, D), "positions of tokens that are 0")
        want = oracle.table(S, D)
        for row in added:
            slips = oracle.table_slips(S, D) if S > 1 and D > 2 else {}
            # Sines of large angles: float32 has an error of 1e-7 of the angle in them.
            slack = {"slips": slips, "precision": "float32"}
            expect_near(row, want, what=f"what is added to {S} tokens of {D} features", **slack)


@check(CELL, probe="PE-A2", weight=2)
def positions_are_added_to_the_tokens(student: Student, rng: Generator) -> None:
    """The tokens count, in each sequence of the batch."""
    D, S = 4, 5
    x = oracle.draw(rng, 3, S, D)
    own, got = asking.answers(student, NAME, (D, 0.0, 20), {}, [torch.zeros(3, S, D)], [x])
    table = asking.own_answer(own, (3, S, D), "positions of tokens that are 0")
    expect(table.any(), "nothing is added to the tokens")
    slips = {
        "x is not in the output: add the positions to it": table,
        "positions and tokens are multiplied; they should be added": table * x.numpy(),
        "positions are subtracted; they should be added": x.numpy() - table,
        "x is multiplied by sqrt(D); it should be added unchanged": table + x.numpy() * D**0.5,
    }
    want = table + x.numpy()
    expect_near(got, want, what="the output", precision="float32", slips=slips)


@check(CELL, probe="PE-A3")
def dropout_acts_in_training(student: Student, rng: Generator) -> None:
    """In training mode numbers of x + pe are dropped; in evaluation mode none."""
    shape, p = (8, 10, 6), 0.25
    x = oracle.rounded(rng.uniform(2, 3, size=shape))  # no sum with a sine is near 0
    sizes = (6, p, 20)
    own, again = asking.answers(student, NAME, sizes, {}, [x], [x])
    quiet = asking.own_answer(own, shape, "the output")
    expect(np.array_equal(quiet, again), "in evaluation mode the output differs from call to call")
    (got,) = asking.answers(student, NAME, sizes, {}, [x], training=True)
    loud = expect_shape(got, shape, "the output in training mode").astype(np.float64)
    expect(
        not np.allclose(loud, quiet, rtol=1e-3),
        "in training mode the output is that of evaluation mode: nothing is dropped",
    )
    pe, tokens = quiet - x.numpy(), x.numpy()
    for message, kept, always in (
        ("dropout acts on the positions only; it should act on the sum", pe, tokens),
        ("dropout acts on x before the positions are added; it should act on the sum", tokens, pe),
    ):
        changed = (loud - always) * (1 - p)
        half = np.isclose(changed, 0, atol=1e-4) | np.isclose(changed, kept, atol=1e-4)
        expect(not half.all(), f"in training mode, {message}")
    dropped = loud == 0
    right = dropped | np.isclose(loud * (1 - p), quiet, rtol=1e-3)
    expect(right.all(), "in training mode a number is neither 0 nor its value / (1 - dropout)")
    share = float(dropped.mean())  # of 480 numbers: one standard deviation is 0.02
    expect(abs(share - p) < 0.12, f"with dropout={p}, {share:.0%} of the numbers are dropped")


@check(CELL, probe="PE-A3", condition=True)
def positions_do_not_learn(student: Student, rng: Generator) -> None:
    """pe is a buffer of shape (1, max_len, embed_dim); there are no parameters."""
    found = student.apply(in_kernel.own_tensors, NAME, [4, 0.1, 15])
    learning = ", ".join(map(str, found["parameters"]))
    expect(not learning, f"{learning} is a parameter, so training changes it")
    shape = found["buffers"].get("pe")
    expect(shape is not None, "there is no buffer called pe")
    expect(list(shape) == [1, 15, 4], f"pe has shape {tuple(shape)}; expected (1, 15, 4)")


@check(CELL, probe="PE-A4", condition=True)
def tokens_are_left_alone(student: Student, rng: Generator) -> None:
    """x is the same after the call."""
    x = oracle.draw(rng, 2, 3, 4)
    found = student.apply(in_kernel.answers, NAME, [4, 0.0, 9], {}, [[x.float()]])
    expect_unchanged(found["arguments"][0][0], x.float().numpy(), "x")
