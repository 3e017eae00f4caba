"""Drawings: the sprite banks, and how SpriteCIFAR poses, recolours and samples one.

Dimension letters: n images, S sprites, W sprite width at a mip level. Images are 32x32.

Every number is either exact IEEE arithmetic, element by element, or a transcendental function
computed in float64 and rounded to float32. Nothing depends on BLAS, on the number of threads, or
(the rounding swallows the last bit) on which vector instructions NumPy finds in the processor.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]  # float32 in every array of images
IntArray = NDArray[np.int64]

IMAGE_SIZE = 32
CENTRED = np.arange(IMAGE_SIZE, dtype=np.float32) - np.float32(15.5)  # pixel centres

# Rotating hue and scaling saturation are simple in YIQ (luma and two chroma axes).
RGB_TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
# Its inverse, written out: LAPACK may differ in the last bit.
YIQ_TO_RGB = np.array(
    [
        [1.0, 0.9561706854041451, 0.6214325663465855],
        [1.0, -0.2726886023301063, -0.6468132370201739],
        [1.0, -1.1037440821760263, 1.7006230946773062],
    ]
)


@dataclass(frozen=True)
class SpriteBank:
    """All drawings. ``levels[l]`` is (S, 48 >> l, 48 >> l, 4), RGB premultiplied by alpha, 0..1."""

    levels: tuple[FloatArray, ...]
    labels: IntArray  # (S,) index into CIFAR10_CLASSES, or into the nouns of the captions
    held_out: NDArray[np.bool_]  # (S,) only for the test (or validation) split

    def drawings(self, *, held_out: bool, label: int | None = None) -> IntArray:
        """The indices of the training or the held-out drawings, of one class or of all."""
        chosen = self.held_out == held_out
        if label is not None:
            chosen = chosen & (self.labels == label)
        return np.flatnonzero(chosen)


@cache
def sprite_bank(name: str = "sprites") -> SpriteBank:
    """Read ``sprites.npz`` (or another bank; artists: SPRITES.md) and build its mip levels."""
    with (
        files("cs231n_lib.data").joinpath(f"{name}.npz").open("rb") as file,
        np.load(file) as stored,
    ):
        rgba, labels, held_out = stored["rgba"], stored["label"], stored["held_out"]
    level = rgba.astype(np.float32) / np.float32(255)
    level[..., :3] *= level[..., 3:]
    levels = [level]
    for _ in range(2):
        pairs = level[:, ::2] + level[:, 1::2]
        level = (pairs[:, :, ::2] + pairs[:, :, 1::2]) * np.float32(0.25)
        levels.append(level)
    return SpriteBank(tuple(levels), labels.astype(np.int64), held_out)


@dataclass(frozen=True)
class PoseRange:
    """From what poses are drawn. Sizes in pixels of a 32-pixel image, angles in degrees."""

    size: tuple[float, float]
    shift: float  # 1 lets a sprite reach the border
    rotation: float  # standard deviation
    close_up: float = 0.0  # share of sprites larger than the image
    far_away: float = 0.0  # share of tiny sprites
    shear: float = 0.16
    log_aspect: float = 0.18


def random_poses(rng: Generator, n: int, pose: PoseRange) -> FloatArray:
    """Draw maps from output pixels to sprite coordinates in [-1, 1], (n, 2, 3), half mirrored."""
    size = np.exp(rng.uniform(np.log(pose.size[0]), np.log(pose.size[1]), n))
    kind, close, far = rng.random(n), rng.uniform(38, 66, n), rng.uniform(9, 16, n)
    size = np.where(kind < pose.close_up, close, size)
    size = np.where(kind > 1 - pose.far_away, far, size)
    aspect = np.exp(rng.uniform(-pose.log_aspect, pose.log_aspect, n))
    angle = np.deg2rad(rng.normal(0, pose.rotation, n))
    shear = rng.uniform(-pose.shear, pose.shear, n)
    mirror = np.where(rng.random(n) < 0.5, -1.0, 1.0)
    room = np.where(size > 37, 0.22 * size, np.maximum(16 - 0.42 * size, 2.0))
    offset = rng.uniform(-1, 1, (n, 2)) * (1.6 * pose.shift * room)[:, None]

    # Forward map, sprite to pixels: rotation @ [[a, b], [0, d]].
    a, d = mirror * size * aspect / 2, size / aspect / 2
    b = shear * d
    cos, sin = np.cos(angle), np.sin(angle)
    m00, m01, m10, m11 = cos * a, cos * b - sin * d, sin * a, sin * b + cos * d
    det = m00 * m11 - m01 * m10
    inverse = np.empty((n, 2, 3))
    inverse[:, 0, 0], inverse[:, 0, 1] = m11 / det, -m01 / det
    inverse[:, 1, 0], inverse[:, 1, 1] = -m10 / det, m00 / det
    for row in range(2):
        along = inverse[:, row, 0] * offset[:, 0] + inverse[:, row, 1] * offset[:, 1]
        inverse[:, row, 2] = -along
    return inverse.astype(np.float32)


def random_warps(rng: Generator, n: int, taper: float, bend: float) -> FloatArray:
    """Draw bends and tapers, (n, 4): proportions that no drawing has, but its relatives might."""
    limits = np.array([taper, taper, bend, bend])
    return (rng.uniform(-1, 1, (n, 4)) * limits).astype(np.float32)


def draw_sprites(
    bank: SpriteBank, which: IntArray, poses: FloatArray, warps: FloatArray
) -> FloatArray:
    """Sample sprite ``which[i]`` in pose ``poses[i]``: (n, 32, 32, 4), premultiplied RGBA.

    Bilinear within the mip level whose pixels are about as large as the output's.
    """
    x, y = CENTRED[None, None, :], CENTRED[None, :, None]
    m = poses[:, :, :, None, None]  # (n, 2, 3, 1, 1)
    u = m[:, 0, 0] * x + m[:, 0, 1] * y + m[:, 0, 2]  # (n, 32, 32)
    v = m[:, 1, 0] * x + m[:, 1, 1] * y + m[:, 1, 2]
    taper_u, taper_v, bend_u, bend_v = warps.T[:, :, None, None]  # each (n, 1, 1)
    level_ground = np.float32(0.33)  # the mean of u*u: a bend should not also shift
    u, v = (
        u * (1 + taper_u * v) + bend_u * (v * v - level_ground),
        v * (1 + taper_v * u) + bend_v * (u * u - level_ground),
    )
    det = poses[:, 0, 0] * poses[:, 1, 1] - poses[:, 0, 1] * poses[:, 1, 0]
    footprint = np.sqrt(np.abs(det)) * 24  # level-0 sprite pixels per output pixel
    level_of = np.where(footprint < 1.5, 0, np.where(footprint < 3, 1, 2))
    out = np.zeros((len(which), IMAGE_SIZE, IMAGE_SIZE, 4), np.float32)
    for number, level in enumerate(bank.levels):
        rows = np.flatnonzero(level_of == number)
        if rows.size:
            out[rows] = sample_bilinear(level, which[rows], u[rows], v[rows])
    return out


def sample_bilinear(level: FloatArray, which: IntArray, u: FloatArray, v: FloatArray) -> FloatArray:
    """Read ``level[which]`` at (u, v) in [-1, 1]: (n, H, W, 4); transparent outside."""
    width = level.shape[1]
    px = (u + 1) * np.float32(width / 2) - np.float32(0.5)
    py = (v + 1) * np.float32(width / 2) - np.float32(0.5)
    left, top = np.floor(px), np.floor(py)
    fx, fy = (px - left)[..., None], (py - top)[..., None]
    x, y = left.astype(np.int64), top.astype(np.int64)
    pixels = level.reshape(-1, 4)
    base = (which * width * width)[:, None, None]

    def tap(column: IntArray, row: IntArray) -> FloatArray:
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < width)
        values = pixels[np.where(inside, base + row * width + column, 0)]
        values[~inside] = 0
        return values

    upper = tap(x, y) * (1 - fx) + tap(x + 1, y) * fx
    lower = tap(x, y + 1) * (1 - fx) + tap(x + 1, y + 1) * fx
    return upper * (1 - fy) + lower * fy


@dataclass(frozen=True)
class ColourRange:
    """From what colour changes are drawn: hue (radians, a standard deviation each), the rest."""

    hue: NDArray[np.float64] | float
    saturation: tuple[float, float]
    contrast: tuple[float, float]


def random_colours(rng: Generator, n: int, colours: ColourRange) -> tuple[FloatArray, FloatArray]:
    """Draw colour changes: matrices (n, 3, 3) on RGB columns, and their contrasts (n,)."""
    angle = rng.normal(0, 1, n) * colours.hue
    saturation = rng.uniform(*colours.saturation, n)
    contrast = rng.uniform(*colours.contrast, n)
    in_yiq = np.zeros((n, 3, 3))
    in_yiq[:, 0, 0] = contrast
    in_yiq[:, 1, 1] = in_yiq[:, 2, 2] = contrast * saturation * np.cos(angle)
    in_yiq[:, 2, 1] = contrast * saturation * np.sin(angle)
    in_yiq[:, 1, 2] = -in_yiq[:, 2, 1]
    # Two products of 3x3 matrices, term by term: `@` may sum in another order elsewhere.
    half, matrix = np.zeros((n, 3, 3)), np.zeros((n, 3, 3))
    for k in range(3):
        half += in_yiq[:, :, k, None] * RGB_TO_YIQ[k]
    for k in range(3):
        matrix += YIQ_TO_RGB[:, k, None] * half[:, None, k, :]
    return matrix.astype(np.float32), contrast.astype(np.float32)


def apply_colours(matrix: FloatArray, rgb: FloatArray) -> FloatArray:
    """Multiply every pixel of image i by ``matrix[i]``: (n, 3, 3), (n, H, W, 3) -> (n, H, W, 3)."""
    m = matrix[:, None, None, :, :]  # (n, 1, 1, 3, 3)
    return m[..., 0] * rgb[..., 0:1] + m[..., 1] * rgb[..., 1:2] + m[..., 2] * rgb[..., 2:3]
