"""How good a network is, and how long it takes, measured so that the numbers can be trusted.

Dimension letters: N images, C classes.
"""

import time
from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cs231n_lib.torch_data import ImageSet

AT_ONCE = 500  # images


@torch.no_grad()
def accuracy(model: nn.Module, data: ImageSet) -> float:
    """The share of images that the model classifies correctly, in per cent."""
    device = next(model.parameters()).device
    right = sum(
        int((model(x.to(device)).argmax(1).cpu() == y).sum())
        for x, y in zip(data.X.split(AT_ONCE), data.y.split(AT_ONCE), strict=True)
    )
    return 100 * right / len(data)


def latencies(
    functions: Mapping[str, Callable[[], object]], rounds: int = 30, warm_up: int = 3
) -> dict[str, NDArray[np.float64]]:
    """Seconds of each of ``rounds`` calls (wall clock), by name: (rounds,).

    All functions are called in turn in each round, so that a machine that becomes busy or hot
    slows all of them, and not the one that happens to be measured. The first ``warm_up`` rounds,
    in which memory is allocated and caches are filled, do not count.
    """
    seconds: dict[str, list[float]] = {name: [] for name in functions}
    for number in range(warm_up + rounds):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            if torch.cuda.is_initialized():
                torch.cuda.synchronize()
            if number >= warm_up:
                seconds[name].append(time.perf_counter() - start)
    return {name: np.array(values) for name, values in seconds.items()}
