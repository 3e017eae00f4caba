"""Images as NumPy arrays: read, normalise as a network expects, and turn back into pictures.

Dimension letters: N images of H x W pixels, C = 3 channels (red, green, blue).
"""

import io
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from cs231n_lib.errors import DataError

SQUEEZENET_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
SQUEEZENET_STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)

Pixels = NDArray[np.uint8]
# A pixel keeps 94 % of itself; the rest comes evenly from its eight neighbours' rows and columns.
_GENTLE = np.array([0.015, 0.97, 0.015])
_MAX_BYTES = 20_000_000
_SILENCE = 10  # seconds without a byte
_PATIENCE = 20.0  # seconds in all


@dataclass(frozen=True)
class Preprocessing:
    """What a network wants done to its pixels: ``(values from 0 to 1 - mean) / std``.

    mean, std: red, green, blue. size: height and width of the images it was trained on.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    size: int = 224


SQUEEZENET = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))


def preprocess_image(
    img: ArrayLike, preprocessing: Preprocessing = SQUEEZENET
) -> NDArray[np.float32]:
    """Normalise pixels as the network expects them.

    Shapes: img (..., H, W, 3) with values from 0 to 255; returns the same shape, float32.
    Raises ValueError when the last axis does not hold three colours.
    """
    pixels = _three_colours(img).astype(np.float32)
    mean, std = _arrays(preprocessing)
    return (pixels / np.float32(255) - mean) / std


def deprocess_image(
    img: ArrayLike, rescale: bool = False, preprocessing: Preprocessing = SQUEEZENET
) -> Pixels:
    """Undo ``preprocess_image``, rounded to whole pixel values; what is out of range is clipped.

    With ``rescale`` the smallest value becomes black and the largest white, for images that are
    no photographs, such as gradients.
    Shapes: img (..., H, W, 3); returns the same shape, uint8.
    """
    mean, std = _arrays(preprocessing)
    values = _three_colours(img) * std + mean
    if rescale:
        low, high = values.min(), values.max()
        values = (values - low) / max(high - low, np.finfo(np.float32).tiny)
    return np.clip(np.rint(255 * values), 0, 255).astype(np.uint8)


def load_image(filename: str | os.PathLike[str], size: int | None = None) -> Pixels:
    """Read an image file as red, green, blue; upright, as the camera was held.

    With ``size`` the picture is made smaller or larger, so that its shorter side has as many
    pixels. Returns (H, W, 3) uint8. Raises DataError when it cannot be read.
    """
    try:
        return np.array(resize(open_image(filename), size))
    except OSError as error:  # also what PIL raises for a file that is no image, or half of one
        reason = getattr(error, "strerror", None) or "it is not an image, or it is damaged"
        raise DataError(
            f"{Path(filename)}: cannot be read ({reason}). Give the path of a JPEG or PNG file."
        ) from error


def blur_image(X: ArrayLike) -> NDArray[Any]:
    """Blur a little: 3x3 pixels, of which the one in the middle weighs 94 %.

    A regulariser for images that are being optimised. At the borders the outermost pixel is
    repeated, so a uniform image stays as it is.
    Shapes: X (N, C, H, W); returns the same shape. Raises ValueError on other shapes.
    """
    from scipy.ndimage import correlate1d  # here: cs231n_lib.data reads images, and starts faster

    images = np.asarray(X)
    if images.ndim != 4:
        raise ValueError(f"X must have shape (N, C, H, W), not {images.shape}")
    if not np.issubdtype(images.dtype, np.floating):
        images = images.astype(np.float64)
    for axis in (2, 3):
        images = correlate1d(images, _GENTLE, axis=axis, mode="nearest")
    return images


def image_from_url(url: str) -> Pixels | None:
    """Fetch the image at an address: (H, W, 3) uint8; None, with a word why, when that fails.

    The embedded scenes have addresses, too: ``scene://train/17`` is painted here, without a
    network. Of the web at most 20 MB are read, for at most 20 seconds.
    Raises ValueError when the address begins with neither http://, https:// nor scene://, or
    names a scene that there is not.
    """
    scheme = urlsplit(url).scheme
    if scheme == "scene":
        return _scene_image(url)
    if scheme not in ("http", "https"):
        raise ValueError(f"{url!r} is not a web address: it must begin with http:// or https://")
    try:
        content = _within(_PATIENCE, lambda: _download(url))
        return np.array(open_image(io.BytesIO(content)))
    except _DownloadError as error:
        print(f"{url}: {error}. Everything else works without this image.")
    except (OSError, Image.DecompressionBombError):
        print(f"{url}: this is not an image")
    return None


class _DownloadError(Exception):
    """There is nothing to be had from an address; the message says why."""


def _download(url: str) -> bytes:
    """Read all that is at an address, if it is not too much. Raises _DownloadError."""
    import requests  # here: it takes a while to import, and few notebooks need it

    try:
        with requests.get(url, stream=True, timeout=_SILENCE) as response:
            response.raise_for_status()
            content = response.raw.read(_MAX_BYTES + 1, decode_content=True)
    except (requests.exceptions.RequestException, OSError) as error:
        raise _DownloadError(f"could not be downloaded ({type(error).__name__})") from error
    except Exception as error:  # urllib3 has exceptions of its own, for a connection that breaks
        raise _DownloadError(f"the download was interrupted ({type(error).__name__})") from error
    if len(content) > _MAX_BYTES:
        raise _DownloadError(f"more than {_MAX_BYTES // 10**6} MB, which is too large")
    return content


def _within(seconds: float, work: Callable[[], bytes]) -> bytes:
    """What ``work`` returns, if that takes no longer; else it is left to itself, in a thread.

    A limit on silence alone would let a server keep us for hours, with a byte now and then.
    """
    results: queue.SimpleQueue[bytes | _DownloadError] = queue.SimpleQueue()

    def run() -> None:
        try:
            results.put(work())
        except _DownloadError as error:
            results.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        result = results.get(timeout=seconds)
    except queue.Empty:
        raise _DownloadError(f"took more than {seconds:.0f} seconds, which is too slow") from None
    if isinstance(result, _DownloadError):
        raise result
    return result


def _scene_image(url: str) -> Pixels:
    """Paint the scene that ``scene://SPLIT/NUMBER`` names."""
    from cs231n_lib.data.scene_pictures import scene_images  # here: it imports the data sets

    parts = urlsplit(url)
    split, number = parts.netloc, parts.path.lstrip("/")
    if split not in ("train", "val") or not (number.isascii() and number.isdigit()):
        raise ValueError(f"{url!r} does not name a scene; an example is scene://train/17")
    try:
        return scene_images(split, [int(number)])[0]
    except IndexError as error:
        raise ValueError(f"{url!r}: {error}") from None


def open_image(source: Any) -> Image.Image:
    """Open an image as RGB, whole, turned upright. ``source``: a path or an open binary file.

    Raises OSError (PIL's UnidentifiedImageError among them) when it is none.
    """
    try:
        with Image.open(source) as image:
            return ImageOps.exif_transpose(image).convert("RGB")
    except (SyntaxError, ValueError) as error:  # how PIL reports some damaged files
        raise UnidentifiedImageError(str(error)) from error


def resize(image: Image.Image, size: int | None) -> Image.Image:
    """Give the shorter side ``size`` pixels and keep the proportions; None keeps the picture."""
    if size is None:
        return image
    if size < 1:
        raise ValueError(f"size is {size}; it is the number of pixels of the shorter side")
    width, height = image.size
    shorter = min(width, height)
    target = (round(width * size / shorter), round(height * size / shorter))
    return image.resize(target, Image.Resampling.BICUBIC)


def as_image(img: Any) -> Image.Image:
    """A PIL image of what is one already, of a uint8 array (H, W, 3) or (H, W), or of a path."""
    if isinstance(img, Image.Image):
        return img.convert("RGB")
    if isinstance(img, (str, os.PathLike)):
        return Image.fromarray(load_image(img))
    pixels = np.asarray(img)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
        raise ValueError(
            "an image is a path, a PIL image, or a uint8 array (H, W, 3); this one is "
            f"{type(img).__name__} of {pixels.dtype} with shape {pixels.shape}"
        )
    return Image.fromarray(pixels).convert("RGB")


def _arrays(preprocessing: Preprocessing) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return np.array(preprocessing.mean, np.float32), np.array(preprocessing.std, np.float32)


def _three_colours(img: ArrayLike) -> NDArray[Any]:
    pixels = np.asarray(img)
    if pixels.ndim < 3 or pixels.shape[-1] != 3:
        raise ValueError(f"img must have shape (..., H, W, 3), not {pixels.shape}")
    return pixels
