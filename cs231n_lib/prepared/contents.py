"""What can be prepared, one function a kind: put it into the cache, and have it at hand from there.

``make`` is for a process that may compute and write, once on each machine; ``have`` for one that
will be forked: it starts no thread, and maps files instead of filling memory.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cs231n_lib import features, prepared
from cs231n_lib.data import cifar10, coco
from cs231n_lib.prepared import kept
from cs231n_lib.prepared.images import known_images

SPLITS: tuple[Literal["train", "test"], ...] = ("train", "test")
_AT_ONCE = 32  # images


class _Kind(NamedTuple):
    make: Callable[[], None]
    have: Callable[[], bool]


def make(name: str) -> None:
    """See to it that the cache holds what ``have(name)`` needs. Quick where it does.

    Raises OSError when the cache cannot be written, DataError when the data are damaged.
    """
    _KINDS[name].make()


def have(name: str) -> bool:
    """Have at hand what is called ``name``; False where the cache does not hold it.

    Raises DataError when it is there and cannot be used, ImportError when a package is missing.
    """
    return _KINDS[name].have()


# -- images of CIFAR-10, or of its stand-in ----------------------------------------------------


def _make_images() -> None:
    found = cifar10.find_cifar10()
    for split in SPLITS:
        name = cifar10.name_at_hand(found, split)
        if not (kept.is_kept(f"{name}-labels") and kept.is_kept(f"{name}-images")):
            images, labels = cifar10.load_split(found, split)
            kept.keep(f"{name}-images", images)
            kept.keep(f"{name}-labels", labels)


def _have_images() -> bool:
    found = cifar10.find_cifar10()
    return all(_have_split(cifar10.name_at_hand(found, split)) for split in SPLITS)


def _have_split(name: str) -> Mapping[str, NDArray[Any]] | None:
    if prepared.get(name) is None and (arrays := _mapped(name, ("images", "labels"))):
        prepared.put(name, arrays)
    return prepared.get(name)


# -- features of those images ------------------------------------------------------------------


def _make_features() -> None:
    _make_images()
    found = cifar10.find_cifar10()
    for split in SPLITS:
        name = _name_of_features(split)
        if not all(kept.is_kept(f"{name}-{kind}") for kind in features.AT_HAND):
            images, _ = cifar10.load_split(found, split)
            for kind, function in features.AT_HAND.items():
                batches = range(0, len(images), _AT_ONCE)
                rows = [function(images[start : start + _AT_ONCE]) for start in batches]
                kept.keep(f"{name}-{kind}", np.concatenate(rows))


def _have_features() -> bool:
    found = cifar10.find_cifar10()
    known = []
    for split in SPLITS:
        arrays = _have_split(cifar10.name_at_hand(found, split))
        results = _mapped(_name_of_features(split), tuple(features.AT_HAND))
        if arrays is None or results is None:
            return False
        known.append(known_images(arrays["images"], results))
    prepared.put("features", {"known": tuple(known)})
    return True


def _name_of_features(split: Literal["train", "test"]) -> str:
    """Names the code, too, and the processor: the last bit of an angle may depend on it."""
    numpy: Any = importlib.import_module("numpy._core._multiarray_umath")
    able = ",".join(sorted(name for name, has in numpy.__cpu_features__.items() if has))
    code = Path(features.__file__).read_bytes()
    name = cifar10.name_at_hand(cifar10.find_cifar10(), split)
    return f"features-{kept.key(name, code, np.__version__, able)}-{split}"


# -- captions ------------------------------------------------------------------------------------


def _make_captions() -> None:
    name = _name_of_captions()
    if coco.find_coco() is None and not all(kept.is_kept(f"{name}-{one}") for one in coco.ARRAYS):
        for one, array in coco.embedded_arrays().items():
            kept.keep(f"{name}-{one}", array)


def _have_captions() -> bool:
    arrays = _mapped(_name_of_captions(), coco.ARRAYS) if coco.find_coco() is None else {}
    if arrays:
        prepared.put(coco.AT_HAND, arrays)
    return arrays is not None


def _name_of_captions() -> str:
    stored = files("cs231n_lib.data").joinpath(coco.EMBEDDED_FILE)
    return f"captions-{kept.key(Path(str(stored)), Path(coco.__file__).read_bytes())}"


# -- weights ---------------------------------------------------------------------------------------


def _make_nothing() -> None:
    """Weights are read from the file that their publisher made."""


def _have_imagenet_weights() -> bool:
    return _have_weights(importlib.import_module("cs231n_lib.models.pretrained").weights())


def _have_simclr_weights() -> bool:
    return _have_weights(importlib.import_module("cs231n_lib.simclr.pretrained").weights())


def _have_clip_weights() -> bool:
    return _have_weights(importlib.import_module("cs231n_lib.clip_dino.clip").weights())


def _have_weights(known: Iterator[tuple[Path, Any]]) -> bool:
    weights: Any = importlib.import_module("cs231n_lib.models.weights")
    for path, file in known:
        state = weights.read_weights(path, file)
        prepared.put(weights.name_at_hand(path, file), {"state": state})
    return True


def _mapped(name: str, parts: Iterable[str]) -> dict[str, NDArray[Any]] | None:
    arrays = {part: kept.mapped(f"{name}-{part}") for part in parts}
    found = {part: array for part, array in arrays.items() if array is not None}
    return found if len(found) == len(arrays) else None


_KINDS: Mapping[str, _Kind] = {
    "cifar10": _Kind(_make_images, _have_images),
    "features": _Kind(_make_features, _have_features),
    "captions": _Kind(_make_captions, _have_captions),
    "imagenet-weights": _Kind(_make_nothing, _have_imagenet_weights),
    "simclr-weights": _Kind(_make_nothing, _have_simclr_weights),
    "clip-weights": _Kind(_make_nothing, _have_clip_weights),
}
