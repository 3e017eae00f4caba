"""The judge's tensors beside code that computes on a GPU, or on another accelerator.

What the judge sends is on the CPU. Right code may take it along to its own device, and then what is
put beside its answer, upstream gradients and answers of stand-ins, has to follow. Or it makes new
tensors on its device, which is right where its arguments are there already, as they are in the
notebook: a request that fails for this reason is asked once more with everything on that device.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import Any

from cs231n_lib.device import mixes_devices

Request = dict[str, Any]
Again = Callable[[Callable[[Any], Any]], Request]


def asked(ask: Callable[[Request], Any], request: Request, again: Again) -> Any:
    """What ``ask`` answers to a request; on the accelerator, where it mixed devices on the CPU.

    ``again``: the request as it came, each of its references to an object in the kernel resolved
    by the function that it is given.
    """
    try:
        return ask(request)
    except RuntimeError as error:
        device = accelerator() if mixes_devices(error) else None
        if device is None:
            raise
        mixed = error
        traceback.clear_frames(error.__traceback__)  # they hold what was computed until then
    taken: list[tuple[Any, Any]] = []
    try:
        with device:  # what is made anew, networks too, is made there
            return ask(moved(again(lambda kept: _take_along(kept, device, taken)), device))
    except RuntimeError as error:
        raise mixed if mixes_devices(error) else error from None
    finally:
        for kept, there in taken:
            kept.data = there.detach().to(kept.device)
            kept.grad = None if there.grad is None else there.grad.to(kept.device)


def compute_exactly() -> None:
    """Have GPUs convolve with all digits of float32, as the CPU does; by default they use ten bits.

    To set this starts no GPU. Forks have it, too.
    """
    if "torch" in sys.modules:
        sys.modules["torch"].backends.cudnn.allow_tf32 = False


def accelerator() -> Any:
    """The device that this process could compute on besides the CPU; None where there is none."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.accelerator.is_available():
        return None
    return torch.accelerator.current_accelerator()


def beside(value: Any, others: Any) -> Any:
    """``value``, its tensors on the accelerator if one of the tensors in ``others`` is there."""
    device = _device_of(others)
    return value if device is None else moved(value, device)


def moved(value: Any, device: Any) -> Any:
    """The same with copies of its tensors on a device; leaves that need a gradient stay such."""
    torch = sys.modules.get("torch")
    if torch is None:
        return value
    if isinstance(value, torch.Tensor):
        if value.device.type == device.type:
            return value
        return value.detach().to(device).requires_grad_(value.requires_grad)
    if type(value) is dict:
        return {key: moved(item, device) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(moved(item, device) for item in value)
    return value


def _take_along(kept: Any, device: Any, taken: list[tuple[Any, Any]]) -> Any:
    """An object of the kernel's on a device: a network itself, and of a tensor a copy.

    ``taken`` notes tensors and their copies. What is done to a copy is for the tensor.
    """
    torch = sys.modules["torch"]
    if isinstance(kept, torch.nn.Module):
        return kept.to(device)
    if not isinstance(kept, torch.Tensor) or kept.device.type == device.type:
        return kept
    for one, there in taken:
        if one is kept:
            return there
    taken.append((kept, moved(kept, device)))
    return taken[-1][1]


def _device_of(value: Any) -> Any:
    """The device of the first tensor in nested containers that is not on the CPU."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return None if value.device.type == "cpu" else value.device
    items = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(items, list | tuple):
        return None
    found = (_device_of(item) for item in items)
    return next((device for device in found if device is not None), None)
