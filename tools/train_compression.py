"""Train the network that the notebook on compression makes smaller.

    OMP_NUM_THREADS=1 .venv/bin/python tools/train_compression.py OUT       # half a minute
    .venv/bin/python tools/train_compression.py OUT --epochs 1 --images 640  # a trial

It learns the first 18,000 training images of the built-in SpriteCIFAR with batch normalisation,
which is then folded into the layers before it; the notebook validates with the other 2,000. Writes
OUT/convnet.pt, a state dict of `compression.ConvNet` in float16, and OUT/results.json: settings,
loss, seconds, SHA-256, and the accuracy on the test images, whose drawings it has never seen. To
ship it, copy the file to cs231n_lib/compression/ and its SHA-256 into network.py and WEIGHTS.md
there.
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
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import fuse_conv_bn_eval, fuse_linear_bn_eval
from training_options import add_options, settings_from

from cs231n_lib.compression.data import TRAINING
from cs231n_lib.compression.measuring import accuracy
from cs231n_lib.compression.network import LAYERS, ConvNet
from cs231n_lib.data.cifar10 import load_split
from cs231n_lib.torch_data import ImageSet, normalize_images, random_crop, random_flip

FILE, RESULTS = "convnet.pt", "results.json"
NORMALISED = LAYERS[:-1]

Watch = Callable[[int, float], None]


@dataclass(frozen=True)
class Settings:
    """How to train. The defaults are those of the weights that ship."""

    epochs: int = 8
    batch_size: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 3e-2
    dropout: float = 0.3
    padding: int = 3
    smoothing: float = 0.05
    seed: int = 0


class Normalised(nn.Module):
    """`ConvNet` with batch normalisation after all layers but the last, and with dropout."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.net = ConvNet()
        self.norms = nn.ModuleDict({name: _norm(self.net.layer(name)) for name in NORMALISED})
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        for name in NORMALISED:
            if name == "fc1":
                x = self.dropout(x.flatten(1))
            x = torch.relu(self.norms[name](self.net.layer(name)(x)))
        return self.net.fc2(self.dropout(x))

    def folded(self) -> ConvNet:
        """The same function in evaluation mode, without normalisation."""
        self.eval()
        plain = ConvNet()
        for name in NORMALISED:
            setattr(plain, name, _folded(self.net.layer(name), self.norms[name]))
        plain.fc2 = self.net.fc2
        return plain.eval()


def _norm(layer: nn.Conv2d | nn.Linear) -> nn.Module:
    if isinstance(layer, nn.Conv2d):
        return nn.BatchNorm2d(layer.out_channels)
    return nn.BatchNorm1d(layer.out_features)


def _folded(layer: nn.Conv2d | nn.Linear, norm: Any) -> nn.Module:
    if isinstance(layer, nn.Conv2d):
        return fuse_conv_bn_eval(layer, norm)
    return fuse_linear_bn_eval(layer, norm)


def train(
    data: ImageSet, settings: Settings, watch: Watch = lambda epoch, loss: None
) -> Normalised:
    """Cross-entropy with AdamW in one cycle; images are mirrored and shifted."""
    torch.manual_seed(settings.seed)
    model = Normalised(settings.dropout)
    steps = settings.epochs * (len(data) // settings.batch_size)
    if steps == 0:
        raise ValueError(
            f"{len(data)} images make no batch of {settings.batch_size}: lower --batch-size"
        )
    optimizer = torch.optim.AdamW(
        model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=steps
    )
    for epoch in range(settings.epochs):
        model.train()
        losses = []
        for rows in torch.randperm(len(data)).split(settings.batch_size):
            if len(rows) < settings.batch_size:
                continue
            x, y = data[rows]
            scores = model(random_crop(random_flip(x), settings.padding))
            loss = functional.cross_entropy(scores, y, label_smoothing=settings.smoothing)
            if not loss.isfinite():
                raise FloatingPointError(f"the loss is {loss.item()} in epoch {epoch + 1}")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        watch(epoch + 1, sum(losses) / len(losses))
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description="Train the network that is to be compressed.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=int, default=TRAINING, help="the first of training")
    add_options(parser, Settings)
    arguments = parser.parse_args()
    settings = settings_from(Settings, arguments)
    arguments.out.mkdir(parents=True, exist_ok=True)
    sets = {}
    for split in ("train", "test"):
        images, labels = load_split(None, split, arguments.images if split == "train" else None)
        sets[split] = ImageSet(normalize_images(images), torch.from_numpy(labels).long())
    history: list[float] = []

    def watch(epoch: int, loss: float) -> None:
        history.append(round(loss, 4))
        print(f"epoch {epoch:3} of {settings.epochs}: loss {loss:.3f}", flush=True)

    started = time.process_time()
    model = train(sets["train"], settings, watch)
    seconds = round(time.process_time() - started)
    plain = model.folded()
    path = arguments.out / FILE
    torch.save({name: value.half() for name, value in plain.state_dict().items()}, path)
    shipped = ConvNet().eval()
    shipped.load_state_dict(
        {name: value.float() for name, value in torch.load(path, weights_only=True).items()}
    )
    results: dict[str, Any] = {
        "settings": dataclasses.asdict(settings),
        "images": len(sets["train"]),
        "loss": history,
        "seconds": seconds,
        "accuracy": {
            "training": round(accuracy(shipped, sets["train"]), 2),
            "test": round(accuracy(shipped, sets["test"]), 2),
            "test, with normalisation, in float32": round(accuracy(model, sets["test"]), 2),
        },
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "bytes": path.stat().st_size,
    }
    (arguments.out / RESULTS).write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(json.dumps(results["accuracy"]), results["sha256"], path, sep="\n")


if __name__ == "__main__":
    main()
