"""Write CIFAR-10 folders in the two published layouts, with few and recognisable images."""

import io
import pickle
import struct
from pathlib import Path

import numpy as np

NAMES = [f"data_batch_{number}" for number in range(1, 6)] + ["test_batch"]


def planes(count: int, seed: int) -> tuple[np.ndarray, list[int]]:
    """Random records: (N, 3072) uint8 in plane order, and N labels."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 3072), dtype=np.uint8), rng.integers(0, 10, count).tolist()


def write_python(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(NAMES):
        data, labels = planes(count, seed)
        batch = {b"data": data, b"labels": labels, b"batch_label": name.encode()}
        batch[b"filenames"] = [b"%d.png" % number for number in range(count)]
        (folder / name).write_bytes(pickle.dumps(batch, protocol=2))
    return folder


def write_binary(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, name in enumerate(NAMES):
        data, labels = planes(count, seed)
        records = np.concatenate([np.array(labels, np.uint8)[:, None], data], axis=1)
        (folder / f"{name}.bin").write_bytes(records.tobytes())
    return folder


def python2_pickle(data: np.ndarray, labels: list[int]) -> bytes:
    """The opcodes of the published files: written by Python 2's cPickle, whose strings are bytes.

    Python 3 cannot write them, so this does: SHORT_BINSTRING for every str, the array through
    numpy.core.multiarray._reconstruct and its state as a BINSTRING.
    """
    out = io.BytesIO()

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    out.write(b"\x80\x02}(")
    out.write(text(b"data"))
    out.write(b"cnumpy.core.multiarray\n_reconstruct\n")
    out.write(b"cnumpy\nndarray\n" + b"K\x00\x85" + text(b"b") + b"\x87R")
    out.write(b"(K\x01" + b"M" + struct.pack("<H", data.shape[0]) + b"M\x00\x0c\x86")
    out.write(b"cnumpy\ndtype\n" + text(b"u1") + b"K\x00K\x01\x87R")
    out.write(b"(K\x03" + text(b"|") + b"NNN" + b"J\xff\xff\xff\xff" * 2 + b"K\x00tb")
    out.write(b"\x89" + b"T" + struct.pack("<i", data.nbytes) + data.tobytes() + b"tb")
    out.write(text(b"labels") + b"](" + b"".join(b"K" + bytes([n]) for n in labels) + b"e")
    out.write(text(b"batch_label") + text(b"training batch 1 of 5"))
    out.write(b"u.")
    return out.getvalue()
