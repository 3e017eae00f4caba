"""Train a discriminator and a generator in turns (Goodfellow et al., 2014, algorithm 1).

Dimension letters: B images in a batch, C channels, H x W pixels, Z numbers of noise, K rows of it.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import isfinite
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from cs231n_lib.callers import find_layer
from cs231n_lib.gan.layers import NOISE_DIM, preprocess_img
from cs231n_lib.progress import progress_bar
from cs231n_lib.seeding import seeded_torch
from cs231n_lib.training import require_module, require_positive

SNAPSHOT = 16  # how many images are kept each time

Loss = Callable[..., Tensor]


def run_a_gan(
    D: nn.Module,
    G: nn.Module,
    D_solver: torch.optim.Optimizer,
    G_solver: torch.optim.Optimizer,
    discriminator_loss: Loss,
    generator_loss: Loss,
    loader_train: Iterable[Any],
    show_every: int = 250,
    batch_size: int = 128,
    noise_size: int = NOISE_DIM,
    num_epochs: int = 10,
    *,
    sample_noise: Callable[[int, int], Tensor] | None = None,
    seed: int | None = None,
    fixed_noise: Tensor | None = None,
    print_every: int | None = None,
    history: list[tuple[float, float]] | None = None,
) -> list[np.ndarray]:
    """Train the discriminator D and the generator G; return what G made on the way.

    For each batch, one step of ``D_solver`` on ``discriminator_loss(D(real), D(fake))``, which
    leaves G alone, then one of ``G_solver`` on ``generator_loss(D(fake))``, with new noise. D sees
    pixels from -1 to 1, and fakes in the shape of the real images, whichever shape G returns.
    Images go to the device and dtype of D, noise to those of G. Both networks are put into
    training mode and stay in it; ``eval()`` them before you use them, if they have BatchNorm.

    - loader_train: gives ``(x, anything)``, x (B, C, H, W) with pixels from 0 to 1. A batch that
      does not have ``batch_size`` images is left out
    - show_every: iterations between two of the arrays that are returned; the first is of iteration
      0, before G has learned anything. Each has the first 16 fakes, in the shape that G returns
    - fixed_noise: (K, Z). The arrays then have what G makes of these K rows, in evaluation mode,
      so that one can watch images change; the training is the same as without
    - sample_noise: called with (batch_size, noise_size). None: *your* function of this name
    - seed: makes noise and shuffling repeatable (not the networks, which exist already) and leaves
      torch's global generators alone. None: draws from those
    - print_every: iterations between two lines about the losses. None: ``show_every``; 0: quiet
    - history: a list, to which ``(loss of D, loss of G)`` is added in each iteration

    Raises FloatingPointError at the first loss that is NaN or infinite, LayerError when
    ``sample_noise`` is not found, TypeError when D or G is not a module, ValueError when no batch
    has ``batch_size`` images, a loss is not a scalar, or G's images have another size than the real
    ones.
    """
    require_module("run_a_gan", D)
    require_module("run_a_gan", G)
    require_positive(
        show_every=show_every, batch_size=batch_size, noise_size=noise_size, num_epochs=num_epochs
    )
    draw = sample_noise or find_layer("sample_noise")
    every = show_every if print_every is None else print_every
    batches = _batches(loader_train, num_epochs)
    generator = None if seed is None else np.random.default_rng(seed)
    images, done, begin = [], 0, time.perf_counter()
    D.train()
    G.train()
    with seeded_torch(generator), progress_bar(batches, "it", show=every > 0) as bar:
        for x in _each(loader_train, num_epochs):
            bar.update()
            if len(x) != batch_size:
                continue
            if done % show_every == 0 and fixed_noise is not None:
                images.append(_array(_generate(G, fixed_noise)))
            real = preprocess_img(_like(D, x))
            with torch.no_grad():  # the discriminator's step is not to reach G
                fake = _shaped(G(_like(G, draw(batch_size, noise_size))), real)
            d_loss = discriminator_loss(D(real), D(fake))
            d_value = _step(D_solver, d_loss, "discriminator_loss", done)
            made = G(_like(G, draw(batch_size, noise_size)))
            with _frozen(D):
                g_loss = generator_loss(D(_shaped(made, real)))
            g_value = _step(G_solver, g_loss, "generator_loss", done)
            if done % show_every == 0 and fixed_noise is None:
                images.append(_array(made[:SNAPSHOT]))
            if history is not None:
                history.append((d_value, g_value))
            if every and done % every == 0:
                bar.write(f"(iteration {done}) D: {d_value:.4f}, G: {g_value:.4f}")
            done += 1
    if done == 0:
        raise ValueError(
            f"no batch of loader_train has batch_size={batch_size} images, and others are left "
            "out; give run_a_gan the batch size of its loader"
        )
    if every:
        print(f"{done} iterations took {time.perf_counter() - begin:.1f} s")
    return images


def _each(loader: Iterable[Any], num_epochs: int) -> Iterator[Tensor]:
    """The images of every batch of every epoch."""
    for _ in range(num_epochs):
        for x, *_labels in loader:
            yield x


def _batches(loader: Iterable[Any], num_epochs: int) -> int:
    """How many batches there will be; 0 when the loader cannot say."""
    return num_epochs * len(cast(Any, loader)) if hasattr(loader, "__len__") else 0


def _step(solver: torch.optim.Optimizer, loss: Tensor, name: str, done: int) -> float:
    """One step down ``loss``; returns its value."""
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        shape = f" of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else ""
        raise ValueError(
            f"{name} must return a tensor with one number; it returned a {type(loss).__name__}"
            f"{shape}"
        )
    value = loss.item()
    if not isfinite(value):
        raise FloatingPointError(
            f"{name} is {value} in iteration {done}. Is the learning rate too large? Or does the "
            "loss take the logarithm of a sigmoid, which is 0 or 1 for large scores, instead of "
            "working with the scores themselves?"
        )
    if not loss.requires_grad:
        raise ValueError(
            f"{name} returned a number that depends on no network: nothing can be learned from it. "
            "Compute it from the scores that it is given, without detach() or item()"
        )
    solver.zero_grad()
    loss.backward()
    solver.step()
    return value


@contextmanager
def _frozen(model: nn.Module) -> Iterator[None]:
    """No gradients for the parameters: the generator's step needs those of its images only."""
    learning = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in learning:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in learning:
            parameter.requires_grad_(True)


def _generate(G: nn.Module, noise: Tensor) -> Tensor:
    """What G makes of the noise in evaluation mode; the modes stay as they were."""
    modes = [(module, module.training) for module in G.modules()]
    G.eval()
    try:
        with torch.no_grad():
            return G(_like(G, noise))
    finally:
        for module, training in modes:
            module.training = training


def _like(model: nn.Module, x: Tensor) -> Tensor:
    """``x`` with the dtype of the model's parameters and on their device."""
    weight = next(model.parameters(), None)
    return x if weight is None else x.to(device=weight.device, dtype=weight.dtype)


def _shaped(fake: Tensor, real: Tensor) -> Tensor:
    """The generated images as D sees the real ones."""
    if fake.numel() != real.numel():
        raise ValueError(
            f"G returned images of shape {tuple(fake.shape)}; the real ones have shape "
            f"{tuple(real.shape)}, which is another number of pixels"
        )
    return fake.reshape(real.shape).to(device=real.device, dtype=real.dtype)


def _array(images: Tensor) -> np.ndarray:
    return images.detach().cpu().numpy().copy()
