"""Compute what ships of SpriteScenes: captions and features, ``cs231n_lib/data/captions.npz``.

    .venv/bin/python tools/build_captions.py          # about 3 minutes on one core

Run it after any edit that changes a scene, a caption, a pixel or the bank of drawings. Captions are
stored because writing 30,000 takes two seconds; features because computing them takes minutes and
torch. Pictures are not stored: they are painted when they are asked for.

Features are as the course's own networks see: EfficientNet-Lite0, trained on ImageNet, looks at the
picture at 112x112 pixels. Its last layer, averaged, says what is there (1280 numbers), and the mean
of a middle one in 3x3 parts of the picture says roughly where (9 x 112). All are standardised, and
the 512 directions in which the training scenes differ most are kept (PCA). Stored as int8 in steps
of 0.2, where 1 is the mean standard deviation of the 512: 1.9 MB instead of 5.7 MB as float16.

Dimension letters: M scenes, P = 2288 numbers of the network, D = 512 features.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cs231n_lib.data.scene_captions import encode, scene_captions
from cs231n_lib.data.scene_pictures import scene_images
from cs231n_lib.data.spritescenes import SIZES, Split
from cs231n_lib.models import extract_features, load_pretrained

OUT = Path(__file__).resolve().parents[1] / "cs231n_lib" / "data" / "captions.npz"
FEATURES = 512
STEP = np.float32(0.2)
SHOWN_SIZE = 112
MIDDLE_STAGE, PARTS = 11, 3
BATCH = 100


def captions(split: Split) -> NDArray[np.uint8]:
    """The ids of all captions of a split, those of one scene together: (5 * M, 17)."""
    rows = [encode(text) for index in range(SIZES[split]) for text in scene_captions(split, index)]
    return np.stack(rows).astype(np.uint8)


def raw_features(split: Split, count: int | None = None) -> Tensor:
    """What the network says of the first ``count`` scenes of a split: (M, P)."""
    pretrained = load_pretrained("efficientnet-lite0")
    mean, std = (
        torch.tensor(values)[:, None, None] * 255
        for values in (pretrained.preprocessing.mean, pretrained.preprocessing.std)
    )
    found = []
    total = SIZES[split] if count is None else count
    for first in range(0, total, BATCH):
        pixels = scene_images(split, range(first, min(first + BATCH, total)))
        x = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() - mean) / std
        x = functional.interpolate(x, size=SHOWN_SIZE, mode="bilinear")
        with torch.inference_mode():
            stages = extract_features(x, pretrained.features)
            middle = functional.adaptive_avg_pool2d(stages[MIDDLE_STAGE], PARTS)
            found.append(torch.cat([stages[-1].mean((2, 3)), middle.flatten(1)], 1))
    return torch.cat(found)


def reduce(train: Tensor, val: Tensor) -> tuple[Tensor, Tensor, float]:
    """Standardise by the training split, and keep its 512 main directions: (M, D) each.

    The third value is the share of the training split's variance that they keep.
    """
    mean, std = train.mean(0), train.std(0) + 1e-3
    train, val = ((x.double() - mean) / std for x in (train, val))
    variances, directions = torch.linalg.eigh(train.T @ train / len(train))
    main = directions.flip(1)[:, :FEATURES]
    # The sign of a direction is arbitrary: let its largest entry be positive.
    main = main * main.gather(0, main.abs().argmax(0, keepdim=True)).sign()
    kept = variances.flip(0)[:FEATURES].sum() / variances.sum()
    train, val = train @ main, val @ main
    scale = train.std(0).mean()
    return train / scale, val / scale, kept.item()


def quantise(features: Tensor) -> NDArray[np.int8]:
    return np.clip(np.rint(features.numpy() / STEP), -127, 127).astype(np.int8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    started = time.perf_counter()
    train, val, kept = reduce(raw_features("train"), raw_features("val"))
    np.savez_compressed(
        arguments.out,
        train_captions=captions("train"),
        val_captions=captions("val"),
        train_features=quantise(train),
        val_features=quantise(val),
        step=STEP,
    )
    size, seconds = arguments.out.stat().st_size / 1e6, time.perf_counter() - started
    print(f"{arguments.out}: {size:.2f} MB, {100 * kept:.0f} % of the variance, {seconds:.0f} s")


if __name__ == "__main__":
    main()
