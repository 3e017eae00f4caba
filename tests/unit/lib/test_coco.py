"""Captions and features for the notebooks: the embedded ones, and COCO's files as a drop-in."""

import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from coco_samples import WORDS, write_coco

from cs231n_lib.data import (
    coco,
    decode_captions,
    find_coco,
    load_coco_data,
    sample_coco_minibatch,
    scene_images,
)
from cs231n_lib.errors import DataError
from cs231n_lib.image_utils import image_from_url

KEYS = {f"{split}_{part}" for split in ("train", "val")
        for part in ("captions", "image_idxs", "features", "urls")}  # fmt: skip
KEYS |= {"idx_to_word", "word_to_idx"}


@pytest.fixture
def real(tmp_path: Path) -> Path:
    return write_coco(tmp_path / "datasets" / "coco_captioning")


# --- the embedded scenes --------------------------------------------------------------------


def test_layout_of_the_embedded_data() -> None:
    data = load_coco_data()
    assert set(data) == KEYS
    assert data["idx_to_word"][:4] == ["<NULL>", "<START>", "<END>", "<UNK>"]
    assert data["word_to_idx"] == {word: i for i, word in enumerate(data["idx_to_word"])}
    assert isinstance(data["idx_to_word"], list)
    for split, images in (("train", 5000), ("val", 1000)):
        assert data[f"{split}_captions"].shape == (5 * images, 17)
        assert data[f"{split}_captions"].dtype == data[f"{split}_image_idxs"].dtype == np.int32
        np.testing.assert_array_equal(data[f"{split}_image_idxs"], np.repeat(np.arange(images), 5))
        assert data[f"{split}_features"].shape == (images, 512)
        assert data[f"{split}_features"].dtype == np.float32
        assert data[f"{split}_urls"].shape == (images,)
        assert data[f"{split}_urls"].dtype.kind == "U"
    assert 0.5 < data["train_features"].std() < 2
    assert (data["train_features"].std(0) > 0.2).all()  # all 512 say something


def test_addresses_lead_to_the_pictures() -> None:
    url = load_coco_data()["val_urls"][17]
    assert url == "scene://val/17"
    np.testing.assert_array_equal(image_from_url(url), scene_images("val", [17])[0])


def test_same_place_and_things_have_similar_features() -> None:
    """Features tell what a picture shows: neighbours share more words than strangers."""
    data = load_coco_data()
    features = data["train_features"] / np.linalg.norm(data["train_features"], axis=1)[:, None]
    words = np.zeros((5000, len(data["idx_to_word"])), bool)
    words[data["train_image_idxs"][:, None], data["train_captions"]] = True
    nearest = (features[:300] @ features[300:].T).argmax(1) + 300
    shared = (words[:300] & words[nearest]).sum(1).mean()
    by_chance = (words[:300] & words[300:600]).sum(1).mean()
    assert shared > by_chance + 3


def test_max_train_draws_captions_with_replacement() -> None:
    whole, some = load_coco_data(), load_coco_data(max_train=60_000)
    assert some["train_captions"].shape == (60_000, 17)
    assert some["train_image_idxs"].shape == (60_000,)
    for name in KEYS - {"train_captions", "train_image_idxs", "idx_to_word", "word_to_idx"}:
        np.testing.assert_array_equal(some[name], whole[name])
    of_image = {}
    for row, image in zip(whole["train_captions"], whole["train_image_idxs"], strict=True):
        of_image.setdefault(int(image), set()).add(row.tobytes())
    for row, image in zip(some["train_captions"], some["train_image_idxs"], strict=True):
        assert row.tobytes() in of_image[int(image)]


def test_max_train_is_seeded() -> None:
    first, again, other = (
        load_coco_data(max_train=50, **seed)["train_image_idxs"] for seed in ({}, {}, {"seed": 1})
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len(set(first.tolist())) > 40
    with pytest.raises(ValueError, match="max_train is 0"):
        load_coco_data(max_train=0)


def test_embedded_features_are_512() -> None:
    with pytest.raises(ValueError, match=r"4096 features.*CS231N_DATA"):
        load_coco_data(pca_features=False)


def test_default_is_announced_once(capsys: pytest.CaptureFixture[str]) -> None:
    load_coco_data()
    assert capsys.readouterr().out.count("SpriteScenes") == 1
    load_coco_data()
    assert capsys.readouterr().out == ""


def test_h5py_and_sacrebleu_are_not_imported() -> None:
    code = (
        "import sys; import cs231n_lib.data as d, cs231n_lib.bleu; d.load_coco_data();"
        "names = 'h5py', 'sacrebleu', 'torch', 'requests';"
        "print([name for name in names if name in sys.modules])"
    )
    output = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert output.splitlines()[-1] == "[]"


# --- COCO's own files -----------------------------------------------------------------------


def test_real_files_are_a_drop_in(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CS231N_DATA", str(real.parent))
    assert find_coco() == real
    data, embedded = load_coco_data(), None
    assert set(data) == KEYS
    assert data["train_captions"].shape == (20, 17)
    assert data["val_features"].shape == (3, 512)
    assert data["idx_to_word"] == WORDS
    assert data["train_urls"].tolist() == [f"http://example.org/train/{i}.jpg" for i in range(4)]
    with h5py.File(real / "val2014_vgg16_fc7_pca.h5") as file:
        np.testing.assert_array_equal(data["val_features"], file["features"][:])
    monkeypatch.delenv("CS231N_DATA")
    embedded = load_coco_data()
    for name in KEYS:
        assert type(data[name]) is type(embedded[name])
        if isinstance(data[name], np.ndarray):
            assert data[name].dtype.kind == embedded[name].dtype.kind
            assert data[name].ndim == embedded[name].ndim


@pytest.mark.parametrize("where", ["folder", "parent", "cache"])
def test_real_files_are_found(
    where: str, real: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if where == "cache":
        monkeypatch.setenv("CS231N_CACHE", str(real.parent))
    base = {"folder": real, "parent": real.parent, "cache": None}[where]
    data = load_coco_data(base, max_train=7, pca_features=False)
    assert data["train_features"].shape == (4, 4096)
    assert data["train_captions"].shape == (7, 17)
    assert "SpriteScenes" not in capsys.readouterr().out


def test_typing_mistakes_do_not_change_the_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match="no captions here"):
        load_coco_data(tmp_path)
    monkeypatch.setenv("CS231N_DATA", str(tmp_path / "lost"))
    with pytest.raises(DataError, match=r"CS231N_DATA is '.*lost', which is not a folder"):
        load_coco_data()


def test_a_folder_without_captions_gives_the_embedded_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for those who have the real CIFAR-10 only."""
    monkeypatch.setenv("CS231N_DATA", str(tmp_path))
    assert len(load_coco_data()["val_features"]) == 1000


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("coco2014_captions.h5", "damaged, or not an HDF5 file"),
        ("train2014_vgg16_fc7_pca.h5", "damaged, or not an HDF5 file"),
        ("coco2014_vocab.json", "not a vocabulary"),
        ("val2014_urls.txt", "3 rows, but 1 addresses"),
    ],
)
def test_damaged_files_are_named(name: str, problem: str, real: Path) -> None:
    (real / name).write_text("damaged")
    with pytest.raises(DataError, match=problem) as caught:
        load_coco_data(real)
    assert str(real) in str(caught.value)


@pytest.mark.parametrize(
    "name", ["val2014_vgg16_fc7_pca.h5", "coco2014_vocab.json", "train2014_urls.txt"]
)
def test_missing_files_are_named(name: str, real: Path) -> None:
    (real / name).unlink()
    with pytest.raises(DataError, match=rf"{name}: (cannot be read|not a vocabulary)"):
        load_coco_data(real)


def test_files_that_do_not_fit_each_other(real: Path) -> None:
    def rewrite(name: str, dataset: str, values: np.ndarray) -> None:
        with h5py.File(real / name, "a") as file:
            del file[dataset]
            file[dataset] = values

    captions = "coco2014_captions.h5"
    with h5py.File(real / captions) as file:
        good = {key: file[key][:] for key in ("val_captions", "val_image_idxs")}
    for dataset, values, problem in (
        ("val_image_idxs", good["val_image_idxs"][:-1], "15 val captions, 14 images"),
        ("val_image_idxs", good["val_image_idxs"] + 9, "but captions of image"),
        ("val_captions", good["val_captions"] + 9, "8 words, but captions hold word 16"),
        ("val_captions", good["val_captions"] * 1.5, "'val_captions' is float64 of shape"),
        ("val_captions", good["val_captions"][0], r"is int32 of shape \(17,\)"),
    ):
        rewrite(captions, dataset, values)
        with pytest.raises(DataError, match=problem):
            load_coco_data(real)
        rewrite(captions, dataset, good[dataset])
    words = {"idx_to_word": WORDS, "word_to_idx": {"cat": 0}}
    (real / "coco2014_vocab.json").write_text(json.dumps(words))
    with pytest.raises(DataError, match="not the inverse"):
        load_coco_data(real)
    with h5py.File(real / captions, "a") as file:
        del file["val_captions"]
    with pytest.raises(DataError, match="no data set 'val_captions'"):
        load_coco_data(real)


def test_without_h5py_it_says_what_to_install(real: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DataError, match=r'pip install "\.\[coco\]"`'):
        load_coco_data(real)
    monkeypatch.delenv("CS231N_DATA", raising=False)
    assert len(load_coco_data()["val_features"]) == 1000


# --- captions as text, minibatches ----------------------------------------------------------


def test_decode_captions() -> None:
    row = [1, 4, 5, 7, 2, 0, 0]
    assert decode_captions(np.array(row), WORDS) == "<START> a cat sits <END>"
    assert decode_captions([[4, 0, 6, 0], [4, 2, 5, 2]], WORDS) == ["a dog", "a <END>"]
    assert decode_captions(np.array([[0, 0]]), WORDS) == [""]
    assert decode_captions(np.zeros((0, 5), int), WORDS) == []
    other = {0: "x", 1: "<NULL>", 2: "y"}  # <NULL> is found by its name
    assert decode_captions([0, 1, 2], [other[i] for i in range(3)]) == "x y"
    with pytest.raises(ValueError, match=r"not \(1, 1, 1\)"):
        decode_captions(np.zeros((1, 1, 1), int), WORDS)


def test_minibatch_belongs_together() -> None:
    data = load_coco_data()
    captions, features, urls = sample_coco_minibatch(data, 300, "val", rng=np.random.default_rng(0))
    assert captions.shape == (300, 17)
    assert captions.dtype == np.int32
    assert features.shape == (300, 512)
    assert features.dtype == np.float32
    for row, feature, url in zip(captions, features, urls, strict=True):
        split, number = str(url).removeprefix("scene://").split("/")
        image = int(number)
        assert split == "val"
        np.testing.assert_array_equal(feature, data["val_features"][image])
        assert (data["val_captions"][5 * image : 5 * image + 5] == row).all(1).any()


def test_minibatch_follows_the_seed() -> None:
    data = load_coco_data()
    drawn = []
    for _ in range(2):
        np.random.seed(5)  # noqa: NPY002 (what notebooks do)
        drawn.append(sample_coco_minibatch(data, 20)[2].tolist())
    assert drawn[0] == drawn[1] != sample_coco_minibatch(data, 20)[2].tolist()
    assert len(sample_coco_minibatch(data)[0]) == 100
    few = load_coco_data(max_train=2)
    assert len(sample_coco_minibatch(few, 50)[0]) == 50  # with replacement
    with pytest.raises(ValueError, match="choose 'train' or 'val'"):
        sample_coco_minibatch(data, 5, "test")  # pyright: ignore[reportArgumentType]


def test_embedded_file_is_small() -> None:
    path = Path(coco.__file__).with_name(coco.EMBEDDED_FILE)
    assert path.stat().st_size < 3e6
