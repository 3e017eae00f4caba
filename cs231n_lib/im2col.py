"""Images to columns and back, by index arrays.

A column holds what a window sees at one place, so that a convolution becomes a matrix product.
These functions show how it works; ``fast_layers`` does the same in less time and memory. Dimension
letters are those of ``windows``.
"""

import numpy as np

from cs231n_lib.windows import Array, Grid, make_grid, with_padding, without_padding, zeros_around

__all__ = ["col2im_indices", "get_im2col_indices", "im2col_indices"]


def get_im2col_indices(
    x_shape: tuple[int, int, int, int],
    field_height: int,
    field_width: int,
    padding: int = 1,
    stride: int = 1,
) -> tuple[Array, Array, Array]:
    """Return the indices (k, i, j) with which ``x_padded[:, k, i, j]`` has a column for each place.

    Shapes: k (C*HH*WW, 1) are channels, i and j (C*HH*WW, H'*W') rows and columns.
    Raises ValueError when the windows do not fit.
    """
    grid = _grid("get_im2col_indices", x_shape, field_height, field_width, padding, stride)
    # Rows of the matrix: channel, then row and column inside the window. Its columns: the places.
    k, row, column = np.indices((x_shape[1], field_height, field_width)).reshape(3, -1, 1)
    top, left = grid.stride * np.indices((grid.out_height, grid.out_width)).reshape(2, 1, -1)
    return k, row + top, column + left


def im2col_indices(
    x: Array, field_height: int, field_width: int, padding: int = 1, stride: int = 1
) -> Array:
    """Return the columns of all images: places in reading order, and the N images of each place.

    Shapes: x (N, C, H, W); returns (C*HH*WW, H'*W'*N).
    Raises ValueError when the windows do not fit.
    """
    grid = _grid("im2col_indices", x.shape, field_height, field_width, padding, stride)
    k, i, j = get_im2col_indices(x.shape, field_height, field_width, padding, stride)
    seen = with_padding(x, grid, x.dtype)[:, k, i, j]  # (N, C*HH*WW, H'*W')
    return seen.transpose(1, 2, 0).reshape(len(k), -1)


def col2im_indices(
    cols: Array,
    x_shape: tuple[int, int, int, int],
    field_height: int = 3,
    field_width: int = 3,
    padding: int = 1,
    stride: int = 1,
) -> Array:
    """Add the columns up where they came from: the backward pass of ``im2col_indices``.

    A pixel that several windows see gets the sum. Shapes: cols (C*HH*WW, H'*W'*N); returns
    (N, C, H, W). Raises ValueError when the shapes do not fit.
    """
    grid = _grid("col2im_indices", x_shape, field_height, field_width, padding, stride)
    n, channels = x_shape[:2]
    needed = (channels * field_height * field_width, grid.places * n)
    if cols.shape != needed:
        raise ValueError(
            f"col2im_indices: cols has shape {cols.shape}; windows of {field_height} x "
            f"{field_width}, padding {padding} and stride {stride} on x of shape {x_shape} make "
            f"{needed}. Pass the values that im2col_indices was given."
        )
    parts = cols.reshape(channels, field_height, field_width, grid.out_height, grid.out_width, n)
    padded = zeros_around(np.empty(x_shape, cols.dtype), grid, cols.dtype)
    below, right = grid.stride * grid.out_height, grid.stride * grid.out_width
    # Two columns may hold the same pixel, and `padded[:, k, i, j] += ...` would then add only one
    # of them. For one place inside the window all pixels differ.
    for row in range(field_height):
        for column in range(field_width):
            rows = slice(row, row + below, grid.stride)
            columns = slice(column, column + right, grid.stride)
            padded[:, :, rows, columns] += parts[:, row, column].transpose(3, 0, 1, 2)
    return np.ascontiguousarray(without_padding(padded, grid))


def _grid(
    where: str, x_shape: tuple[int, ...], height: int, width: int, padding: int, stride: int
) -> Grid:
    if len(x_shape) != 4:
        raise ValueError(f"{where}: x has shape {tuple(x_shape)}; it must be (N, C, H, W)")
    return make_grid(where, (x_shape[2], x_shape[3]), (height, width), stride, padding)
