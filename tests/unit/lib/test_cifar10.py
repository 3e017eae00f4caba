"""The real CIFAR-10: both formats, where it is looked for, and what is said of a bad file."""

import io
import os
import pickle
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cifar_files import planes, python2_pickle, write_binary, write_python

from cs231n_lib import data as api
from cs231n_lib.data import cifar10
from cs231n_lib.data.cifar10 import find_cifar10, get_cifar10_data, load_cifar10, load_cifar_batch
from cs231n_lib.errors import DataError

Writer = Callable[[Path, int], Path]
both_formats = pytest.mark.parametrize("write", [write_python, write_binary])


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(cifar10, "RECORDS_PER_BATCH", 20)
    return 20


@both_formats
def test_published_size_loads_with_the_contracts_shapes_and_dtypes(
    write: Writer, tmp_path: Path
) -> None:
    root = write(tmp_path / "real", 10_000)
    X, y = load_cifar_batch(root / ("data_batch_2" + (".bin" if write is write_binary else "")))
    assert X.shape == (10_000, 32, 32, 3)
    assert X.dtype == np.float64
    assert y.shape == (10_000,)
    X_train, y_train, X_test, y_test = load_cifar10(root, dtype=np.uint8)
    assert X_train.shape == (50_000, 32, 32, 3)
    assert X_test.shape == (10_000, 32, 32, 3)
    assert y_train.dtype == y_test.dtype == np.int64
    np.testing.assert_array_equal(X_train[10_000:20_000], X)
    np.testing.assert_array_equal(y_train[10_000:20_000], y)
    data = get_cifar10_data(49_000, subtract_mean=False, root=root, dtype=np.uint8)
    assert data["X_train"].shape == (49_000, 3, 32, 32)
    assert data["X_val"].shape == data["X_test"].shape == (1000, 3, 32, 32)


@both_formats
def test_planes_become_channels(write: Writer, tmp_path: Path, small_batches: int) -> None:
    X_train, y_train, X_test, _ = load_cifar10(write(tmp_path, small_batches))
    data, labels = planes(small_batches, seed=0)
    assert X_train.dtype == np.float64
    assert X_train[3, 7, 9].tolist() == [data[3, plane * 1024 + 7 * 32 + 9] for plane in range(3)]
    assert y_train[:20].tolist() == labels
    assert X_test[19, 31, 31, 2] == planes(small_batches, seed=5)[0][19, 3071]


def test_pickles_of_python_2_are_read(tmp_path: Path) -> None:
    data, labels = planes(5, seed=1)
    path = tmp_path / "data_batch_1"
    path.write_bytes(python2_pickle(data, labels))
    X, y = load_cifar_batch(path)
    np.testing.assert_array_equal(X, data.reshape(5, 3, 32, 32).transpose(0, 2, 3, 1))
    assert y.tolist() == labels
    assert api.load_pickle(path.open("rb"))["batch_label"] == "training batch 1 of 5"


def test_search_order_is_argument_then_variable_then_cache(
    tmp_path: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_cifar10() is None
    in_cache = write_python(empty_cache / "cifar-10-batches-py", 1)
    assert getattr(find_cifar10(), "folder", None) == in_cache
    in_variable = write_binary(tmp_path / "data" / "cifar-10-batches-bin", 1)
    monkeypatch.setenv("CS231N_DATA", str(tmp_path / "data"))
    assert getattr(find_cifar10(), "folder", None) == in_variable
    direct = write_python(tmp_path / "argument", 1)
    assert getattr(find_cifar10(direct), "folder", None) == direct
    assert getattr(find_cifar10(direct), "format", None) == "python"


def test_wrong_places_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="no CIFAR-10 here"):
        load_cifar10(tmp_path)
    monkeypatch.setenv("CS231N_DATA", str(tmp_path / "typo"))
    with pytest.raises(DataError, match=r"CS231N_DATA is .*typo.*not a folder"):
        load_cifar10()


@both_formats
def test_damage_is_named_with_its_remedy(write: Writer, tmp_path: Path, small_batches: int) -> None:
    root = write(tmp_path, small_batches)
    path = root / ("data_batch_3.bin" if write is write_binary else "data_batch_3")
    whole = path.read_bytes()
    for damaged in (whole[:-1000], whole[: len(whole) // 2 + 1], b"", b"<html>404</html>"):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"data_batch_3.*cs231n data fetch cifar10"):
            load_cifar10(root)
    path.unlink()
    with pytest.raises(DataError, match=r"data_batch_3.*cannot be read"):
        load_cifar10(root)


@both_formats
def test_a_batch_with_fewer_images_is_refused(write: Writer, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="20 images instead of 10000"):
        load_cifar10(write(tmp_path, 20))


@pytest.mark.parametrize(
    "batch",
    [
        [1, 2, 3],
        {b"labels": [1]},
        {b"data": planes(2, 0)[0], b"labels": [1]},
        {b"data": planes(2, 0)[0], b"labels": [1, 10]},
        {b"data": planes(2, 0)[0], b"fine_labels": [1, 2]},  # CIFAR-100
        {b"data": planes(2, 0)[0].astype(np.float64), b"labels": [1, 2]},
    ],
)
def test_other_pickles_are_refused(batch: object, tmp_path: Path) -> None:
    path = tmp_path / "data_batch_1"
    path.write_bytes(pickle.dumps(batch, protocol=2))
    with pytest.raises(DataError, match="data_batch_1"):
        load_cifar_batch(path)


class Malicious:
    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


@pytest.mark.parametrize("function", [os.system, eval, exec, subprocess.call, np.load, getattr])
def test_malicious_pickles_are_refused_and_not_run(
    function: Callable[..., object], tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    path = tmp_path / "data_batch_1"
    attack = Malicious(function, f"open({str(trace)!r}, 'w')")
    path.write_bytes(pickle.dumps({b"data": attack, b"labels": [1]}, protocol=2))
    with pytest.raises(
        DataError, match=r"data_batch_1: refused, since it asks to load `.*run code"
    ):
        load_cifar_batch(path)
    assert not trace.exists()


def test_arrays_of_objects_are_refused() -> None:
    pickled = io.BytesIO(pickle.dumps(np.array([{}, []], dtype=object), protocol=2))
    with pytest.raises(DataError, match="where uint8 was expected"):
        api.load_pickle(pickled)


def test_validation_rows_follow_training_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar10, "RECORDS_PER_BATCH", 1000)
    root = write_binary(tmp_path, 1000)
    data = get_cifar10_data(4000, root=root, dtype=np.float32)
    assert {name: array.shape[0] for name, array in data.items()} == {
        "X_train": 4000, "y_train": 4000, "X_val": 1000,
        "y_val": 1000, "X_test": 1000, "y_test": 1000,
    }  # fmt: skip
    assert data["X_train"].shape[1:] == (3, 32, 32)
    assert data["X_train"].dtype == np.float32
    assert data["X_train"].flags.c_contiguous
    np.testing.assert_allclose(data["X_train"][:, 1, 5, 6].mean(dtype=np.float64), 0, atol=1e-3)
    raw, y, *_ = load_cifar10(root, dtype=np.uint8)
    np.testing.assert_array_equal(data["y_val"], y[4000:])
    mean = raw[:4000].mean(axis=0)
    expected = (raw[4000] - mean).transpose(2, 0, 1)
    np.testing.assert_allclose(data["X_val"][0], expected, atol=1e-4)


def test_options_of_the_splits(tmp_path: Path, small_batches: int) -> None:
    root = write_python(tmp_path, small_batches)
    X, y, *_ = load_cifar10(root)
    options = {"root": root, "num_validation": 10, "num_test": 5}
    plain = get_cifar10_data(subtract_mean=False, channels_first=False, **options)
    assert len(plain["X_train"]) == 90  # all that validation leaves
    np.testing.assert_array_equal(plain["X_val"], X[90:])
    np.testing.assert_array_equal(plain["y_val"], y[90:])
    flat = get_cifar10_data(30, flatten=True, channels_first=False, **options)
    expected = (np.asarray(X[30:40], float) - np.asarray(X[:30], float).mean(axis=0)).reshape(
        10, 3072
    )
    assert np.abs(np.asarray(flat["X_val"], float) - expected).max() < 1e-9
    assert flat["X_train"].dtype == np.float64
    in_bytes = get_cifar10_data(subtract_mean=False, dtype=np.uint8, **options)
    assert in_bytes["X_test"].dtype == np.uint8


def test_too_few_rows_is_a_value_error(tmp_path: Path, small_batches: int) -> None:
    root = write_python(tmp_path, small_batches)
    with pytest.raises(ValueError, match=r"100 rows.*1095 were asked for"):
        get_cifar10_data(95, root=root)
    with pytest.raises(ValueError, match="leave no training row"):
        get_cifar10_data(root=root, num_validation=100, num_test=1)
    with pytest.raises(ValueError, match="20 rows in test_batch; 21"):
        load_cifar10(root, num_test=21)
    with pytest.raises(ValueError, match="num_training is -1"):
        get_cifar10_data(-1, root=root)


def test_fewer_rows_read_fewer_files(tmp_path: Path, small_batches: int) -> None:
    root = write_binary(tmp_path, small_batches)
    (root / "data_batch_3.bin").unlink()
    X, *_ = load_cifar10(root, num_train=40)
    assert len(X) == 40


def test_names_of_cs231n_are_kept() -> None:
    assert api.load_CIFAR10 is api.load_cifar10
    assert api.load_CIFAR_batch is api.load_cifar_batch
    assert api.get_CIFAR10_data is api.get_cifar10_data
    assert " ".join(api.CIFAR10_CLASSES) == "plane car bird cat deer dog frog horse ship truck"


def test_public_sizes_need_the_real_set_and_the_message_says_so(
    tmp_path: Path, small_batches: int
) -> None:
    with pytest.raises(ValueError, match=r"50000 were asked for .*num_training=49000.*None"):
        get_cifar10_data(49_000)
    with pytest.raises(ValueError, match=r"21 were asked for .*num_test=21.*fewer"):
        get_cifar10_data(10, 10, 21, root=write_python(tmp_path, small_batches))
    data = get_cifar10_data(40, 10, 5)
    assert [len(data[f"X_{split}"]) for split in ("train", "val", "test")] == [40, 10, 5]
