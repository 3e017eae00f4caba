"""Photographs that come with other packages: nothing is downloaded, nothing copied.

The packages are found on disk, not imported (scikit-learn alone would take a second), and only
files that are in their wheels are used. docs/vision.md says more about each photograph.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cs231n_lib.data.packages import package_folder
from cs231n_lib.errors import DataError
from cs231n_lib.extras import install
from cs231n_lib.image_utils import open_image, resize

_SKIMAGE, _SKLEARN, _MATPLOTLIB = "skimage", "sklearn", "matplotlib"
_FOLDERS = {_SKIMAGE: "data", _SKLEARN: "datasets/images", _MATPLOTLIB: "mpl-data/sample_data"}
_ON_PYPI = {_SKIMAGE: "scikit-image", _SKLEARN: "scikit-learn", _MATPLOTLIB: "matplotlib"}


@dataclass(frozen=True)
class Photo:
    """A picture in another package's folder.

    label: its ImageNet class, where that is certain. box: the part which is shown, as left, top,
    right, bottom; None is all of it.
    """

    package: str
    file: str
    author: str
    licence: str
    label: int | None = None
    box: tuple[int, int, int, int] | None = None


_CC0, _CC_BY, _PUBLIC = "CC0-1.0", "CC-BY-2.0", "public domain"
# The labels are what the picture shows, whatever a network says of it.
PHOTOS: Mapping[str, Photo] = MappingProxyType(
    {
        "chelsea": Photo(_SKIMAGE, "chelsea.png", "Stefan van der Walt", _CC0, label=281),
        "coffee": Photo(_SKIMAGE, "coffee.png", "Rachel Michetti", _CC0, label=967),
        "hopper": Photo(_MATPLOTLIB, "grace_hopper.jpg", "James S. Davis", _PUBLIC, label=652),
        "camera": Photo(_SKIMAGE, "camera.png", "Lav Varshney", _CC0, label=872),
        "shuttle": Photo(
            _SKIMAGE, "astronaut.png", "NASA", _PUBLIC, label=812, box=(312, 20, 512, 220)
        ),
        "astronaut": Photo(_SKIMAGE, "astronaut.png", "NASA", _PUBLIC),
        "rocket": Photo(_SKIMAGE, "rocket.jpg", "SpaceX", _PUBLIC),
        "china": Photo(_SKLEARN, "china.jpg", "danielbuechele (Flickr)", _CC_BY),
        "flower": Photo(_SKLEARN, "flower.jpg", "vultilion (Flickr)", _CC_BY),
        "hubble": Photo(_SKIMAGE, "hubble_deep_field.jpg", "NASA", _PUBLIC),
        "retina": Photo(_SKIMAGE, "retina.jpg", "Mikael Häggström", _CC0),
        "ihc": Photo(_SKIMAGE, "ihc.png", "CMMI, Gosselies", "no known copyright restrictions"),
        "brick": Photo(_SKIMAGE, "brick.png", "CC0Textures", _CC0),
        "grass": Photo(_SKIMAGE, "grass.png", "linolafett (DeviantArt)", _CC0),
        "gravel": Photo(_SKIMAGE, "gravel.png", "CC0Textures", _CC0),
    }
)
LABELLED = tuple(name for name, picture in PHOTOS.items() if picture.label is not None)


def photo(name: str, size: int | None = None) -> NDArray[np.uint8]:
    """A photograph by its name in ``PHOTOS``; its shorter side gets ``size`` pixels.

    Returns (H, W, 3) uint8. Raises ValueError for an unknown name, DataError when the package it
    comes with is not installed.
    """
    return np.array(resize(_open(name), size))


def square_photo(name: str, size: int = 224) -> NDArray[np.uint8]:
    """The largest square in the middle of a photograph, as (size, size, 3) uint8."""
    picture = _open(name)
    width, height = picture.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    return np.array(resize(square, size))


def _open(name: str) -> Image.Image:
    if name not in PHOTOS:
        raise ValueError(f"no photograph {name!r}; there are {', '.join(PHOTOS)}")
    chosen = PHOTOS[name]
    folder = package_folder(chosen.package)
    remedy = (
        f"Run {install('vision')}, or "
        f"`pip install --force-reinstall --no-deps {_ON_PYPI[chosen.package]}`."
    )
    if folder is None:
        raise DataError(
            f"The photograph {name!r} comes with {_ON_PYPI[chosen.package]}, which is not "
            f"installed. {remedy}"
        )
    path = folder / _FOLDERS[chosen.package] / chosen.file
    try:
        picture = open_image(path)
    except OSError as error:
        reason = error.strerror or "damaged"
        raise DataError(f"{path}: cannot be read ({reason}). {remedy}") from error
    return picture if chosen.box is None else picture.crop(chosen.box)
