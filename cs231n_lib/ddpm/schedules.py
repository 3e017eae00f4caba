"""How much noise each step adds: three schedules of the variances beta_t.

Every function returns float64 (T,) for T timesteps, index 0 first, with every value in [0, 0.999].
"""

import math

import torch
from torch import Tensor

LARGEST = 0.999  # of beta: with 1, nothing of the image would be left to divide by


def linear_beta_schedule(timesteps: int) -> Tensor:
    """From 1e-4 to 0.02 in 1000 steps; other numbers of steps are scaled to as much noise in all.

    Ho, Jain and Abbeel, Denoising Diffusion Probabilistic Models (2020), section 4.
    """
    scale = 1000 / timesteps
    betas = torch.linspace(scale * 1e-4, scale * 0.02, timesteps, dtype=torch.float64)
    return betas.clamp(0, LARGEST)  # with fewer than 21 steps, the last ones would be above


def cosine_beta_schedule(timesteps: int, s: float = 0.008) -> Tensor:
    """The share of the image falls as a squared cosine.

    Nichol and Dhariwal, Improved Denoising Diffusion Probabilistic Models (2021), equation 17.
    """
    t = torch.linspace(0, 1, timesteps + 1, dtype=torch.float64)
    return _betas_of(torch.cos((t + s) / (1 + s) * math.pi / 2) ** 2)


def sigmoid_beta_schedule(
    timesteps: int, start: float = -3, end: float = 3, tau: float = 1, clamp_min: float = 1e-5
) -> Tensor:
    """The share of the image falls as a sigmoid between ``start`` and ``end``.

    Jabri, Fleet and Chen, Scalable Adaptive Computation for Iterative Generation (2022), figure 8.
    ``tau`` is the temperature: larger is closer to a straight line. ``clamp_min``: the share that
    is left at least.
    """
    t = torch.linspace(0, 1, timesteps + 1, dtype=torch.float64)
    first, last = (torch.tensor(edge / tau, dtype=torch.float64).sigmoid() for edge in (start, end))
    share = (last - ((t * (end - start) + start) / tau).sigmoid()) / (last - first)
    return _betas_of(share.clamp(clamp_min, 1.0))


SCHEDULES = {
    "linear": linear_beta_schedule,
    "cosine": cosine_beta_schedule,
    "sigmoid": sigmoid_beta_schedule,
}


def get_beta_schedule(name: str, timesteps: int) -> Tensor:
    """One of ``linear``, ``cosine`` and ``sigmoid``. Raises ValueError for another name."""
    if name not in SCHEDULES:
        raise ValueError(f"unknown beta schedule {name!r}: choose one of {', '.join(SCHEDULES)}")
    return SCHEDULES[name](timesteps)


def _betas_of(alphas_cumprod: Tensor) -> Tensor:
    """The betas whose products these T + 1 shares are, the first being that of the image itself."""
    return (1 - alphas_cumprod[1:] / alphas_cumprod[:-1]).clamp(0, LARGEST)
