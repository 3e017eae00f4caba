"""What a GAN in PyTorch needs besides its networks and losses: layers, the training loop, pictures.

Pixels: a data set's go from 0 to 1, the networks' from -1 to 1, the range of tanh;
``preprocess_img`` and ``deprocess_img`` lead from one to the other. ``cs231n_lib.data.mnist`` has
the digits, ``cs231n_lib.generative_quality`` says how good the images are.
"""

from cs231n_lib.gan.layers import (
    NOISE_DIM,
    ChunkSampler,
    Flatten,
    Unflatten,
    bce_loss,
    count_params,
    deprocess_img,
    dtype,
    initialize_weights,
    preprocess_img,
)
from cs231n_lib.gan.pictures import show_images
from cs231n_lib.gan.training import run_a_gan

__all__ = [
    "NOISE_DIM",
    "ChunkSampler",
    "Flatten",
    "Unflatten",
    "bce_loss",
    "count_params",
    "deprocess_img",
    "dtype",
    "initialize_weights",
    "preprocess_img",
    "run_a_gan",
    "show_images",
]
