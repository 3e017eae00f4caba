"""The embedded default: the same bytes everywhere, cheap prefixes, a cache that heals itself."""

import hashlib
import time
from pathlib import Path

import numpy as np
import pytest

from cs231n_lib.data import get_cifar10_data, load_cifar10, spritecifar
from tests.narrow_processor import printed_without_wide_vectors

# Changes with every pixel: then raise spritecifar.VERSION, and measure its difficulty again.
SHA256 = "d6dd0002d4db061489a611c44a99c78d2318d071a6e7f90ec42d010015b3a216"
Images = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def filled_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CS231N_CACHE", str(cache))
        spritecifar.load("train")
        spritecifar.load("test")
    return cache


@pytest.fixture
def whole_set(filled_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Images:
    monkeypatch.setenv("CS231N_CACHE", str(filled_cache))
    return *spritecifar.load("train"), *spritecifar.load("test")


def test_bytes_are_pinned(whole_set: Images) -> None:
    X, _, X_test, _ = whole_set
    assert hashlib.sha256(X.tobytes() + X_test.tobytes()).hexdigest() == SHA256


def test_shapes_and_balance(whole_set: Images) -> None:
    X, y, X_test, y_test = whole_set
    assert X.shape == (20_000, 32, 32, 3)
    assert X.dtype == X_test.dtype == np.uint8
    assert np.bincount(y).tolist() == [2000] * 10
    assert np.bincount(y_test).tolist() == [200] * 10
    assert 100 < X.mean() < 150
    assert len(np.unique(X.reshape(len(X), -1), axis=0)) == len(X)  # no image twice


def test_nearest_neighbours_find_it_as_hard_as_cifar10(whole_set: Images) -> None:
    """The real set gives 28 % for k = 10 with 5,000 training and 500 test images."""
    X, y, X_test, y_test = whole_set
    train, test = (part.reshape(len(part), -1).astype(float) for part in (X[:5000], X_test[:500]))
    squared = (test**2).sum(1)[:, None] + (train**2).sum(1) - 2 * test @ train.T
    nearest = np.argsort(squared, axis=1, kind="stable")[:, :10]
    predicted = [np.bincount(y[row], minlength=10).argmax() for row in nearest]
    assert 0.25 < np.mean(predicted == y_test[:500]) < 0.35


def test_processor_without_wide_vectors_makes_the_same_bytes() -> None:
    """NumPy picks its exp and cos by processor; the last bit of those must not show."""
    code = (
        "import hashlib; from cs231n_lib.data.spritecifar import render_chunk;"
        "print(hashlib.sha256(render_chunk('test', 0).tobytes()).hexdigest())"
    )
    here = hashlib.sha256(spritecifar.render_chunk("test", 0).tobytes()).hexdigest()
    assert printed_without_wide_vectors(code) == here


def test_prefix_renders_only_its_own_chunks(empty_cache: Path, filled_cache: Path) -> None:
    X, y = spritecifar.load("train", 700)
    assert sorted(path.name for path in empty_cache.rglob("*.npz")) == [
        "train-00.npz",
        "train-01.npz",
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CS231N_CACHE", str(filled_cache))
        X_all, y_all = spritecifar.load("train")
    np.testing.assert_array_equal(X, X_all[:700])
    np.testing.assert_array_equal(y, y_all[:700])
    with pytest.raises(ValueError, match="20000 train images; 20001"):
        spritecifar.load("train", 20_001)


@pytest.mark.usefixtures("whole_set")
def test_cached_load_takes_less_than_a_second() -> None:
    """Of a processor's time: other programs may be running."""
    seconds = []
    for _ in range(3):
        start = time.process_time()
        spritecifar.load("train")
        spritecifar.load("test")
        seconds.append(time.process_time() - start)
    assert min(seconds) < 1


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "other"])
def test_damaged_cache_is_made_anew(damage: str, empty_cache: Path) -> None:
    X, _ = spritecifar.load("test", 10)
    (path,) = empty_cache.rglob("*.npz")
    whole = path.read_bytes()
    if damage == "other":
        np.savez(path, images=np.zeros((2, 2)))
    else:
        middle = len(whole) // 2
        flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
        path.write_bytes({"truncated": whole[:middle], "flipped": flipped, "empty": b""}[damage])
    again, _ = spritecifar.load("test", 10)
    np.testing.assert_array_equal(again, X)
    assert path.read_bytes() == whole


def test_cache_that_cannot_be_written_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("no folder can be made below a file, not even by root")
    monkeypatch.setenv("CS231N_CACHE", str(blocked / "cache"))
    X, _ = spritecifar.load("test", 3)
    np.testing.assert_array_equal(X, spritecifar.render_chunk("test", 0)[:3])
    assert blocked.read_text().startswith("no folder")


def test_default_is_announced_once(capsys: pytest.CaptureFixture[str]) -> None:
    X, y, X_test, _ = load_cifar10(num_train=100, num_test=50)
    assert X.shape == (100, 32, 32, 3)
    assert X_test.shape == (50, 32, 32, 3)
    assert X.dtype == np.float64
    assert y.dtype == np.int64
    assert capsys.readouterr().out.count("SpriteCIFAR") == 1
    load_cifar10(num_train=1, num_test=1)
    assert capsys.readouterr().out == ""


def test_default_splits(filled_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CS231N_CACHE", str(filled_cache))
    data = get_cifar10_data(dtype=np.float32)
    assert data["X_train"].shape == (19_000, 3, 32, 32)
    assert data["X_val"].shape == data["X_test"].shape == (1000, 3, 32, 32)
    with pytest.raises(ValueError, match=r"20000 train images; 50000 were asked for"):
        get_cifar10_data(num_training=49_000)


def test_a_browser_without_threads_gets_the_same_images(monkeypatch: pytest.MonkeyPatch) -> None:
    usual, _ = spritecifar.load("test", 30)

    def no_threads(*_: object) -> object:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(spritecifar.sys, "platform", "emscripten")
    monkeypatch.setattr(spritecifar, "ThreadPoolExecutor", no_threads)
    images, _ = spritecifar.load("test", 30)
    assert np.array_equal(images, usual)
