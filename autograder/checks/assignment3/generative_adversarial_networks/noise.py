"""What is asked of sample_noise.

Bounds: of 20,000 uniform numbers, the mean and the variance are within six standard deviations of
0 and 1/3, and the distribution function within 0.025 of the right one. A right answer misses one of
them in fewer than one of 100 million runs.

Weights: other numbers than these train worse, the wrong shape or
type not at all.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.judge import Student, as_array, check, expect, expect_shape

CELL = "noise"
ROWS, COLUMNS = 200, 100
COUNT = ROWS * COLUMNS
WHAT = "sample_noise"
# Of x uniform in (-1, 1): the variance is 1/3, that of x**2 is 1/5 - 1/9 = 4/45.
MEAN_BOUND = 6 * np.sqrt(1 / 3 / COUNT)  # 0.024
VARIANCE_BOUND = 6 * np.sqrt(4 / 45 / COUNT)  # 0.013
# Dvoretzky, Kiefer and Wolfowitz: P(D > d) <= 2 exp(-2 n d**2), 3e-11 here.
DISTRIBUTION_BOUND = 0.025


@check(CELL, probe="GAN-A1", weight=4)
def has_its_shape(student: Student, rng: Generator) -> None:
    """(batch_size, dim), whichever of the two is larger."""
    for shape in ((3, 5), (7, 2), (1, 96)):
        expect_shape(student.call("sample_noise", *shape), shape, f"{WHAT}{shape}")


@check(CELL, probe="GAN-A1", weight=2, condition=True)
def is_of_the_networks_type(student: Student, rng: Generator) -> None:
    """A tensor of float32, as the parameters of the networks are."""
    value = student.call("sample_noise", 3, 5)
    array = as_array(value, f"{WHAT}(3, 5)")
    tensor = type(value).__module__.split(".")[0] == "torch"
    expect(tensor, f"{WHAT}(3, 5) is of type {type(value).__name__}, not a tensor")
    kind = str(array.dtype)
    expect(kind == "float32", f"{WHAT}(3, 5) is of {kind}; the networks compute with float32")


@check(CELL, probe="GAN-A1", weight=6)
def is_uniform(student: Student, rng: Generator) -> None:
    """Between -1 and 1, on both sides of 0, evenly: mean 0, variance 1/3."""
    value = student.call("sample_noise", ROWS, COLUMNS)
    x = as_array(value, WHAT).astype(np.float64)
    expect(x.size == COUNT, f"{WHAT}{(ROWS, COLUMNS)} has {x.size} numbers, not {COUNT}")
    expect(np.isfinite(x).all(), f"{WHAT} holds numbers that are nan or infinite")
    largest = float(x.flat[np.abs(x).argmax()])
    expect(abs(largest) <= 1, f"there are numbers outside (-1, 1): one is {largest:.2f}")
    expect(x.min() < 0, f"of {COUNT} numbers none is below 0")
    expect(x.max() > 0, f"of {COUNT} numbers none is above 0")
    mean, variance = float(x.mean()), float(x.var())
    expect(abs(mean) < MEAN_BOUND, f"the mean of {COUNT} numbers is {mean:.3f}, too far from 0")
    expect(
        abs(variance - 1 / 3) < VARIANCE_BOUND,
        f"the variance of {COUNT} numbers is {variance:.3f}, not that of the interval (-1, 1)",
    )
    # Kolmogorov's distance: sorted uniform numbers lie on a straight line.
    line = (np.sort(x.ravel()) + 1) / 2 - (np.arange(COUNT) + 0.5) / COUNT
    expect(np.abs(line).max() < DISTRIBUTION_BOUND, "the numbers do not fill (-1, 1) evenly")
    # Of 2**24 different numbers, 20,000 drawn ones repeat about twelve; rows repeated, most.
    different = len(np.unique(x))
    expect(different > 0.95 * COUNT, f"only {different} of {COUNT} numbers are different")


@check(CELL, probe="GAN-A1", weight=3)
def follows_its_seed(student: Student, rng: Generator) -> None:
    """The same seed gives the same noise; another seed, or none, gives other noise."""
    seed = int(rng.integers(1 << 30))
    first, again, other = (
        as_array(student.call("sample_noise", 4, 6, seed=number), WHAT)
        for number in (seed, seed, seed + 1)
    )
    expect(np.array_equal(first, again), "called twice with the same seed, it gives other noise")
    expect(not np.array_equal(first, other), "two seeds give the same noise")
    free = [as_array(student.call("sample_noise", 4, 6), WHAT) for _ in range(2)]
    expect(
        not np.array_equal(free[0], free[1]), "called twice without a seed, it gives the same noise"
    )
