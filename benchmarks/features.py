"""Features of many images: ours, vectorised, beside scikit-image and a loop.

    python benchmarks/features.py [--images 2000] [--rounds 5]

One process, one thread, one table. Times are CPU seconds, the median of rounds in which the two
sides take turns: other load on the machine hardly counts. Both sides give the same numbers (checked
before timing): the HOG without block normalisation, and the hue histogram that matplotlib and NumPy
compute.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from statistics import median

import matplotlib
import numpy as np
from matplotlib.colors import rgb_to_hsv
from skimage.feature import hog
from threadpoolctl import threadpool_limits

from cs231n_lib.data import load_cifar10
from cs231n_lib.features import color_histogram_hsv, extract_features, hog_feature, rgb2gray

Extract = Callable[[np.ndarray], np.ndarray]


def hog_image_by_image(images: np.ndarray) -> np.ndarray:
    return np.array([hog(rgb2gray(im), 9, (8, 8), (1, 1), block_norm="L1") for im in images])


def hue_image_by_image(images: np.ndarray) -> np.ndarray:
    edges = np.linspace(0, 255, 11)
    return np.array([
        np.histogram(rgb_to_hsv(im / 255)[..., 0] * 255, edges)[0] / im[..., 0].size
        for im in images
    ])  # fmt: skip


def same(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Whether they agree, if need be after dividing each cell of the HOG by its sum."""
    if ours.shape[1] == 144:
        cells = ours.reshape(-1, 9)
        ours = (cells / (cells.sum(axis=1, keepdims=True) + 1e-5)).reshape(ours.shape)
    return np.allclose(ours, theirs, atol=1e-5)


def seconds(extract: Extract, images: np.ndarray) -> float:
    with threadpool_limits(1):
        start = time.process_time()
        extract(images)
        return time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    images = load_cifar10(num_train=options.images, num_test=1, dtype=np.uint8)[0]
    rows: list[tuple[str, Extract, str, Extract]] = [
        ("HOG, 144 values", lambda x: extract_features(x, [hog_feature]),
         "scikit-image", hog_image_by_image),
        ("hue, 10 bins", lambda x: extract_features(x, [color_histogram_hsv]),
         "matplotlib", hue_image_by_image),
        ("both, 154 values", lambda x: extract_features(x, [hog_feature, color_histogram_hsv]),
         "both loops",
         lambda x: np.concatenate([hog_image_by_image(x), hue_image_by_image(x)], axis=1)),
    ]  # fmt: skip
    print(
        f"{len(images)} images of 32 x 32, median of {options.rounds} rounds, one thread; "
        f"NumPy {np.__version__}, scikit-image {version('scikit-image')}, "
        f"matplotlib {matplotlib.__version__}\n"
    )
    print(f"{'':18}{'ours, batch':>12}  {'image by image':>24}{'ratio':>8}")
    for name, ours, other, theirs in rows:
        if "both" not in name and not same(ours(images[:50]), theirs(images[:50])):
            sys.exit(f"{name}: the results differ; there is nothing to compare")
        times = [(seconds(ours, images), seconds(theirs, images)) for _ in range(options.rounds)]
        fast, slow = (median(side) for side in zip(*times, strict=True))
        print(f"{name:18}{fast:>10.3f} s  {other:>14}{slow:>8.3f} s{slow / fast:>7.1f}x")


if __name__ == "__main__":
    main()
