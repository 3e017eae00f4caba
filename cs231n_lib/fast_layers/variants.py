"""The same layers in other ways known from the literature. Letters are those of ``windows``.

``im2col``: the columns of the whole batch by index arrays, then one matrix product. ``strides``:
the same, but the columns are copied from a strided view. ``reshape``: pooling by windows that lie
side by side, which a reshape can tell apart.
"""

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from cs231n_lib.im2col import col2im_indices, im2col_indices
from cs231n_lib.windows import (
    Array,
    Grid,
    conv_grid,
    float_type,
    pool_grid,
    upstream,
    windows,
    with_padding,
    without_padding,
    zeros_around,
)

Cache = tuple[Any, ...]


def conv_forward_im2col(
    x: Array, w: Array, b: Array, conv_param: Mapping[str, Any]
) -> tuple[Array, Cache]:
    """``conv_forward_fast`` by ``im2col_indices``. Shapes and errors are the same."""
    grid = conv_grid("conv_forward_im2col", x, w, b, conv_param)
    dtype = float_type(x, w, b)
    columns = im2col_indices(x.astype(dtype, copy=False), *_field(grid))
    out = w.reshape(len(w), -1).astype(dtype, copy=False) @ columns
    out += b.astype(dtype, copy=False)[:, None]  # (F, H'*W'*N)
    out = out.reshape(len(w), grid.out_height, grid.out_width, len(x)).transpose(3, 0, 1, 2)
    return np.ascontiguousarray(out), (x.shape, w, columns, grid)


def conv_backward_im2col(dout: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """``conv_backward_fast`` for the cache of ``conv_forward_im2col``."""
    x_shape, w, columns, grid = cache
    shape = (x_shape[0], len(w), grid.out_height, grid.out_width)
    above = upstream("conv_backward_im2col", dout, shape, columns.dtype)
    flat = above.transpose(1, 2, 3, 0).reshape(len(w), -1)  # (F, H'*W'*N)
    filters = w.reshape(len(w), -1).astype(columns.dtype, copy=False)
    dx = col2im_indices(filters.T @ flat, x_shape, *_field(grid))
    return dx, (flat @ columns.T).reshape(w.shape), flat.sum(axis=1)


def conv_forward_strides(
    x: Array, w: Array, b: Array, conv_param: Mapping[str, Any]
) -> tuple[Array, Cache]:
    """``conv_forward_fast`` with the columns of the whole batch at once, from a strided view."""
    grid = conv_grid("conv_forward_strides", x, w, b, conv_param)
    dtype = float_type(x, w, b)
    seen = windows(with_padding(x, grid, dtype), grid).transpose(1, 2, 3, 0, 4, 5)
    columns = seen.reshape(prod(w.shape[1:]), -1)  # (C*HH*WW, N*H'*W'): here it is copied
    out = w.reshape(len(w), -1).astype(dtype, copy=False) @ columns
    out += b.astype(dtype, copy=False)[:, None]
    out = out.reshape(len(w), len(x), grid.out_height, grid.out_width).swapaxes(0, 1)
    return np.ascontiguousarray(out), (x, w, columns, grid)


def conv_backward_strides(dout: Array, cache: Cache) -> tuple[Array, Array, Array]:
    """``conv_backward_fast`` for the cache of ``conv_forward_strides``."""
    x, w, columns, grid = cache
    shape = (len(x), len(w), grid.out_height, grid.out_width)
    above = upstream("conv_backward_strides", dout, shape, columns.dtype)
    flat = above.swapaxes(0, 1).reshape(len(w), -1)  # (F, N*H'*W')
    filters = w.reshape(len(w), -1).astype(columns.dtype, copy=False)
    dcolumns = (filters.T @ flat).reshape(*w.shape[1:], len(x), grid.out_height, grid.out_width)
    dpadded = zeros_around(x, grid, columns.dtype)
    dseen = windows(dpadded, grid)
    for row in range(grid.window_height):
        for column in range(grid.window_width):
            dseen[:, :, row, column] += dcolumns[:, row, column].swapaxes(0, 1)
    dx = np.ascontiguousarray(without_padding(dpadded, grid))
    return dx, (flat @ columns.T).reshape(w.shape), flat.sum(axis=1)


def max_pool_forward_reshape(x: Array, pool_param: Mapping[str, Any]) -> tuple[Array, Cache]:
    """``max_pool_forward_fast`` for square windows that tile the image.

    Raises ValueError when they do not: ``max_pool_forward_fast`` takes any.
    """
    grid = pool_grid("max_pool_forward_reshape", x, pool_param)
    if not grid.tiles:
        raise ValueError(
            f"max_pool_forward_reshape: windows of {grid.window_height} x {grid.window_width} with "
            f"stride {grid.stride} are not squares side by side; use max_pool_forward_fast"
        )
    x = np.ascontiguousarray(x)
    out = _split(x, grid).max(axis=(3, 5))
    return out, (x, out.copy(), grid)


def max_pool_backward_reshape(dout: Array, cache: Cache) -> Array:
    """Return dx for the cache of ``max_pool_forward_reshape``; equal pixels share the gradient.

    Shapes: dout (N, C, H', W'); returns (N, C, H, W).
    """
    x, out, grid = cache
    above = upstream("max_pool_backward_reshape", dout, out.shape, float_type(x))
    won = _split(x, grid) == out[:, :, :, None, :, None]
    share = above / won.sum(axis=(3, 5), dtype=above.dtype)
    return (won * share[:, :, :, None, :, None]).reshape(x.shape)


def max_pool_forward_im2col(x: Array, pool_param: Mapping[str, Any]) -> tuple[Array, Cache]:
    """``max_pool_forward_fast`` by ``im2col_indices``. Shapes and errors are the same."""
    grid = pool_grid("max_pool_forward_im2col", x, pool_param)
    n, channels = x.shape[:2]
    # Each channel is pooled alone, as if it were an image.
    columns = im2col_indices(x.reshape(n * channels, 1, *x.shape[2:]), *_field(grid))
    winner = columns.argmax(axis=0)
    out = columns[winner, np.arange(len(winner))]
    out = out.reshape(grid.out_height, grid.out_width, n, channels).transpose(2, 3, 0, 1)
    return np.ascontiguousarray(out), (x.shape, float_type(x), winner, grid)


def max_pool_backward_im2col(dout: Array, cache: Cache) -> Array:
    """``max_pool_backward_fast`` for the cache of ``max_pool_forward_im2col``."""
    x_shape, dtype, winner, grid = cache
    n, channels = x_shape[:2]
    shape = (n, channels, grid.out_height, grid.out_width)
    above = upstream("max_pool_backward_im2col", dout, shape, dtype)
    dcolumns = np.zeros((grid.window_height * grid.window_width, len(winner)), dtype)
    dcolumns[winner, np.arange(len(winner))] = above.transpose(2, 3, 0, 1).ravel()
    dx = col2im_indices(dcolumns, (n * channels, 1, *x_shape[2:]), *_field(grid))
    return dx.reshape(x_shape)


def _field(grid: Grid) -> tuple[int, int, int, int]:
    """Height, width, padding and stride, in the order of ``im2col_indices``."""
    return grid.window_height, grid.window_width, grid.pad, grid.stride


def _split(x: Array, grid: Grid) -> Array:
    """(N, C, H', HH, W', WW): the pixels of each window on axes of their own."""
    rows, columns = (grid.out_height, grid.window_height), (grid.out_width, grid.window_width)
    return x.reshape(*x.shape[:2], *rows, *columns)
