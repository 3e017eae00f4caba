"""Measure what the notebook draws and could not wait for: cs231n_lib/simclr/measured.json.

    .venv/bin/python tools/simclr_study.py ablation monitor frozen all_labels  # one core, an hour

ablation: a small encoder pre-trained with some of the augmentations left out, and what its features
then say: whether neighbours have the same label, and whether they have the same colours.
monitor: loss, kNN and linear probe of a small encoder over pre-training.
frozen: kNN and probe on features of the shipped encoder at 1, 10 and 100 % of the labels.
all_labels: fine-tuning beside training from scratch with all labels (stored: --seed 1).

Each part replaces its own entry of the file and leaves the others. Everything that is chosen by
looking at accuracy is measured on validation images, which are training images held back.

Dimension letters: N images, M others, H x W pixels, F features, K bins of a histogram.
"""

import argparse
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pretrain_simclr import Settings, augmentations, pretrain
from simclr_labels import PROBE_L2, Split, all_labels, knn, machine, percent, probe, subset
from torch import Tensor, nn
from torch.nn import functional

from cs231n_lib.data import spritecifar
from cs231n_lib.simclr import Model, features_of, knn_accuracy, linear_probe, pretrained_model
from cs231n_lib.simclr import image_transforms as transforms
from cs231n_lib.simclr.views import as_batch

MEASURED = Path(__file__).resolve().parents[1] / "cs231n_lib" / "simclr" / "measured.json"
TRAINING, VALIDATION = 4000, 1000  # images of the small experiments
SMALL = Settings(steps=800, batch_size=128, width=8, crop_scale=(0.2, 1.0))
LONG = dataclasses.replace(SMALL, steps=1000, batch_size=64)
CHECKED = (10, 30, 60, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000)
NEIGHBOURS = 20  # few, so that colours and labels of near images are compared
LOOKALIKES = 0.05  # the share of training images that counts as having the same colours
BINS = 4  # of each of red, green and blue

#: Which augmentations an encoder is trained with, by name; ``Normalize`` always follows.
VARIANTS: dict[str, tuple[str, ...]] = {
    "flip": ("RandomHorizontalFlip",),
    "crop": ("RandomResizedCrop",),
    "colour": ("RandomApply", "RandomGrayscale"),
    "crop and flip": ("RandomResizedCrop", "RandomHorizontalFlip"),
    "flip and colour": ("RandomHorizontalFlip", "RandomApply", "RandomGrayscale"),
    "crop and jitter": ("RandomResizedCrop", "RandomApply"),
    "all but jitter": ("RandomResizedCrop", "RandomHorizontalFlip", "RandomGrayscale"),
    "all": ("RandomResizedCrop", "RandomHorizontalFlip", "RandomApply", "RandomGrayscale"),
}


def only(names: tuple[str, ...]) -> transforms.Compose:
    """SimCLR's augmentations without those that are not named."""
    steps = augmentations(SMALL.crop_scale).transforms
    return transforms.Compose([s for s in steps if type(s).__name__ in (*names, "Normalize")])


def splits() -> tuple[Split, Split]:
    """Training images, and others held back for validation: they show the same drawings."""
    images, labels = spritecifar.load("train", TRAINING + VALIDATION)
    return (images[:TRAINING], labels[:TRAINING]), (images[TRAINING:], labels[TRAINING:])


def colour_histograms(images: NDArray[np.uint8]) -> Tensor:
    """How many pixels of each of K = BINS**3 colours, as square roots of shares: (N, K).

    So the rows have length 1, and their cosine is the Bhattacharyya coefficient.
    """
    bins = (torch.from_numpy(images).long() * BINS // 256).flatten(1, 2)  # (N, H * W, 3)
    colours = (bins * torch.tensor([BINS**2, BINS, 1])).sum(2)
    counts = functional.one_hot(colours, BINS**3).sum(1)
    return (counts / colours.shape[1]).sqrt()


def neighbours(features: Tensor, others: Tensor) -> Tensor:
    """The rows of the nearest training images by cosine: (M, NEIGHBOURS)."""
    known, queries = functional.normalize(features, dim=1), functional.normalize(others, dim=1)
    return (queries @ known.T).topk(NEIGHBOURS, dim=1).indices


def same_colours(train: Split, validation: Split, near: Tensor) -> float:
    """The share of neighbours that are among the 5 % of training images most alike in colour.

    near: their rows, (M, k). By chance it is 5 %.
    """
    alike = colour_histograms(validation[0]) @ colour_histograms(train[0]).T  # (M, N)
    threshold = alike.quantile(1 - LOOKALIKES, dim=1, keepdim=True)
    return (alike.gather(1, near) >= threshold).float().mean().item()


def report(features: Tensor, others: Tensor, train: Split, validation: Split) -> dict[str, float]:
    """What features (N, F) of training and (M, F) of validation images are worth, all in %."""
    y, truth = train[1], validation[1]
    near = neighbours(features, others)
    return {
        "knn": percent(knn_accuracy(features, y, others, truth, k=NEIGHBOURS)),
        "probe": percent(linear_probe(features, y, others, truth, l2=PROBE_L2)),
        "same_label": percent(float((y[near.numpy()] == truth[:, None]).mean())),
        "same_colours": percent(same_colours(train, validation, near)),
    }


def ablation(seed: int) -> dict[str, Any]:
    """Each variant for the same number of steps, beside what no training at all gives."""
    train, validation = splits()

    def of(model: nn.Module) -> dict[str, float]:
        return report(features_of(model, train[0]), features_of(model, validation[0]), *both)

    both = train, validation
    pixels = [as_batch(images).flatten(1) for images, _ in both]
    colours = [colour_histograms(images) for images, _ in both]
    rows: list[dict[str, Any]] = [
        {"name": "pixels", "trained": False, **report(*pixels, *both)},
        {"name": "colour histogram", "trained": False, **report(*colours, *both)},
    ]
    torch.manual_seed(seed)
    random = Model(width=SMALL.width)
    rows.append({"name": "random encoder", "trained": False, **of(random)})
    for name, kept in VARIANTS.items():
        settings = dataclasses.replace(SMALL, seed=seed)
        model, history = pretrain(train[0], settings, transform=only(kept))
        row = {"name": name, "trained": True, "augmentations": kept, "loss": history[-1][1]}
        rows.append({**row, **of(model)})
        print(json.dumps(rows[-1]), flush=True)
    return {"neighbours": NEIGHBOURS, **_about(dataclasses.replace(SMALL, seed=seed)), "rows": rows}


def monitor(seed: int) -> dict[str, Any]:
    """Loss, kNN and probe of a small encoder over pre-training with all augmentations."""
    train, validation = splits()
    rows: list[dict[str, Any]] = []
    recent: list[float] = []
    settings = dataclasses.replace(LONG, seed=seed)

    def look(step: int, loss: float, model: nn.Module) -> None:
        recent.append(loss)
        if step in CHECKED:
            mean = float(np.mean(recent))
            recent.clear()
            rows.append({"step": step, "loss": round(mean, 4), **_monitored(model)})
            print(json.dumps(rows[-1]), flush=True)

    def _monitored(model: nn.Module) -> dict[str, float]:
        return {
            "knn": percent(knn(model, train, validation)),
            "probe": percent(probe(model, train, validation)),
        }

    torch.manual_seed(seed)
    start = Model(width=LONG.width)
    rows.append({"step": 0, "loss": None, **_monitored(start)})
    pretrain(train[0], settings, watch=look)
    return {"neighbours": 200, **_about(settings), "rows": rows}


def frozen(seed: int) -> dict[str, Any]:
    """The shipped encoder: probe at three shares of the labels, kNN with all, on test images."""
    train, test = spritecifar.load("train"), spritecifar.load("test")
    torch.manual_seed(seed)
    encoders = {"pretrained": pretrained_model(), "random": Model()}
    rows: list[dict[str, Any]] = []
    for name, model in encoders.items():
        known, others = features_of(model, train[0]), features_of(model, test[0])
        for share in (0.01, 0.1, 1.0):
            chosen = subset(len(known), share)
            y = train[1][chosen]
            right = linear_probe(known[chosen], y, others, test[1], l2=PROBE_L2)
            rows.append({"encoder": name, "share": share, "probe": percent(right)})
        nearest = knn_accuracy(known, train[1], others, test[1])
        rows.append({"encoder": name, "share": 1.0, "knn": percent(nearest)})
        print(json.dumps(rows[-4:]), flush=True)
    return {"test_images": len(test[1]), "probe_l2": PROBE_L2, "machine": machine(), "rows": rows}


def _about(settings: Settings) -> dict[str, Any]:
    return {
        "settings": dataclasses.asdict(settings),
        "training_images": TRAINING,
        "validation_images": VALIDATION,
        "probe_l2": PROBE_L2,
        "machine": machine(),
    }


PARTS = {"ablation": ablation, "monitor": monitor, "frozen": frozen, "all_labels": all_labels}


def keep(name: str, found: dict[str, Any], path: Path) -> None:
    """Replace one entry of the file."""
    entries = json.loads(path.read_text("utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**entries, name: found}, indent=1) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("parts", nargs="+", choices=PARTS)
    parser.add_argument("--out", type=Path, default=MEASURED)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    for part in chosen.parts:
        begun = time.process_time()
        found = PARTS[part](chosen.seed)
        found["cpu_seconds"] = round(time.process_time() - begun)
        keep(part, found, chosen.out)


if __name__ == "__main__":
    main()
