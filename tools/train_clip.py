"""Train the small CLIP that ships with the course, on the captioned scenes of assignment 3.

    OMP_NUM_THREADS=1 .venv/bin/python tools/train_clip.py OUT                  # about 3 minutes
    .venv/bin/python tools/train_clip.py OUT --epochs 1 --scenes 60 --batch-size 20   # a trial

First a frozen ImageNet network looks at each scene once; then two small encoders learn which
caption belongs to which scene. Writes OUT/tiny_clip.pt, a state dict in float16 without the frozen
network, and OUT/results.json: settings, loss, seconds, SHA-256, and what the model can do on
validation scenes, whose drawings it has never seen. To ship it, copy the file to
cs231n_lib/clip_dino/ and its SHA-256 into clip.py and WEIGHTS.md there.

Radford and others, *Learning Transferable Visual Models From Natural Language Supervision* (2021),
figure 3: the symmetric cross-entropy of scaled cosines.

Dimension letters: M scenes, B of them in a batch, P numbers of the frozen network, T tokens.
"""

import argparse
import dataclasses
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional
from training_options import add_options, settings_from

from cs231n_lib.clip_dino.clip import preprocess
from cs231n_lib.clip_dino.model import Backbone, TinyCLIP
from cs231n_lib.data.coco import embedded_arrays
from cs231n_lib.data.scene_captions import END, UNK, vocabulary
from cs231n_lib.data.scene_pictures import scene_images
from cs231n_lib.data.spritescenes import CAPTIONS_PER_SCENE, SIZES, Split
from cs231n_lib.models import load_pretrained

WEIGHTS, RESULTS = "tiny_clip.pt", "results.json"
LARGEST_SCALE = 4.6052  # ln 100, as in the paper
LOOKED_AT = 100  # scenes at a time

Watch = Callable[[int, float], None]


@dataclass(frozen=True)
class Settings:
    """How to train. The defaults are those of the weights that ship."""

    epochs: int = 24
    batch_size: int = 250
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    unknown: float = 0.03  # the share of words that are hidden, so that <UNK> means something
    seed: int = 0


def backbone_numbers(backbone: Backbone, split: Split, count: int | None = None) -> Tensor:
    """What the frozen network says of the first ``count`` scenes of a split: (M, P)."""
    total = SIZES[split] if count is None else count
    found = []
    for first in range(0, total, LOOKED_AT):
        pixels = scene_images(split, range(first, min(first + LOOKED_AT, total)))
        batch = torch.stack([preprocess(Image.fromarray(image)) for image in pixels])
        with torch.inference_mode():
            found.append(backbone(batch))
    return torch.cat(found).clone()


def loss_of(model: TinyCLIP, numbers: Tensor, tokens: Tensor) -> Tensor:
    """Which text belongs to each image, and which image to each text: (B, P), (B, T) -> scalar."""
    images = functional.normalize(model.image(numbers), dim=1)
    texts = functional.normalize(model.encode_text(tokens), dim=1)
    logits = model.logit_scale.exp() * images @ texts.T  # (B, B)
    right = torch.arange(len(logits))
    return (functional.cross_entropy(logits, right) + functional.cross_entropy(logits.T, right)) / 2


def train(
    features: torch.nn.Module, numbers: Tensor, captions: Tensor, settings: Settings,
    watch: Watch = lambda epoch, loss: None,
) -> TinyCLIP:  # fmt: skip
    """Numbers (M, P) and captions (5 * M, T), those of one scene together -> a trained model."""
    torch.manual_seed(settings.seed)
    model = TinyCLIP(features, len(vocabulary()))
    model.image.mean.copy_(numbers.mean(0))
    model.image.std.copy_(numbers.std(0) + 1e-3)
    parameters = [p for p in model.parameters() if p.requires_grad]
    steps = settings.epochs * (len(numbers) // settings.batch_size)
    if steps == 0:
        raise ValueError(
            f"{len(numbers)} scenes make no batch of {settings.batch_size}: lower --batch-size"
        )
    optimizer = torch.optim.AdamW(
        parameters, settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=steps
    )
    model.train()
    model.backbone.eval()
    for epoch in range(settings.epochs):
        losses = []
        for rows in torch.randperm(len(numbers)).split(settings.batch_size):
            if len(rows) < settings.batch_size:
                continue
            chosen = torch.randint(CAPTIONS_PER_SCENE, (len(rows),))
            tokens = captions[CAPTIONS_PER_SCENE * rows + chosen]
            hidden = (torch.rand(tokens.shape) < settings.unknown) & (tokens > END)
            loss = loss_of(model, numbers[rows], torch.where(hidden, UNK, tokens))
            if not loss.isfinite():
                raise FloatingPointError(f"the loss is {loss.item()} in epoch {epoch + 1}")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                model.logit_scale.clamp_(max=LARGEST_SCALE)
            losses.append(loss.item())
        watch(epoch + 1, sum(losses) / len(losses))
    return model.eval()


@torch.inference_mode()
def recall(model: TinyCLIP, numbers: Tensor, captions: Tensor) -> dict[str, float]:
    """How often the partner is among the k most similar, in both directions, in per cent."""
    images = functional.normalize(model.image(numbers), dim=1)
    texts = functional.normalize(model.encode_text(captions[::CAPTIONS_PER_SCENE]), dim=1)
    cosines = images @ texts.T
    found = {}
    for way, table in (("image to text", cosines), ("text to image", cosines.T)):
        better = (table > table.diag()[:, None]).sum(1)
        for k in (1, 5, 10):
            found[f"{way}, R@{k}"] = round(100 * (better < k).double().mean().item(), 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the small CLIP that ships with the course.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--scenes", type=int, default=None, help="of each split; default: all")
    add_options(parser, Settings)
    arguments = parser.parse_args()
    settings = settings_from(Settings, arguments)
    arguments.out.mkdir(parents=True, exist_ok=True)
    started = time.process_time()
    features = load_pretrained("efficientnet-lite0").features
    backbone = Backbone(features).eval()
    stored = embedded_arrays()
    data: dict[Split, tuple[Tensor, Tensor]] = {}
    for split in ("train", "val"):
        numbers = backbone_numbers(backbone, split, arguments.scenes)
        captions = torch.from_numpy(stored[f"{split}_captions"]).long()
        data[split] = numbers, captions[: CAPTIONS_PER_SCENE * len(numbers)]
        print(f"{split}: looked at {len(numbers)} scenes", flush=True)
    looked = time.process_time()
    history: list[float] = []

    def watch(epoch: int, loss: float) -> None:
        history.append(round(loss, 4))
        print(f"epoch {epoch:3} of {settings.epochs}: loss {loss:.3f}", flush=True)

    model = train(features, *data["train"], settings, watch)
    results: dict[str, Any] = {
        "settings": dataclasses.asdict(settings),
        "scenes": len(data["train"][0]),
        "loss": history,
        "seconds": {
            "looking": round(looked - started), "training": round(time.process_time() - looked)
        },
        "validation": recall(model, *data["val"]),
    }  # fmt: skip
    path = arguments.out / WEIGHTS
    torch.save({name: value.half() for name, value in model.trained().items()}, path)
    results["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    results["bytes"] = path.stat().st_size
    (arguments.out / RESULTS).write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(json.dumps(results["validation"]), results["sha256"], path, sep="\n")


if __name__ == "__main__":
    main()
