"""MNIST for the notebooks: its own files where they are found, else 5,000 of its digits.

    train-images-idx3-ubyte     train-labels-idx1-ubyte     60,000 images and labels
    t10k-images-idx3-ubyte      t10k-labels-idx1-ubyte      10,000; each plain or with .gz

``idx.py`` reads them. Other data sets of the same names and format, Fashion-MNIST for one, can
take their place. ``MNIST.md`` says whose the embedded digits are.
Dimension letters: N images of 28 x 28 pixels, B in a batch.
"""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from cs231n_lib.data.folders import DATA_VARIABLE, announce_once, data_folders
from cs231n_lib.data.idx import REMEDY, read_idx_images, read_idx_labels
from cs231n_lib.errors import DataError

if TYPE_CHECKING:  # torch takes seconds to import: only the functions that need it do
    import torch

    from cs231n_lib.torch_data import BatchLoader

Split = Literal["train", "test"]
Digits = tuple[NDArray[np.uint8], NDArray[np.uint8]]

EMBEDDED_FILE = "mnist.npz"
SIDE, CLASSES = 28, 10
FOLDERS = ("", "mnist", "MNIST/raw")  # the last is torchvision's
_PREFIXES = {"train": "train", "test": "t10k"}


def find_mnist(base_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """The folder of MNIST's own files: ``base_dir``; else in ``$CS231N_DATA`` or the user cache.

    Each may be the folder with the idx files, or hold ``mnist`` or ``MNIST/raw``. Returns None when
    it is nowhere. Raises DataError when ``base_dir`` is given and has none, or when the variable
    names no folder.
    """
    if base_dir is not None:
        found = _look_in(Path(base_dir).expanduser())
        if found is None:
            raise DataError(
                f"{Path(base_dir)}: no MNIST here (looked for train-images-idx3-ubyte and "
                "t10k-images-idx3-ubyte, plain or with .gz, and in the folders mnist and "
                "MNIST/raw). Pass the folder that holds them, or nothing at all for the default."
            )
        return found
    return next((found for folder in data_folders() if (found := _look_in(folder))), None)


def load_mnist(split: Split = "train", base_dir: str | os.PathLike[str] | None = None) -> Digits:
    """Load images (N, 28, 28) uint8, 0 to 255, and labels (N,) uint8, 0 to 9.

    The files of ``find_mnist(base_dir)``: N = 60,000 training and 10,000 test images. Without
    them the embedded ones: 4,500 and 500, as many of each digit, in an order without a pattern.
    Raises DataError when a file is missing, damaged or does not fit the other; ValueError for
    another split.
    """
    if split not in _PREFIXES:
        raise ValueError(f"split is {split!r}; it is 'train' or 'test'")
    folder = find_mnist(base_dir)
    if folder is not None:
        return _read(folder, _PREFIXES[split])
    _announce_embedded_default()
    with np.load(str(files("cs231n_lib.data") / EMBEDDED_FILE)) as arrays:
        return arrays[f"X_{split}"], arrays[f"y_{split}"]


def mnist_tensors(
    split: Split = "train",
    device: str | torch.device = "cpu",
    *,
    dtype: torch.dtype | None = None,
    base_dir: str | os.PathLike[str] | None = None,
) -> torch.Tensor:
    """The images of a split as PyTorch likes them: (N, 1, 28, 28), 0 to 1, float32 by default.

    Raises as ``load_mnist``.
    """
    return _as_tensor(load_mnist(split, base_dir)[0], device, dtype)


def mnist_loader(
    split: Split = "train",
    batch_size: int = 128,
    *,
    start: int = 0,
    count: int | None = None,
    shuffle: bool = True,
    device: str | torch.device = "cpu",
    base_dir: str | os.PathLike[str] | None = None,
) -> BatchLoader:
    """Iterate over ``(x, y)``: x (B, 1, 28, 28), 0 to 1, and y (B,) int64, as ``run_a_gan`` needs.

    ``start`` and ``count`` choose a run of rows (None: all from there). ``shuffle`` draws a new
    order for each pass, from torch's global generator. The last batch may be smaller; ``len`` is
    the number of batches.
    Raises as ``load_mnist``, and ValueError when there are too few rows or batch_size < 1.
    """
    import torch

    from cs231n_lib.torch_data import BatchLoader, ImageSet

    images, labels = load_mnist(split, base_dir)
    end = len(images) if count is None else start + count
    if not 0 <= start < end <= len(images):
        raise ValueError(
            f"rows {start} to {end} were asked for, and there are {len(images)}. Choose another "
            "start or count; count=None takes all rows from start on."
        )
    x = _as_tensor(images[start:end], device)
    y = torch.from_numpy(labels[start:end]).long().to(device)
    return BatchLoader(ImageSet(x, y, train=split == "train"), batch_size, shuffle=shuffle)


def _as_tensor(
    images: NDArray[np.uint8], device: str | torch.device, dtype: torch.dtype | None = None
) -> torch.Tensor:
    """Bytes (N, H, W) to (N, 1, H, W), 0 to 1."""
    import torch

    pixels = torch.from_numpy(images)[:, None]
    return pixels.to(device=device, dtype=dtype or torch.float32) / 255


def _look_in(folder: Path) -> Path | None:
    for name in FOLDERS:
        if any(_existing(folder / name / _name(prefix, "images")) for prefix in _PREFIXES.values()):
            return folder / name
    return None


def _name(prefix: str, kind: Literal["images", "labels"]) -> str:
    return f"{prefix}-{kind}-idx{3 if kind == 'images' else 1}-ubyte"


def _existing(path: Path) -> Path | None:
    """The file, or its compressed form; the plain one first."""
    candidates = (path, path.with_name(path.name + ".gz"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _read(folder: Path, prefix: str) -> Digits:
    paths = []
    for kind in ("images", "labels"):
        path = _existing(folder / _name(prefix, kind))
        if path is None:
            raise DataError(
                f"{folder}: {_name(prefix, kind)} is missing (plain or with .gz), though another "
                "file of MNIST is there. Copy all four, or move them away to use the embedded "
                "digits."
            )
        paths.append(path)
    images, labels = read_idx_images(paths[0]), read_idx_labels(paths[1])
    if images.shape[1:] != (SIDE, SIDE):
        raise DataError(
            f"{paths[0]}: images of {images.shape[1]} x {images.shape[2]} pixels; MNIST's have "
            f"{SIDE} x {SIDE}. {REMEDY}"
        )
    if len(images) != len(labels):
        raise DataError(
            f"{paths[1]}: {len(labels)} labels, but {len(images)} images in {paths[0].name}: they "
            "are not from the same data set. Copy both again."
        )
    if labels.max() >= CLASSES:
        raise DataError(f"{paths[1]}: a label is {labels.max()}; they go from 0 to 9. {REMEDY}")
    return images, labels


def _announce_embedded_default() -> None:
    """Say once per process that these are not all of the digits."""
    announce_once(
        "Using 4,500 training and 500 test digits of MNIST, which come with the course. For "
        f"all 70,000 put MNIST's files into a folder mnist in the one {DATA_VARIABLE} names."
    )
