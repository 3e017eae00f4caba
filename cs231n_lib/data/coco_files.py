"""Read COCO captions with features, in the layout of CS231n's ``coco_captioning`` folder.

    coco2014_captions.h5            train_captions, train_image_idxs, val_captions, val_image_idxs
    coco2014_vocab.json             idx_to_word, word_to_idx
    train2014_vgg16_fc7_pca.h5      features (82783, 512); val2014 likewise (40504, 512)
    train2014_vgg16_fc7.h5          features (82783, 4096); only for ``pca_features=False``
    train2014_urls.txt              an address a line; val2014 likewise

Dimension letters: n captions of T columns, M images, D features each, V words.
"""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cs231n_lib.data.folders import data_folders
from cs231n_lib.errors import DataError
from cs231n_lib.extras import install

FOLDER = "coco_captioning"
CAPTIONS_FILE = "coco2014_captions.h5"
VOCABULARY_FILE = "coco2014_vocab.json"
_REMEDY = "Copy the whole folder again, or move it away to use the embedded scenes."


def find_coco(base_dir: str | os.PathLike[str] | None = None) -> Path | None:
    """The folder of the real captions: ``base_dir``; else in ``$CS231N_DATA`` or the user cache.

    Each may be the folder with ``coco2014_captions.h5``, or hold ``coco_captioning``. Returns None
    when it is nowhere. Raises DataError when ``base_dir`` is given and has none, or when the
    variable names no folder.
    """
    if base_dir is not None:
        found = _look_in(Path(base_dir).expanduser())
        if found is None:
            raise DataError(
                f"{Path(base_dir)}: no captions here (looked for {CAPTIONS_FILE}, and in "
                f"{FOLDER}). Pass the folder that holds it, or nothing at all for the default."
            )
        return found
    return next((found for folder in data_folders() if (found := _look_in(folder))), None)


def read_coco(folder: Path, *, pca_features: bool = True) -> dict[str, Any]:
    """Read the folder: the dict that ``load_coco_data`` returns.

    Raises DataError, naming the file, when one is missing, damaged or does not fit the others, and
    when h5py is not installed.
    """
    data: dict[str, Any] = {}
    for split in ("train", "val"):
        captions = _read_h5(folder / CAPTIONS_FILE, f"{split}_captions", np.integer, 2)
        owners = _read_h5(folder / CAPTIONS_FILE, f"{split}_image_idxs", np.integer, 1)
        kind = "_pca" if pca_features else ""
        path = folder / f"{split}2014_vgg16_fc7{kind}.h5"
        features = _read_h5(path, "features", np.floating, 2)
        urls = _read_urls(folder / f"{split}2014_urls.txt")
        if len(captions) != len(owners):
            raise _wrong(
                folder / CAPTIONS_FILE, f"{len(captions)} {split} captions, {len(owners)} images"
            )
        if len(owners) and not 0 <= owners.min() <= owners.max() < len(features):
            raise _wrong(path, f"{len(features)} rows, but captions of image {owners.max()}")
        if len(urls) != len(features):
            raise _wrong(path, f"{len(features)} rows, but {len(urls)} addresses")
        data[f"{split}_captions"] = captions.astype(np.int32)
        data[f"{split}_image_idxs"] = owners.astype(np.int32)
        data[f"{split}_features"] = features.astype(np.float32)
        data[f"{split}_urls"] = urls
    data["idx_to_word"], data["word_to_idx"] = _read_vocabulary(folder / VOCABULARY_FILE)
    largest = max(int(data[f"{split}_captions"].max(initial=0)) for split in ("train", "val"))
    if largest >= len(data["idx_to_word"]):
        raise _wrong(
            folder / VOCABULARY_FILE,
            f"{len(data['idx_to_word'])} words, but captions hold word {largest}",
        )
    return data


def _look_in(folder: Path) -> Path | None:
    candidates = (folder, folder / FOLDER)
    return next((path for path in candidates if (path / CAPTIONS_FILE).is_file()), None)


def _read_h5(path: Path, name: str, kind: type[np.generic], ndim: int) -> NDArray[Any]:
    """One array of an HDF5 file, of a kind of numbers and with ``ndim`` axes."""
    try:
        import h5py  # here: only those who have the real files need it
    except ImportError as error:
        raise DataError(
            f"{path}: reading it takes h5py, which is not installed. Run {install('coco')}."
        ) from error
    try:
        with h5py.File(path, "r") as file:
            dataset = file.get(name)
            if not isinstance(dataset, h5py.Dataset):
                raise _wrong(path, f"no data set {name!r}")
            array = np.asarray(dataset)
    except OSError as error:
        reason = "it is missing" if not path.exists() else "damaged, or not an HDF5 file"
        raise DataError(f"{path}: cannot be read ({reason}). {_REMEDY}") from error
    if not np.issubdtype(array.dtype, kind) or array.ndim != ndim:
        raise _wrong(path, f"{name!r} is {array.dtype} of shape {array.shape}")
    return array


def _read_urls(path: Path) -> NDArray[np.str_]:
    try:
        return np.array(path.read_text("utf-8").splitlines(), dtype=np.str_)
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}). {_REMEDY}") from error


def _read_vocabulary(path: Path) -> tuple[list[str], dict[str, int]]:
    try:
        content = json.loads(path.read_text("utf-8"))
        words, ids = content["idx_to_word"], content["word_to_idx"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: not a vocabulary ({type(error).__name__}: {error}). {_REMEDY}"
        ) from (error)
    if not isinstance(words, list) or ids != {word: index for index, word in enumerate(words)}:
        raise _wrong(path, "'word_to_idx' is not the inverse of 'idx_to_word'")
    return words, ids


def _wrong(path: Path, found: str) -> DataError:
    return DataError(f"{path}: {found}; not the layout of COCO's captions. {_REMEDY}")
