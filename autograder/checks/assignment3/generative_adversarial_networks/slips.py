"""Wrong losses that students write, by the message that names the mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from autograder.checks.assignment3.generative_adversarial_networks import oracle

Slips = Mapping[str, Callable[..., Tensor]]


def positive(logits: Tensor) -> Tensor:
    """-log sigmoid(x), of which label 1 is made."""
    return F.softplus(-logits)


def negative(logits: Tensor) -> Tensor:
    """-log(1 - sigmoid(x)), of which label 0 is made."""
    return F.softplus(logits)


def squares(values: Tensor) -> Tensor:
    return values.square()


D_LOSS: Slips = {
    "it is half of what it should be: add the two means, without averaging them": (
        lambda r, f: oracle.d_loss(r, f) / 2
    ),
    "only the real images count": lambda r, f: positive(r).mean(),
    "only the generated images count": lambda r, f: negative(f).mean(),
    "labels (or arguments) are the wrong way round: real images have 1, generated ones 0": (
        lambda r, f: negative(r).mean() + positive(f).mean()
    ),
    "generated images have the label 1 here, as for the generator": (
        lambda r, f: positive(r).mean() + positive(f).mean()
    ),
    "real images have the label 0 here": lambda r, f: negative(r).mean() + negative(f).mean(),
    "the real images count twice": lambda r, f: 2 * positive(r).mean(),
    "the generated images count twice": lambda r, f: 2 * negative(f).mean(),
    "the losses are added up over the images; take their mean": (
        lambda r, f: positive(r).sum() + negative(f).sum()
    ),
    "the loss of the generated images is subtracted": (
        lambda r, f: positive(r).mean() - negative(f).mean()
    ),
    "the sign is wrong: this is what the discriminator maximises": (
        lambda r, f: -oracle.d_loss(r, f)
    ),
    "there is a sigmoid too many: bce_loss takes the logits themselves": (
        lambda r, f: oracle.d_loss(torch.sigmoid(r), torch.sigmoid(f))
    ),
    "these are the squares of a least squares loss": oracle.ls_d_loss,
}
G_LOSS: Slips = {
    "this is the mean of log(1 - D(G(z))), the loss that saturates": (
        lambda f: -negative(f).mean()
    ),
    "generated images have the label 0 here, as for the discriminator": (
        lambda f: negative(f).mean()
    ),
    "it is half of what it should be": lambda f: positive(f).mean() / 2,
    "the losses are added up over the images; take their mean": lambda f: positive(f).sum(),
    "the sign is wrong": lambda f: -positive(f).mean(),
    "there is a sigmoid too many: bce_loss takes the logits themselves": (
        lambda f: oracle.g_loss(torch.sigmoid(f))
    ),
    "this is minus the mean of the logits; the cross-entropy is missing": lambda f: -f.mean(),
    "these are the squares of a least squares loss": oracle.ls_g_loss,
}
LS_D_LOSS: Slips = {
    "it is twice what it should be: the factor 1/2 is missing": (
        lambda r, f: 2 * oracle.ls_d_loss(r, f)
    ),
    "it is half of what it should be: there is a factor 1/2 too many": (
        lambda r, f: oracle.ls_d_loss(r, f) / 2
    ),
    "the factor 1/2 of the real images is missing": (
        lambda r, f: squares(r - 1).mean() + squares(f).mean() / 2
    ),
    "the factor 1/2 of the generated images is missing": (
        lambda r, f: squares(r - 1).mean() / 2 + squares(f).mean()
    ),
    "only the real images count": lambda r, f: squares(r - 1).mean() / 2,
    "only the generated images count": lambda r, f: squares(f).mean() / 2,
    "targets (or arguments) are the wrong way round: 1 for real images, 0 for generated": (
        lambda r, f: oracle.ls_d_loss(f, r)
    ),
    "the target of the generated images is 1 here, as for the generator": (
        lambda r, f: oracle.ls_d_loss(r, f - 1)
    ),
    "the target of the real images is -1 here": lambda r, f: oracle.ls_d_loss(r + 2, f),
    "the target of the generated images is -1 here": lambda r, f: oracle.ls_d_loss(r, f + 1),
    "the target of the real images is 0 here": lambda r, f: oracle.ls_d_loss(r + 1, f),
    "the loss of the generated images is subtracted": (
        lambda r, f: squares(r - 1).mean() / 2 - squares(f).mean() / 2
    ),
    "the squares are added up over the images; take their mean": (
        lambda r, f: (squares(r - 1).sum() + squares(f).sum()) / 2
    ),
    "there is a sigmoid: the scores themselves are squared": (
        lambda r, f: oracle.ls_d_loss(torch.sigmoid(r), torch.sigmoid(f))
    ),
    "these are absolute values: take the squares": (
        lambda r, f: ((r - 1).abs().mean() + f.abs().mean()) / 2
    ),
    "the means are squared: square first, then take the mean": (
        lambda r, f: ((r - 1).mean() ** 2 + f.mean() ** 2) / 2
    ),
    "this is the cross-entropy of the vanilla GAN": oracle.d_loss,
}
LS_G_LOSS: Slips = {
    "it is twice what it should be: the factor 1/2 is missing": lambda f: 2 * oracle.ls_g_loss(f),
    "it is half of what it should be: there is a factor 1/2 too many": (
        lambda f: oracle.ls_g_loss(f) / 2
    ),
    "the target is 0 here, as for the discriminator": lambda f: oracle.ls_g_loss(f + 1),
    "the target is -1 here": lambda f: oracle.ls_g_loss(f + 2),
    "the squares are added up over the images; take their mean": (
        lambda f: squares(f - 1).sum() / 2
    ),
    "there is a sigmoid: the scores themselves are squared": (
        lambda f: oracle.ls_g_loss(torch.sigmoid(f))
    ),
    "these are absolute values: take the squares": lambda f: (f - 1).abs().mean() / 2,
    "the mean is squared: square first, then take the mean": lambda f: (f - 1).mean() ** 2 / 2,
    "the sign is wrong": lambda f: -oracle.ls_g_loss(f),
    "this is the cross-entropy of the vanilla GAN": oracle.g_loss,
}
