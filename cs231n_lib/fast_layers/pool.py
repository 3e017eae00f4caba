"""Max-pooling, one place inside the window at a time. Letters are those of ``windows``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cs231n_lib.windows import Array, Grid, float_type, pool_grid, upstream, windows

#: Images are taken in blocks of about so many bytes, so that they are read from memory once.
BLOCK_BYTES = 2**19


@dataclass(frozen=True)
class PoolCache:
    """Which pixel of its window won: 0 is the first, in reading order."""

    winner: Array  # (N, C, H', W')
    grid: Grid
    dtype: np.dtype[Any]


def max_pool_forward_fast(x: ArrayLike, pool_param: Mapping[str, Any]) -> tuple[Array, PoolCache]:
    """Keep the largest pixel of each window: returns (out, cache).

    ``pool_param`` has "pool_height", "pool_width" and "stride"; windows may overlap.
    Shapes: x (N, C, H, W); returns out (N, C, H', W').
    Raises ValueError when the windows do not fit.
    """
    x = np.asarray(x)
    grid = pool_grid("max_pool_forward_fast", x, pool_param)
    dtype = float_type(x)
    seen = windows(x, grid)
    out = np.empty((*x.shape[:2], grid.out_height, grid.out_width), dtype)
    count = grid.window_height * grid.window_width
    winner = np.zeros(out.shape, np.min_scalar_type(count - 1))
    for images in blocks(x):
        best, won = out[images], winner[images]
        pixels = list(places(seen[images]))
        np.copyto(best, pixels[0])
        for pixel in pixels[1:]:
            np.maximum(best, pixel, out=best)
        smaller = np.ones(best.shape, bool)  # whether no pixel so far was the largest
        for pixel in pixels[:-1]:
            smaller &= pixel != best
            won += smaller.view(np.uint8)  # counts the pixels before the winner: its number
    return out, PoolCache(winner, grid, dtype)


def max_pool_backward_fast(dout: ArrayLike, cache: PoolCache) -> Array:
    """Return dx: each gradient goes to the pixel that won, the first one where several are equal.

    Shapes: dout (N, C, H', W'); returns (N, C, H, W). Raises ValueError when dout has another
    shape, TypeError when the cache is not one of ``max_pool_forward_fast``.
    """
    if not isinstance(cache, PoolCache):
        raise TypeError(
            f"max_pool_backward_fast: the cache is a {type(cache).__name__}, not what "
            "max_pool_forward_fast returned. Each backward function understands only the cache of "
            "its own forward one."
        )
    grid, winner = cache.grid, cache.winner
    above = upstream("max_pool_backward_fast", dout, winner.shape, cache.dtype)
    dx = np.zeros((*winner.shape[:2], grid.height, grid.width), cache.dtype)
    dseen = windows(dx, grid)
    alone = grid.stride >= max(grid.window_height, grid.window_width)  # in one window at most
    for images in blocks(dx):
        won, part = winner[images], above[images]
        for number, pixel in enumerate(places(dseen[images])):
            if alone:
                np.multiply(part, won == number, out=pixel)
            else:
                pixel += part * (won == number)
    return dx


def places(seen: Array) -> Iterator[Array]:
    """One view (N, C, H', W') for each pixel of the window, in reading order.

    Shapes: seen (N, C, HH, WW, H', W').
    """
    for row in seen.transpose(2, 3, 0, 1, 4, 5):
        yield from row


def blocks(x: Array) -> Iterator[slice]:
    at_once = max(1, BLOCK_BYTES * len(x) // x.nbytes)
    return (slice(first, first + at_once) for first in range(0, len(x), at_once))
