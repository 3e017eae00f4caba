"""Right in another style: formulas written out, methods in terms of others, insert and index."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from cs231n_lib.ddpm import Downsample, ResnetBlock, SinusoidalPosEmb, Upsample, extract


# %% start from solutions
# %% definitions of forward-process
def q_sample(self, x_start, t, noise):
    share = extract(self.alphas_cumprod, t, x_start.shape)
    return torch.sqrt(share) * x_start + torch.sqrt(1.0 - share) * noise


def predict_start_from_noise(self, x_t, t, noise):
    a = self.sqrt_alphas_cumprod[t].reshape(-1, *[1] * (x_t.ndim - 1))
    b = self.sqrt_one_minus_alphas_cumprod[t].reshape(-1, *[1] * (x_t.ndim - 1))
    return x_t / a - (b / a) * noise


def predict_noise_from_start(self, x_t, t, x_start):
    zero = torch.zeros_like(x_t)
    scale = extract(self.sqrt_one_minus_alphas_cumprod, t, x_t.shape)
    return (x_t - self.q_sample(x_start, t, zero)) / scale


# %% definitions of gaussian-diffusion
def p_losses(self, x_start, model_kwargs={}):  # noqa: B006
    b = len(x_start)
    t = torch.randint(0, self.num_timesteps, (b,), device=x_start.device)
    x_start = self.normalize(x_start)
    noise = torch.randn_like(x_start)
    a = extract(self.sqrt_alphas_cumprod, t, x_start.shape)
    c = extract(self.sqrt_one_minus_alphas_cumprod, t, x_start.shape)
    prediction = self.model(a * x_start + c * noise, t, model_kwargs)
    target = {"pred_noise": noise, "pred_x_start": x_start}[self.objective]
    losses = F.mse_loss(prediction, target, reduction="none").flatten(1).mean(dim=1)
    return (self.loss_weight[t] * losses).mean()


@torch.no_grad()
def p_sample(self, x_t, t: int, model_kwargs={}):  # noqa: B006
    times = torch.tensor([t] * len(x_t), device=x_t.device)
    predicted = self.model(x_t, times, model_kwargs)
    if self.objective != "pred_x_start":
        a = self.sqrt_alphas_cumprod[t]
        b = self.sqrt_one_minus_alphas_cumprod[t]
        predicted = (x_t - b * predicted) / a
    mean, std = self.q_posterior(predicted.clip(-1, 1), x_t, times)
    if t == 0:
        return mean
    return torch.normal(mean, std.expand_as(mean))


# %% definitions of conditional-unet
def __init__(self, dim, condition_dim, dim_mults=(1, 2, 4, 8), channels=3, uncond_prob=0.2):
    super().__init__()
    self.channels = channels
    self.uncond_prob = uncond_prob
    context_dim = 4 * dim
    dims = [dim] + [dim * mult for mult in dim_mults]

    def pair(inside, outside):
        return [ResnetBlock(inside, outside, context_dim) for _ in range(2)]

    def embedding(*layers):
        return nn.Sequential(*layers, nn.GELU(), nn.Linear(context_dim, context_dim))

    self.init_conv = nn.Conv2d(channels, dim, 3, padding=1)
    self.time_mlp = embedding(SinusoidalPosEmb(dim), nn.Linear(dim, context_dim))
    self.condition_mlp = embedding(nn.Linear(condition_dim, context_dim))
    self.mid_block1, self.mid_block2 = pair(dims[-1], dims[-1])
    self.final_conv = nn.Conv2d(dim, channels, kernel_size=1)
    downs, ups = [], []
    for i in range(len(dim_mults)):
        downs.append(nn.ModuleList([*pair(dims[i], dims[i]), Downsample(dims[i], dims[i + 1])]))
        level = [Upsample(dims[i + 1], dims[i]), *pair(dims[i] + dims[i], dims[i])]
        ups.insert(0, nn.ModuleList(level))
    self.downs, self.ups = nn.ModuleList(downs), nn.ModuleList(ups)


def forward(self, x, time, model_kwargs={}):  # noqa: B006
    if "cfg_scale" in model_kwargs:
        return self.cfg_forward(x, time, model_kwargs)
    context = self.time_mlp(time)
    text_emb = model_kwargs.get("text_emb")
    if text_emb is not None:
        condition = self.condition_mlp(text_emb)
        if self.training:
            kept = torch.rand(len(x), 1, device=x.device) >= self.uncond_prob
            condition = condition * kept
        context = context + condition
    out = self.init_conv(x)
    levels = []
    for level in self.downs:
        first = level[0](out, context)
        second = level[1](first, context)
        levels.insert(0, (second, first))
        out = level[2](second)
    out = self.mid_block2(self.mid_block1(out, context), context)
    for (upsample, *blocks), saved in zip(self.ups, levels, strict=True):
        out = upsample(out)
        for block, skip in zip(blocks, saved, strict=True):
            out = block(torch.concatenate([out, skip], dim=1), context)
    return self.final_conv(out)


# %% definitions of unet
def cfg_forward(self, x, time, model_kwargs={}):  # noqa: B006
    w = model_kwargs["cfg_scale"]
    rest = {key: value for key, value in model_kwargs.items() if key != "cfg_scale"}
    without = self(x, time, rest | {"text_emb": None})
    with_text = self(x, time, rest)
    return with_text + w * (with_text - without)
