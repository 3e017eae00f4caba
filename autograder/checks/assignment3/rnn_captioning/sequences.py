"""The RNN over a sequence: usual slips in going forward and back.

Shapes: x (N, T, D), h0 (N, H), h and dh (N, T, H); Wx (D, H), Wh (H, H), b (H,).
"""

from __future__ import annotations

import numpy as np

from autograder.checks.shared import layers, recurrent
from autograder.checks.shared.layers import Array
from autograder.checks.shared.recurrent_cases import GRADIENTS, RNN, SequenceCase
from autograder.checks.shared.recurrent_gradients import right_h

SIZES = ((3, 4, 5, 6), (2, 6, 4, 3), (1, 5, 3, 4), (4, 1, 2, 3))  # N, T, D, H


def slipped_h(case: SequenceCase) -> dict[str, Array]:
    """Usual slips in h, by what is said about them."""
    h = right_h(RNN, case)
    x, h0, Wx, Wh, b = case.arguments
    alone = [layers.value(recurrent.rnn_step, x[:, t], h0, Wx, Wh, b) for t in range(x.shape[1])]
    reverse = layers.value(recurrent.rnn, x[:, ::-1].copy(), h0, Wx, Wh, b)
    return {
        "every step starts from h0; it should start from the h of the step before": (
            np.stack(alone, axis=1)
        ),
        "the first step starts from zeros; it should start from h0": (
            layers.value(recurrent.rnn, x, 0 * h0, Wx, Wh, b)
        ),
        "h begins with h0; h[:, 0] is what comes out of the first step": (
            np.concatenate([h0[:, None], h[:, :-1]], axis=1)
        ),
        "the sequence is read backwards, from the last step to the first": reverse[:, ::-1],
        "h is in reverse order": h[:, ::-1],
    }


def slipped_gradients(case: SequenceCase, what: str) -> dict[str, Array]:
    """Usual slips in one gradient, by what is said about them."""
    right = _parts(case)
    alone, through_last = _parts(case, carries=False), _parts(case, adds=False)
    slips = {
        f"{what} lacks what comes back from later steps: add to dh[:, t] the gradient that the "
        "step after it returned": _total(alone, what),
        f"{what} lacks dh of all steps but the last: each step gets its own dh[:, t] as well as "
        "what comes back from the step after it": _total(through_last, what),
    }
    if what == "dx":
        slips["dx is in reverse order: dx[:, t] belongs to x[:, t]"] = _total(right, what)[:, ::-1]
    elif what == "dh0":
        slips["dh0 is what leaves the last step; it should be what leaves the first"] = right[-1][
            what
        ]
    else:
        total = _total(right, what)
        slips[f"{what} is that of the first step only: add up all steps"] = right[0][what]
        slips[f"{what} is that of the last step only: add up all steps"] = right[-1][what]
        slips[f"{what} is a mean over the steps; it should be their sum"] = total / len(right)
    return slips


def _parts(
    case: SequenceCase, *, carries: bool = True, adds: bool = True
) -> list[dict[str, Array]]:
    """What each step adds to the gradients, from the first step to the last.

    ``carries``: whether what leaves a step enters the one before it. ``adds``: whether dh counts at
    each step, or at the last one only.
    """
    h, (_, T, _) = right_h(RNN, case), case.x.shape
    before = np.concatenate([case.h0[:, None], h[:, :-1]], axis=1)
    carried, parts = np.zeros_like(case.h0), []
    for t in reversed(range(T)):
        own = case.dh[:, t] if adds or t == T - 1 else 0
        arguments = (case.x[:, t], before[:, t], case.Wx, case.Wh, case.b)
        found = layers.gradients(recurrent.rnn_step, arguments, own + carried)
        parts.append(dict(zip(GRADIENTS, found, strict=True)))
        carried = parts[-1]["dh0"] if carries else carried
    return parts[::-1]


def _total(parts: list[dict[str, Array]], what: str) -> Array:
    each = [part[what] for part in parts]
    if what == "dx":
        return np.stack(each, axis=1)
    return each[0] if what == "dh0" else np.sum(each, axis=0)
