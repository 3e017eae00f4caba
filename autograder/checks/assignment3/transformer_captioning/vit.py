"""What is asked of VisionTransformer.forward(x), over right patches, positions and layers.

Shapes: x (N, C, side, side); tokens (N, patches, E); scores (N, classes).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator
from torch import Tensor, nn

from autograder.checks.assignment3.transformer_captioning import asking, composed, oracle
from autograder.judge import Student, check, expect, expect_near, expect_shape

CELL, NAME, CLASS_CELL = "vit", "VisionTransformer", "vision-transformer"
WHAT = "the output"
SIDE, P, CHANNELS, E = 8, 2, 2, 6
SIZES = (SIDE, P, CHANNELS, E, 2, 2, 5, 4)


@check(CELL, probe="VIT-A2", weight=4)
def scores_are_right(student: Student, rng: Generator) -> None:
    """Patches, positions, encoder, the mean over tokens, and the last layer."""
    for N in (3, 1):
        net = oracle.filled(composed.Classifier(SIZES), rng)
        x = oracle.draw(rng, N, CHANNELS, SIDE, SIDE)
        wrong = {text: answer.numpy() for text, answer in _slips(net, x).items()}
        want = net(x).numpy()
        what = WHAT if N > 1 else f"{WHAT} for one image"
        got = _scores(student, net, x)[0]
        expect_near(got, want, what=what, precision="float32", slips=wrong)


@check(CELL, probe="VIT-A3")
def places_of_patches_matter(student: Student, rng: Generator) -> None:
    """The same patches at other places give other logits."""
    net = oracle.filled(composed.Classifier(SIZES), rng)
    x = oracle.draw(rng, 2, CHANNELS, SIDE, SIDE)
    first, second = _scores(student, net, x, x.flip(2).flip(3))  # averages of patches are the same
    shape = (2, SIZES[-1])
    first, second = (expect_shape(one, shape, WHAT) for one in (first, second))
    differ = np.abs(first - second).max() > 1e-4 * np.abs(first).max()
    found = "with the patches in another order the logits are the same"
    expect(differ, found, "Without positions, an image is a bag of patches")


@check(CELL, probe="VIT-A4", weight=2)
def gradients_reach_everything(student: Student, rng: Generator) -> None:
    """The images and all parameters, in every layer."""
    net = oracle.filled(composed.Classifier(SIZES), rng)
    x, upstream = oracle.draw(rng, 2, CHANNELS, SIDE, SIDE), oracle.draw(rng, 2, SIZES[-1])
    cell = student.cell_defining(NAME) or CLASS_CELL
    asked = NAME, SIZES, oracle.state(net), [x], upstream
    asking.expect_reached(asking.gradients(student, *asked, cell=cell), ("x",))


def _scores(student: Student, net: composed.Classifier, *images: Tensor) -> list[Any]:
    cell = student.cell_defining(NAME) or CLASS_CELL
    calls = [[x] for x in images]
    return asking.answers(student, NAME, SIZES, oracle.state(net), *calls, cell=cell)


def _slips(net: composed.Classifier, x: Tensor) -> dict[str, Tensor]:
    patches, tokens, scores = net.patch_embed(x), net.tokens(x), net(x)
    norm = nn.functional.layer_norm
    return {
        "the positions are missing": net.head(net.transformer(patches).mean(dim=1)),
        "the encoder is missing": net.head(net.positional_encoding(patches).mean(dim=1)),
        "positions are added after the encoder": net.head(
            net.positional_encoding(net.transformer(patches)).mean(dim=1)
        ),
        "only the first token reaches the head; take the mean of all": net.head(tokens[:, 0]),
        "only the last token reaches the head; take the mean of all": net.head(tokens[:, -1]),
        "tokens are summed; take their mean": net.head(tokens.sum(dim=1)),
        "the largest numbers of the tokens reach the head; take their mean": net.head(
            tokens.amax(dim=1)
        ),
        "there is a layer norm before the head": net.head(norm(tokens.mean(dim=1), (E,))),
        "there is a layer norm after the encoder": net.head(norm(tokens, (E,)).mean(dim=1)),
        "there is a softmax at the end: return the logits": scores.softmax(dim=-1),
        "there is a log-softmax at the end: return the logits": scores.log_softmax(dim=-1),
        "there is a ReLU at the end: logits may be negative": scores.clamp(min=0),
        "the images of the batch are averaged; take the mean of each image's tokens": net.head(
            tokens.mean(dim=(0, 1), keepdim=True)[0].expand(len(x), -1)
        ),
    }
