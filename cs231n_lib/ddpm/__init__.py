"""Diffusion on emoji: the parts of the model that are given, the pictures, training, weights."""

from cs231n_lib.ddpm.dataset import EmojiDataset
from cs231n_lib.ddpm.gaussian_diffusion import DiffusionBase, extract
from cs231n_lib.ddpm.pictures import show_rows
from cs231n_lib.ddpm.pretrained import DIFFUSION, UNET, load_pretrained
from cs231n_lib.ddpm.schedules import (
    cosine_beta_schedule,
    get_beta_schedule,
    linear_beta_schedule,
    sigmoid_beta_schedule,
)
from cs231n_lib.ddpm.trainer import Trainer
from cs231n_lib.ddpm.unet import (
    Block,
    Downsample,
    ResnetBlock,
    RMSNorm,
    SinusoidalPosEmb,
    Upsample,
    default,
    exists,
)
from cs231n_lib.ddpm.words import embed_text

__all__ = [
    "DIFFUSION", "UNET", "Block", "DiffusionBase", "Downsample", "EmojiDataset", "RMSNorm",
    "ResnetBlock", "SinusoidalPosEmb", "Trainer", "Upsample", "cosine_beta_schedule", "default",
    "embed_text", "exists", "extract", "get_beta_schedule", "linear_beta_schedule",
    "load_pretrained", "show_rows", "sigmoid_beta_schedule",
]  # fmt: skip
