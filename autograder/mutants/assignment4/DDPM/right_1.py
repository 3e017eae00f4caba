"""Right in another style: as the public solutions go, with indices, deepcopy and torch.full."""

import copy

import torch
import torch.nn as nn

from cs231n_lib.ddpm import Downsample, ResnetBlock, SinusoidalPosEmb, Upsample, extract


# %% start from solutions
# %% definitions of forward-process
def q_sample(self, x_start, t, noise):
    x_t = (
        extract(self.sqrt_alphas_cumprod, t, x_start.shape) * x_start
        + extract(self.sqrt_one_minus_alphas_cumprod, t, x_start.shape) * noise
    )
    return x_t


def predict_start_from_noise(self, x_t, t, noise):
    sqrt_alpha = extract(self.sqrt_alphas_cumprod, t, x_t.shape)
    sqrt_one_minus = extract(self.sqrt_one_minus_alphas_cumprod, t, x_t.shape)
    return (x_t - sqrt_one_minus * noise) / sqrt_alpha


def predict_noise_from_start(self, x_t, t, x_start):
    sqrt_alpha = extract(self.sqrt_alphas_cumprod, t, x_t.shape)
    sqrt_one_minus = extract(self.sqrt_one_minus_alphas_cumprod, t, x_t.shape)
    return (x_t - sqrt_alpha * x_start) / sqrt_one_minus


# %% definitions of gaussian-diffusion
def p_losses(self, x_start, model_kwargs={}):  # noqa: B006
    b, nts = x_start.shape[0], self.num_timesteps
    t = torch.randint(0, nts, (b,), device=x_start.device).long()
    x_start = self.normalize(x_start)
    noise = torch.randn_like(x_start)
    target = noise if self.objective == "pred_noise" else x_start
    loss_weight = extract(self.loss_weight, t, target.shape)
    x_t = self.q_sample(x_start, t, noise)
    model_out = self.model(x_t, t, model_kwargs=model_kwargs)
    loss = torch.mean(loss_weight * torch.square(model_out - target))
    return loss


@torch.no_grad()
def p_sample(self, x_t, t: int, model_kwargs={}):  # noqa: B006
    t = torch.full((x_t.shape[0],), t, device=x_t.device, dtype=torch.long)
    model_output = self.model(x_t, t, model_kwargs)
    if self.objective == "pred_noise":
        x_start = self.predict_start_from_noise(x_t=x_t, t=t, noise=model_output)
    else:
        x_start = model_output
    x_start = torch.clamp(x_start, min=-1.0, max=1.0)
    posterior_mean, posterior_std = self.q_posterior(x_start=x_start, x_t=x_t, t=t)
    noise = torch.randn(x_t.shape, device=x_t.device)
    return posterior_mean + posterior_std * noise


# %% definitions of conditional-unet
def __init__(self, dim, condition_dim, dim_mults=(1, 2, 4, 8), channels=3, uncond_prob=0.2):
    super().__init__()
    self.channels = channels
    self.init_conv = nn.Conv2d(channels, dim, 3, padding=1)
    dims = [dim] + [dim * m for m in dim_mults]
    in_out = list(zip(dims[:-1], dims[1:], strict=True))
    in_out_ups = [(b, a) for a, b in reversed(in_out)]
    context_dim = dim * 4
    self.time_mlp = nn.Sequential(
        SinusoidalPosEmb(dim),
        nn.Linear(dim, context_dim),
        nn.GELU(),
        nn.Linear(context_dim, context_dim),
    )
    self.uncond_prob = uncond_prob
    self.condition_mlp = nn.Sequential(
        nn.Linear(condition_dim, context_dim),
        nn.GELU(),
        nn.Linear(context_dim, context_dim),
    )
    mid_dim = dims[-1]
    self.mid_block1 = ResnetBlock(mid_dim, mid_dim, context_dim=context_dim)
    self.mid_block2 = ResnetBlock(mid_dim, mid_dim, context_dim=context_dim)
    self.downs = nn.ModuleList([])
    self.ups = nn.ModuleList([])
    for dim_in, dim_out in in_out:
        self.downs.append(
            nn.ModuleList(
                [
                    ResnetBlock(dim_in, dim_in, context_dim),
                    ResnetBlock(dim_in, dim_in, context_dim),
                    Downsample(dim_in, dim_out),
                ]
            )
        )
    for dim_in, dim_out in in_out_ups:
        self.ups.append(
            nn.ModuleList(
                [
                    Upsample(dim_in, dim_out),
                    ResnetBlock(dim_out * 2, dim_out, context_dim),
                    ResnetBlock(dim_out * 2, dim_out, context_dim),
                ]
            )
        )
    self.final_conv = nn.Conv2d(dim, channels, 1)


def forward(self, x, time, model_kwargs={}):  # noqa: B006
    if "cfg_scale" in model_kwargs:
        return self.cfg_forward(x, time, model_kwargs)
    context = self.time_mlp(time)
    cond_emb = model_kwargs["text_emb"]
    if cond_emb is not None:
        cond_emb = self.condition_mlp(cond_emb)
        if self.training:
            mask = (torch.rand(cond_emb.shape[0]) > self.uncond_prob).float()
            cond_emb = cond_emb * mask[:, None].to(cond_emb.device)
        context = context + cond_emb
    x = self.init_conv(x)
    h = []
    for i in range(len(self.downs)):
        for j in range(2):
            x = self.downs[i][j](x, context)
            h.append(x)
        x = self.downs[i][2](x)
    x = self.mid_block1(x, context)
    x = self.mid_block2(x, context)
    for i in range(len(self.ups)):
        x = self.ups[i][0](x)
        for j in range(1, 3):
            x = torch.cat((x, h.pop()), dim=1)
            x = self.ups[i][j](x, context)
    return self.final_conv(x)


# %% definitions of unet
def cfg_forward(self, x, time, model_kwargs={}):  # noqa: B006
    model_kwargs = copy.deepcopy(model_kwargs)
    cfg_scale = model_kwargs.pop("cfg_scale")
    x_cond = self.forward(x, time, model_kwargs)
    model_kwargs["text_emb"] = None
    x_uncond = self.forward(x, time, model_kwargs)
    return (cfg_scale + 1) * x_cond - cfg_scale * x_uncond
