"""Schedules, posterior and the U-Net, written down once more: NumPy and torch functions, float64.

Sources: Ho, Jain and Abbeel (2020), equations 4, 6 and 7; Nichol and Dhariwal (2021), equation 17;
Jabri, Fleet and Chen (2022), figure 8.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[Any]  # float64, and levels as integers
State = Mapping[str, Tensor]
SCHEDULES = ("linear", "cosine", "sigmoid")


@dataclass(frozen=True)
class Levels:
    """The share of the image that is left at each level, (T,), and the noise of each step."""

    share: Array
    betas: Array

    def q_sample(self, x_start: Array, t: Array, noise: Array) -> Array:
        a, b = self.shares(t, x_start.ndim)
        return a * x_start + b * noise

    def start(self, x_t: Array, t: Array, noise: Array) -> Array:
        a, b = self.shares(t, x_t.ndim)
        return (x_t - b * noise) / a

    def noise(self, x_t: Array, t: Array, x_start: Array) -> Array:
        a, b = self.shares(t, x_t.ndim)
        return (x_t - a * x_start) / b

    def shares(self, t: Array, axes: int) -> tuple[Array, Array]:
        """Roots of the share of the image and of that of the noise."""
        share = self.share[t].reshape(-1, *(1 for _ in range(axes - 1)))
        return np.sqrt(share), np.sqrt(1 - share)

    def posterior(self, t: int) -> tuple[float, float, float]:
        """Factors of x_0 and of x_t in the mean of x_{t-1}, and its standard deviation."""
        before = self.share[t - 1] if t else 1.0
        rest = 1 - self.share[t]
        variance = self.betas[t] * (1 - before) / rest
        of_start = np.sqrt(before) * self.betas[t] / rest
        of_now = np.sqrt(1 - self.betas[t]) * (1 - before) / rest
        return float(of_start), float(of_now), float(np.sqrt(max(variance, 1e-20)))


def levels(schedule: str, T: int) -> Levels:
    u = np.arange(T + 1) / T
    if schedule == "linear":
        betas = np.linspace(0.1 / T, 20 / T, T)
        return Levels(np.cumprod(1 - betas), betas)
    if schedule == "cosine":
        share = np.cos((u + 0.008) / 1.008 * np.pi / 2) ** 2
    else:
        low, high = 1 / (1 + np.exp(3)), 1 / (1 + np.exp(-3))
        share = np.maximum((high - 1 / (1 + np.exp(3 - 6 * u))) / (high - low), 1e-5)
    betas = np.clip(1 - share[1:] / share[:-1], 0, 0.999)
    return Levels(np.cumprod(1 - betas), betas)


# -- the U-Net ------------------------------------------------------------------------------------

Slip = Literal[
    "", "first in, first out", "skip first", "no context", "one skip twice", "no middle",
    "middle swapped", "no text", "skips of inputs",
]  # fmt: skip


def specification(dim: int, condition: int, mults: tuple[int, ...]) -> dict[str, Any]:
    """Each part of the network by its attribute, as a name and arguments."""
    dims, context = [dim, *(dim * mult for mult in mults)], 4 * dim
    pairs = list(itertools.pairwise(dims))

    def mlp(*first: Any) -> list[Any]:
        return ["Sequential", *first, ["GELU"], ["Linear", context, context]]

    def block(inside: int, outside: int) -> list[Any]:
        return ["ResnetBlock", inside, outside, context]

    return {
        "init_conv": ["Conv2d", 3, dim, 3, 1, 1],
        "time_mlp": mlp(["SinusoidalPosEmb", dim], ["Linear", dim, context]),
        "condition_mlp": mlp(["Linear", condition, context]),
        "downs": [
            "list",
            *(["list", block(i, i), block(i, i), ["Downsample", i, o]] for i, o in pairs),
        ],
        "ups": [
            "list",
            *(["list", ["Upsample", o, i], *[block(2 * i, i)] * 2] for i, o in reversed(pairs)),
        ],
        "mid_block1": block(dims[-1], dims[-1]),
        "mid_block2": block(dims[-1], dims[-1]),
        "final_conv": ["Conv2d", dim, 3, 1],
    }


def shapes(dim: int, condition: int, mults: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """Shapes of all parameters, by their names."""
    context, found = 4 * dim, {}

    def layer(name: str, *weight: int) -> None:
        found[f"{name}.weight"], found[f"{name}.bias"] = weight, weight[:1]

    def block(name: str, i: int, o: int) -> None:
        layer(f"{name}.mlp.1", 2 * o, context)
        for number, inside in ((1, i), (2, o)):
            layer(f"{name}.block{number}.proj", o, inside, 3, 3)
            found[f"{name}.block{number}.norm.g"] = (1, o, 1, 1)
        if i != o:
            layer(f"{name}.res_conv", o, i, 1, 1)

    layer("init_conv", dim, 3, 3, 3)
    for name, first, inside in (("time_mlp", 1, dim), ("condition_mlp", 0, condition)):
        layer(f"{name}.{first}", context, inside)
        layer(f"{name}.{first + 2}", context, context)
    dims = [dim, *(dim * mult for mult in mults)]
    pairs = list(itertools.pairwise(dims))
    for n, (i, o) in enumerate(pairs):
        block(f"downs.{n}.0", i, i)
        block(f"downs.{n}.1", i, i)
        layer(f"downs.{n}.2", o, i, 2, 2)
    for n, (i, o) in enumerate(reversed(pairs)):
        layer(f"ups.{n}.0.1", i, o, 3, 3)
        block(f"ups.{n}.1", 2 * i, i)
        block(f"ups.{n}.2", 2 * i, i)
    for name in ("mid_block1", "mid_block2"):
        block(name, dims[-1], dims[-1])
    layer("final_conv", 3, dim, 1, 1)
    return found


def drawn_state(rng: Generator, sizes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Numbers for all parameters, float32, such that nothing explodes or vanishes."""
    state = {}
    for name, shape in sizes.items():
        value = rng.normal(size=shape)
        if name.endswith("norm.g"):
            value = 1 + 0.3 * value
        elif len(shape) > 1:
            value = value / np.sqrt(np.prod(shape[1:]))
        else:
            value = 0.3 * value
        state[name] = torch.from_numpy(value.astype(np.float32))
    return state


def unet(state: State, x: Tensor, time: Tensor, text: Tensor | None, slip: Slip = "") -> Tensor:
    """The network in float64. ``slip``: with one mistake."""
    P = {name: value.double() for name, value in state.items()}

    def linear(name: str, x: Tensor) -> Tensor:
        return F.linear(x, P[f"{name}.weight"], P[f"{name}.bias"])

    def conv(name: str, x: Tensor, **options: int) -> Tensor:
        return F.conv2d(x, P[f"{name}.weight"], P[f"{name}.bias"], **options)

    def norm(name: str, x: Tensor) -> Tensor:
        return x / x.square().mean(dim=1, keepdim=True).sqrt() * P[f"{name}.norm.g"]

    def block(name: str, x: Tensor) -> Tensor:
        scale, shift = linear(f"{name}.mlp.1", F.silu(context))[:, :, None, None].chunk(2, dim=1)
        h = norm(f"{name}.block1", conv(f"{name}.block1.proj", x, padding=1))
        h = F.silu(h * (1 + scale) + shift)
        h = F.silu(norm(f"{name}.block2", conv(f"{name}.block2.proj", h, padding=1)))
        return h + (conv(f"{name}.res_conv", x) if f"{name}.res_conv.weight" in P else x)

    half = P["time_mlp.1.weight"].shape[1] // 2
    angles = time[:, None] / 10_000 ** (torch.arange(half, dtype=torch.float64) / max(half - 1, 1))
    waves = torch.cat([angles.sin(), angles.cos()], dim=1)
    context = linear("time_mlp.3", F.gelu(linear("time_mlp.1", waves)))
    if text is not None and slip != "no text":
        hidden = F.gelu(linear("condition_mlp.0", text.double()))
        context = context + linear("condition_mlp.2", hidden)
    if slip == "no context":
        context = torch.zeros_like(context)

    count = sum(name.startswith("downs.") and name.endswith(".2.weight") for name in P)
    skips: list[Tensor] = []
    x = conv("init_conv", x.double(), padding=1)
    for n in range(count):
        for part in (0, 1):
            skips += [x] if slip == "skips of inputs" else []
            x = block(f"downs.{n}.{part}", x)
            skips += [] if slip == "skips of inputs" else [x]
        if slip == "one skip twice":
            skips[-2] = x
        x = conv(f"downs.{n}.2", x, stride=2)
    middle = ("mid_block1", "mid_block2")
    for name in middle[::-1] if slip == "middle swapped" else middle:
        x = x if slip == "no middle" else block(name, x)
    for n in range(count):
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        x = conv(f"ups.{n}.0.1", x, padding=1)
        used = skips[-2:] if slip == "first in, first out" else skips[-2:][::-1]
        del skips[-2:]
        for part, skip in zip((1, 2), used, strict=True):
            pair = [skip, x] if slip == "skip first" else [x, skip]
            x = block(f"ups.{n}.{part}", torch.cat(pair, dim=1))
    return conv("final_conv", x)


Answer = Callable[..., Array]
