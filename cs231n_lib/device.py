"""Which device PyTorch should compute on. Works, and says so, where torch is not installed."""

import importlib.util
import os
import re

DEVICE_VARIABLE = "CS231N_DEVICE"

# What PyTorch says of tensors on two devices: in most operations, in autograd, in torch.normal and
# the like, and in cuDNN's convolutions.
_MIXED = re.compile(
    r"same device|expected device|device type \w+ but got|device type for generator"
    r"|(?:Input|weight) type \(torch\.cuda\.\w+\)"
)


def best_device() -> str:
    """Return ``$CS231N_DEVICE`` if set, else "cuda", "mps" or "cpu", the first that is there.

    A plain string, as ``tensor.to(...)`` and ``torch.device(...)`` take it; "cpu" without torch.
    """
    if chosen := os.environ.get(DEVICE_VARIABLE):
        return chosen
    if importlib.util.find_spec("torch") is None:
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def describe_device() -> str:
    """Say in words what PyTorch would compute on."""
    if importlib.util.find_spec("torch") is None:
        return "PyTorch is not installed (needed from assignment 2 on)"
    import torch

    device = best_device()
    if device.startswith("cuda") and torch.cuda.is_available():
        return f"PyTorch {torch.__version__} on {torch.cuda.get_device_name(device)} ({device})"
    return f"PyTorch {torch.__version__} on {device}"


def mixes_devices(error: BaseException) -> bool:
    """Whether an operation was refused because its tensors are on different devices."""
    return isinstance(error, RuntimeError) and bool(_MIXED.search(str(error)))
