"""Train the encoder that ships with the course: SimCLR on SpriteCIFAR, labels unused.

    .venv/bin/python tools/pretrain_simclr.py OUT                      # a GPU: a few minutes
    .venv/bin/python tools/pretrain_simclr.py OUT --steps 5 --batch-size 64 --images 1000 --quick

Writes OUT/simclr_resnet10.pt, a state dict in float16, its SHA-256, and OUT/results.json: settings,
loss, seconds, and what the features are worth with 1, 10 and 100 % of the labels
(simclr_labels.py). To ship it, copy the file to cs231n_lib/simclr/, write the SHA-256 into
pretrained.py there and the figures into measured.json. docs/pretraining.md has the rest.

Chen, Kornblith, Norouzi, Hinton, A Simple Framework for Contrastive Learning of Visual
Representations (2020): algorithm 1.

Dimension letters: N images, B images in a batch, H x W pixels, D numbers of a projection.
"""

import argparse
import dataclasses
import hashlib
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from simclr_labels import label_efficiency
from torch import Tensor, nn
from torch.nn import functional
from training_options import add_options, settings_from

from cs231n_lib.data import spritecifar
from cs231n_lib.device import best_device, describe_device
from cs231n_lib.simclr import Model, PairLoader
from cs231n_lib.simclr import image_transforms as transforms
from cs231n_lib.torch_data import CIFAR10_MEAN, CIFAR10_STD

WEIGHTS, RESULTS = "simclr_resnet10.pt", "results.json"
WARM_UP = 0.03  # of all steps, in which the learning rate rises
LOGGED = 50  # losses that are kept of a run

Watch = Callable[[int, float, nn.Module], None]


@dataclass(frozen=True)
class Settings:
    """How to pre-train. The defaults are those of the weights that ship: 416 epochs of 20,000."""

    steps: int = 8125
    batch_size: int = 1024
    temperature: float = 0.5
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    crop_scale: tuple[float, float] = (0.2, 1.0)
    width: int = 32
    seed: int = 0


def augmentations(crop_scale: tuple[float, float]) -> transforms.Compose:
    """SimCLR's for small images (appendix B.9): no blur, and weaker colours."""
    jitter = transforms.ColorJitter(0.4, 0.4, 0.4, 0.1)
    return transforms.Compose(
        [
            transforms.RandomResizedCrop(32, scale=crop_scale),
            transforms.RandomHorizontalFlip(0.5),
            transforms.RandomApply([jitter], 0.8),
            transforms.RandomGrayscale(0.2),
            transforms.Normalize(CIFAR10_MEAN, CIFAR10_STD),
        ]
    )


def nt_xent(z_i: Tensor, z_j: Tensor, temperature: float) -> Tensor:
    """The contrastive loss of projections (B, D) of unit length, as a cross-entropy (equation 1).

    For each of the 2B views the right answer among the others is the other view of its image.
    """
    z = torch.cat([z_i, z_j]).float()
    logits = z @ z.T / temperature
    logits.fill_diagonal_(float("-inf"))
    partner = torch.arange(len(z), device=z.device).roll(len(z_i))
    return functional.cross_entropy(logits, partner)


def learning_rate(step: int, settings: Settings) -> float:
    """A short linear rise, then half a cosine down to 0."""
    done = step / settings.steps
    rise = min(1.0, (step + 1) / max(1.0, WARM_UP * settings.steps))
    return settings.learning_rate * rise * (1 + math.cos(math.pi * done)) / 2


def pretrain(
    images: NDArray[np.uint8],
    settings: Settings,
    *,
    transform: Any = None,
    device: str = "cpu",
    watch: Watch | None = None,
) -> tuple[Model, list[tuple[int, float]]]:
    """Train a ``Model`` on images (N, H, W, 3) alone; also returns (step, loss) now and then.

    transform: None for ``augmentations``. ``watch(step, loss, model)`` is called after each step.
    bfloat16 on a GPU. Raises FloatingPointError when a loss that is looked at is no number.
    """
    torch.manual_seed(settings.seed)
    model = Model(width=settings.width).to(device, memory_format=torch.channels_last).train()
    transform = augmentations(settings.crop_scale) if transform is None else transform
    unlabelled = np.zeros(len(images), np.int64)
    loader = PairLoader(
        images, unlabelled, transform, settings.batch_size, settings.seed, device=device
    )
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=settings.weight_decay)
    history: list[tuple[int, float]] = []
    every = max(1, settings.steps // LOGGED)
    step = 0
    while step < settings.steps:
        for x_i, x_j, _ in loader:
            optimizer.param_groups[0]["lr"] = learning_rate(step, settings)
            x = torch.cat([x_i, x_j]).contiguous(memory_format=torch.channels_last)
            with torch.autocast(device.split(":")[0], torch.bfloat16, enabled="cuda" in device):
                z = model(x)[1]
            loss = nt_xent(*z.chunk(2), settings.temperature)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if step % every == 0 or watch is not None:
                value = loss.item()  # waits for the GPU, hence not at every step
                _expect_number(value, step)
                if step % every == 0:
                    history.append((step, round(value, 4)))
                if watch is not None:
                    watch(step, value, model)
            if step == settings.steps:
                break
    return model.eval(), history


def save(model: nn.Module, folder: Path) -> str:
    """Write the weights in float16; returns the file's SHA-256."""
    state = {
        name: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for name, value in model.state_dict().items()
    }
    path = folder / WEIGHTS
    torch.save(state, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _expect_number(loss: float, step: int) -> None:
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"the loss is {loss} at step {step}. Lower --learning-rate, or raise --temperature"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("out", type=Path, help="folder for the weights and results.json")
    add_options(parser, Settings)
    parser.add_argument("--device", default=best_device())
    parser.add_argument("--images", type=int, default=None, help="use only the first ones")
    parser.add_argument("--quick", action="store_true", help="measure hardly anything afterwards")
    arguments = parser.parse_args()
    settings = settings_from(Settings, arguments)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    train, test = spritecifar.load("train", arguments.images), spritecifar.load("test")
    arguments.out.mkdir(parents=True, exist_ok=True)

    def say(step: int, loss: float, _: nn.Module) -> None:
        if step % max(1, settings.steps // 20) == 0:
            print(f"step {step} of {settings.steps}, loss {loss:.3f}", flush=True)

    begun = time.time()
    model, history = pretrain(train[0], settings, device=arguments.device, watch=say)
    seconds = time.time() - begun
    digest = save(model, arguments.out)
    print(f"{seconds:.0f} s; SHA-256 {digest}", flush=True)
    shares = (0.01,) if arguments.quick else (0.01, 0.1, 1.0)
    results = {
        "settings": dataclasses.asdict(settings),
        "images": len(train[0]),
        "machine": describe_device(),
        "seconds": round(seconds, 1),
        "sha256": digest,
        "loss": history,
        "labels": [
            label_efficiency(model, train, test, share, steps=5 if arguments.quick else None)
            for share in shares
        ],
    }
    (arguments.out / RESULTS).write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(json.dumps(results["labels"], indent=1))


if __name__ == "__main__":
    main()
