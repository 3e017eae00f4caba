"""Read idx files, the format of MNIST and of data sets made to its pattern (Fashion-MNIST).

Big-endian int32: a magic number, then the length of each axis; then one byte a pixel or a label.
The magic number's third byte is 8, for unsigned bytes, and its last one the number of axes.
Either may be compressed with gzip; that is seen from the content, whatever the name.

Dimension letters: N images of H x W pixels.
"""

import gzip
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cs231n_lib.errors import DataError

IMAGES_MAGIC, LABELS_MAGIC = 0x00000803, 0x00000801
GZIP_SIGNATURE = b"\x1f\x8b"
REMEDY = "Copy the file again, or move it away to use the embedded digits."


def read_idx_images(path: Path) -> NDArray[np.uint8]:
    """Images (N, H, W) of an idx file. Raises DataError when it is missing or not such a file."""
    return _read(path, IMAGES_MAGIC, axes=3)


def read_idx_labels(path: Path) -> NDArray[np.uint8]:
    """Labels (N,) of an idx file. Raises DataError when it is missing or not such a file."""
    return _read(path, LABELS_MAGIC, axes=1)


def _read(path: Path, magic: int, axes: int) -> NDArray[np.uint8]:
    content = _content(path)
    header = 4 * (1 + axes)
    found = int.from_bytes(content[:4], "big")
    if len(content) < 4 or found != magic:
        raise _wrong(path, f"it begins with 0x{content[:4].hex() or '(nothing)'}, not 0x{magic:08x}"
                     + _hint(found))  # fmt: skip
    if len(content) < header:
        raise _wrong(path, f"it ends after {len(content)} bytes, within its header of {header}")
    shape = tuple(np.frombuffer(content, ">i4", axes, offset=4).tolist())
    if min(shape) < 1:
        raise _wrong(path, f"its header says that the axes are {shape} long")
    expected = 1
    for length in shape:  # Python's integers: a damaged header may say more than 64 bits hold
        expected *= length
    rest = len(content) - header
    if rest != expected:
        cause = "it is truncated" if rest < expected else "it is too long"
        raise _wrong(
            path,
            f"its header promises {expected:,} bytes, shape {shape}, but {rest:,} follow: {cause}",
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape).copy()


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(GZIP_SIGNATURE) else content
    except FileNotFoundError as error:
        raise DataError(f"{path}: there is no such file. {REMEDY}") from error
    except EOFError as error:
        raise _wrong(path, "its compressed content ends too early: it is truncated") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise _wrong(path, f"its compressed content is damaged ({error})") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}).") from error


def _hint(found: int) -> str:
    """What a file with this magic number is, where we know."""
    if found == IMAGES_MAGIC:
        return " (it holds images)"
    return " (it holds labels)" if found == LABELS_MAGIC else ""


def _wrong(path: Path, found: str) -> DataError:
    return DataError(f"{path}: {found}. {REMEDY}")
