"""Networks that describe each patch of a picture: ours from ImageNet, DINO where it is there.

Dimension letters: n pictures of H x W pixels, G x G patches, D numbers of each.
"""

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cs231n_lib.image_utils import SQUEEZENET
from cs231n_lib.models import extract_features, load_pretrained

PATCH = 8  # pixels, of both networks


class PatchNetwork(Protocol):
    """What ``process_frames`` needs of a network.

    size: the side of the square picture that it looks at. grid: G. dim: D. mean, std: how pixels
    from 0 to 1 are normalised.
    """

    size: int
    grid: int
    dim: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    def tokens(self, x: Tensor) -> Tensor:
        """(n, 3, size, size) normalised -> (n, G*G, D), row by row from the top left."""
        ...


class ImageNetPatches(nn.Module):
    """Two stages of EfficientNet-Lite0: fine patterns of 8x8 pixels, and parts of things.

    Stage 5 has a place for each patch of 8x8 pixels and 40 channels; stage 11 one for 16x16 and
    112 channels, and is stretched to the same grid. Each is brought to length 1, place by place.
    """

    size, grid, dim = 240, 30, 152
    stages = (5, 11)

    def __init__(self, device: str | torch.device = "cpu") -> None:
        super().__init__()
        pretrained = load_pretrained("efficientnet-lite0", device=device)
        self.features = pretrained.features
        self.mean, self.std = pretrained.preprocessing.mean, pretrained.preprocessing.std

    def tokens(self, x: Tensor) -> Tensor:
        found = extract_features(x, self.features, last=max(self.stages))
        maps = [
            functional.interpolate(
                functional.normalize(found[stage], dim=1), size=(self.grid, self.grid),
                mode="bilinear", align_corners=False,
            )
            for stage in self.stages
        ]  # fmt: skip
        return torch.cat(maps, dim=1).flatten(2).transpose(1, 2)


class DinoPatches(nn.Module):
    """DINO's ViT-S/8 (Caron and others, 2021): 60 x 60 patches of 384 numbers, and a class token.

    The class token, the first of the 3601 in the last layer, describes the whole picture and is
    left out.
    """

    size, grid, dim = 480, 60, 384
    mean, std = SQUEEZENET.mean, SQUEEZENET.std  # ImageNet's, for DINO as well

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def tokens(self, x: Tensor) -> Tensor:
        return self.network.get_intermediate_layers(x, n=1)[0][:, 1:]


@torch.no_grad()  # not inference_mode, whose tensors cannot be trained on
def process_frames(
    frames: NDArray[np.uint8], model: PatchNetwork, device: str | torch.device
) -> Tensor:
    """Patch features of pictures, one at a time: (n, H, W, 3) uint8 -> (n, G*G, D) on ``device``.

    Pictures of another shape are squeezed into the network's square.
    """
    mean, std = (torch.tensor(v, device=device)[:, None, None] for v in (model.mean, model.std))
    found = []
    for frame in frames:
        x = torch.from_numpy(np.ascontiguousarray(frame)).to(device).permute(2, 0, 1) / 255
        x = functional.interpolate(
            ((x - mean) / std)[None], size=(model.size, model.size), mode="bilinear",
            align_corners=False,
        )  # fmt: skip
        found.append(model.tokens(x)[0])
    return torch.stack(found)


def process_masks(
    masks: NDArray[np.integer], device: str | torch.device, grid: int = ImageNetPatches.grid
) -> Tensor:
    """The class at the place of each patch, by the nearest pixel: (n, H, W, 1) -> (n, G*G) long."""
    pixels = torch.from_numpy(np.ascontiguousarray(masks)).permute(0, 3, 1, 2).float()
    small = functional.interpolate(pixels, size=(grid, grid), mode="nearest-exact")
    return small.long().flatten(1).to(device)
