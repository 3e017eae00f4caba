"""Captioned images for the notebooks: COCO's own files where they are found, else SpriteScenes.

Dimension letters: n captions of T = 17 columns, M images, D features of each, N in a mini-batch.
"""

import os
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import ArrayLike, NDArray

from cs231n_lib import prepared
from cs231n_lib.data.coco_files import find_coco, read_coco
from cs231n_lib.data.folders import announce_once
from cs231n_lib.data.scene_captions import vocabulary
from cs231n_lib.data.spritescenes import CAPTIONS_PER_SCENE, SIZES, Split

SUBSAMPLE_SEED = 231
EMBEDDED_FILE = "captions.npz"
AT_HAND = "captions"  # the arrays of the embedded scenes, among what is prepared
ARRAYS = tuple(
    f"{split}_{kind}" for split in SIZES for kind in ("captions", "features", "image_idxs", "urls")
)


def load_coco_data(
    base_dir: str | os.PathLike[str] | None = None,
    max_train: int | None = None,
    pca_features: bool = True,
    *,
    seed: int = SUBSAMPLE_SEED,
) -> dict[str, Any]:
    """Load captions, image features and the vocabulary: COCO's if found, else SpriteScenes'.

    base_dir: the folder with COCO's files; default: see ``find_coco``. max_train: keep that many
    training captions, drawn with replacement from ``seed``; features stay whole. pca_features:
    512 columns; False takes COCO's 4096, which the embedded scenes do not have.

    Returns a dict with, for ``train`` and ``val``: ``train_captions`` (n, T) int32, word ids:
    <START>, words, <END>, then <NULL>; ``train_image_idxs`` (n,) int32, which row of the features
    each caption is about; ``train_features`` (M, D) float32; ``train_urls`` (M,) str, for
    ``image_from_url``; and ``idx_to_word``, a list, and ``word_to_idx``, its inverse.
    Embedded: M = 5000 and 1000 scenes, n = 25,000 and 5,000 captions.
    Raises DataError when a file is missing or damaged, ValueError when max_train is not positive
    or the features are not to be had.
    """
    if max_train is not None and max_train < 1:
        raise ValueError(f"max_train is {max_train}; it is the number of captions to keep")
    folder = find_coco(base_dir)
    if folder is not None:
        data = read_coco(folder, pca_features=pca_features)
    elif pca_features:
        _announce_embedded_default()
        data = _read_embedded()
    else:
        raise ValueError(
            "pca_features=False asks for 4096 features an image, which only COCO's own files have; "
            "the embedded scenes come with 512. Leave it out, or set CS231N_DATA to the folder "
            "that holds coco_captioning."
        )
    if max_train is not None:
        chosen = np.random.default_rng(seed).integers(len(data["train_captions"]), size=max_train)
        for name in ("train_captions", "train_image_idxs"):
            data[name] = data[name][chosen]
    return data


def decode_captions(captions: ArrayLike, idx_to_word: Sequence[str]) -> str | list[str]:
    """Turn word ids into text: (T,) -> str, (N, T) -> list of str.

    <NULL> is left out, <START> and <END> are kept, and nothing is read after the first <END>.
    Raises ValueError for other shapes.
    """
    ids = np.asarray(captions)
    if ids.ndim == 1:
        return _decode(ids, idx_to_word)
    if ids.ndim == 2:
        return [_decode(row, idx_to_word) for row in ids]
    raise ValueError(f"captions must have shape (T,) or (N, T), not {ids.shape}")


def sample_coco_minibatch(
    data: dict[str, Any],
    batch_size: int = 100,
    split: Split = "train",
    rng: Generator | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.str_]]:
    """Draw captions, with replacement, and what belongs to them.

    rng: where chance comes from; default: NumPy's global state, which ``np.random.seed`` sets.
    Returns captions (N, T) int32, features (N, D) float32 and addresses (N,) of their images.
    Raises ValueError when there is no such split.
    """
    if f"{split}_captions" not in data:
        raise ValueError(f"no split {split!r}; choose 'train' or 'val'")
    count = len(data[f"{split}_captions"])
    if rng is None:
        chosen = np.random.randint(count, size=batch_size)  # noqa: NPY002 (the notebook's seed)
    else:
        chosen = rng.integers(count, size=batch_size)
    images = data[f"{split}_image_idxs"][chosen]
    return (
        data[f"{split}_captions"][chosen],
        data[f"{split}_features"][images],
        data[f"{split}_urls"][images],
    )


def _read_embedded() -> dict[str, Any]:
    words = list(vocabulary())
    data: dict[str, Any] = {
        "idx_to_word": words,
        "word_to_idx": {word: index for index, word in enumerate(words)},
    }
    if at_hand := prepared.get(AT_HAND):
        return data | {name: at_hand[name].copy() for name in ARRAYS}
    return data | embedded_arrays()


def embedded_arrays() -> dict[str, NDArray[Any]]:
    """Read ``captions.npz``, which ``tools/build_captions.py`` makes."""
    data: dict[str, NDArray[Any]] = {}
    with (
        files("cs231n_lib.data").joinpath(EMBEDDED_FILE).open("rb") as file,
        np.load(file) as stored,
    ):
        step = stored["step"]
        for split, size in SIZES.items():
            data[f"{split}_captions"] = stored[f"{split}_captions"].astype(np.int32)
            data[f"{split}_features"] = stored[f"{split}_features"] * step
            owners = np.arange(size, dtype=np.int32)
            data[f"{split}_image_idxs"] = np.repeat(owners, CAPTIONS_PER_SCENE)
            data[f"{split}_urls"] = np.array([f"scene://{split}/{i}" for i in range(size)])
    return data


def _decode(ids: NDArray[Any], idx_to_word: Sequence[str]) -> str:
    words = []
    for index in ids:
        word = idx_to_word[index]
        if word != "<NULL>":
            words.append(word)
        if word == "<END>":
            break
    return " ".join(words)


def _announce_embedded_default() -> None:
    """Say once per process that this is not COCO."""
    announce_once(
        "Using SpriteScenes, the built-in stand-in for COCO (5,000 training and 1,000 "
        "validation scenes, five captions each). docs/data.md says how to use COCO's files."
    )
