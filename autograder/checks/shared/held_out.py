"""Images that no student can have trained on, for checks of what a notebook has learned."""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from cs231n_lib.data import find_cifar10, load_cifar10, spritecifar

REAL_TEST_SIZE = 10_000


def held_out_images(rng: Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw n images (n, 32, 32, 3), float64 from 0 to 255, and their labels (n,).

    With the embedded data they are rendered afresh, of the test split's drawings but from a seed
    of their own: they are in no file. With the real CIFAR-10 they are rows of its test set, for
    there are no others; a student who trains on those is found by reading, not here.
    """
    if find_cifar10() is not None:
        _, _, images, labels = load_cifar10(num_train=1, num_test=REAL_TEST_SIZE)
        rows = rng.permutation(len(labels))[:n]
        return np.asarray(images[rows], np.float64), labels[rows]
    seed = int(rng.integers(1000, 1 << 31))
    chunks = range(-(-n // spritecifar.CHUNK))
    images = np.concatenate([spritecifar.render_chunk("test", i, seed) for i in chunks])
    return images[:n].astype(np.float64), spritecifar.labels("test", seed)[:n]
