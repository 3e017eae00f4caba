"""What usual mistakes make of cosines and of NT-Xent, by the message that names the cause.

Letters as in `oracle`: N pairs of vectors of D numbers; out_left and out_right (N, D), out (2N, D).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from autograder.checks.assignment3.self_supervised_learning import oracle


def of_sim(a: Tensor, b: Tensor) -> dict[str, oracle.Array]:
    """Wrong cosines of two vectors, by what is wrong."""
    dot, lengths, cosine = a @ b, a.norm() * b.norm(), oracle.sim(a, b)
    return arrays(
        {
            "this is the dot product: divide it by both lengths": dot,
            "divided by the length of z_i only": dot / a.norm(),
            "divided by the length of z_j only": dot / b.norm(),
            "divided by the squares of the lengths; the norm has the root in it": dot / lengths**2,
            "divided by the root of the product of the lengths": dot / lengths.sqrt(),
            "divided by the sum of the lengths, not by their product": dot / (a.norm() + b.norm()),
            "multiplied by the lengths": dot * lengths,
            "divided by the number of entries D, which says nothing about lengths": dot / len(a),
            "the sign is lost: opposite vectors have similarity -1": cosine.abs(),
            "this is 1 minus the cosine, a distance; the similarity is the cosine": 1 - cosine,
            "rescaled to 0..1; the similarity is the cosine, from -1 to 1": (1 + cosine) / 2,
            "the length is a sum of absolute values here, not the root of a sum of squares": (
                dot / (a.abs().sum() * b.abs().sum())
            ),
        }
    )


def of_pairs(left: Tensor, right: Tensor) -> dict[str, oracle.Array]:
    """Wrong similarities (N, 1) of partners, by what is wrong."""
    dots = (left * right).sum(dim=1, keepdim=True)
    a, b = (side.norm(dim=1, keepdim=True) for side in (left, right))
    columns = (left / left.norm(dim=0) * right / right.norm(dim=0)).sum(dim=1, keepdim=True)
    return arrays(
        {
            "these are dot products: divide them by both lengths": dots,
            "divided by the lengths of the left rows only": dots / a,
            "divided by the lengths of the right rows only": dots / b,
            "divided by the norm of a whole matrix; each row has its own length": (
                dots / (left.norm() * right.norm())
            ),
            "columns are normalised here, not rows": columns,
            "divided by the squares of the lengths": dots / (a * b) ** 2,
            "rows are paired with the rows after them, not with their own partners": (
                oracle.sim_positive_pairs(left, right.roll(-1, dims=0))
            ),
            "rows are paired with the rows before them, not with their own partners": (
                oracle.sim_positive_pairs(left, right.roll(1, dims=0))
            ),
            "the products are averaged over D, not added up": dots / (a * b) / left.shape[1],
            "these are distances (1 minus the cosine)": 1 - dots / (a * b),
        }
    )


def of_matrix(out: Tensor) -> dict[str, oracle.Array]:
    """Wrong similarities (2N, 2N) of all rows, by what is wrong."""
    right, products = oracle.compute_sim_matrix(out), out @ out.T
    columns = out / out.norm(dim=0)
    return arrays(
        {
            "these are dot products: divide them by both lengths": products,
            "columns are normalised here, not rows": columns @ columns.T,
            "divided by the norm of the whole matrix; each row has its own length": (
                products / out.norm() ** 2
            ),
            "only the rows on the left of the product have length 1": oracle.unit(out) @ out.T,
            "only the rows on the right of the product have length 1": out @ oracle.unit(out).T,
            "each row of products is normalised; it is the vectors that get length 1": (
                products / products.norm(dim=1, keepdim=True)
            ),
            "divided by the squares of the lengths": (
                products / out.norm(dim=1)[:, None] ** 2 / out.norm(dim=1) ** 2
            ),
            "the diagonal is emptied here; a vector's similarity to itself is 1": (
                right.masked_fill(oracle.itself(right), 0.0)
            ),
            "these are distances (1 minus the cosine)": 1 - right,
            "these are distances between the vectors of length 1": torch.cdist(
                oracle.unit(out), oracle.unit(out)
            ),
        }
    )


def of_loss(left: Tensor, right: Tensor, tau: float) -> dict[str, oracle.Array]:
    """Wrong losses, by what is wrong."""
    out = torch.cat([left, right])
    S = oracle.compute_sim_matrix(out)
    N, each = len(left), oracle.terms(left, right, tau)
    diagonal, positive = oracle.itself(S), oracle.partner(S)
    e = torch.exp(S / tau).masked_fill(diagonal, 0.0)
    top, bottom = e.gather(1, positive[:, None])[:, 0], e.sum(dim=1)
    own_half = torch.block_diag(torch.ones(N, N), torch.ones(N, N)).bool()
    forgotten = torch.exp(S).masked_fill(diagonal, 0.0)
    plain, rest = forgotten.gather(1, positive[:, None])[:, 0], forgotten.sum(dim=1)

    def mean(numerator: Tensor, denominator: Tensor) -> Tensor:
        return -torch.log(numerator / denominator).mean()

    def with_partner(rows: Tensor) -> Tensor:
        return mean(torch.exp(S / tau).gather(1, rows[:, None])[:, 0], bottom)

    return arrays(
        {
            "the vector itself stays in the denominator: leave out m = i": mean(
                top, bottom + np.exp(1 / tau)
            ),
            "the positive is missing in the denominator": mean(top, bottom - top),
            "where a similarity is masked with 0 before exp, e^0 = 1 stays in the denominator": (
                mean(top, bottom + 1)
            ),
            "only the first N of the 2N losses are added up": each[:N].sum() / (2 * N),
            "only the last N of the 2N losses are added up": each[N:].sum() / (2 * N),
            "only the denominators of the first N rows count; each of the 2N rows has its own": (
                each[:N].mean()
            ),
            "only the denominators of the last N rows count; each of the 2N rows has its own": (
                each[N:].mean()
            ),
            "the sum of 2N losses is divided by N, not by 2N": each.sum() / N,
            "the 2N losses are added up, not averaged": each.sum(),
            "similarities are multiplied by tau; divide them by it": oracle.loss(
                left, right, 1 / tau
            ),
            "tau has no effect: divide the similarity by it before exp, numerator and denominator "
            "alike": oracle.loss(left, right, 1.0),
            "tau is used in the numerator only": mean(top, rest),
            "tau is used in the denominator only": mean(plain, bottom),
            "the positive of row i is row i + 1 here; it is row i + N": with_partner(
                torch.arange(2 * N).roll(-1)
            ),
            "rows 2k and 2k + 1 are taken for a pair; rows k and k + N are": with_partner(
                torch.arange(2 * N) ^ 1
            ),
            "the numerator has the vector's similarity to itself": with_partner(
                torch.arange(2 * N)
            ),
            "left vectors are paired with the right ones of the image before": mean(
                torch.exp(oracle.sim_positive_pairs(left, right.roll(1, 0))[:, 0] / tau).repeat(2),
                bottom,
            ),
            "dot products stand where cosines belong": _of_dot_products(out, tau),
            "the denominator holds the other half only": mean(
                top, e.masked_fill(own_half, 0.0).sum(dim=1)
            ),
            "of the other half, only the partner is in the denominator": mean(
                top, e.masked_fill(~own_half, 0.0).sum(dim=1) + top
            ),
            "the logarithm is missing: this is the mean share": (top / bottom).mean(),
            "the logarithm is missing: this is minus the mean share": -(top / bottom).mean(),
            "the sign is missing: a loss is -log of a share": -each.mean(),
            "this is the logarithm to the base 2": each.mean() / np.log(2),
            "the logarithm of the mean share; the mean of the logarithms is asked for": -torch.log(
                (top / bottom).mean()
            ),
            "all rows share one denominator, the sum over the whole matrix": mean(
                top, bottom.sum().repeat(2 * N)
            ),
            "the denominator is a mean, not a sum": mean(top, bottom / (2 * N - 1)),
            "only the last pair counts: add to total_loss": (each[N - 1] + each[-1]) / (2 * N),
            "only the last vector counts: add to total_loss": each[-1] / (2 * N),
        }
    )


def arrays(slips: dict[str, Tensor]) -> dict[str, oracle.Array]:
    return {message: wrong.detach().double().numpy() for message, wrong in slips.items()}


def _of_dot_products(out: Tensor, tau: float) -> Tensor:
    scores = out @ out.T / tau
    others = torch.logsumexp(scores.masked_fill(oracle.itself(scores), -torch.inf), dim=1)
    return (others - scores.gather(1, oracle.partner(scores)[:, None])[:, 0]).mean()
