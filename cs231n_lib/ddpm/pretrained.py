"""The U-Net weights that ship with the course, trained on the emoji.

WEIGHTS.md, beside the file, says how they were made, and docs/pretraining.md how to make them anew.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cs231n_lib.models.weights import Network, WeightFile, fill, shipped

FOLDER = Path(__file__).parent
WEIGHTS = shipped(
    "ddpm_emoji.pt",
    sha256="41e2c515d5a8d85f2b025aabb0b71d69bf209098021151ac50b1311c5db381cb",
)
#: What the weights are for: Unet(**UNET) in GaussianDiffusion(unet, **DIFFUSION).
UNET: dict[str, Any] = {"dim": 16, "condition_dim": 512, "dim_mults": (2, 4, 8)}
DIFFUSION: dict[str, Any] = {
    "image_size": 32,
    "timesteps": 100,
    "objective": "pred_noise",
    "beta_schedule": "sigmoid",
}


def load_pretrained(unet: Network) -> Network:
    """Fill ``Unet(**UNET)`` with the shipped weights; returns it, in evaluation mode.

    Raises DataError when the file is damaged or another one, or when the network's layers have
    other names or shapes: then nothing of it is changed.
    """
    advice = "Build Unet(**UNET), with the layers and names of the task."
    return fill(unet, FOLDER / WEIGHTS.name, WEIGHTS, advice)


def weights() -> Iterator[tuple[Path, WeightFile]]:
    """Where the weights are that ``load_pretrained`` reads, and what they should be."""
    yield FOLDER / WEIGHTS.name, WEIGHTS
