"""The U-Net weights that ship with the course, trained on the emoji.

WEIGHTS.md, beside the file, says how they were made, and docs/pretraining.md how to make them anew.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from cs231n_lib.errors import DataError
from cs231n_lib.models.weights import WeightFile, read_weights, shipped

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

Model = TypeVar("Model", bound=nn.Module)


def load_pretrained(unet: Model) -> Model:
    """Fill ``Unet(**UNET)`` with the shipped weights; returns it, in evaluation mode.

    Raises DataError when the file is damaged or another one, or when the network's layers have
    other names or shapes: then nothing of it is changed.
    """
    state = read_weights(FOLDER / WEIGHTS.name, WEIGHTS)
    wanted = {name: tuple(value.shape) for name, value in state.items()}
    found = {name: tuple(value.shape) for name, value in unet.state_dict().items()}
    wrong = sorted(
        name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name)
    )
    if wrong:
        first = wrong[0]
        raise DataError(
            f"the shipped weights do not fit this network: {len(wrong)} parameters differ, the "
            f"first is {first}, {found.get(first, 'missing')} here and "
            f"{wanted.get(first, 'missing')} in the file. Build Unet(**UNET), with the layers and "
            "names of the task."
        )
    unet.load_state_dict({name: value.float() for name, value in state.items()})
    return unet.eval()


def weights() -> Iterator[tuple[Path, WeightFile]]:
    """Where the weights are that ``load_pretrained`` reads, and what they should be."""
    yield FOLDER / WEIGHTS.name, WEIGHTS
