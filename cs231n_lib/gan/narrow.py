"""The same network with fewer channels, for machines that have no graphics card."""

import copy

from torch import nn

from cs231n_lib.gan.layers import Unflatten

Layer = nn.Linear | nn.Conv2d | nn.ConvTranspose2d
Norm = nn.BatchNorm1d | nn.BatchNorm2d


def narrower(network: nn.Module, divisor: int) -> nn.Module:
    """Return a new network with the layers of ``network`` and ``1 / divisor`` of what is between.

    Input and output keep their size; every number of channels and features inside is divided. The
    cost falls with nearly the square of ``divisor``. The weights are new: each layer draws its own.
    A divisor of 1 returns the network itself.

    Raises TypeError when the network is not an nn.Sequential (it does not say then what comes after
    what), ValueError when a number inside is not a multiple of the divisor.
    """
    if divisor == 1:
        return network
    if not isinstance(network, nn.Sequential):
        raise TypeError(
            f"a {type(network).__name__} cannot be made narrower, only an nn.Sequential; return "
            "one, or train the network as it is (divisor 1)"
        )
    weighted = [layer for layer in network.modules() if isinstance(layer, Layer)]
    ends = (weighted[0], weighted[-1]) if weighted else (None, None)
    modules = list(network.modules())
    at_first = modules.index(weighted[0]) if weighted else len(modules)
    return _narrow(network, divisor, ends, untouched=set(modules[1:at_first]))


def _narrow(
    layer: nn.Module,
    divisor: int,
    ends: tuple[nn.Module | None, nn.Module | None],
    untouched: set[nn.Module],
) -> nn.Module:
    """``ends``: first and last layer with weights. ``untouched``: layers that shape the input."""
    first, last = ends
    if isinstance(layer, nn.Sequential):
        return nn.Sequential(*(_narrow(part, divisor, ends, untouched) for part in layer))
    if layer in untouched:
        return copy.deepcopy(layer)
    if isinstance(layer, nn.Linear):
        inside = layer.in_features if layer is first else _part(layer.in_features, divisor)
        outside = layer.out_features if layer is last else _part(layer.out_features, divisor)
        return nn.Linear(inside, outside, bias=layer.bias is not None)
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        inside = layer.in_channels if layer is first else _part(layer.in_channels, divisor)
        outside = layer.out_channels if layer is last else _part(layer.out_channels, divisor)
        return type(layer)(
            inside,
            outside,
            kernel_size=layer.kernel_size,  # pyright: ignore[reportArgumentType]
            stride=layer.stride,  # pyright: ignore[reportArgumentType]
            padding=layer.padding,  # pyright: ignore[reportArgumentType]
            bias=layer.bias is not None,
        )
    if isinstance(layer, Norm):
        return type(layer)(_part(layer.num_features, divisor))
    if isinstance(layer, Unflatten):
        return Unflatten(C=_part(layer.C, divisor), H=layer.H, W=layer.W)
    if isinstance(layer, nn.Unflatten):
        channels, *size = layer.unflattened_size
        return nn.Unflatten(layer.dim, (_part(int(channels), divisor), *map(int, size)))
    return copy.deepcopy(layer)


def _part(number: int, divisor: int) -> int:
    if number % divisor:
        raise ValueError(f"{number} channels or features cannot be divided by {divisor}")
    return number // divisor
