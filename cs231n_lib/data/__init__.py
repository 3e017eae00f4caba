"""Data sets of the notebooks. The mixed-case names are the ones CS231n code is used to."""

from cs231n_lib.data.batches import load_pickle
from cs231n_lib.data.cifar10 import (
    CIFAR10_CLASSES,
    find_cifar10,
    get_cifar10_data,
    load_cifar10,
    load_cifar_batch,
)
from cs231n_lib.data.coco import decode_captions, load_coco_data, sample_coco_minibatch
from cs231n_lib.data.coco_files import find_coco
from cs231n_lib.data.imagenet import load_imagenet_val
from cs231n_lib.data.mnist import find_mnist, load_mnist
from cs231n_lib.data.scene_pictures import scene_images
from cs231n_lib.errors import DataError

load_CIFAR10 = load_cifar10  # noqa: N816
load_CIFAR_batch = load_cifar_batch  # noqa: N816
get_CIFAR10_data = get_cifar10_data  # noqa: N816

__all__ = [
    "CIFAR10_CLASSES",
    "DataError",
    "decode_captions",
    "find_cifar10",
    "find_coco",
    "find_mnist",
    "get_CIFAR10_data",
    "get_cifar10_data",
    "load_CIFAR10",
    "load_CIFAR_batch",
    "load_cifar10",
    "load_cifar_batch",
    "load_coco_data",
    "load_imagenet_val",
    "load_mnist",
    "load_pickle",
    "sample_coco_minibatch",
    "scene_images",
]
