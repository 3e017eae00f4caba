"""What is prepared is what would be read and computed, to the bit and in the same layout."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cifar_files import write_binary, write_python

from cs231n_lib import features, prepared
from cs231n_lib.data import cifar10, load_cifar10, load_coco_data, spritecifar
from cs231n_lib.features import color_histogram_hsv, extract_features, hog_feature
from cs231n_lib.prepared import contents, kept
from cs231n_lib.prepared.images import known_images

COUNT = 40  # images in a file


@pytest.fixture(autouse=True)
def _nothing_at_hand() -> Iterator[None]:
    prepared.clear()
    yield
    prepared.clear()


def layout(array: np.ndarray) -> tuple:
    flags = array.flags
    return (
        *(array.dtype, array.shape, array.strides, array.tobytes()),
        *(flags.owndata, flags.writeable, flags.c_contiguous, flags.f_contiguous),
    )


@pytest.mark.parametrize("write", [write_python, write_binary])
def test_real_cifar10_is_the_same_from_the_cache(
    write: Callable[[Path, int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar10, "RECORDS_PER_BATCH", COUNT)
    folder = write(tmp_path / "data", COUNT)
    monkeypatch.setenv("CS231N_DATA", str(folder))

    def loaded() -> list[tuple]:
        return [
            layout(array)
            for number in (None, 70, 3, 0)
            for dtype in (np.float64, np.uint8)
            for array in load_cifar10(num_train=number, num_test=number and 3, dtype=dtype)
        ]

    read = loaded()
    contents.make("cifar10")
    assert contents.have("cifar10")
    with monkeypatch.context() as patch:
        patch.setattr(cifar10, "read_batch", lambda path: pytest.fail("a file was read"))
        assert loaded() == read
        with pytest.raises(ValueError, match="has 200 rows in the training batches; 201 were"):
            load_cifar10(num_train=201)

    # Other files under the same names are other data.
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"." if write is write_python else bytes(3073))
    monkeypatch.setattr(cifar10, "read_batch", lambda path: pytest.fail("was read"))
    with pytest.raises(pytest.fail.Exception, match="was read"):
        load_cifar10(num_train=1)


def test_without_the_cache_nothing_is_at_hand() -> None:
    for name in ("cifar10", "features", "captions"):
        assert not contents.have(name)
    assert prepared.get(spritecifar.name_at_hand("train")) is None


def test_captions_are_the_same_from_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    def loaded() -> list[tuple[str, Any]]:
        return [
            (name, layout(value) if isinstance(value, np.ndarray) else value)
            for data in (load_coco_data(), load_coco_data(max_train=50))
            for name, value in data.items()
        ]

    read = loaded()
    contents.make("captions")
    assert contents.have("captions")
    monkeypatch.setattr(np, "load", lambda path: pytest.fail("a file was read"))
    assert loaded() == read


def test_a_damaged_file_is_as_good_as_none(empty_cache: Path) -> None:
    kept.keep("numbers", np.arange(1000.0))
    (path,) = empty_cache.rglob("numbers.*.npy")
    array = kept.mapped("numbers")
    assert array is not None
    np.testing.assert_array_equal(array, np.arange(1000.0))
    assert not array.flags.writeable
    whole = path.read_bytes()
    for content in (whole[:-1], whole[:200], b"", whole[:-3] + b"\x01" + whole[-2:]):
        path.unlink()
        path.write_bytes(content)
        assert kept.mapped("numbers") is None
    assert kept.mapped("number") is None, "another name"


# Features


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (100, 32, 32, 3), dtype=np.uint8)


@pytest.fixture
def known(images: np.ndarray) -> np.ndarray:
    """The images, features of which are at hand: none that any function would compute."""
    results = {"hog": np.full((100, 144), 7.0), "hue": np.full((100, 10), 8.0)}
    results["hog"][:, 0] = results["hue"][:, 0] = np.arange(100)
    prepared.put("features", {"known": (known_images(images, results),)})
    return images


def test_features_of_known_images_are_looked_up(known: np.ndarray) -> None:
    assert extract_features(known[37:90], [hog_feature])[:, :2].tolist() == [
        [number, 7] for number in range(37, 90)
    ]
    assert color_histogram_hsv(known[99:])[0, :2].tolist() == [99, 8]
    assert hog_feature(known[5])[:2].tolist() == [5, 7]
    hog_feature(known[5])[:] = 0
    assert hog_feature(known[5])[:2].tolist() == [5, 7], "what was handed out was a copy"


def test_others_are_computed(known: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = known[:50].copy()
    changed[49, 31, 31, 2] ^= 1
    for other in (
        *(changed, known[::2], known[:, ::-1], known[..., ::-1], known[50:].astype(np.int64)),
        *(known[:, :16], np.concatenate([known[90:], known[:10]])),
    ):
        assert not (hog_feature(other)[:, 1:] == 7).all(axis=1).any()
        assert not (color_histogram_hsv(other)[:, 1:] == 8).all(axis=1).any()
    assert hog_feature(known[:5], cell=4).shape == (5, 576)
    assert hog_feature(known[:5], orientations=8).shape == (5, 128)
    assert color_histogram_hsv(known[:5], nbin=9).shape == (5, 9)
    assert color_histogram_hsv(known[:5], normalized=False).sum() == 5 * 32 * 32
    assert color_histogram_hsv(known[:5], xmin=1).max() < 8
    with monkeypatch.context() as patch:  # a student exchanges a part of what computes them
        patch.setattr(features, "LUMA", np.zeros(3))
        assert hog_feature(known[:5]).max() == 0
    monkeypatch.setattr(features, "_hue", lambda rgb: np.zeros(rgb.shape[1:]))
    assert color_histogram_hsv(known[:5]).tolist() == [[1] + 9 * [0]] * 5


def test_features_are_the_same_from_the_cache(
    images: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although they were computed with other images beside them."""

    def computed() -> list[tuple]:
        some = (images[:1], images[3:36], images[60:], images[7])
        return [layout(f(one)) for one in some for f in (hog_feature, color_histogram_hsv)]

    fresh = computed()
    monkeypatch.setattr(spritecifar, "load", lambda split, count=None: (images, np.arange(100)))
    contents.make("features")
    assert contents.have("features")
    monkeypatch.setattr(np, "bincount", lambda *args: pytest.fail("was computed"))
    assert computed() == fresh
