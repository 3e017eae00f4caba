"""Convolution as matrix products, block by block, so that a block's columns stay in the cache.

A column is what the window sees at one place (C*HH*WW numbers). For the whole batch the columns are
HH*WW times as large as the images; written to memory and read again, they would cost more than the
arithmetic. Dimension letters are those of ``windows``; n images and p places are in a block.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cs231n_lib.windows import (
    Array,
    Grid,
    conv_grid,
    float_type,
    upstream,
    windows,
    with_padding,
    without_padding,
    zeros_around,
)

#: What the columns of a block may take: about the second-level cache of one core.
BLOCK_BYTES = 2**20


@dataclass(frozen=True)
class ConvCache:
    """What the backward pass needs; the arrays are the caller's, not copies."""

    x: Array
    w: Array
    grid: Grid
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class Block:
    """Some images, and a band of the places on them."""

    images: slice
    rows: slice
    places: slice  # the same as rows, counted in places


def conv_forward_fast(
    x: ArrayLike, w: ArrayLike, b: ArrayLike, conv_param: Mapping[str, Any]
) -> tuple[Array, ConvCache]:
    """Correlate each image with each filter, add the bias: returns (out, cache).

    ``conv_param`` has "stride" and "pad" (zeros on all four sides).
    Shapes: x (N, C, H, W), w (F, C, HH, WW), b (F,); returns out (N, F, H', W').
    Raises ValueError when they do not fit.
    """
    x, w, b = np.asarray(x), np.asarray(w), np.asarray(b)
    grid = conv_grid("conv_forward_fast", x, w, b, conv_param)
    dtype = float_type(x, w, b)
    seen = windows(with_padding(x, grid, dtype), grid)
    filters = w.reshape(len(w), -1).astype(dtype, copy=False)  # (F, C*HH*WW)
    bias = b.astype(dtype, copy=False)[:, None]
    out = np.empty((len(x), len(w), grid.places), dtype)
    buffer = np.empty(0, dtype)
    for block in blocks(seen, dtype.itemsize):
        columns, buffer = gather(seen, block, buffer)
        part = out[block.images, :, block.places]  # (n, F, p)
        np.matmul(filters, columns, out=part)
        part += bias
    return out.reshape(len(x), len(w), grid.out_height, -1), ConvCache(x, w, grid, dtype)


def conv_backward_fast(dout: ArrayLike, cache: ConvCache) -> tuple[Array, Array, Array]:
    """Return dx, dw, db, shaped like x, w and b of the forward call.

    Shapes: dout (N, F, H', W'). Raises ValueError when it has another, TypeError when the cache is
    not one of ``conv_forward_fast``.
    """
    if not isinstance(cache, ConvCache):
        raise TypeError(
            f"conv_backward_fast: the cache is a {type(cache).__name__}, not what "
            "conv_forward_fast returned. Each backward function understands only the cache of its "
            "own forward one."
        )
    x, w, grid, dtype = cache.x, cache.w, cache.grid, cache.dtype
    shape = (len(x), len(w), grid.out_height, grid.out_width)
    above = upstream("conv_backward_fast", dout, shape, dtype).reshape(len(x), len(w), -1)
    seen = windows(with_padding(x, grid, dtype), grid)
    dpadded = zeros_around(x, grid, dtype)
    dseen = windows(dpadded, grid)
    turned = w.reshape(len(w), -1).T.astype(dtype, copy=False)  # (C*HH*WW, F)
    dturned = np.zeros(turned.shape, dtype)
    buffer = np.empty(0, dtype)
    for block in blocks(seen, dtype.itemsize):
        columns, buffer = gather(seen, block, buffer)
        part = above[block.images, :, block.places]  # (n, F, p)
        dturned += np.matmul(columns, part.swapaxes(1, 2)).sum(axis=0)
        # The columns of x have done their work; those of dx take their place in the cache.
        np.matmul(turned, part, out=columns)
        scatter(columns, dseen, block)
    dx = np.ascontiguousarray(without_padding(dpadded, grid))
    dw = np.ascontiguousarray(dturned.T).reshape(w.shape)
    return dx, dw, above.sum(axis=(0, 2))


def blocks(seen: Array, itemsize: int) -> Iterator[Block]:
    """Cut the batch into blocks: several small images, or a band of a large one.

    Shapes: seen (N, C, HH, WW, H', W').
    """
    n, out_height, out_width = len(seen), *seen.shape[-2:]
    row_bytes = prod(seen.shape[1:4]) * out_width * itemsize
    rows_at_once = max(1, BLOCK_BYTES // row_bytes)
    images_at_once = max(1, rows_at_once // out_height)
    bands = ceil(out_height / rows_at_once)
    height = ceil(out_height / bands)  # bands of about the same height
    for image in range(0, n, images_at_once):
        for top in range(0, out_height, height):
            bottom = min(top + height, out_height)
            yield Block(
                slice(image, min(image + images_at_once, n)),
                slice(top, bottom),
                slice(top * out_width, bottom * out_width),
            )


def gather(seen: Array, block: Block, buffer: Array) -> tuple[Array, Array]:
    """Copy the columns of a block: returns them and the buffer that holds them, for the next block.

    Shapes: seen (N, C, HH, WW, H', W'); returns columns (n, C*HH*WW, p).
    """
    source = seen[block.images, ..., block.rows, :]
    if buffer.size < source.size:
        buffer = np.empty(source.size, seen.dtype)
    columns = buffer[: source.size].reshape(source.shape)
    np.copyto(columns, source)
    return columns.reshape(len(source), prod(source.shape[1:4]), -1), buffer


def scatter(columns: Array, dseen: Array, block: Block) -> None:
    """Add the columns of a block to the pixels that they came from.

    One place inside the window after the other: then no pixel occurs twice in an addition.
    Shapes: columns (n, C*HH*WW, p), dseen (N, C, HH, WW, H', W').
    """
    target = dseen[block.images, ..., block.rows, :]
    source = columns.reshape(target.shape)
    for row, drow in zip(
        source.transpose(2, 3, 0, 1, 4, 5), target.transpose(2, 3, 0, 1, 4, 5), strict=True
    ):
        for part, dpart in zip(row, drow, strict=True):
            np.add(dpart, part, out=dpart)
