"""Fixtures that every kind of test shares: one warm zygote, and kernels forked from it."""

from collections.abc import Iterator

import pytest

from autograder.judge.kernel import Kernel, KernelLimits
from autograder.judge.zygote import Zygote
from autograder.workers import start_zygote

LIMITS = KernelLimits(cell_seconds=30, call_seconds=10)


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """The best isolation this host offers; an error, not a skip, where there is none."""
    with start_zygote() as warm:
        yield warm


@pytest.fixture
def kernel(zygote: Zygote) -> Iterator[Kernel]:
    fresh = Kernel(zygote.fork(), LIMITS)
    yield fresh
    fresh.close()
