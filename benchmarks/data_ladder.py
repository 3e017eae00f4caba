"""Is the embedded data set as hard as CIFAR-10? Trains the course's ladder of classifiers on it.

    python benchmarks/data_ladder.py                   # all rungs: about 6 minutes on one core
    python benchmarks/data_ladder.py --quick           # without the two long ConvNets: 2 minutes
    python benchmarks/data_ladder.py --seed 7          # other images of the same distribution
    python benchmarks/data_ladder.py --data ~/cifar-10-batches-py --train 20000 --test 2000
    python benchmarks/data_ladder.py --data images.npz # arrays Xtr, ytr, Xte, yte
    python benchmarks/data_ladder.py --captions        # captioners instead: see caption_ladder.py

One table: test accuracy in % here, on the real CIFAR-10 with this same code, the difference, and
what is published for all 50,000 training images. A rung more than 6 points off is marked, and so
is a shortcut (mean colour, border pixels) that beats the linear classifiers: then the exit status
is 1. Only sets of 20,000 + 2,000 images are judged: the reference was measured with that many.
"""

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import caption_ladder
import ladder_rungs as rungs
import numpy as np
import torch
from caption_rungs import prepare
from ladder_rungs import Data, Training, network

from cs231n_lib.data import load_cifar10, load_coco_data, spritecifar

TOLERANCE = 6.0  # points
SIZES = (20_000, 2_000)  # of the reference


@dataclass(frozen=True)
class Rung:
    """A classifier, and its accuracy on CIFAR-10: 20,000/2,000 images and this code, in %."""

    name: str
    run: Callable[[Data], float]
    real: float | None  # None: a shortcut, which must not beat the linear classifiers
    published: str = ""
    is_long: bool = False


# `real`: measured on 20,000 training and 2,000 test images of CIFAR-10 when the course was planned
# (the networks, their training and the features are the same; docs/data.md tells more). The SVM
# was not: it is softmax's value moved by what the two differ on 5,085/1,017 images, both measured
# with this script. `published`: CS231n's notes and common knowledge, 50,000 training images.
LADDER = (
    Rung("kNN on pixels, k = 10", rungs.knn, 32.8, "up to 39"),
    Rung(
        "linear SVM on pixels",
        network(
            rungs.flat_pixels,
            partial(rungs.linear, 3072),
            Training(8, 5e-4, decay=1e-2, batch=200, hinge=True),
        ),
        39.2,
        "35 to 40",
    ),
    Rung(
        "softmax on pixels",
        network(
            rungs.flat_pixels, partial(rungs.linear, 3072), Training(8, 2e-3, decay=1e-2, batch=200)
        ),
        39.7,
        "35 to 40",
    ),
    Rung(
        "two-layer net, 50 hidden",
        network(
            rungs.flat_pixels,
            partial(rungs.two_layers, 3072, 50),
            Training(8, 0.01, decay=1e-3, batch=200),
        ),
        47.5,
    ),
    Rung(
        "two-layer net, 200 hidden",
        network(
            rungs.flat_pixels,
            partial(rungs.two_layers, 3072, 200),
            Training(12, 0.02, decay=2e-3, batch=200),
        ),
        51.2,
        "50 to 55",
    ),
    Rung(
        "HOG + hues, linear",
        network(rungs.hog_and_hue, partial(rungs.linear, 154), Training(20, 0.02, decay=1e-4)),
        49.3,
        "45 to 50",
    ),
    Rung(
        "HOG + hues, two layers, 500 hidden",
        network(
            rungs.hog_and_hue, partial(rungs.two_layers, 154, 500), Training(20, 0.05, decay=2e-3)
        ),
        54.9,
        "55 to 60",
    ),
    Rung(
        "ThreeLayerConvNet, 1 epoch",
        network(
            rungs.pixels,
            rungs.three_layer_convnet,
            Training(1, 1e-3, decay=1e-3, batch=50, adam=True),
        ),
        54.0,
    ),
    Rung(
        "three-layer ConvNet, 6 epochs",
        network(rungs.pixels, rungs.small_convnet, Training(6, 0.03, decay=5e-4, batch=64)),
        65.0,
        "65 to 75",
        is_long=True,
    ),
    Rung(
        "BatchNorm ConvNet, 10 epochs, flips",
        network(
            rungs.pixels,
            rungs.batchnorm_convnet,
            Training(10, 0.1, decay=5e-4, batch=64, flip=True),
        ),
        75.8,
        "80 and more",
        is_long=True,
    ),
    Rung(
        "shortcut: mean colour, small net",
        network(rungs.mean_colour, partial(rungs.two_layers, 6, 64), Training(10, 0.05, 1e-4)),
        None,
    ),
    Rung(
        "shortcut: border pixels, softmax",
        network(rungs.border, partial(rungs.linear, 720), Training(8, 2e-3, 1e-2, batch=200)),
        None,
    ),
    Rung(
        "shortcut: border pixels, small net",
        network(
            rungs.border, partial(rungs.two_layers, 720, 100), Training(8, 0.01, 2e-3, batch=200)
        ),
        None,
    ),
)
LINEAR = ("linear SVM on pixels", "softmax on pixels")


def read(path: Path | None, seed: int, train: int, test: int) -> Data:
    """The first images of the embedded set (``seed``), of an .npz, or of CIFAR-10's own files."""
    if path is None:
        X, X_test = _render("train", seed, train), _render("test", seed, test)
        y, y_test = spritecifar.labels("train", seed), spritecifar.labels("test", seed)
    elif path.suffix == ".npz":
        with np.load(path) as stored:
            X, y, X_test, y_test = (stored[key] for key in ("Xtr", "ytr", "Xte", "yte"))
    else:
        X, y, X_test, y_test = load_cifar10(path, num_train=train, num_test=test, dtype=np.uint8)
    X, X_test = X[:train], X_test[:test]
    labels = torch.from_numpy(np.asarray(y[: len(X)], np.int64))
    return Data(X, labels, X_test, torch.from_numpy(np.asarray(y_test[: len(X_test)], np.int64)))


def _render(split: spritecifar.Split, seed: int, count: int) -> np.ndarray:
    if seed == spritecifar.SEED:
        return spritecifar.load(split, count)[0]
    chunks = range(-(-count // spritecifar.CHUNK))
    with ThreadPoolExecutor(2) as pool:
        parts = list(pool.map(lambda index: spritecifar.render_chunk(split, index, seed), chunks))
    return np.concatenate(parts)[:count]


def climb(data: Data, ladder: list[Rung]) -> dict[str, float]:
    """Train every rung, telling on standard error how far it is."""
    results = {}
    for number, rung in enumerate(ladder, 1):
        print(f"[{number}/{len(ladder)}] {rung.name} ... ", end="", file=sys.stderr, flush=True)
        started = time.perf_counter()
        results[rung.name] = rung.run(data)
        seconds = time.perf_counter() - started
        print(f"{results[rung.name]:.1f} % ({seconds:.0f} s)", file=sys.stderr, flush=True)
    return results


def report(results: dict[str, float], ladder: list[Rung], judged: bool = True) -> list[str]:
    """Print the table; return what is wrong, a line each (nothing when it is not judged)."""
    best_linear = max(results[name] for name in LINEAR)
    wrong = []
    print("| classifier | here | CIFAR-10, same code | difference | published (50k) |")
    print("| --- | --- | --- | --- | --- |")
    for rung in ladder:
        here, mark = results[rung.name], ""
        if rung.real is None:
            if judged and here > best_linear:
                mark = " (!)"
                wrong.append(f"{rung.name}: {here:.1f} beats the linear rung, {best_linear:.1f}")
            print(f"| {rung.name} | {here:.1f}{mark} | | | |")
            continue
        if judged and abs(here - rung.real) > TOLERANCE:
            mark = " (!)"
            wrong.append(f"{rung.name}: {here:.1f} instead of {rung.real} +- {TOLERANCE:.0f}")
        difference = f"{here - rung.real:+.1f}{mark}"
        print(f"| {rung.name} | {here:.1f} | {rung.real} | {difference} | {rung.published} |")
    return wrong


def caption(folder: Path | None, quick: bool) -> int:
    """The captions' ladder, on SpriteScenes or on COCO's files in ``folder``."""
    data = prepare(load_coco_data(folder))
    print(f"{len(data.train_texts)} training and {len(data.references)} validation images\n")
    ladder = [rung for rung in caption_ladder.LADDER if not (quick and rung.is_long)]
    wrong = caption_ladder.report(caption_ladder.climb(data, ladder))
    print("\n" + "\n".join(wrong or ["The blind stay far below, neighbours in between."]))
    return bool(wrong)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", type=Path, help="a folder of CIFAR-10's files, or an .npz")
    parser.add_argument("--seed", type=int, default=spritecifar.SEED, help="of the embedded set")
    parser.add_argument("--train", type=int, default=SIZES[0], help="training images")
    parser.add_argument("--test", type=int, default=SIZES[1], help="test images")
    parser.add_argument("--quick", action="store_true", help="leave out the two long ConvNets")
    parser.add_argument("--threads", type=int, default=1, help="of torch (default 1)")
    parser.add_argument("--captions", action="store_true", help="climb the captions' ladder")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    if arguments.captions:
        return caption(arguments.data, arguments.quick)
    data = read(arguments.data, arguments.seed, arguments.train, arguments.test)
    source = arguments.data or f"SpriteCIFAR v{spritecifar.VERSION}, seed {arguments.seed}"
    print(f"{source}: {len(data.X)} training and {len(data.X_test)} test images\n", flush=True)
    ladder = [rung for rung in LADDER if not (arguments.quick and rung.is_long)]
    judged = (len(data.X), len(data.X_test)) == SIZES
    wrong = report(climb(data, ladder), ladder, judged)
    if not judged:
        print(f"\nNot judged: the reference is for {SIZES[0]} training and {SIZES[1]} test images.")
        return 0
    print("\n" + "\n".join(wrong or [f"All within {TOLERANCE:.0f} points, no shortcut too good."]))
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
