"""The images of the notebook: the built-in SpriteCIFAR, for which the network was trained."""

import torch

from cs231n_lib.data.cifar10 import load_split
from cs231n_lib.torch_data import ImageSet, normalize_images

TRAINING = 18_000  # of the 20,000 training images; the network has not seen the others


def sprite_sets() -> tuple[ImageSet, ImageSet, ImageSet]:
    """Training, validation and test images (N, 3, 32, 32), normalised: 18,000, 2,000 and 2,000.

    The test images show drawings that are in none of the others. Raises DataError where the
    built-in images are damaged.
    """
    images, labels = load_split(None, "train")
    test_images, test_labels = load_split(None, "test")
    parts = (
        (images[:TRAINING], labels[:TRAINING], True),
        (images[TRAINING:], labels[TRAINING:], False),
        (test_images, test_labels, False),
    )
    train, val, test = (
        ImageSet(normalize_images(pixels), torch.from_numpy(numbers).long(), learns)
        for pixels, numbers, learns in parts
    )
    return train, val, test
