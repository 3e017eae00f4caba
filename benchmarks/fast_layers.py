"""What the fast layers cost beside torch's on the CPU, and beside loops over the places.

    python benchmarks/fast_layers.py [--repeats 15]

One run, one table, one thread for BLAS and for torch. In each round every candidate runs once, one
after the other, so that a machine whose speed drifts is unfair to none; the figures are medians
over the rounds. Time is the processor's, of all threads of the process: other work on the machine
would interrupt a long call more often than a short one.

Torch: functional.conv2d and max_pool2d forward (with what autograd notes down), and
torch.autograd.grad backward. Loops: the plain Python loops that a beginner writes, over images,
filters and places for convolution, over images, channels and places for pooling; in a single
round, on one of the images, scaled up to all of them.

Exit status 1 when conv_forward_fast or conv_backward_fast takes more than 4 times torch's median in
float32.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

# Before NumPy and torch are imported: that is when the libraries under them read it.
for _name in [name for name in os.environ if name.startswith("OPENBLAS_")]:
    del os.environ[_name]  # some machines choose OpenBLAS's kernels by hand; students do not
os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")})

import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from threadpoolctl import threadpool_info  # noqa: E402
from torch.nn import functional  # noqa: E402

from cs231n_lib import fast_layers  # noqa: E402

Array = NDArray[np.floating]
LIMIT = 4.0
CONVOLUTIONS = {  # x, w; stride 1, and so much padding that the size stays
    "conv 7x7": ((100, 3, 32, 32), (32, 3, 7, 7)),
    "conv 3x3": ((64, 32, 16, 16), (64, 32, 3, 3)),
}
POOLINGS = {"pool 2x2": ((100, 32, 32, 32), 2, 2), "pool 3x3/1": ((64, 64, 16, 16), 3, 1)}
LOOPED_IMAGES = 1


@dataclass(frozen=True)
class Case:
    """One operation, its candidates by name, and what each has to compute: arrays."""

    title: str
    torch_way: Callable[[], tuple[Array, ...]]
    ours: dict[str, Callable[[], tuple[Array, ...]]]
    loops: Callable[[], object]  # LOOPED_IMAGES of the images
    images: int
    limited: bool = False  # whether LIMIT holds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15)
    repeats = parser.parse_args().repeats
    torch.set_num_threads(1)
    print(f"one thread; medians of {repeats} interleaved runs, CPU ms; in brackets: times torch's")
    blas = next(i for i in threadpool_info() if i["user_api"] == "blas")
    print(f"NumPy {np.__version__} with {blas['internal_api']} {blas['version']} "
          f"({blas.get('architecture', '')}), torch {torch.__version__}\n")  # fmt: skip
    print(f"{'':36}{'torch':>8}{'fast':>16}{'strides':>16}{'im2col':>16}{'loops':>18}")
    exceeded = False
    for dtype in (np.float32, np.float64):
        for case in [*convolutions(dtype), *poolings(dtype)]:
            ratio = report(case, repeats)
            exceeded |= case.limited and ratio > LIMIT
    if exceeded:
        sys.exit(f"a convolution takes more than {LIMIT} times torch's time")


def report(case: Case, repeats: int) -> float:
    """Measure a case and print its row; returns the ratio of the fast layer to torch."""
    expected = case.torch_way()
    for name, run in case.ours.items():
        for answer, right in zip(run(), expected, strict=True):
            bound = 1e-4 if right.dtype == np.float32 else 1e-10
            error = np.abs(answer - right).max() / np.abs(right).max()
            assert answer.dtype == right.dtype, f"{case.title}: {name} changes the type"
            assert error < bound, f"{case.title}: {name} is {error:.1e} from torch"
    candidates = {"torch": case.torch_way, **case.ours}
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(repeats):
        for name, run in candidates.items():
            times[name].append(seconds(run))
    middle = {name: median(values) for name, values in times.items()}
    middle["loops"] = seconds(case.loops) * case.images / LOOPED_IMAGES
    cells = f"{case.title:36}{1e3 * middle['torch']:8.1f}"
    for name, width in (("fast", 16), ("strides", 16), ("im2col", 16), ("loops", 18)):
        shown = "-"
        if name in middle:
            ratio = middle[name] / middle["torch"]
            shown = f"{1e3 * middle[name]:.1f} ({ratio:.{2 if ratio < 100 else 0}f}x)"
        cells += f"{shown:>{width}}"
    print(cells, flush=True)
    return middle["fast"] / middle["torch"]


def seconds(run: Callable[[], object]) -> float:
    """CPU seconds of the whole process; with one thread, what a clock shows on an idle machine."""
    started = time.process_time()
    run()
    return time.process_time() - started


def convolutions(dtype: type) -> list[Case]:
    return [
        case
        for title, (x_shape, w_shape) in CONVOLUTIONS.items()
        for case in convolution(f"{title} {np.dtype(dtype).name}", x_shape, w_shape, dtype)
    ]


def convolution(
    title: str, x_shape: tuple[int, ...], w_shape: tuple[int, ...], dtype: type
) -> tuple[Case, Case]:
    """Forward and backward."""
    rng = np.random.default_rng(0)
    x, w, b = (rng.normal(size=s).astype(dtype) for s in (x_shape, w_shape, w_shape[:1]))
    setting = {"stride": 1, "pad": (w_shape[-1] - 1) // 2}
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, w, b)]

    def torch_forward() -> torch.Tensor:
        return functional.conv2d(*leaves, stride=1, padding=setting["pad"])

    result = torch_forward()
    dout = rng.normal(size=tuple(result.shape)).astype(dtype)
    upstream = torch.from_numpy(dout)

    def torch_backward() -> tuple[Array, ...]:
        grads = torch.autograd.grad(result, leaves, upstream, retain_graph=True)
        return tuple(g.numpy() for g in grads)

    forward, backward = {}, {}
    for name in ("fast", "strides", "im2col"):
        ahead = getattr(fast_layers, f"conv_forward_{name}")
        back = getattr(fast_layers, f"conv_backward_{name}")
        _, cache = ahead(x, w, b, setting)
        forward[name] = lambda ahead=ahead: ahead(x, w, b, setting)[:1]
        backward[name] = lambda back=back, cache=cache: back(dout, cache)
    few = slice(0, LOOPED_IMAGES)
    return (
        Case(
            f"{title} forward",
            lambda: (torch_forward().detach().numpy(),),
            forward,
            lambda: conv_forward_loops(x[few], w, b, setting["pad"]),
            len(x),
            dtype is np.float32,
        ),
        Case(
            f"{title} backward",
            torch_backward,
            backward,
            lambda: conv_backward_loops(dout[few], x[few], w, setting["pad"]),
            len(x),
            dtype is np.float32,
        ),
    )


def poolings(dtype: type) -> list[Case]:
    return [
        case
        for title, (shape, size, stride) in POOLINGS.items()
        for case in pooling(f"{title} {np.dtype(dtype).name}", shape, size, stride, dtype)
    ]


def pooling(
    title: str, shape: tuple[int, ...], size: int, stride: int, dtype: type
) -> tuple[Case, Case]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=shape).astype(dtype)
    setting = {"pool_height": size, "pool_width": size, "stride": stride}
    leaf = torch.tensor(x, requires_grad=True)
    result = functional.max_pool2d(leaf, size, stride)
    dout = rng.normal(size=tuple(result.shape)).astype(dtype)
    upstream = torch.from_numpy(dout)
    forward, backward = {}, {}
    for name in ("fast", "im2col"):
        ahead = getattr(fast_layers, f"max_pool_forward_{name}")
        back = getattr(fast_layers, f"max_pool_backward_{name}")
        _, cache = ahead(x, setting)
        forward[name] = lambda ahead=ahead: ahead(x, setting)[:1]
        backward[name] = lambda back=back, cache=cache: (back(dout, cache),)
    few = slice(0, LOOPED_IMAGES)
    return (
        Case(
            f"{title} forward",
            lambda: (functional.max_pool2d(leaf, size, stride).detach().numpy(),),
            forward,
            lambda: pool_forward_loops(x[few], size, stride),
            len(x),
        ),
        Case(
            f"{title} backward",
            lambda: tuple(
                g.numpy() for g in torch.autograd.grad(result, [leaf], upstream, retain_graph=True)
            ),
            backward,
            lambda: pool_backward_loops(dout[few], x[few], size, stride),
            len(x),
        ),
    )


def conv_forward_loops(x: Array, w: Array, b: Array, pad: int) -> Array:
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    height, width = w.shape[2:]
    out = np.empty((len(x), len(w), *x.shape[2:]), x.dtype)
    for n, f, i, j in np.ndindex(out.shape):
        out[n, f, i, j] = (padded[n, :, i : i + height, j : j + width] * w[f]).sum() + b[f]
    return out


def conv_backward_loops(dout: Array, x: Array, w: Array, pad: int) -> tuple[Array, Array, Array]:
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dpadded, dw = np.zeros_like(padded), np.zeros_like(w)
    height, width = w.shape[2:]
    for n, f, i, j in np.ndindex(dout.shape):
        rows, columns = slice(i, i + height), slice(j, j + width)
        dw[f] += dout[n, f, i, j] * padded[n, :, rows, columns]
        dpadded[n, :, rows, columns] += dout[n, f, i, j] * w[f]
    middle = slice(pad, -pad)
    return dpadded[:, :, middle, middle], dw, dout.sum(axis=(0, 2, 3))


def pool_forward_loops(x: Array, size: int, stride: int) -> Array:
    rows, columns = ((s - size) // stride + 1 for s in x.shape[2:])
    out = np.empty((*x.shape[:2], rows, columns), x.dtype)
    for n, c, i, j in np.ndindex(out.shape):
        top, left = i * stride, j * stride
        out[n, c, i, j] = x[n, c, top : top + size, left : left + size].max()
    return out


def pool_backward_loops(dout: Array, x: Array, size: int, stride: int) -> Array:
    dx = np.zeros_like(x)
    for n, c, i, j in np.ndindex(dout.shape):
        place = (n, c, slice(i * stride, i * stride + size), slice(j * stride, j * stride + size))
        window = x[place]
        dx[place] += dout[n, c, i, j] * (window == window.max())
    return dx


if __name__ == "__main__":
    main()
