"""Right with torch's own layers, losses and noise, and with classes of one's own."""

import torch
import torch.nn as nn
import torch.nn.functional as F


# %% start from solutions
# %% definitions of sample-noise
def sample_noise(batch_size, dim, seed=None):
    generator = None if seed is None else torch.Generator().manual_seed(seed)
    return torch.empty(batch_size, dim).uniform_(-1, 1, generator=generator)


# %% definitions of discriminator
def discriminator(seed=None):
    if seed is not None:
        torch.manual_seed(seed)

    class Discriminator(nn.Module):
        def __init__(self):
            super().__init__()
            self.score = nn.Linear(256, 1)
            self.first = nn.Linear(784, 256)
            self.second = nn.Linear(256, 256)

        def forward(self, x):
            x = F.leaky_relu(self.first(x.flatten(1)))
            return self.score(F.leaky_relu(self.second(x)))

    return Discriminator()


# %% definitions of generator
def generator(noise_dim=96, seed=None):
    if seed is not None:
        torch.manual_seed(seed)

    class Generator(nn.Module):
        def __init__(self):
            super().__init__()
            sizes = [noise_dim, 1024, 1024, 784]
            pairs = zip(sizes[:-1], sizes[1:], strict=True)
            self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairs)

        def forward(self, z):
            for layer in self.layers[:-1]:
                z = layer(z).clamp(min=0)
            return self.layers[-1](z).tanh()

    return Generator()


# %% definitions of discriminator-loss
def discriminator_loss(logits_real, logits_fake):
    return F.softplus(-logits_real).mean() + F.softplus(logits_fake).mean()


# %% definitions of generator-loss
def generator_loss(logits_fake):
    return -F.logsigmoid(logits_fake).mean()


# %% definitions of get-optimizer
def get_optimizer(model):
    return torch.optim.Adam([{"params": list(model.parameters())}], 0.001, (0.5, 0.999))


# %% definitions of ls-discriminator-loss
def ls_discriminator_loss(scores_real, scores_fake):
    real = F.mse_loss(scores_real, torch.ones_like(scores_real))
    fake = F.mse_loss(scores_fake, torch.zeros_like(scores_fake))
    return (real + fake) / 2


# %% definitions of ls-generator-loss
def ls_generator_loss(scores_fake):
    return F.mse_loss(scores_fake, torch.ones_like(scores_fake)).div(2)


# %% definitions of dc-classifier
def build_dc_classifier(batch_size):
    def block(inputs, outputs):
        return [nn.Conv2d(inputs, outputs, 5), nn.MaxPool2d(2), nn.LeakyReLU()]

    head = [nn.Flatten(), nn.Linear(1024, 1024), nn.LeakyReLU(), nn.Linear(1024, 1)]
    return nn.Sequential(*block(1, 32), *block(32, 64), *head)


# %% definitions of dc-generator
def build_dc_generator(noise_dim=96):
    dense = nn.Sequential(
        nn.Linear(noise_dim, 1024),
        nn.ReLU(),
        nn.BatchNorm1d(1024),
        nn.Linear(1024, 6272),
        nn.ReLU(),
        nn.BatchNorm1d(6272),
    )
    convolutional = nn.Sequential(
        nn.Unflatten(1, (128, 7, 7)),
        nn.ConvTranspose2d(128, 64, 4, 2, 1),
        nn.ReLU(),
        nn.BatchNorm2d(64),
        nn.ConvTranspose2d(64, 1, 4, 2, 1),
        nn.Tanh(),
        nn.Flatten(),
    )
    return nn.Sequential(dense, convolutional)
