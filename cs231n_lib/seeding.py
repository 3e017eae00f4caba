"""One call that makes a notebook repeatable; and a stretch of PyTorch with a seed of its own."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


def seed_everything(seed: int = 231) -> np.random.Generator:
    """Seed Python's ``random``, NumPy's global generator and, where imported, PyTorch's.

    Returns a fresh generator from the same seed: prefer it to the global one. Import torch before
    the call if you use it: it is not imported here, since that takes seconds.
    Raises ValueError when the seed is outside 0 .. 2**32 - 1 (NumPy's bounds).
    """
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed is {seed}; it must be between 0 and 2**32 - 1")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (student code may use the global generator)
    if torch := sys.modules.get("torch"):
        torch.manual_seed(seed)  # all devices
    return np.random.default_rng(seed)


@contextmanager
def seeded_torch(generator: np.random.Generator | None) -> Iterator[None]:
    """Let PyTorch's global generators start from a seed drawn from ``generator``, and restore them.

    For dropout and shuffling, which draw from them. None: leave them as they are.
    """
    if generator is None:
        yield
        return
    import torch

    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices):
        torch.manual_seed(int(generator.integers(2**63)))
        yield
