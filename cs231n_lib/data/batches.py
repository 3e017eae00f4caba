"""Read one file of CIFAR-10, in either published format, trusting nothing in it.

Dimension letters: N records in the file. A record's 3072 pixel bytes are 1024 red, 1024 green and
1024 blue values, each plane row by row. https://www.cs.toronto.edu/~kriz/cifar.html
"""

import pickle
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cs231n_lib.errors import DataError

PIXEL_BYTES = 3 * 32 * 32
RECORD_BYTES = 1 + PIXEL_BYTES  # binary format: a label byte, then the pixels

REMEDY = (
    "Delete the data set's folder and fetch it again with `cs231n data fetch cifar10`, "
    "or download it again from https://www.cs.toronto.edu/~kriz/cifar.html."
)


def read_batch(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Read a batch: images (N, 32, 32, 3) uint8 and labels (N,) int64.

    A name that ends in ``.bin`` means the binary format, any other the Python one.
    Raises DataError, naming the file, when it is missing, damaged or something else.
    """
    pixels, labels = _read_binary(path) if path.suffix == ".bin" else _read_pickled(path)
    if labels.size == 0:
        raise DataError(f"{path}: holds no images. {REMEDY}")
    if labels.min() < 0 or labels.max() > 9:
        found = f"labels from {labels.min()} to {labels.max()}"
        raise DataError(f"{path}: {found}, but CIFAR-10's are 0 to 9. {REMEDY}")
    images = pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels


def load_pickle(file: BinaryIO) -> Any:
    """Unpickle an open file of plain containers, numbers, strings and uint8 arrays.

    Strings of Python 2 are decoded as Latin-1. Raises DataError when the pickle is damaged, or
    asks for anything else: unpickling that could run code.
    """
    name = getattr(file, "name", "this file")
    try:
        return _CifarUnpickler(file, encoding="latin1").load()
    except _ForbiddenError as error:
        raise DataError(
            f"{name}: refused, since it asks to load `{error}`, which no CIFAR-10 file needs and "
            f"which could run code on your machine. {REMEDY}"
        ) from None
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise DataError(
            f"{name}: not a readable CIFAR-10 batch (truncated or damaged: "
            f"{type(error).__name__}: {error}). {REMEDY}"
        ) from error


class _ForbiddenError(Exception):
    """The pickle names a global that is not on the list; the message is that name."""


class _CifarUnpickler(pickle.Unpickler):
    """Knows the names the published files contain, and no other.

    The stand-ins for NumPy's functions take uint8 arrays only: a crafted dtype or array subtype
    never reaches NumPy.
    """

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case (("numpy.core.multiarray" | "numpy._core.multiarray"), "_reconstruct"):
                return _empty_array
            case "numpy", "ndarray":
                return np.ndarray
            case "numpy", "dtype":
                return _uint8_dtype
            case "_codecs", "encode":  # how protocol 2 spells bytes in Python 3
                return _latin1_bytes
        raise _ForbiddenError(f"{module}.{name}")


def _empty_array(subtype: object, shape: object, typecode: object) -> NDArray[np.uint8]:
    """Make the empty array which the pickle's next instruction fills."""
    if subtype is not np.ndarray:
        raise pickle.UnpicklingError("an array of an unknown kind")
    return np.empty(0, np.uint8)


def _uint8_dtype(code: object, *flags: object) -> np.dtype[Any]:
    if code not in ("u1", b"u1", "uint8"):
        raise pickle.UnpicklingError(f"an array of {code!r} where uint8 was expected")
    return np.dtype(np.uint8)


def _latin1_bytes(text: str, encoding: str = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"bytes written as {encoding!r}")
    return text.encode("latin1")


def _read_pickled(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    try:
        with path.open("rb") as file:
            batch = load_pickle(file)
    except OSError as error:
        raise _unreadable(path, error) from error
    if not isinstance(batch, dict):
        raise DataError(f"{path}: holds a {type(batch).__name__}, not a batch. {REMEDY}")
    # Keys are bytes when written by Python 3 from the published files, else strings.
    data = batch.get("data", batch.get(b"data"))
    labels = batch.get("labels", batch.get(b"labels"))
    if not (
        isinstance(data, np.ndarray)
        and data.dtype == np.uint8
        and data.ndim == 2
        and data.shape[1] == PIXEL_BYTES
    ):
        raise DataError(f"{path}: 'data' is not a uint8 array of shape (N, 3072). {REMEDY}")
    if not (
        isinstance(labels, list)
        and len(labels) == len(data)
        and all(isinstance(label, int) for label in labels)
    ):
        raise DataError(f"{path}: 'labels' is not a list of {len(data)} integers. {REMEDY}")
    return data, np.asarray(labels, np.int64)


def _read_binary(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise _unreadable(path, error) from error
    if content.size % RECORD_BYTES:
        raise DataError(
            f"{path}: {content.size} bytes, which is not a multiple of a record's {RECORD_BYTES}: "
            f"the file is truncated or is another one. {REMEDY}"
        )
    records = content.reshape(-1, RECORD_BYTES)
    return records[:, 1:], records[:, 0].astype(np.int64)


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"{path}: cannot be read ({error.strerror or error}). {REMEDY}")
