"""Right as in public solutions: casts to dtype, labels by hand for bce_loss, lists of layers."""

import torch
import torch.nn as nn
import torch.optim as optim

from cs231n_lib.gan import Flatten, Unflatten, bce_loss, dtype


# %% start from solutions
# %% definitions of sample-noise
def sample_noise(batch_size, dim, seed=None):
    if seed is not None:
        torch.manual_seed(seed)
    return (torch.rand(batch_size, dim) * 2 - 1).type(dtype)


# %% definitions of discriminator
def discriminator(seed=None):
    if seed is not None:
        torch.manual_seed(seed)
    return nn.Sequential(
        Flatten(),
        nn.Linear(28 * 28, 256),
        nn.LeakyReLU(negative_slope=1e-2, inplace=True),
        nn.Linear(256, 256),
        nn.LeakyReLU(),
        nn.Linear(256, 1),
    )


# %% definitions of generator
def generator(noise_dim=96, seed=None):
    if seed is not None:
        torch.manual_seed(seed)
    hidden_dim, D = 1024, 28 * 28
    return nn.Sequential(
        nn.Linear(noise_dim, hidden_dim),
        nn.ReLU(inplace=True),
        nn.Linear(hidden_dim, hidden_dim),
        nn.ReLU(inplace=True),
        nn.Linear(hidden_dim, D),
        nn.Tanh(),
    )


# %% definitions of discriminator-loss
def discriminator_loss(logits_real, logits_fake):
    N, _ = logits_real.size()
    real_labels = torch.ones(N).type(dtype)
    fake_labels = torch.zeros(N).type(dtype)
    real = bce_loss(logits_real, real_labels)
    return real + bce_loss(logits_fake, fake_labels)


# %% definitions of generator-loss
def generator_loss(logits_fake):
    N = logits_fake.size(0)
    return bce_loss(logits_fake, torch.ones(N).type(dtype))


# %% definitions of get-optimizer
def get_optimizer(model):
    optimizer = optim.Adam(model.parameters(), lr=1e-3, betas=[0.5, 0.999])
    return optimizer


# %% definitions of ls-discriminator-loss
def ls_discriminator_loss(scores_real, scores_fake):
    N = scores_real.size()
    true_labels = torch.ones(N).type(dtype)
    fake_image_loss = (torch.mean((scores_real - true_labels) ** 2)) / 2
    real_image_loss = (torch.mean(scores_fake**2)) / 2
    return fake_image_loss + real_image_loss


# %% definitions of ls-generator-loss
def ls_generator_loss(scores_fake):
    N = scores_fake.size()
    true_labels = torch.ones(N).type(dtype)
    return torch.mean((scores_fake - true_labels) ** 2) / 2


# %% definitions of dc-classifier
def build_dc_classifier(batch_size):
    return nn.Sequential(
        Unflatten(batch_size, 1, 28, 28),
        nn.Conv2d(1, 32, kernel_size=5, stride=1),
        nn.LeakyReLU(negative_slope=0.01),
        nn.MaxPool2d(kernel_size=2, stride=2),
        nn.Conv2d(32, 64, kernel_size=5, stride=1),
        nn.LeakyReLU(negative_slope=0.01),
        nn.MaxPool2d(kernel_size=2, stride=2),
        Flatten(),
        nn.Linear(4 * 4 * 64, 4 * 4 * 64),
        nn.LeakyReLU(negative_slope=0.01),
        nn.Linear(4 * 4 * 64, 1),
    )


# %% definitions of dc-generator
def build_dc_generator(noise_dim=96):
    return nn.Sequential(
        nn.Linear(noise_dim, 1024),
        nn.ReLU(),
        nn.BatchNorm1d(1024),
        nn.Linear(1024, 7 * 7 * 128),
        nn.ReLU(),
        nn.BatchNorm1d(7 * 7 * 128),
        Unflatten(-1, 128, 7, 7),
        nn.ConvTranspose2d(128, 64, kernel_size=(4, 4), stride=2, padding=1),
        nn.ReLU(),
        nn.BatchNorm2d(64),
        nn.ConvTranspose2d(64, 1, kernel_size=(4, 4), stride=2, padding=1),
        nn.Tanh(),
        Flatten(),
    )
