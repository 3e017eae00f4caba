"""MNIST for the notebooks: the embedded digits, and files of the true format in their place."""

import gzip
import hashlib
import struct
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from mnist_files import digits, idx, write_mnist
from torch.utils.data import DataLoader

from cs231n_lib.data import DataError, find_mnist, load_mnist
from cs231n_lib.data.idx import read_idx_images, read_idx_labels
from cs231n_lib.data.mnist import mnist_loader, mnist_tensors
from cs231n_lib.gan import ChunkSampler
from cs231n_lib.torch_data import ImageSet

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


# --- the embedded digits --------------------------------------------------------------------


@pytest.mark.parametrize(("split", "count"), [("train", 4500), ("test", 500)])
def test_embedded_digits_are_balanced_and_in_no_order(split, count) -> None:
    images, labels = load_mnist(split)
    assert images.shape == (count, 28, 28)
    assert labels.shape == (count,)
    assert images.dtype == labels.dtype == np.uint8
    np.testing.assert_array_equal(np.bincount(labels), [count // 10] * 10)
    assert len(np.unique(labels[:128])) == 10  # any batch has all of them
    assert (images.min(), images.max()) == (0, 255)


def test_no_embedded_digit_is_in_both_splits_or_there_twice() -> None:
    everything = np.concatenate([load_mnist("train")[0], load_mnist("test")[0]])
    assert len(np.unique(everything.reshape(5000, -1), axis=0)) == 5000


def test_embedded_digits_are_digits_with_their_labels() -> None:
    """A nearest mean, of which mislabelled or garbled images would make nothing."""
    (images, labels), (test_images, test_labels) = load_mnist("train"), load_mnist("test")
    means = np.stack([images[labels == digit].mean(0) for digit in range(10)]).reshape(10, -1)
    rows = test_images.reshape(500, -1).astype(np.float64)
    nearest = ((rows[:, None] - means) ** 2).sum(-1).argmin(1)
    assert (nearest == test_labels).mean() > 0.75


def test_embedded_file_is_the_one_that_its_page_describes() -> None:
    folder = files("cs231n_lib.data")
    page = (folder / "MNIST.md").read_text("utf-8")
    content = (folder / "mnist.npz").read_bytes()
    assert hashlib.sha256(content).hexdigest() in page
    assert len(content) < 1_000_000


def test_embedded_default_is_announced_once(capsys) -> None:
    load_mnist("train")
    load_mnist("test")
    said = capsys.readouterr().out
    assert said.count("4,500 training and 500 test digits") == 1
    assert "CS231N_DATA" in said


def test_other_split_is_refused() -> None:
    with pytest.raises(ValueError, match="'val'; it is 'train' or 'test'"):
        load_mnist("val")  # pyright: ignore[reportArgumentType]


def test_arrays_come_without_importing_torch() -> None:
    code = (
        "import sys; from cs231n_lib.data import load_mnist; load_mnist();"
        "print('torch' in sys.modules)"
    )
    said = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert said.splitlines()[-1] == "False"


# --- MNIST's own files -----------------------------------------------------------------------


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_own_files_are_read(tmp_path: Path, compressed, split, prefix, capsys) -> None:
    folder = write_mnist(tmp_path / "files", compressed=compressed)
    images, labels = load_mnist(split, folder)
    expected_images, expected_labels = digits(prefix)
    np.testing.assert_array_equal(images, expected_images)
    np.testing.assert_array_equal(labels, expected_labels)
    assert images.dtype == labels.dtype == np.uint8
    images[0] = 0  # an array of its own, not a view of read-only bytes
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("inside", ["", "mnist", "MNIST/raw"])
def test_own_files_are_found_by_the_variable(tmp_path: Path, monkeypatch, inside: str) -> None:
    folder = write_mnist(tmp_path / "data" / inside)
    monkeypatch.setenv("CS231N_DATA", str(tmp_path / "data"))
    assert find_mnist() == folder
    assert len(load_mnist()[0]) == 12


def test_own_files_are_found_in_the_cache(empty_cache: Path) -> None:
    assert find_mnist() is None
    assert find_mnist(write_mnist(empty_cache / "mnist")) == empty_cache / "mnist"
    assert find_mnist() == empty_cache / "mnist"


def test_variable_comes_before_the_cache(tmp_path: Path, empty_cache: Path, monkeypatch) -> None:
    write_mnist(empty_cache / "mnist")
    monkeypatch.setenv("CS231N_DATA", str(write_mnist(tmp_path / "data")))
    assert find_mnist() == tmp_path / "data"


def test_one_of_the_sets_is_enough(tmp_path: Path) -> None:
    folder = write_mnist(tmp_path)
    (folder / IMAGES).unlink()
    (folder / LABELS).unlink()
    assert len(load_mnist("test", folder)[0]) == 5
    with pytest.raises(DataError, match=f"{IMAGES} is missing"):
        load_mnist("train", folder)


def test_folder_without_files_and_variable_without_folder(tmp_path: Path, monkeypatch) -> None:
    with pytest.raises(DataError, match="no MNIST here"):
        load_mnist(base_dir=tmp_path)
    monkeypatch.setenv("CS231N_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match="which is not a folder"):
        load_mnist()


def test_labels_that_are_missing_are_named(tmp_path: Path) -> None:
    folder = write_mnist(tmp_path)
    (folder / LABELS).unlink()
    with pytest.raises(DataError, match=f"{LABELS} is missing"):
        load_mnist("train", folder)


# --- files that are not what they should be --------------------------------------------------


def damaged(tmp_path: Path, content: bytes, name: str = IMAGES) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


PIXELS = np.zeros((2, 28, 28), np.uint8)
GOOD = idx(0x803, PIXELS)
PACKED = gzip.compress(GOOD, mtime=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"begins with 0x\(nothing\), not 0x00000803"),
        (b"\x00\x00", "begins with 0x0000, not 0x00000803"),
        (b"<html>404</html>", "begins with 0x3c68746d, not 0x00000803"),
        (idx(0x801, PIXELS[:, 0, 0]), r"with 0x00000801, not 0x00000803 \(it holds labels\)"),
        (struct.pack("<I", 0x803) + GOOD[4:], "begins with 0x03080000"),  # little-endian
        (GOOD[:10], "ends after 10 bytes, within its header of 16"),
        (GOOD[:-1], "promises 1,568 bytes.*but 1,567 follow: it is truncated"),
        (GOOD[:16], "but 0 follow: it is truncated"),
        (GOOD + b"\x00", "but 1,569 follow: it is too long"),
        (idx(0x803, PIXELS[:0]), r"axes are \(0, 28, 28\) long"),
        (struct.pack(">Iiii", 0x803, -2, -28, 28) + bytes(1568), r"axes are \(-2, -28, 28\) long"),
        (struct.pack(">Iiii", 0x803, *[2**31 - 1] * 3), "promises 9,90"),  # more than int64 holds
        (PACKED[:-20], "ends too early: it is truncated"),
        (PACKED[:4], "ends too early: it is truncated"),
        (PACKED[:-8] + bytes(8), "content is damaged"),  # its checksum is wrong
        (PACKED[:10] + b"\x07" + PACKED[11:], "content is damaged"),  # a block of no known kind
        (gzip.compress(GOOD[:-1], mtime=0), "1,567 follow: it is truncated"),
    ],
    ids=range(17),
)  # fmt: skip
def test_malformed_images(tmp_path: Path, content: bytes, message: str) -> None:
    path = damaged(tmp_path, content)
    with pytest.raises(DataError, match=message) as caught:
        read_idx_images(path)
    assert str(path) in str(caught.value)
    assert "Copy the file again" in str(caught.value)


def test_malformed_labels(tmp_path: Path) -> None:
    path = damaged(tmp_path, GOOD, LABELS)
    with pytest.raises(DataError, match=r"not 0x00000801 \(it holds images\)"):
        read_idx_labels(path)
    with pytest.raises(DataError, match="there is no such file"):
        read_idx_labels(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="cannot be read"):
        read_idx_labels(tmp_path)  # a folder


def test_compressed_content_is_seen_whatever_the_name(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_idx_images(damaged(tmp_path, PACKED)), PIXELS)
    plain = damaged(tmp_path, GOOD, f"{IMAGES}.gz")
    np.testing.assert_array_equal(read_idx_images(plain), PIXELS)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (LABELS, idx(0x801, np.zeros(11)), "11 labels, but 12 images"),
        (LABELS, idx(0x801, np.full(12, 10)), "a label is 10; they go from 0 to 9"),
        (IMAGES, idx(0x803, np.zeros((12, 32, 28))), "32 x 28 pixels; MNIST's have 28 x 28"),
    ],
)
def test_files_that_do_not_fit_each_other(tmp_path: Path, name, content, message) -> None:
    folder = write_mnist(tmp_path)
    damaged(folder, content, name)
    with pytest.raises(DataError, match=message):
        load_mnist("train", folder)


# --- as tensors ------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
def test_tensors(device: str) -> None:
    x = mnist_tensors("test", device)
    assert x.shape == (500, 1, 28, 28)
    assert x.dtype == torch.float32
    assert x.device.type == device
    assert (x.min().item(), x.max().item()) == (0, 1)
    np.testing.assert_array_equal((255 * x[:, 0]).round().cpu(), load_mnist("test")[0])
    assert mnist_tensors("test", dtype=torch.float64).dtype == torch.float64


@pytest.mark.parametrize("device", DEVICES)
def test_loader_gives_each_image_with_its_label_once(device: str) -> None:
    loader = mnist_loader("test", batch_size=128, device=device)
    torch.manual_seed(0)
    batches = list(loader)
    assert [len(x) for x, _ in batches] == [128, 128, 128, 116]
    assert len(loader) == 4
    x, y = (torch.cat(parts).cpu() for parts in zip(*batches, strict=True))
    assert x.shape == (500, 1, 28, 28)
    assert y.dtype == torch.int64
    images, labels = load_mnist("test")
    assert not np.array_equal(y, labels)  # shuffled
    order = {image.tobytes(): label for image, label in zip(images, labels, strict=True)}
    pixels = (255 * x[:, 0]).round().byte().numpy()
    assert [order.pop(image.tobytes()) for image in pixels] == y.tolist()
    torch.manual_seed(0)
    torch.testing.assert_close(torch.cat([y for _, y in loader]).cpu(), y)


def test_loader_takes_a_run_of_rows_in_order() -> None:
    labels = load_mnist("train")[1]
    loader = mnist_loader("train", 8, start=4400, count=20, shuffle=False)
    found = torch.cat([y for _, y in loader])
    np.testing.assert_array_equal(found, labels[4400:4420])
    assert len(torch.cat([y for _, y in mnist_loader("train", 64, start=4400)])) == 100


def test_chunk_sampler_takes_the_same_rows() -> None:
    """The other way to have a loader: PyTorch's own, with the sampler of ``cs231n_lib.gan``."""
    x, y = mnist_tensors("test"), torch.from_numpy(load_mnist("test")[1])
    loader = DataLoader(ImageSet(x, y), batch_size=8, sampler=ChunkSampler(20, 400))  # pyright: ignore[reportArgumentType]
    found = torch.cat([labels for _, labels in loader])
    torch.testing.assert_close(found, y[400:420])


@pytest.mark.parametrize("rows", [{"count": 501}, {"start": 500}, {"start": -1}, {"count": 0}])
def test_rows_that_are_not_there(rows: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="there are 500"):
        mnist_loader("test", **rows)
