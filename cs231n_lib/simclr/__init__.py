"""SimCLR: two views of each image, an encoder, and what its features are worth.

``transforms`` is torchvision's module where that can be imported, and ours, with the same names
and attributes, where it cannot.
"""

import importlib
from typing import Any

from cs231n_lib.simclr.evaluation import (
    features_of,
    knn_accuracy,
    linear_probe,
    normalized,
    unnormalized,
)
from cs231n_lib.simclr.model import Classifier, Model, ResNet50Model
from cs231n_lib.simclr.pairs import CIFAR10Images, PairLoader
from cs231n_lib.simclr.pretrained import measured, pretrained_model
from cs231n_lib.simclr.training import compute_test_transform, test, train_val
from cs231n_lib.simclr.views import batched

__all__ = [
    "CIFAR10Images", "Classifier", "Model", "PairLoader", "ResNet50Model", "batched",
    "compute_test_transform", "features_of", "knn_accuracy", "linear_probe", "measured",
    "normalized", "pretrained_model", "test", "train_val", "transforms", "unnormalized",
]  # fmt: skip


def find_transforms() -> Any:
    """torchvision's transforms, or ours."""
    try:
        return importlib.import_module("torchvision.transforms")
    except (ImportError, RuntimeError):  # RuntimeError: built for another torch
        return importlib.import_module("cs231n_lib.simclr.image_transforms")


transforms: Any = find_transforms()
