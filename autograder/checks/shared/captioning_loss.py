"""The loss of a small captioning network and its gradients, by torch; and what slips make of it.

Shapes: as in captioning.py.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from autograder.checks.shared import layers, recurrent
from autograder.checks.shared.captioning import Case
from autograder.checks.shared.layers import Array


def right_loss(case: Case) -> tuple[float, dict[str, Array]]:
    """The loss and the gradients of all parameters."""
    return loss_of_words(case, case.captions[:, :-1], case.targets, case.targets != case.null)


def loss_of_words(
    case: Case, given: Array, targets: Array, mask: Array, *, projected: bool = True
) -> tuple[float, dict[str, Array]]:
    """Loss and gradients where ``given`` goes in, and ``targets`` is to come out, both (N, T).

    ``projected``: whether the first hidden state comes from the features, or is zero.
    """
    leaves = {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=True)
        for name, value in case.params.items()
    }
    h0 = layers.affine(torch.tensor(case.features), leaves["W_proj"], leaves["b_proj"])
    vectors = recurrent.embedding(torch.tensor(given), leaves["W_embed"])
    cell = {"rnn": recurrent.rnn, "lstm": recurrent.lstm}[case.cell_type]
    h = cell(vectors, h0 if projected else 0 * h0, leaves["Wx"], leaves["Wh"], leaves["b"])
    scores = recurrent.temporal_affine(h, leaves["W_vocab"], leaves["b_vocab"])
    loss = recurrent.temporal_loss(scores, torch.tensor(targets), torch.tensor(mask))
    loss.backward()
    grads = {name: leaf.grad.numpy() for name, leaf in leaves.items() if leaf.grad is not None}
    return float(loss.detach()), grads


def slipped_losses(case: Case) -> dict[str, tuple[float, dict[str, Array]]]:
    """Usual slips, by what is said about them: the loss and the gradients that they lead to."""
    return slips_of_degree(case) | slips_of_use(case)


def slips_of_degree(case: Case) -> dict[str, tuple[float, dict[str, Array]]]:
    """Slips in what is counted, in what divides, in a bias: a network learns to write even so."""
    given, targets = case.captions[:, :-1], case.targets
    counted = targets != case.null
    loss, grads = right_loss(case)

    def divided(by: float) -> tuple[float, dict[str, Array]]:
        return loss / by, {name: value / by for name, value in grads.items()}

    unbiased = replace(case, params={**case.params, "b_proj": 0 * case.params["b_proj"]})
    everything = np.ones_like(counted)
    return {
        "<NULL> counts among the words to be predicted: it only pads the rows, and belongs "
        "outside the mask": loss_of_words(case, given, targets, everything),
        "the mask is that of the words that go in, not of those that should come out": (
            loss_of_words(case, given, targets, given != case.null)
        ),
        "the loss is divided by N * T; only the number N of captions divides it": divided(
            targets.shape[1]
        ),
        "the loss is divided by the number of words; only the number N of captions divides "
        "it": divided(max(int(counted.sum()), 1) / len(targets)),
        "the loss is a sum over the captions; it is divided by their number N": divided(
            1 / len(targets)
        ),
        "b_proj makes no difference": right_loss(unbiased),
    }


def slips_of_use(case: Case) -> dict[str, tuple[float, dict[str, Array]]]:
    """Slips in what goes where: a network does not learn what it is for."""
    given, targets = case.captions[:, :-1], case.targets
    counted = targets != case.null
    return {
        "each word is to be predicted from itself: the targets are captions[:, 1:], one word "
        "later than what goes in": loss_of_words(case, given, given, given != case.null),
        "the words that go in are captions[:, 1:], the very words that should come out": (
            loss_of_words(case, targets, targets, counted)
        ),
        "the features make no difference: h0 is zero": loss_of_words(
            case, given, targets, counted, projected=False
        ),
    }
