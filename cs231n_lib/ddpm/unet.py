"""The parts that the U-Net is put together from.

Letters: B images, C channels, H x W pixels, D numbers of context.
Ronneberger, Fischer and Brox, U-Net (2015); Ho, Jain and Abbeel (2020), appendix B.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

LONGEST_PERIOD = 10_000


def exists(value: object) -> bool:
    return value is not None


def default(value: Any, otherwise: Any) -> Any:
    """``value``, or what stands in for None: a value, or a function that makes one."""
    if value is not None:
        return value
    return otherwise() if callable(otherwise) else otherwise


def Upsample(dim: int, dim_out: int | None = None) -> nn.Sequential:  # noqa: N802
    """(B, dim, H, W) -> (B, dim_out, 2H, 2W): interpolated, then a 3x3 convolution."""
    return nn.Sequential(
        nn.Upsample(scale_factor=2, mode="bilinear"),
        nn.Conv2d(dim, default(dim_out, dim), 3, padding=1),
    )


def Downsample(dim: int, dim_out: int | None = None) -> nn.Conv2d:  # noqa: N802
    """(B, dim, H, W) -> (B, dim_out, H/2, W/2): a 2x2 convolution with stride 2."""
    return nn.Conv2d(dim, default(dim_out, dim), 2, stride=2)


class RMSNorm(nn.Module):
    """Each pixel's channels, scaled to a mean square of 1 and then by a learned factor each."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.g = nn.Parameter(torch.ones(1, dim, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return functional.normalize(x, dim=1) * self.g * x.shape[1] ** 0.5


class SinusoidalPosEmb(nn.Module):
    """Timesteps t (B,) -> (B, dim): sines and cosines of periods from 2 pi to 2 pi 10,000."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, t: Tensor) -> Tensor:
        half = self.dim // 2
        exponents = torch.arange(half, device=t.device) / max(half - 1, 1)
        angles = t[:, None] * torch.exp(-math.log(LONGEST_PERIOD) * exponents)
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


class Block(nn.Module):
    """Convolution 3x3, normalisation, scale and shift if there are any, SiLU."""

    def __init__(self, dim: int, dim_out: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(dim, dim_out, 3, padding=1)
        self.norm = RMSNorm(dim_out)
        self.act = nn.SiLU()

    def forward(self, x: Tensor, scale_shift: tuple[Tensor, Tensor] | None = None) -> Tensor:
        x = self.norm(self.proj(x))
        if scale_shift is not None:
            scale, shift = scale_shift
            x = x * (scale + 1) + shift
        return self.act(x)


class ResnetBlock(nn.Module):
    """x (B, dim, H, W), context (B, D) -> (B, dim_out, H, W): two blocks and a shortcut.

    The context scales and shifts the features of the first block; dropout of a tenth.
    """

    def __init__(self, dim: int, dim_out: int, context_dim: int) -> None:
        super().__init__()
        self.dim, self.dim_out, self.context_dim = dim, dim_out, context_dim
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(context_dim, 2 * dim_out))
        self.block1 = Block(dim, dim_out)
        self.block2 = Block(dim_out, dim_out)
        self.dropout = nn.Dropout(0.1)
        self.res_conv = nn.Conv2d(dim, dim_out, 1) if dim != dim_out else nn.Identity()

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        scale, shift = self.mlp(context)[:, :, None, None].chunk(2, dim=1)
        h = self.block2(self.block1(x, (scale, shift)))
        return self.dropout(h) + self.res_conv(x)
