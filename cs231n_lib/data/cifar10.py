"""CIFAR-10 for the notebooks: the real one where it is found, else the embedded SpriteCIFAR.

Dimension letters: N images, H = W = 32 pixels, C = 3 channels (red, green, blue), D = H*W*C.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cs231n_lib import prepared
from cs231n_lib.data import spritecifar
from cs231n_lib.data.batches import REMEDY, read_batch
from cs231n_lib.data.folders import announce_once, data_folders
from cs231n_lib.errors import DataError
from cs231n_lib.prepared import kept

CIFAR10_CLASSES = (
    "plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)  # fmt: skip
DATA_VARIABLE = "CS231N_DATA"
RECORDS_PER_BATCH = 10_000

AnyArray = NDArray[np.generic]
Split = Literal["train", "test"]
Arrays = tuple[AnyArray, NDArray[np.int64], AnyArray, NDArray[np.int64]]


@dataclass(frozen=True)
class Cifar10Files:
    """The six batch files of one copy of CIFAR-10."""

    folder: Path
    format: Literal["python", "binary"]

    @property
    def train(self) -> list[Path]:
        return [self._file(f"data_batch_{number}") for number in range(1, 6)]

    @property
    def test(self) -> list[Path]:
        return [self._file("test_batch")]

    def of(self, split: Split) -> list[Path]:
        return self.train if split == "train" else self.test

    def _file(self, stem: str) -> Path:
        return self.folder / (f"{stem}.bin" if self.format == "binary" else stem)


def find_cifar10(root: str | os.PathLike[str] | None = None) -> Cifar10Files | None:
    """Locate the real CIFAR-10: in ``root``; else in ``$CS231N_DATA``, then the user cache.

    Each may be the folder with the batches, or hold ``cifar-10-batches-py`` or ``-bin``.
    Returns None when it is nowhere. Raises DataError when ``root`` is given and has none, or when
    the variable names no folder: a typing mistake must not quietly change the data.
    """
    if root is not None:
        found = _look_in(Path(root).expanduser())
        if found is None:
            raise DataError(
                f"{Path(root)}: no CIFAR-10 here (looked for data_batch_1, data_batch_1.bin, and "
                "the folders cifar-10-batches-py and cifar-10-batches-bin). Pass the folder that "
                "holds them, or nothing at all to use the default."
            )
        return found
    return next((found for folder in data_folders() if (found := _look_in(folder))), None)


def load_cifar10(
    root: str | os.PathLike[str] | None = None,
    *,
    num_train: int | None = None,
    num_test: int | None = None,
    dtype: DTypeLike = np.float64,
) -> Arrays:
    """Load ``(X_train, y_train, X_test, y_test)``, the real images if found (see find_cifar10).

    Shapes: X (N, 32, 32, 3) of ``dtype``, values 0 to 255; y (N,) int64, 0 to 9.
    The real set has 50,000 + 10,000 images (1.5 GB as float64), the embedded one 20,000 + 2,000.
    ``num_train`` and ``num_test`` keep the first rows only and save the time for the others.
    Raises DataError when a file is missing or damaged, ValueError when rows are too few.
    """
    files = find_cifar10(root)
    if files is None:
        _announce_embedded_default()
    train, test = load_split(files, "train", num_train), load_split(files, "test", num_test)
    return train[0].astype(dtype), train[1], test[0].astype(dtype), test[1]


def load_split(
    files: Cifar10Files | None, split: Split, count: int | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The first ``count`` images (default: all) and labels of a split; embedded without files.

    The images are for reading only: they may be those that this process has at hand.
    """
    at_hand = prepared.get(name_at_hand(files, split))
    if at_hand is not None and (count is None or 0 <= count <= len(at_hand["labels"])):
        labels = at_hand["labels"]  # a copy, of the layout that it has below
        labels = labels.copy()[:count] if files is None else labels[:count].copy()
        return at_hand["images"][:count], labels
    return spritecifar.load(split, count) if files is None else _read(files.of(split), count)


def name_at_hand(files: Cifar10Files | None, split: Split) -> str:
    """What a split is called among what is prepared: a name for these files, as they are."""
    if files is None:
        return spritecifar.name_at_hand(split)
    return f"cifar10-{kept.key(*files.of(split))}"


def load_cifar_batch(path: str | os.PathLike[str]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Load one batch file: X (N, 32, 32, 3) float64, 0 to 255, and y (N,) int64.

    Raises DataError when the file is missing or damaged.
    """
    images, labels = read_batch(Path(path))
    return images.astype(np.float64), labels


def get_cifar10_data(
    num_training: int | None = None,
    num_validation: int = 1000,
    num_test: int | None = 1000,
    subtract_mean: bool = True,
    *,
    root: str | os.PathLike[str] | None = None,
    channels_first: bool = True,
    flatten: bool = False,
    dtype: DTypeLike = np.float64,
) -> dict[str, AnyArray]:
    """Load CIFAR-10 split into X_train, y_train, X_val, y_val, X_test and y_test.

    The training rows come first and the validation rows right after them. ``num_training=None``
    takes all that validation leaves: 49,000 real or 19,000 embedded; ``num_test=None`` all tests.
    ``subtract_mean`` takes the mean image of the training rows off all three.
    Shapes: X (N, 3, 32, 32), or (N, 32, 32, 3) without ``channels_first``, or with ``flatten``
    (N, 3072) in that same order; y (N,) int64.
    Raises DataError when a file is missing or damaged, ValueError when rows are too few.
    """
    for name, value in (("num_training", num_training), ("num_validation", num_validation)):
        if value is not None and value < 0:
            raise ValueError(f"{name} is {value}; it cannot be negative")
    wanted = None if num_training is None else num_training + num_validation
    try:
        loaded = load_cifar10(root, num_train=wanted, num_test=num_test, dtype=np.uint8)
    except ValueError as error:
        raise ValueError(
            f"{error} (num_training={num_training}, num_validation={num_validation}, "
            f"num_test={num_test}). Ask for fewer; num_training=None and num_test=None take all "
            "that there are."
        ) from error
    X, y, X_test, y_test = loaded
    first = len(X) - num_validation if num_training is None else num_training
    if first < 1:
        raise ValueError(
            f"num_training={num_training} and num_validation={num_validation} leave no training "
            f"row; there are {len(X)} rows for both"
        )
    mean_image = X[:first].mean(axis=0, dtype=np.float64) if subtract_mean else None

    axes = (2, 0, 1) if channels_first else (0, 1, 2)

    def prepare(images: AnyArray) -> AnyArray:
        # Put into order while they are bytes: of numbers eight times as large there is one copy.
        ordered = np.ascontiguousarray(images.transpose(0, *(1 + axis for axis in axes)))
        out = np.empty(ordered.shape, dtype)
        if mean_image is None:
            np.copyto(out, ordered, casting="unsafe")
        else:
            mean = mean_image.transpose(axes)
            np.subtract(ordered, mean, out=out, dtype=np.float64, casting="unsafe")
        return out.reshape(len(out), -1) if flatten else out

    last = first + num_validation
    return {
        "X_train": prepare(X[:first]),
        "y_train": y[:first],
        "X_val": prepare(X[first:last]),
        "y_val": y[first:last],
        "X_test": prepare(X_test),
        "y_test": y_test,
    }


def _look_in(folder: Path) -> Cifar10Files | None:
    for name in ("", "cifar-10-batches-py"):
        if any((folder / name / stem).is_file() for stem in ("data_batch_1", "test_batch")):
            return Cifar10Files(folder / name, "python")
    for name in ("", "cifar-10-batches-bin"):
        if any(
            (folder / name / f"{stem}.bin").is_file() for stem in ("data_batch_1", "test_batch")
        ):
            return Cifar10Files(folder / name, "binary")
    return None


def _read(paths: list[Path], count: int | None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read as many batches as ``count`` rows need (None: all)."""
    available = RECORDS_PER_BATCH * len(paths)
    count = available if count is None else count
    if not 0 <= count <= available:
        part = paths[0].name if len(paths) == 1 else "the training batches"
        raise ValueError(f"CIFAR-10 has {available} rows in {part}; {count} were asked for")
    images = np.empty((count, 32, 32, 3), np.uint8)
    labels = np.empty(count, np.int64)
    for number, path in enumerate(paths[: -(-count // RECORDS_PER_BATCH)]):
        X, y = read_batch(path)
        if len(y) != RECORDS_PER_BATCH:
            raise DataError(f"{path}: {len(y)} images instead of {RECORDS_PER_BATCH}. {REMEDY}")
        rows = slice(number * RECORDS_PER_BATCH, (number + 1) * RECORDS_PER_BATCH)
        images[rows] = X[: len(images[rows])]
        labels[rows] = y[: len(labels[rows])]
    return images, labels


def _announce_embedded_default() -> None:
    """Say once per process that these are not the real photographs."""
    announce_once(
        "Using SpriteCIFAR, the built-in stand-in for CIFAR-10 (20,000 training and 2,000 test "
        "images). For the real photographs: cs231n data fetch cifar10"
    )
