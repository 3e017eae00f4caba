"""The encoder that ships with the course: SimCLR on SpriteCIFAR, without a single label.

WEIGHTS.md, beside the file, says how it was made, and docs/pretraining.md how to make it anew.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from cs231n_lib.models.weights import WeightFile, read_weights, shipped
from cs231n_lib.simclr.model import Model

FOLDER = Path(__file__).parent
WEIGHTS = shipped(
    "simclr_resnet10.pt",
    sha256="04a3cf1eab211338e7ceb04220742525ff4e973892774b547aaac7fea0aba002",
)


def pretrained_model(device: str | torch.device = "cpu") -> Model:
    """``Model()`` with the shipped weights, in evaluation mode; draws no random number.

    All parameters can be trained on. Raises DataError when the file is damaged, or another one.
    """
    state = read_weights(FOLDER / WEIGHTS.name, WEIGHTS)
    with torch.device("meta"):  # no random weights that would be overwritten at once
        model = Model()
    whole = {name: v.float() if v.is_floating_point() else v for name, v in state.items()}
    model.load_state_dict(whole, assign=True)
    for parameter in model.parameters():
        parameter.requires_grad_(True)
    return model.to(device).eval()


def weights() -> Iterator[tuple[Path, WeightFile]]:
    """Where the weights are that ``pretrained_model()`` reads, and what they should be."""
    yield FOLDER / WEIGHTS.name, WEIGHTS


def measured() -> dict[str, Any]:
    """What was measured with this encoder and with small ones: ``measured.json``, as it says."""
    return json.loads((FOLDER / "measured.json").read_text("utf-8"))
