"""Train the U-Net that ships with the course, on the emoji that are not held out.

    .venv/bin/python tools/train_ddpm.py OUT                   # a GPU: minutes; one core: two hours
    .venv/bin/python tools/train_ddpm.py OUT --resume          # goes on where it was stopped
    .venv/bin/python tools/train_ddpm.py OUT --steps 4 --batch-size 4 --dim 4 --no-page  # a trial

Writes OUT/ddpm_emoji.pt, a state dict in float16 of the running average of the weights, its SHA-256
and OUT/results.json; and meanwhile OUT/checkpoint.pt, and pages of samples to look at. The network
and the loss are the answers of the notebook DDPM. To ship the weights, copy the file to
cs231n_lib/ddpm/, and write the SHA-256 into pretrained.py and WEIGHTS.md there.
docs/pretraining.md has the rest.

Letters: B images in a batch.
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
from torch import Tensor, nn
from training_options import add_options, settings_from

from cs231n_lib.ddpm import DIFFUSION, UNET, EmojiDataset
from cs231n_lib.ddpm.pictures import save_page
from cs231n_lib.device import best_device, describe_device
from cs231n_lib.notebooks import load
from cs231n_lib.seeding import seeded_torch

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS, CHECKPOINT, RESULTS = "ddpm_emoji.pt", "checkpoint.pt", "results.json"
WARM_UP = 200  # steps in which the learning rate rises
LOWEST = 0.02  # share of the learning rate that is left at the end
LARGEST_WEIGHT = 50  # of a noise level in the loss
PROMPTS = (
    "red apple", "blue heart", "yellow car", "green balloon", "purple tulip", "orange book",
    "grinning face", "crying face", "dog face", "cat face", "panda", "penguin",
    "pizza", "rocket", "sunflower", "soccer ball", "strawberry", "house",
    "purple car", "blue apple", "green star", "orange butterfly", "red dress", "yellow umbrella",
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """How to train. The defaults do at once what the shipped weights came to in parts."""

    steps: int = 12_000
    batch_size: int = 64
    learning_rate: float = 2e-3
    average: float = 0.999  # how much of the running average is kept at each step, in the end
    dim: int = UNET["dim"]
    seed: int = 0
    compile: bool = False


@dataclass
class Run:
    """A training in progress: everything that a checkpoint holds."""

    model: nn.Module  # GaussianDiffusion around the network
    averaged: nn.Module  # the same, with the running average of its weights
    optimizer: torch.optim.Optimizer
    step: int = 0

    def state(self) -> dict[str, Any]:
        parts = {name: getattr(self, name).state_dict() for name in PARTS}
        return {**parts, "step": self.step, "random": torch.get_rng_state()}

    def restore(self, state: dict[str, Any]) -> None:
        for name in PARTS:
            getattr(self, name).load_state_dict(state[name])
        self.step = state["step"]
        torch.set_rng_state(state["random"].cpu())


PARTS = ("model", "averaged", "optimizer")


def start(settings: Settings, device: str) -> Run:
    """A run at step 0, whose weights follow from the seed."""
    answers = load("DDPM", ROOT / "source" / "assignment4")
    torch.manual_seed(settings.seed)

    def made() -> nn.Module:
        unet = answers.Unet(**{**UNET, "dim": settings.dim})
        return answers.GaussianDiffusion(unet, **DIFFUSION).to(device)

    model, averaged = made(), made().eval()
    model.loss_weight.copy_(loss_weight(model.alphas_cumprod))  # pyright: ignore
    # The numbers of a text have squares that sum to 1. Its first layer begins, and learns, as one
    # does whose inputs have a variance of 1: otherwise texts are learned many times too slowly.
    text: nn.Parameter = model.model.condition_mlp[0].weight  # pyright: ignore
    scale = text.shape[1] ** 0.5
    with torch.no_grad():
        text.mul_(scale)
    averaged.load_state_dict(model.state_dict())
    others = [parameter for parameter in model.parameters() if parameter is not text]
    groups = [{"params": others, "factor": 1.0}, {"params": [text], "factor": scale}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.99), weight_decay=0.0)
    return Run(model, averaged, optimizer)


def loss_weight(alphas_cumprod: Tensor) -> Tensor:
    """max(1, 1/SNR), at most LARGEST_WEIGHT, with a mean of 1: (T,).

    Salimans and Ho, Progressive Distillation for Fast Sampling of Diffusion Models (2022), section
    4: their truncated SNR, for a network that predicts noise. Where noise hides the image, an error
    in the noise is small and one in the image is not, and there the text decides what is drawn.
    """
    weight = ((1 - alphas_cumprod) / alphas_cumprod).clamp(1, LARGEST_WEIGHT)
    return weight / weight.mean()


def learning_rate(step: int, settings: Settings) -> float:
    """A short linear rise, then half a cosine down to a small rest."""
    cosine = (1 + math.cos(math.pi * min(1.0, step / settings.steps))) / 2
    rise = min(1.0, (step + 1) / WARM_UP)
    return settings.learning_rate * rise * (LOWEST + (1 - LOWEST) * cosine)


def train(
    run: Run, dataset: EmojiDataset, settings: Settings, watch: Callable[[Run, float], None]
) -> None:
    """Take the steps that are left; ``watch(run, loss)`` is called after each.

    In bfloat16 as far as autocast does. Raises FloatingPointError when the loss is no number.
    """
    device = next(run.model.parameters()).device
    images, texts = dataset.images.to(device), dataset.text_embs.to(device)
    loss_of: Any = torch.compile(run.model.p_losses) if settings.compile else run.model.p_losses
    run.model.train()
    while run.step < settings.steps:
        for group in run.optimizer.param_groups:
            group["lr"] = learning_rate(run.step, settings) * group["factor"]
        chosen = torch.randint(len(images), (settings.batch_size,)).to(device)
        with torch.autocast(device.type, torch.bfloat16):
            loss: Tensor = loss_of(images[chosen], {"text_emb": texts[chosen]})
        run.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
        run.optimizer.step()
        run.step += 1
        value = loss.item()
        if not math.isfinite(value):
            raise FloatingPointError(
                f"the loss is {value} at step {run.step}. Lower --learning-rate, and --resume"
            )
        _average(run, min(settings.average, run.step / (run.step + 30)))
        watch(run, value)


@torch.no_grad()
def _average(run: Run, kept: float) -> None:
    pairs = zip(run.averaged.parameters(), run.model.parameters(), strict=True)
    for slow, fast in pairs:
        slow.lerp_(fast, 1 - kept)


def page(run: Run, dataset: EmojiDataset, path: Path, seed: int = 0) -> None:
    """Samples for PROMPTS, without guidance and with scale 2, from the averaged weights."""
    device = next(run.averaged.parameters()).device
    texts = torch.stack([dataset.embed_new_text(prompt) for prompt in PROMPTS]).to(device)
    rows = []
    for scale in (0.0, 2.0):
        with seeded_torch(np.random.default_rng(seed)):
            given = {"text_emb": texts, "cfg_scale": scale}
            rows.append(run.averaged.sample(len(PROMPTS), model_kwargs=given))  # pyright: ignore
    save_page(torch.cat(rows), path)


def save_checkpoint(run: Run, path: Path) -> None:
    unfinished = path.with_suffix(".part")
    torch.save(run.state(), unfinished)
    unfinished.replace(path)  # a file that is there is a whole one


def save_weights(run: Run, path: Path) -> str:
    """Write the averaged network in float16; returns the file's SHA-256."""
    network: Any = run.averaged.model
    state = {name: value.half().cpu().contiguous() for name, value in network.state_dict().items()}
    torch.save(state, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument(
        "out", type=Path, help="folder for weights, checkpoint, pages, results.json"
    )
    add_options(parser, Settings)
    parser.add_argument(
        "--compile", action="store_true", help="compile the loss: faster, after a minute"
    )
    parser.add_argument("--device", default=best_device())
    parser.add_argument("--every", type=int, default=500, help="steps between two checkpoints")
    parser.add_argument("--resume", action="store_true", help="go on from OUT/checkpoint.pt")
    parser.add_argument("--no-page", action="store_true", help="draw no samples")
    arguments = parser.parse_args()
    settings = settings_from(Settings, arguments)
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    dataset, run = EmojiDataset(), start(settings, arguments.device)
    if arguments.resume:
        if not (out / CHECKPOINT).is_file():
            raise SystemExit(f"error: {out / CHECKPOINT} is missing: begin without --resume")
        run.restore(torch.load(out / CHECKPOINT, weights_only=True, map_location=arguments.device))
        print(f"goes on from step {run.step}", flush=True)
    begun, losses = time.time(), []

    def watch(run: Run, loss: float) -> None:
        losses.append(loss)
        if run.step % arguments.every == 0 or run.step == settings.steps:
            recent = losses[-arguments.every :]
            seconds = time.time() - begun
            mean = sum(recent) / len(recent)
            print(
                f"step {run.step} of {settings.steps}, loss {mean:.4f}, {seconds:.0f} s", flush=True
            )
            save_checkpoint(run, out / CHECKPOINT)
            if not arguments.no_page:
                page(run, dataset, out / f"page-{run.step}.png")

    train(run, dataset, settings, watch)
    digest = save_weights(run, out / WEIGHTS)
    results = {
        "settings": dataclasses.asdict(settings),
        "images": len(dataset),
        "machine": describe_device(),
        "seconds": round(time.time() - begun, 1),
        "sha256": digest,
        "loss": round(sum(losses[-250:]) / max(1, len(losses[-250:])), 4),
    }
    (out / RESULTS).write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(f"{out / WEIGHTS}; SHA-256 {digest}")


if __name__ == "__main__":
    main()
