"""The four networks of the notebook: sizes, what they compute, and with which mistakes.

Shapes: images (N, 1, 28, 28), noise (N, Z), scores (N, 1), pixels (N, 784).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
import torch.nn.functional as F  # noqa: N812

from autograder.checks.assignment3.generative_adversarial_networks import oracle
from autograder.checks.assignment3.generative_adversarial_networks.asking import (
    Forward,
    Network,
    Shape,
)

NOISE_DIM = 96
IMAGE = (1, 28, 28)


def linear(inputs: int, outputs: int) -> tuple[Shape, Shape]:
    return (outputs, inputs), (outputs,)


def ends(forward: Forward, what: str) -> Mapping[str, Forward]:
    """The ends that a network of scores may not have."""
    return {
        f"{what} ends with a sigmoid: return raw scores": partial(forward, last=torch.sigmoid),
        f"{what} ends with a tanh: return raw scores": partial(forward, last=torch.tanh),
        f"{what} ends with a LeakyReLU: return raw scores": partial(
            forward, last=partial(F.leaky_relu, negative_slope=oracle.SLOPE)
        ),
        f"{what} ends with a ReLU: return raw scores": partial(forward, last=F.relu),
    }


def pixels(forward: Forward) -> Mapping[str, Forward]:
    """The ends that a generator may not have."""
    return {
        "the tanh at the end is missing": partial(forward, last=oracle.same),
        "there is a sigmoid at the end: pixels go from -1 to 1": partial(
            forward, last=torch.sigmoid
        ),
        "there is a ReLU before the tanh at the end": partial(
            forward, last=lambda x: F.relu(x).tanh()
        ),
        "there is a ReLU at the end, and no tanh": partial(forward, last=F.relu),
    }


def activations(
    forward: Forward, name: str, slope: float, count: int, others: Mapping[str, float]
) -> Mapping[str, Forward]:
    """One activation is missing (a slope of 1), or all are others."""
    usual = [slope] * count
    missing = {
        f"the {name} after layer {number + 1} is missing": partial(
            forward, slopes=[*usual[:number], 1.0, *usual[number + 1 :]]
        )
        for number in range(count)
    }
    none = {f"none of the {name}s has an effect": partial(forward, slopes=[1.0] * count)}
    return (
        missing
        | none
        | {text: partial(forward, slopes=[other] * count) for text, other in others.items()}
    )


LEAKY = {
    "these are ReLUs; LeakyReLUs are asked for": 0.0,
    "the slope of the LeakyReLUs is 0.1": 0.1,
    "the slope of the LeakyReLUs is 0.2": 0.2,
    "the slope of the LeakyReLUs is 0.001": 0.001,
    "the slope of the LeakyReLUs is -0.01": -0.01,
}
PLAIN = {
    "these are LeakyReLUs; ReLUs are asked for": 0.01,
    "these are LeakyReLUs of slope 0.2; ReLUs are asked for": 0.2,
}
DISCRIMINATOR = Network(
    "discriminator",
    (),
    IMAGE,
    (1,),
    (*linear(784, 256), *linear(256, 256), *linear(256, 1)),
    3,
    oracle.classifier,
    {
        **ends(oracle.classifier, "the network"),
        **activations(oracle.classifier, "LeakyReLU", oracle.SLOPE, 2, LEAKY),
    },
)
GENERATOR = Network(
    "generator",
    (NOISE_DIM,),
    (NOISE_DIM,),
    (784,),
    (*linear(NOISE_DIM, 1024), *linear(1024, 1024), *linear(1024, 784)),
    3,
    oracle.generator,
    {
        **pixels(oracle.generator),
        **activations(oracle.generator, "ReLU", 0.0, 2, PLAIN),
    },
)
DC_CLASSIFIER = Network(
    "build_dc_classifier",
    (5,),
    IMAGE,
    (1,),
    ((32, 1, 5, 5), (32,), (64, 32, 5, 5), (64,), *linear(1024, 1024), *linear(1024, 1)),
    4,
    oracle.dc_classifier,
    {
        **ends(oracle.dc_classifier, "the network"),
        **activations(oracle.dc_classifier, "LeakyReLU", oracle.SLOPE, 3, LEAKY),
        "the pooling takes the mean; it should take the maximum": partial(
            oracle.dc_classifier, pool=lambda x: F.avg_pool2d(x, 2)
        ),
    },
)
WITHOUT_NORMS = partial(oracle.dc_generator, norm="none")
DC_GENERATOR = Network(
    "build_dc_generator",
    (NOISE_DIM,),
    (NOISE_DIM,),
    (784,),
    (
        *linear(NOISE_DIM, 1024),
        *((1024,), (1024,)),
        *linear(1024, 6272),
        *((6272,), (6272,)),
        *((128, 64, 4, 4), (64,)),
        *((64,), (64,)),
        *((64, 1, 4, 4), (1,)),
    ),
    4,
    WITHOUT_NORMS,
    {
        **pixels(WITHOUT_NORMS),
        **activations(WITHOUT_NORMS, "ReLU", 0.0, 3, PLAIN),
    },
    norms=3,
)
NETWORKS = {
    "discriminator-net": DISCRIMINATOR,
    "generator-net": GENERATOR,
    "dc-discriminator": DC_CLASSIFIER,
    "dc-generator-net": DC_GENERATOR,
}
# Those that take noise.
GENERATORS = {grade_id: NETWORKS[grade_id] for grade_id in ("generator-net", "dc-generator-net")}
