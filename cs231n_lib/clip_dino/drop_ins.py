"""The official notebook's models and data, where they are there. Nothing is downloaded.

OpenAI's CLIP: its package and weights. DINO: its repository and weights in torch's hub. DAVIS: its
folder in ``$CS231N_DATA``. Where one is missing, a DataError says what and how to get it.
"""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from cs231n_lib.clip_dino.patches import DinoPatches
from cs231n_lib.data.folders import DATA_VARIABLE, data_folders
from cs231n_lib.errors import DataError
from cs231n_lib.models.weights import torch_cache

CLIP_WEIGHTS = "ViT-B-32.pt"
DINO_WEIGHTS = "dino_deitsmall8_pretrain.pth"
DINO_FOLDER = "facebookresearch_dino_main"
# The validation videos in the order in which the official notebook numbers them.
_SPLIT = Path("ImageSets", "2017", "val.txt")


def openai_clip() -> ModuleType:
    """OpenAI's package ``clip``, to be used in place of ours: ``clip.load("ViT-B/32", device)``.

    Raises DataError where it, or its file of weights, is missing.
    """
    try:
        package = importlib.import_module("clip")
    except (ImportError, RuntimeError) as error:  # RuntimeError: a torchvision for another torch
        raise DataError(
            f"OpenAI's package clip cannot be imported ({error}). Install it from its repository, "
            "github.com/openai/CLIP, with a torchvision that fits your torch; or use ours, "
            "`from cs231n_lib.clip_dino import clip`."
        ) from error
    if not (hasattr(package, "load") and hasattr(package, "tokenize")):
        raise DataError(
            "The package clip that is installed is not OpenAI's: it has no `load` or no "
            "`tokenize`. PyPI's `clip` is another one; OpenAI's is at github.com/openai/CLIP."
        )
    path = Path.home().joinpath(".cache", "clip", CLIP_WEIGHTS)  # where that package keeps it
    if not path.is_file():
        raise DataError(
            f'{path} is missing. Where there is a connection, run `python -c "import clip; '
            "clip.load('ViT-B/32')\"` once (340 MB)."
        )
    return package


def dino_patches(device: str | torch.device = "cpu") -> DinoPatches:
    """DINO's ViT-S/8 from torch's hub. Raises DataError where it is missing."""
    folder = Path(torch.hub.get_dir()) / DINO_FOLDER
    path = torch_cache() / DINO_WEIGHTS
    for needed in (folder, path):
        if not needed.exists():
            raise DataError(
                f'{needed} is missing. Where there is a connection, run `python -c "import torch; '
                "torch.hub.load('facebookresearch/dino:main', 'dino_vits8')\"` once (90 MB); or "
                "use ImageNetPatches, which needs neither."
            )
    hub: Any = torch.hub
    network = hub.load(str(folder), "dino_vits8", source="local")
    return DinoPatches(network.to(device).eval().requires_grad_(False))


class DavisDataset:
    """The videos of DAVIS 2017 in 480p, as unpacked: ``$CS231N_DATA/DAVIS``."""

    def __init__(self, folder: str | Path | None = None) -> None:
        """``folder`` holds JPEGImages and Annotations. Raises DataError when it is missing."""
        places = [Path(folder)] if folder else [place / "DAVIS" for place in data_folders()]
        found = [place for place in places if (place / "JPEGImages" / "480p").is_dir()]
        if not found:
            raise DataError(
                f"{places[0]}: no JPEGImages/480p there. Unpack DAVIS-2017-trainval-480p.zip from "
                f"davischallenge.org into the folder that {DATA_VARIABLE} names; or use "
                "SpriteVideos, which needs no files."
            )
        self.folder = found[0]
        listed = self.folder / _SPLIT
        pictures = self.folder / "JPEGImages" / "480p"
        self.videos = (
            listed.read_text("utf-8").split()
            if listed.is_file()
            else sorted(path.name for path in pictures.iterdir() if path.is_dir())
        )

    def __len__(self) -> int:
        return len(self.videos)

    def get_sample(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Frames (T, H, W, 3) and masks (T, H, W, 1), uint8.

        Raises IndexError when there is no such video, DataError when a frame has no mask.
        """
        if not 0 <= index < len(self.videos):
            raise IndexError(f"video {index}: there are videos 0 to {len(self.videos) - 1}")
        name = self.videos[index]
        pictures = sorted((self.folder / "JPEGImages" / "480p" / name).glob("*.jpg"))
        frames, masks = [], []
        for picture in pictures:
            drawn = self.folder / "Annotations" / "480p" / name / f"{picture.stem}.png"
            if not drawn.is_file():
                raise DataError(f"{drawn} is missing: unpack the archive again")
            with Image.open(picture) as image, Image.open(drawn) as mask:
                frames.append(np.array(image.convert("RGB")))
                masks.append(np.array(mask))  # a palette: the numbers of the things
        if not frames:
            raise DataError(f"{self.folder}: video {name!r} has no frames: unpack it again")
        return np.stack(frames), np.stack(masks)[..., None]
