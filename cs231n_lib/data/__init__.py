"""Data sets of the notebooks. The mixed-case names are the ones CS231n code is used to."""

from cs231n_lib.data.batches import load_pickle
from cs231n_lib.data.cifar10 import (
    CIFAR10_CLASSES,
    find_cifar10,
    get_cifar10_data,
    load_cifar10,
    load_cifar_batch,
)
from cs231n_lib.data.imagenet import load_imagenet_val
from cs231n_lib.errors import DataError

load_CIFAR10 = load_cifar10  # noqa: N816
load_CIFAR_batch = load_cifar_batch  # noqa: N816
get_CIFAR10_data = get_cifar10_data  # noqa: N816

__all__ = [
    "CIFAR10_CLASSES",
    "DataError",
    "find_cifar10",
    "get_CIFAR10_data",
    "get_cifar10_data",
    "load_CIFAR10",
    "load_CIFAR_batch",
    "load_cifar10",
    "load_cifar_batch",
    "load_imagenet_val",
    "load_pickle",
]
