"""Right over helpers of one's own: torch's cross-entropy with logits, noise of numpy."""

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


# %% start from solutions
# %% new cell after setup
def mlp(*sizes, act, end=()):
    layers = []
    for inputs, outputs in zip(sizes[:-1], sizes[1:], strict=True):
        layers += [nn.Linear(inputs, outputs), act()]
    return nn.Sequential(nn.Flatten(), *layers[:-1], *end)


def cross_entropy(logits, label):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def half_square(scores, target):
    return 0.5 * torch.mean(torch.square(scores - target))


# %% definitions of sample-noise
def sample_noise(batch_size, dim, seed=None):
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.uniform(-1, 1, size=(batch_size, dim))).float()


# %% definitions of discriminator
def discriminator(seed=None):
    if seed is not None:
        torch.manual_seed(seed)
    return mlp(784, 256, 256, 1, act=nn.LeakyReLU)


# %% definitions of generator
def generator(noise_dim=96, seed=None):
    if seed is not None:
        torch.manual_seed(seed)
    return mlp(noise_dim, 1024, 1024, 784, act=nn.ReLU, end=[nn.Tanh()])


# %% definitions of discriminator-loss
def discriminator_loss(logits_real, logits_fake):
    return cross_entropy(logits_real, 1.0) + cross_entropy(logits_fake, 0.0)


# %% definitions of generator-loss
def generator_loss(logits_fake):
    return cross_entropy(logits_fake, 1.0)


# %% definitions of get-optimizer
def get_optimizer(model):
    solver = torch.optim.Adam(model.parameters())
    for group in solver.param_groups:
        group.update(lr=1e-3, betas=(0.5, 0.999))
    return solver


# %% definitions of ls-discriminator-loss
def ls_discriminator_loss(scores_real, scores_fake):
    return half_square(scores_real, 1) + half_square(scores_fake, 0)


# %% definitions of ls-generator-loss
def ls_generator_loss(scores_fake):
    return half_square(scores_fake, 1)


# %% definitions of dc-classifier
def build_dc_classifier(batch_size):
    return nn.Sequential(
        nn.Conv2d(1, 32, 5),
        nn.LeakyReLU(),
        nn.MaxPool2d(2, 2),
        nn.Conv2d(32, 64, 5),
        nn.LeakyReLU(),
        nn.AdaptiveMaxPool2d(4),
        mlp(1024, 1024, 1, act=nn.LeakyReLU),
    )


# %% definitions of dc-generator
def build_dc_generator(noise_dim=96):
    class Picture(nn.Module):
        def __init__(self):
            super().__init__()
            self.dense = nn.ModuleList([nn.Linear(noise_dim, 1024), nn.Linear(1024, 49 * 128)])
            self.norms = nn.ModuleList([nn.BatchNorm1d(1024), nn.BatchNorm1d(49 * 128)])
            self.up = nn.ConvTranspose2d(128, 64, 4, stride=2, padding=1)
            self.norm = nn.BatchNorm2d(64)
            self.last = nn.ConvTranspose2d(64, 1, 4, stride=2, padding=1)

        def forward(self, z):
            for dense, norm in zip(self.dense, self.norms, strict=True):
                z = norm(F.relu(dense(z)))
            maps = self.norm(F.relu(self.up(z.view(-1, 128, 7, 7))))
            return torch.tanh(self.last(maps)).view(len(z), 784)

    return Picture()
