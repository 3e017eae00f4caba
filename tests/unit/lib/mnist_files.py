"""Write MNIST's four files in their published format, with few and recognisable images."""

import gzip
from pathlib import Path

import numpy as np

COUNTS = {"train": 12, "t10k": 5}


def idx(magic: int, values: np.ndarray) -> bytes:
    """An idx file: magic number and axes as big-endian int32, then the bytes."""
    return np.array([magic, *values.shape], ">i4").tobytes() + values.astype(np.uint8).tobytes()


def digits(prefix: str) -> tuple[np.ndarray, np.ndarray]:
    """What the files of ``train`` or ``t10k`` hold: images (N, 28, 28), labels (N,)."""
    rng = np.random.default_rng(len(prefix))
    count = COUNTS[prefix]
    return rng.integers(0, 256, (count, 28, 28), dtype=np.uint8), rng.integers(0, 10, count)


def write_mnist(folder: Path, *, compressed: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for prefix in COUNTS:
        images, labels = digits(prefix)
        for name, content in (
            (f"{prefix}-images-idx3-ubyte", idx(0x803, images)),
            (f"{prefix}-labels-idx1-ubyte", idx(0x801, labels)),
        ):
            if compressed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)
    return folder
