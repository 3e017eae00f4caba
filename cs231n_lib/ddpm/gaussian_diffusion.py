"""What a diffusion model knows before anything is learned: its schedule, and the posterior.

Letters: B images (B, C, H, W), T timesteps. Timesteps are counted from 0: t = 0 has the least
noise, t = T - 1 the most, and ``alphas_cumprod[0]`` is 1 - beta_0.
Ho, Jain and Abbeel, Denoising Diffusion Probabilistic Models (2020).
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cs231n_lib.ddpm.schedules import get_beta_schedule

OBJECTIVES = ("pred_noise", "pred_x_start")
NO_VARIANCE = 1e-20  # the last step's, so that its standard deviation is 1e-10 and not 0


def extract(a: Tensor, t: Tensor, x_shape: torch.Size | tuple[int, ...]) -> Tensor:
    """The numbers a[t] for a (T,) and t (B,), as (B, 1, ..., 1) with as many axes as x_shape."""
    return a.gather(0, t).reshape(len(t), *(1 for _ in x_shape[1:]))


class DiffusionBase(nn.Module):
    """Schedule, posterior and the loop of sampling. What remains is for a subclass to write.

    A subclass has ``p_sample(x_t, t, model_kwargs)``, which goes from step t to the one before.
    ``model(x_t, t, model_kwargs)`` predicts, for x_t (B, C, H, W) and t (B,), the noise
    (objective ``pred_noise``) or the image itself (``pred_x_start``), which has the same shape.
    Buffers, float32, each (T,): betas, alphas, alphas_cumprod, sqrt_alphas_cumprod,
    sqrt_one_minus_alphas_cumprod, posterior_mean_coef1, posterior_mean_coef2, posterior_std and
    loss_weight.
    Raises ValueError for an unknown objective or schedule.
    """

    betas: Tensor
    alphas: Tensor
    alphas_cumprod: Tensor
    sqrt_alphas_cumprod: Tensor
    sqrt_one_minus_alphas_cumprod: Tensor
    posterior_mean_coef1: Tensor
    posterior_mean_coef2: Tensor
    posterior_std: Tensor
    loss_weight: Tensor

    def __init__(
        self,
        model: nn.Module,
        *,
        image_size: int,
        timesteps: int = 1000,
        objective: str = "pred_noise",
        beta_schedule: str = "sigmoid",
    ) -> None:
        super().__init__()
        if objective not in OBJECTIVES:
            choice = " or ".join(OBJECTIVES)
            raise ValueError(f"unknown objective {objective!r}: choose {choice}")
        self.model = model
        self.channels = 3
        self.image_size = image_size
        self.objective = objective
        self.num_timesteps = timesteps
        for name, values in self._coefficients(beta_schedule).items():
            self.register_buffer(name, values.float())

    def _coefficients(self, beta_schedule: str) -> dict[str, Tensor]:
        """All buffers, in float64."""
        betas = get_beta_schedule(beta_schedule, self.num_timesteps)
        alphas = 1 - betas
        share = alphas.cumprod(0)
        before = torch.cat([torch.ones(1, dtype=torch.float64), share[:-1]])
        variance = (betas * (1 - before) / (1 - share)).clamp(min=NO_VARIANCE)
        snr = share / (1 - share)
        return {
            "betas": betas,
            "alphas": alphas,
            "alphas_cumprod": share,
            "sqrt_alphas_cumprod": share.sqrt(),
            "sqrt_one_minus_alphas_cumprod": (1 - share).sqrt(),
            "posterior_mean_coef1": betas * before.sqrt() / (1 - share),
            "posterior_mean_coef2": (1 - before) * alphas.sqrt() / (1 - share),
            "posterior_std": variance.sqrt(),
            "loss_weight": snr if self.objective == "pred_x_start" else torch.ones_like(snr),
        }

    def normalize(self, images: Tensor) -> Tensor:
        """Pixels from [0, 1] to [-1, 1]."""
        return 2 * images - 1

    def unnormalize(self, images: Tensor) -> Tensor:
        """Pixels from [-1, 1] to [0, 1]."""
        return (images + 1) / 2

    def q_posterior(self, x_start: Tensor, x_t: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        """Mean (B, C, H, W) and standard deviation (B, 1, 1, 1) of x_{t-1}, given x_0 and x_t.

        Equations 6 and 7 of the paper.
        """
        buffers = self.posterior_mean_coef1, self.posterior_mean_coef2, self.posterior_std
        of_start, of_now, std = (extract(values, t, x_t.shape) for values in buffers)
        return of_start * x_start + of_now * x_t, std

    def p_sample(self, x_t: Tensor, t: int, model_kwargs: Any = None) -> Tensor:
        """One step back, from x_t to x_{t-1}."""
        raise NotImplementedError("p_sample is for the subclass to write")

    @torch.no_grad()
    def sample(
        self,
        batch_size: int = 16,
        return_all_timesteps: bool = False,
        model_kwargs: Mapping[str, Any] = {},
    ) -> Tensor:
        """Images (B, C, H, W) in [0, 1] from pure noise, of PyTorch's global generator.

        With all timesteps: (B, T + 1, C, H, W), the noise first.
        """
        size = self.image_size
        x = torch.randn(batch_size, self.channels, size, size, device=self.betas.device)
        steps = [x]
        for t in reversed(range(self.num_timesteps)):
            x = self.p_sample(x, t, model_kwargs)
            steps.append(x)
        return self.unnormalize(torch.stack(steps, dim=1) if return_all_timesteps else x)
