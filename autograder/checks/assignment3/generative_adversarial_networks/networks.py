"""What is asked of the four networks.

Layers count by what they compute, not by what they are called: nn.Flatten is as good as Flatten, a
module of one's own as good as nn.Sequential, a LeakyReLU after the pooling as good as one before.
Batch normalisation is a question of its own (GAN-A9): before that, the convolutional generator is
asked in evaluation mode, where normalisations that have seen nothing do nothing.

Weights: another function than the one that is asked for costs more than other sizes, and the sizes
cost more than the shape of the output, which training brings into form.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment3.generative_adversarial_networks import in_kernel, oracle
from autograder.checks.assignment3.generative_adversarial_networks.asking import (
    Network,
    Shape,
    answered,
    answered_untouched,
    computed,
    expect_mains,
    expect_network,
    expect_norms,
    expect_output,
)
from autograder.checks.assignment3.generative_adversarial_networks.described import (
    DC_CLASSIFIER,
    DC_GENERATOR,
    GENERATORS,
    NETWORKS,
    NOISE_DIM,
)
from autograder.judge import (
    Student,
    check,
    check_each,
    expect,
    expect_close,
    expect_near,
    expect_shape,
)

WHAT = "the output in training mode"
# A feature that is above 0 for one image only, and hardly so, is stretched to the size of all
# others, and its rounding error with it. In 32 images there is no such feature; float32 is then
# within 2.5e-5 of float64. Wrong places change most pixels by more than 0.01.
NORM_ROWS, NORM_ATOL = 32, 5e-4


@check_each(NETWORKS, probe="GAN-A2", weight=3)
def layers_have_their_sizes(student: Student, rng: Generator, network: Network) -> None:
    """The parameters: how many there are, and of which shapes."""
    found = student.apply(in_kernel.parameter_shapes, network.name, list(network.arguments))
    expect_network(network.call, found)
    shapes = [tuple(map(int, shape)) for shape in found["shapes"]]
    few, many = _surplus(network.shapes, shapes), _surplus(shapes, network.shapes)
    count = f"{sum(int(np.prod(shape)) for shape in shapes):,} parameters"
    begin = f"{network.call} has {count} in {len(shapes)} tensors"
    shown = ", ".join(map(str, many[:4]))
    expect(not many, f"{begin}; none, or fewer, should have the shape {shown}")
    flat = all(len(shape) == 1 for shape in few)
    missing = "biases (or normalisations) are missing" if flat else "layers are missing"
    expect(not few, f"{begin}: {missing}")


@check_each(NETWORKS, probe="GAN-A2", weight=6)
def computes_what_is_asked(student: Student, rng: Generator, network: Network) -> None:
    """The output, for parameters of the judge's: order, activations, slopes, the end."""
    plain = network.norms > 0
    tries = 10  # until there are outputs of both signs: a LeakyReLU at the end shall be noticed
    while True:
        answer = answered(student, rng, network, evaluating=plain, plain_norms=plain)
        expect_mains(network, answer)
        if not plain:
            expect_norms(network, answer)
        want, tries = computed(network.right, answer), tries - 1
        if want.min() < 0 < want.max() or not tries:
            break
    wrong = {text: computed(slip, answer) for text, slip in network.slips.items()}
    got = expect_output(answer.output, want, wrong, "the output")
    # A normalisation that has seen nothing divides by the root of 1 + 1e-5: float32 allows more.
    expect_near(got, want, what="the output", precision="float32")


@check("dc-generator-net", probe="GAN-A9", weight=4)
def normalises_after_relu(student: Student, rng: Generator) -> None:
    """Three batch normalisations, each of what a ReLU gives, by the batch's own statistics.

    Another mistake, which costs points above, does not cost them here.
    """
    answer = answered(student, rng, DC_GENERATOR, rows=NORM_ROWS)
    expect_mains(DC_GENERATOR, answer)
    expect_norms(DC_GENERATOR, answer)
    want = computed(oracle.dc_generator, answer)
    got = expect_output(answer.output, want, {}, WHAT)
    known = (partial(slip, norm="after") for slip in DC_GENERATOR.slips.values())
    for forward in (oracle.dc_generator, *known):
        if np.allclose(got, computed(forward, answer), rtol=0, atol=NORM_ATOL):
            return
    places: dict[str, oracle.Norm] = {
        "batch normalisation comes before the ReLUs here, not after them": "before",
        "the normalisations do not use the statistics of the batch": "initial statistics",
        "the normalisations have no effect": "none",
    }
    wrong = {
        text: computed(partial(oracle.dc_generator, norm=norm), answer)
        for text, norm in places.items()
    }
    expect_output(answer.output, want, wrong, WHAT)
    expect_close(got, want, what=WHAT, rtol=0, atol=NORM_ATOL)


@check_each(GENERATORS, probe="GAN-A8", weight=2)
def takes_noise_of_any_size(student: Student, rng: Generator, network: Network) -> None:
    """noise_dim says how many numbers; 96, where it is not given."""
    for arguments, numbers in (((4,), 4), ((), NOISE_DIM)):
        other = network.changed(arguments=arguments, takes=(numbers,))
        answered_untouched(student, rng, other)


@check_each(NETWORKS, probe="GAN-A2")
def output_has_its_shape(student: Student, rng: Generator, network: Network) -> None:
    """What three images, or three rows of noise, become."""
    asked = network.changed(arguments=(3,)) if network is DC_CLASSIFIER else network
    output = answered_untouched(student, rng, asked)
    expect_shape(output, (3, *network.gives), f"the output of {asked.call} for 3 inputs")


def _surplus(one: Sequence[Shape], other: Sequence[Shape]) -> list[Shape]:
    """The shapes that are more often in the first than in the second, each once."""
    shapes = dict.fromkeys(one)
    return [s for s in shapes if list(one).count(s) > list(other).count(s)]
