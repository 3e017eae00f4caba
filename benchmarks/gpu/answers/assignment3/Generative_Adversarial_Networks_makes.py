"""Right answers that make noise, labels and networks on the notebook's device."""

import torch
import torch.nn as nn


# %% start from solutions
# %% definitions of sample-noise
def sample_noise(batch_size, dim, seed=None):
    if seed is not None:
        torch.manual_seed(seed)
    return torch.rand(batch_size, dim, device=device) * 2 - 1


# %% definitions of discriminator
def discriminator(seed=None):
    if seed is not None:
        torch.manual_seed(seed)
    return nn.Sequential(
        Flatten(),
        nn.Linear(784, 256),
        nn.LeakyReLU(0.01),
        nn.Linear(256, 256),
        nn.LeakyReLU(0.01),
        nn.Linear(256, 1),
    ).to(device)


# %% definitions of generator
def generator(noise_dim=NOISE_DIM, seed=None):
    if seed is not None:
        torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(noise_dim, 1024),
        nn.ReLU(),
        nn.Linear(1024, 1024),
        nn.ReLU(),
        nn.Linear(1024, 784),
        nn.Tanh(),
    ).to(device)


# %% definitions of discriminator-loss
def discriminator_loss(logits_real, logits_fake):
    real = torch.ones(logits_real.shape, device=device)
    fake = torch.zeros(logits_fake.shape, device=device)
    return bce_loss(logits_real, real) + bce_loss(logits_fake, fake)


# %% definitions of generator-loss
def generator_loss(logits_fake):
    return nn.functional.binary_cross_entropy_with_logits(
        logits_fake, torch.ones(logits_fake.shape, device=device, dtype=logits_fake.dtype)
    )


# %% definitions of ls-discriminator-loss
def ls_discriminator_loss(scores_real, scores_fake):
    ones = torch.ones(scores_real.shape, device=device, dtype=scores_real.dtype)
    zeros = torch.zeros(scores_fake.shape, device=device, dtype=scores_fake.dtype)
    return (
        nn.functional.mse_loss(scores_real, ones) + nn.functional.mse_loss(scores_fake, zeros)
    ) / 2


# %% definitions of ls-generator-loss
def ls_generator_loss(scores_fake):
    ones = torch.ones(scores_fake.shape, device=device, dtype=scores_fake.dtype)
    return nn.functional.mse_loss(scores_fake, ones) / 2
