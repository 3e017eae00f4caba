"""A GPU for hosts that have none: PyTorch gets a second device, whose tensors are not the CPU's.

A tensor of the device ``gpu`` keeps its numbers in one of the CPU, which only this file sees. What
PyTorch does with it, autograd, views and in-place operations, goes through PyTorch's own code, down
to the operation, which the CPU then carries out. As on a GPU, it is an error to mix the devices
(but for numbers without axes, and for indices), to ask for NumPy's array, and to draw with the
CPU's generator. It is slow, and no measure of time.

``serve`` is the agent of a kernel in which PyTorch has this device: ``Zygote(entry=...)``. It
imports nothing of the tests: a sandbox finds it by itself.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from autograder.sandbox import agent

NAME = "gpu"

aten = torch.ops.aten
#: They make tensors of nothing: PyTorch asks the device for each.
MAKERS = (
    *(aten.empty.memory_format, aten.empty_strided.default, aten.full.default, aten.zeros.default),
    *(aten.ones.default, aten.arange.default, aten.arange.start, aten.arange.start_step),
    *(aten.eye.default, aten.eye.m, aten.linspace.default, aten.randperm.default),
    *(aten.rand.default, aten.randn.default, aten.randint.default, aten.randint.low),
    *(aten.scalar_tensor.default, aten.tril_indices.default, aten.triu_indices.default),
    *(aten.rand.generator, aten.randn.generator, aten.randperm.generator),
    *(aten.randint.generator, aten.randint.low_generator),
)
COPIES = {aten.copy_.default, aten._to_copy.default, aten.lift_fresh_copy.default}
BY_INDEX = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default}
BY_INDEX |= {aten._index_put_impl_.default, aten._unsafe_index.Tensor}


class OnGpu(torch.Tensor):
    """A tensor of the second device; ``numbers`` is the CPU's."""

    numbers: Tensor

    @staticmethod
    def __new__(cls, numbers: Tensor) -> OnGpu:
        made = Tensor._make_wrapper_subclass(
            cls,
            numbers.size(),
            strides=numbers.stride(),
            storage_offset=numbers.storage_offset(),
            dtype=numbers.dtype,
            layout=numbers.layout,
            device=torch.device(NAME, 0),
        )
        made.numbers = numbers
        return made

    @classmethod
    def __torch_function__(
        cls, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        if func in (Tensor.numpy, Tensor.__array__):
            raise TypeError(
                f"can't convert {NAME}:0 device type tensor to numpy. Use Tensor.cpu() to copy the "
                "tensor to host memory first."
            )
        if func is Tensor.tolist:
            return args[0].numbers.tolist()
        if func is Tensor.data.__set__ and isinstance(args[1], OnGpu):  # type: ignore[attr-defined]
            args[0].numbers = args[1].numbers
        with torch._C.DisableTorchFunctionSubclass():
            return func(*args, **(kwargs or {}))

    @classmethod
    def __torch_dispatch__(
        cls, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        return computed(func, args, kwargs or {})

    def __repr__(self, *, tensor_contents: object = None) -> str:
        return f"{self.numbers!r} on {NAME}"


def install() -> None:
    """Give PyTorch the device. Once for each process."""
    _setup_privateuseone_for_python_backend(NAME)
    library = torch.library.Library("aten", "IMPL", "PrivateUse1")
    _KEPT.append(library)
    for maker in MAKERS:
        library.impl(maker.name().removeprefix("aten::"), _made_by(maker))
    library.impl("_copy_from", _copy_from)
    nn.Module._apply = _keeping_parameters(nn.Module._apply)  # type: ignore[method-assign]


_KEPT: list[Any] = []


def _copy_from(source: Tensor, target: Tensor, non_blocking: bool = False) -> Tensor:
    numbers = [one.numbers if isinstance(one, OnGpu) else one for one in (source, target)]
    numbers[1].copy_(numbers[0])
    return target


def _made_by(maker: Any) -> Callable[..., Tensor]:
    def made(*args: Any, **kwargs: Any) -> Tensor:
        return computed(maker, args, {**kwargs, "device": torch.device(NAME, 0)})

    return made


def computed(func: Any, args: tuple, kwargs: dict) -> Any:
    """What an operation answers, of tensors of which one at least is on the device."""
    expect_one_device(func, args, kwargs)
    where = kwargs.get("device")
    stays = where is None or torch.device(where).type == NAME
    if "device" in kwargs and where is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    kwargs = {name: value for name, value in kwargs.items() if name != "pin_memory"}
    plain_args, plain_kwargs = tree_map_only(OnGpu, lambda one: one.numbers, (args, kwargs))
    found = func(*plain_args, **plain_kwargs)
    changed = _changed(func, args, kwargs)
    for one in changed:
        if isinstance(one, OnGpu) and one.numbers.size() != one.size():
            raise NotImplementedError(f"{func} changed a shape: the stand-in cannot follow")
    if changed:
        return changed[0] if len(changed) == 1 else tuple(changed)
    return tree_map_only(Tensor, OnGpu, found) if stays else found


def expect_one_device(func: Any, args: tuple, kwargs: dict) -> None:
    """Raise RuntimeError in PyTorch's words where the tensors are on both devices."""
    if isinstance(kwargs.get("generator"), torch.Generator):
        raise RuntimeError(f"Expected a '{NAME}' device type for generator but found 'cpu'")
    if func in COPIES:
        return
    tensors = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
    foreign = [one for one in tensors if not isinstance(one, OnGpu)]
    if func in BY_INDEX:
        indices = [one for one in tree_leaves(args[1]) if isinstance(one, Tensor)]
        if not isinstance(args[0], OnGpu) and any(isinstance(one, OnGpu) for one in indices):
            raise RuntimeError(
                "indices should be either on cpu or on the same device as the indexed tensor (cpu)"
            )
        foreign = [one for one in foreign if not any(one is index for index in indices)]
    if any(one.dim() for one in foreign) and len(foreign) < len(tensors):
        raise RuntimeError(
            "Expected all tensors to be on the same device, but found at least two devices, "
            f"{NAME}:0 and cpu!"
        )


def _changed(func: Any, args: tuple, kwargs: dict) -> list[Any]:
    """The arguments that an in-place operation returns again."""
    schema = func._schema
    written = {}
    for place, argument in enumerate(schema.arguments):
        if argument.alias_info is not None and argument.alias_info.is_write:
            value = args[place] if place < len(args) else kwargs.get(argument.name)
            written[argument.name] = value
    returned = [r for r in schema.returns if r.alias_info is not None and r.alias_info.is_write]
    return list(written.values())[: len(returned)]


def _keeping_parameters(apply: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    """Module.to: parameters stay the same objects, as between the CPU and a GPU."""

    def applied(module: nn.Module, fn: Callable[..., Any], recurse: bool = True) -> nn.Module:
        before = torch.__future__.get_swap_module_params_on_conversion()
        torch.__future__.set_swap_module_params_on_conversion(True)
        try:
            return apply(module, fn, recurse)
        finally:
            torch.__future__.set_swap_module_params_on_conversion(before)

    return applied


def prepare() -> None:
    """In the zygote, before any fork."""
    install()
    agent.prepare()


def serve(channel: socket.socket) -> None:
    agent.serve(channel)
