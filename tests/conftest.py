"""Fixtures that kinds of test share: a warm zygote, kernels forked from it, a database server."""

import os
import signal
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Before anything imports NumPy: test files run side by side, and threads on busy cores wait for
# each other.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# A shell starts what runs in its background with Ctrl-C ignored, and so would everything be that
# tests start and interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

from autograder.batch.recorder import GradebookRecorder  # noqa: E402
from autograder.judge.kernel import Kernel, KernelLimits  # noqa: E402
from autograder.judge.warm import start_zygote  # noqa: E402
from autograder.judge.zygote import Zygote  # noqa: E402
from tests.nightly import NIGHTLY  # noqa: E402
from tests.postgresql import server, unavailable  # noqa: E402

# The longest first: what begins last should not be what takes longest.
LONGEST = (
    *("test_nbval", "test_demo", "test_faults", "test_cluster", "test_gpus", "test_nbgrader"),
    *("test_batch", "test_regression", "test_gradescope", "test_packaging", "test_submissions"),
)
LIMITS = KernelLimits(cell_seconds=30, call_seconds=10)


# Tests on a busy machine are slow, and no worse for it.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")

#: `make quick` begins no test after so many seconds. Those left over are counted at its end.
SECONDS = float(os.environ.get("CS231N_TEST_SECONDS", "inf"))
BEGAN = time.monotonic()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = [
        item
        for item in items
        if not NIGHTLY
        and item.get_closest_marker("nightly")
        and item.nodeid not in config.args  # one that is named is run
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    if float("inf") == SECONDS:  # otherwise what was named first comes first
        place = {f"{name}.py": number for number, name in enumerate(LONGEST)}
        items.sort(key=lambda item: place.get(item.path.name, len(place)))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    if time.monotonic() - BEGAN > SECONDS:
        pytest.skip(f"not begun: the {SECONDS:.0f} s of `make quick` are over; see `make test`")


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """The best isolation this host offers; an error, not a skip, where there is none."""
    with start_zygote() as warm:
        yield warm


@pytest.fixture
def gradebook_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gradebook is open before anybody is graded, so each verdict is on record at once."""

    def opened(recorder: GradebookRecorder) -> bool:
        recorder.wait()
        return True

    monkeypatch.setattr(GradebookRecorder, "open", opened)


@pytest.fixture
def kernel(zygote: Zygote) -> Iterator[Kernel]:
    fresh = Kernel(zygote.fork(), LIMITS)
    yield fresh
    fresh.close()


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The address of an empty database of a server of its own; skips where none can be started."""
    if reason := unavailable():
        pytest.skip(reason)
    with server() as address:
        yield address
