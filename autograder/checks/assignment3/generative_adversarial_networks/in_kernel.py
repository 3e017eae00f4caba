"""The student's networks, losses and optimiser at work; the kernel gets this file as source.

Layers that learn are filled with numbers drawn from a seed, in the order in which they compute, so
that how a network starts and what its layers are called does not matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cs231n_lib.device import mixes_devices

Notebook = dict[str, Any]
Shapes = Sequence[tuple[str, Sequence[int]]]  # of the parameters of one layer, by their names


# -- networks -------------------------------------------------------------------------------------


def parameter_shapes(notebook: Notebook, name: str, arguments: Sequence[Any]) -> dict[str, Any]:
    """Shapes of the parameters of the network that ``name(*arguments)`` builds."""
    net = function(notebook, name)(*arguments)
    if not isinstance(net, nn.Module):
        return {"type": type(net).__name__, "shapes": []}
    return {"type": "", "shapes": [list(value.shape) for value in net.parameters()]}


def answer(
    notebook: Notebook,
    name: str,
    arguments: Sequence[Any],
    x: Tensor,
    seed: int | None,
    *,
    evaluating: bool = False,
    plain_norms: bool = False,
) -> dict[str, Any]:
    """What the network answers to x once its layers have the numbers of ``drawn``.

    ``seed`` None: the parameters stay as they begin. In the mode in which the network was built, or
    in evaluation mode. ``raised``: what it raised. ``layers``: names and shapes of the parameters,
    layer by layer.
    """
    net = function(notebook, name)(*arguments)
    if not isinstance(net, nn.Module):
        return {"type": type(net).__name__, "raised": "", "layers": [], "answer": None}
    if evaluating:
        net.eval()
    with torch.no_grad():
        layers, raised = in_use(net, x)
        shapes = [[(key, list(value.shape)) for key, value in own(layer)] for layer in layers]
        if raised:
            return {"type": "", "raised": raised, "layers": shapes, "answer": None}
        filled = () if seed is None else zip(layers, drawn(shapes, seed, plain_norms), strict=True)
        for layer, numbers in filled:
            for key, value in own(layer):
                value.copy_(torch.from_numpy(numbers[key]))
        out = net(x)
    return {"type": "", "raised": raised, "layers": shapes, "answer": out}


def in_use(net: nn.Module, x: Tensor) -> tuple[list[nn.Module], dict[str, str]]:
    """The layers that learn, in the order in which they compute; and what the network raised."""
    seen: dict[int, nn.Module] = {}

    def note(layer: nn.Module, _: Any) -> None:
        seen.setdefault(id(layer), layer)

    learning = [layer for layer in net.modules() if own(layer)]
    hooks = [layer.register_forward_pre_hook(note) for layer in learning]
    raised = {}
    try:
        net(x)
    except Exception as error:
        raised = described(error)
    for hook in hooks:
        hook.remove()
    return [*seen.values(), *(layer for layer in learning if id(layer) not in seen)], raised


def described(error: Exception) -> dict[str, str]:
    """An error as plain data. One of devices is for the kernel, which asks once more on the GPU."""
    if mixes_devices(error):
        raise error
    return {"type": type(error).__name__, "message": str(error)[:300]}


def own(layer: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return list(layer.named_parameters(recurse=False))


def drawn(
    layers: Sequence[Shapes], seed: int, plain_norms: bool = False
) -> Iterator[dict[str, np.ndarray]]:
    """Numbers for the parameters of each layer. The judge draws the same ones.

    ``plain_norms``: the weights of batch normalisation are 1 and its biases 0, as it begins.
    """
    rng = np.random.default_rng(seed)
    for shapes in layers:
        norm = all(len(shape) == 1 for _, shape in shapes)
        numbers = {}
        for name, shape in shapes:
            value = rng.standard_normal(shape, dtype=np.float32)
            if len(shape) > 1:
                value *= np.float32(1.5 / np.sqrt(max(np.prod(shape[1:]), 1)))
            else:
                value *= np.float32(0.0 if norm and plain_norms else 0.3)
                value += np.float32(norm and name == "weight")
            numbers[name] = value
        yield numbers


# -- losses ---------------------------------------------------------------------------------------


def loss(notebook: Notebook, name: str, scores: Sequence[Tensor]) -> dict[str, Any]:
    """The loss, and its gradient for each of the scores: None where none arrives."""
    leaves = [value.clone().requires_grad_() for value in scores]
    value = function(notebook, name)(*leaves)
    flows = isinstance(value, Tensor) and value.requires_grad and value.numel() == 1
    if flows:
        value.backward()
    found = value.detach() if isinstance(value, Tensor) else value
    return {"value": found, "flows": flows, "grads": [leaf.grad for leaf in leaves]}


# -- training -------------------------------------------------------------------------------------


def optimizer_steps(
    notebook: Notebook, name: str, params: Sequence[Tensor], grads: Sequence[Sequence[Tensor]]
) -> dict[str, Any]:
    """The parameters of a small network after each step of the optimiser that ``name`` makes."""
    net = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.01), nn.Linear(4, 2)).double()
    with torch.no_grad():
        for parameter, value in zip(net.parameters(), params, strict=True):
            parameter.copy_(value)
    optimizer = function(notebook, name)(net)
    if isinstance(optimizer, type) or not callable(getattr(optimizer, "step", None)):
        return {"type": type(optimizer).__name__, "steps": []}
    steps = []
    for now in grads:
        for parameter, slope in zip(net.parameters(), now, strict=True):
            parameter.grad = slope.to(parameter.device, copy=True)
        optimizer.step()
        steps.append([parameter.detach().clone() for parameter in net.parameters()])
    return {"type": "", "steps": steps}


PIECES = ("discriminator", "generator", "discriminator_loss", "generator_loss", "get_optimizer",
          "sample_noise")  # fmt: skip


def one_iteration(notebook: Notebook, students: Sequence[str], seed: int) -> dict[str, Any]:
    """One iteration of ``run_a_gan`` with the student's pieces of these names.

    The others are simple ones that train somehow. Returns numbers of the two networks before and
    after, or what was raised.
    """
    from cs231n_lib.gan import NOISE_DIM, run_a_gan

    pieces = {
        name: function(notebook, name) if name in students else piece
        for name, piece in stand_ins().items()
    }
    torch.manual_seed(seed)
    images = torch.rand(4, 1, 28, 28)
    try:
        nets = D, G = pieces["discriminator"](), pieces["generator"]()
        D_solver, G_solver = (pieces["get_optimizer"](net) for net in nets)
        before = [some_numbers(net) for net in nets]
        d_loss, g_loss = pieces["discriminator_loss"], pieces["generator_loss"]
        options = {"sample_noise": pieces["sample_noise"], "print_every": 0}
        loader = [(images, None)]
        run_a_gan(D, G, D_solver, G_solver, d_loss, g_loss, loader, 1, 4, NOISE_DIM, 1, **options)
    except Exception as error:
        return {"raised": described(error), "pairs": {}}
    pairs = [(was, some_numbers(net)) for was, net in zip(before, nets, strict=True)]
    return {"raised": {}, "pairs": dict(zip(PIECES, pairs, strict=False))}


def some_numbers(net: nn.Module) -> list[Tensor]:
    """Up to 8191 numbers of each parameter, from all over it, as they are now."""
    flat = [value.detach().flatten() for value in net.parameters()]
    return [values[:: max(1, len(values) // 4096)].clone() for values in flat]


def stand_ins() -> dict[str, Callable[..., Any]]:
    """Pieces of a GAN that is none: it only has what a training step needs."""
    return {
        "discriminator": lambda: nn.Sequential(nn.Flatten(), nn.Linear(784, 1)),
        "generator": lambda: nn.Sequential(nn.Linear(96, 784), nn.Tanh()),
        "discriminator_loss": lambda real, fake: (fake - 2 * real).mean(),
        "generator_loss": lambda fake: -fake.mean(),
        "get_optimizer": lambda net: torch.optim.SGD(net.parameters(), lr=0.1),
        "sample_noise": lambda rows, numbers: torch.randn(rows, numbers),
    }


def function(notebook: Notebook, name: str) -> Callable[..., Any]:
    if name not in notebook:
        raise NameError(f"name {name!r} is not defined in the notebook")
    return notebook[name]
