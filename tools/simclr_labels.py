"""What a pre-trained encoder is worth when only a share of the labels is known.

Compared on the same test images: a linear probe on frozen features, those of the pre-trained
encoder and those of a random one; fine-tuning of the whole network; training from scratch for as
many steps; and for four times as many, since "pre-training is just more training" is to be tested.

Dimension letters: N images, H x W pixels.
"""

import copy
import json
import math
import platform
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cs231n_lib.data import spritecifar
from cs231n_lib.simclr import (
    Model,
    features_of,
    knn_accuracy,
    linear_probe,
    normalized,
    pretrained_model,
)
from cs231n_lib.simclr.model import device_of

Split = tuple[NDArray[np.uint8], NDArray[np.int64]]

STEPS = {0.01: 300, 0.1: 1000, 1.0: 3000}
BATCH_SIZE = 128
FINE_TUNING_RATE, SCRATCH_RATE = 5e-4, 2e-3
NEIGHBOURS = 200
PROBE_L2 = 0.1
ALL_LABELS_STEPS = 200  # a pass and a quarter over 20,000 images: what a CPU can do


def subset(count: int, share: float, seed: int = 1) -> NDArray[np.int64]:
    """Which of ``count`` images have a label: 50 at least."""
    return np.random.default_rng(seed).permutation(count)[: max(50, round(share * count))]


def label_efficiency(
    model: Model,
    train: Split,
    test: Split,
    share: float,
    *,
    steps: int | None = None,
    seed: int = 1,
) -> dict[str, float | int]:
    """Right answers in % of all that is compared, at one share of the labels.

    train and test: images (N, H, W, 3) uint8 with labels (N,). steps: None for those of ``STEPS``.
    """
    rows = subset(len(train[0]), share, seed)
    few = train[0][rows], train[1][rows]
    steps = STEPS[share] if steps is None else steps
    torch.manual_seed(seed)
    fresh = Model(width=model.width).to(device_of(model))
    return {
        "share": share,
        "images": len(rows),
        "steps": steps,
        "probe_pretrained": percent(probe(model, few, test)),
        "probe_random": percent(probe(fresh, few, test)),
        "fine_tuned": percent(supervised(model, few, test, steps, FINE_TUNING_RATE, seed)),
        "scratch_same_steps": percent(supervised(fresh, few, test, steps, SCRATCH_RATE, seed)),
        "scratch_4x_steps": percent(supervised(fresh, few, test, 4 * steps, SCRATCH_RATE, seed)),
    }


def all_labels(seed: int) -> dict[str, Any]:
    """With every label: fine-tuned, from scratch for as many steps, and for four times as many."""
    train, test = spritecifar.load("train"), spritecifar.load("test")
    rows = subset(len(train[0]), 1.0)
    labelled = train[0][rows], train[1][rows]
    encoder = pretrained_model()
    torch.manual_seed(seed)
    fresh = Model(width=encoder.width)
    runs = {
        "fine_tuned": (encoder, ALL_LABELS_STEPS, FINE_TUNING_RATE),
        "scratch_same_steps": (fresh, ALL_LABELS_STEPS, SCRATCH_RATE),
        "scratch_4x_steps": (fresh, 4 * ALL_LABELS_STEPS, SCRATCH_RATE),
    }
    right = {}
    for name, (model, steps, rate) in runs.items():
        right[name] = percent(supervised(model, labelled, test, steps, rate, seed))
        print(json.dumps({name: right[name]}), flush=True)
    about = {"images": len(rows), "test_images": len(test[1]), "seed": seed, "machine": machine()}
    return {**about, "steps": ALL_LABELS_STEPS, **right}


def probe(model: nn.Module, train: Split, test: Split, l2: float = PROBE_L2) -> float:
    """A linear classifier on frozen features: share of right answers."""
    known, others = features_of(model, train[0]), features_of(model, test[0])
    return linear_probe(known, train[1], others, test[1], l2=l2)


def knn(model: nn.Module, train: Split, test: Split) -> float:
    """The k nearest neighbours among all training images: share of right answers."""
    known, others = features_of(model, train[0]), features_of(model, test[0])
    return knn_accuracy(known, train[1], others, test[1], k=NEIGHBOURS)


def supervised(
    model: Model, train: Split, test: Split, steps: int, rate: float, seed: int
) -> float:
    """Train a copy of the encoder with a linear layer on labels: share of right answers.

    Batches of 128 with mirrored images; AdamW, the rate falling as half a cosine.
    """
    device = device_of(model)
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    layer = nn.Linear(model.feature_size, 10).to(device)
    network = nn.Sequential(copy.deepcopy(model.f), layer).train()
    images, labels = (torch.from_numpy(values).to(device) for values in train)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=1e-3)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * step / steps)) / 2
        rows = torch.randint(len(images), (BATCH_SIZE,), generator=generator).to(device)
        mirrored = torch.rand(BATCH_SIZE, generator=generator).to(device) < 0.5
        x = normalized(images[rows])
        x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            loss = functional.cross_entropy(network(x), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return accuracy(features_of(network, test[0]), test[1])


def accuracy(scores: Tensor, labels: NDArray[np.int64]) -> float:
    return (scores.argmax(1).cpu() == torch.from_numpy(labels)).float().mean().item()


def percent(share: float) -> float:
    return round(100 * share, 1)


def machine() -> str:
    """The processor as Linux names it, where it does, how many threads of it, and torch."""
    described = Path("/proc/cpuinfo")
    names = described.read_text().split("model name\t: ")[1:] if described.is_file() else []
    processor = names[0].partition("\n")[0] if names else platform.machine()
    threads = torch.get_num_threads()
    return f"{processor}, {threads} thread{'s' * (threads > 1)}, torch {torch.__version__}"
