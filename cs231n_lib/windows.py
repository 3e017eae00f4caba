"""Windows that slide over images: where they stop, and views of what they see.

Convolution and pooling share this. Dimension letters: N images, C channels, H x W pixels,
F filters, HH x WW pixels of a window, H' x W' places where it stops.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Grid:
    """The places where a window stops on images that have ``pad`` zeros added on all four sides."""

    height: int  # H, without the padding
    width: int
    window_height: int
    window_width: int
    stride: int
    pad: int = 0

    @property
    def out_height(self) -> int:
        return (self.height + 2 * self.pad - self.window_height) // self.stride + 1

    @property
    def out_width(self) -> int:
        return (self.width + 2 * self.pad - self.window_width) // self.stride + 1

    @property
    def places(self) -> int:
        return self.out_height * self.out_width

    @property
    def tiles(self) -> bool:
        """Whether each pixel is seen exactly once."""
        return self.stride == self.window_height == self.window_width and not self.pad


def make_grid(where: str, image: tuple[int, int], window: tuple[int, int], stride: Any, pad: Any):
    """The grid of windows (HH, WW) on images (H, W), for the function named ``where``.

    Raises ValueError when the windows do not fill the padded image exactly.
    """
    stride, pad = _whole(where, "stride", stride, 1), _whole(where, "pad", pad, 0)
    names = ("height", "width")
    window_height, window_width = (
        _whole(where, f"the {name} of the window", size, 1)
        for name, size in zip(names, window, strict=True)
    )
    grid = Grid(*image, window_height, window_width, stride, pad)
    for name, size, seen in zip(names, image, window, strict=True):
        around = f" + 2 * {pad} (pad)" if pad else ""
        room = size + 2 * pad - seen
        if room < 0:
            raise ValueError(
                f"{where}: a window of {name} {seen} is larger than the image, whose {name} is "
                f"{size}{around}. Take a smaller window, or pad more."
            )
        if room % stride:
            fitting = " or ".join(str(s) for s in range(1, room + 1) if room % s == 0)
            raise ValueError(
                f"{where}: windows of {name} {seen} do not fill an image of {name} {size}{around}: "
                f"between the first and the last are {room} pixels, not a multiple of the stride "
                f"{stride}. Take stride {fitting}, or another pad or size."
            )
    return grid


def conv_grid(where: str, x: Array, w: Array, b: Array, conv_param: Mapping[str, Any]) -> Grid:
    """The grid of a convolution with ``conv_param`` {"stride", "pad"}.

    Shapes: x (N, C, H, W), w (F, C, HH, WW), b (F,). Raises ValueError when they do not fit.
    """
    _require_four_axes(where, "x", x, "(N, C, H, W)")
    _require_four_axes(where, "w", w, "(F, C, HH, WW)")
    if x.shape[1] != w.shape[1]:
        raise ValueError(
            f"{where}: the images have {x.shape[1]} channels (x has shape {x.shape}), the filters "
            f"{w.shape[1]} (w has shape {w.shape}). Axis 1 of both must be the same."
        )
    if b.shape != (len(w),):
        raise ValueError(
            f"{where}: b has shape {b.shape}; {len(w)} filters need a bias each, so ({len(w)},)"
        )
    stride, pad = _settings(where, "conv_param", conv_param, ("stride", "pad"))
    return make_grid(where, x.shape[2:], w.shape[2:], stride, pad)


def pool_grid(where: str, x: Array, pool_param: Mapping[str, Any]) -> Grid:
    """The grid of a pooling with ``pool_param`` {"pool_height", "pool_width", "stride"}.

    Shapes: x (N, C, H, W). Raises ValueError when the windows do not fit.
    """
    _require_four_axes(where, "x", x, "(N, C, H, W)")
    names = ("pool_height", "pool_width", "stride")
    height, width, stride = _settings(where, "pool_param", pool_param, names)
    return make_grid(where, x.shape[2:], (height, width), stride, 0)


def windows(padded: Array, grid: Grid) -> Array:
    """A view of what each place of each window sees: nothing is copied.

    Shapes: padded (N, C, H + 2 pad, W + 2 pad); returns (N, C, HH, WW, H', W'). With HH and WW
    fixed, no two elements of the view are the same, so that ``+=`` is right.
    """
    size = (grid.window_height, grid.window_width)
    seen = sliding_window_view(padded, size, axis=(2, 3), writeable=padded.flags.writeable)
    return seen[:, :, :: grid.stride, :: grid.stride].transpose(0, 1, 4, 5, 2, 3)


def with_padding(x: Array, grid: Grid, dtype: DTypeLike) -> Array:
    """``x`` of that type with zeros around it; ``x`` itself where nothing changes.

    Shapes: x (N, C, H, W); returns (N, C, H + 2 pad, W + 2 pad).
    """
    if not grid.pad:
        return x.astype(dtype, copy=False)
    padded = zeros_around(x, grid, dtype)
    without_padding(padded, grid)[...] = x
    return padded


def zeros_around(x: Array, grid: Grid, dtype: DTypeLike) -> Array:
    """Nothing but zeros, shaped like ``x`` with its padding."""
    height, width = grid.height + 2 * grid.pad, grid.width + 2 * grid.pad
    return np.zeros((*x.shape[:2], height, width), dtype)


def without_padding(padded: Array, grid: Grid) -> Array:
    """A view of the middle: (N, C, H, W)."""
    rows, columns = slice(grid.pad, grid.pad + grid.height), slice(grid.pad, grid.pad + grid.width)
    return padded[:, :, rows, columns]


def float_type(*arrays: Array) -> np.dtype[Any]:
    """The type to compute in: float32 stays float32, whole numbers become float64."""
    common = np.result_type(*arrays)
    return common if np.issubdtype(common, np.floating) else np.dtype(np.float64)


def upstream(where: str, dout: Any, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """``dout``, in one piece and of that type. Raises ValueError when it has another shape."""
    if np.shape(dout) != shape:
        raise ValueError(
            f"{where}: dout has shape {np.shape(dout)}, but what the forward function returned had "
            f"{shape}. A gradient has the shape of its array; is this the cache of that call?"
        )
    return np.ascontiguousarray(dout, dtype)


def _require_four_axes(where: str, name: str, array: Array, letters: str) -> None:
    if array.ndim != 4 or array.size == 0:
        raise ValueError(
            f"{where}: {name} has shape {array.shape}; it must be {letters}, none of them 0"
        )


def _settings(
    where: str, name: str, settings: Mapping[str, Any], needed: tuple[str, ...]
) -> list[Any]:
    missing = [f"'{key}'" for key in needed if key not in settings]
    if missing:
        raise ValueError(
            f"{where}: {name} has no {' and no '.join(missing)}; it needs {', '.join(needed)}"
        )
    return [settings[key] for key in needed]


def _whole(where: str, name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"{where}: {name} is {value!r}; it must be a whole number from {least} on")
    return int(value)
