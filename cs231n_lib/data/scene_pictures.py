"""Paint the scenes of SpriteScenes: a place of two surfaces, with drawings pasted on it.

Elementwise arithmetic as in SpriteCIFAR: the same bytes on every machine. A picture takes about a
millisecond, so none is stored; they are painted when they are asked for.

Dimension letters: N scenes, H = W = 64 pixels, b pixels of a drawing's box.
"""

from collections.abc import Iterable

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cs231n_lib.data.scenes import SURFACES, TEXTURES, texture_bank
from cs231n_lib.data.sprites import FloatArray, sample_bilinear, sprite_bank
from cs231n_lib.data.spritescenes import (
    IMAGE_SIZE,
    NOUNS,
    PLACES,
    SEED,
    SIZES,
    Scene,
    Split,
    Thing,
    scene,
    scene_generator,
)

BANK = "caption_sprites"
_INDOORS = {
    "wall": ((0.83, 0.78, 0.66), "smooth"),
    "carpet": ((0.52, 0.24, 0.26), "fine"),
    "wood": ((0.60, 0.40, 0.22), "waves"),
}
_SURFACES = SURFACES | _INDOORS
_PAINT = {
    "red": (0.86, 0.10, 0.10),
    "orange": (0.97, 0.52, 0.05),
    "yellow": (0.97, 0.87, 0.12),
    "green": (0.12, 0.60, 0.20),
    "blue": (0.12, 0.33, 0.85),
    "purple": (0.50, 0.18, 0.66),
    "pink": (0.97, 0.50, 0.72),
    "white": (0.97, 0.97, 0.97),
    "black": (0.08, 0.08, 0.08),
    "brown": (0.45, 0.27, 0.13),
}
PAINTED = np.float32(0.88)  # how much of a drawing's own colour the paint covers
RELIEF = np.float32(0.65)  # how much of its light and shade is seen through the paint
# Where the drawings of two, three and four things are, in sizes from their middle.
_ARRANGEMENT = {
    1: ((0.0, 0.0),),
    2: ((-0.52, 0.0), (0.52, 0.0)),
    3: ((-0.54, 0.32), (0.54, 0.32), (0.0, -0.5)),
    4: ((-0.52, -0.5), (0.52, -0.5), (-0.52, 0.5), (0.52, 0.5)),
}


def scene_images(split: Split, indices: Iterable[int]) -> NDArray[np.uint8]:
    """The pictures of some embedded scenes: (N, 64, 64, 3) uint8.

    ``split`` is "train" or "val"; ``indices`` are rows of ``train_features`` or ``val_features``,
    as in ``train_image_idxs``. Raises ValueError when there is no such split, IndexError when
    there is no such scene.
    """
    if split not in SIZES:
        raise ValueError(f"no split {split!r}; choose 'train' or 'val'")
    numbers = [int(index) for index in np.atleast_1d(np.asarray(indices, np.int64))]
    for number in numbers:
        if not 0 <= number < SIZES[split]:
            raise IndexError(f"scene {number}: {split} scenes are 0 to {SIZES[split] - 1}")
    images = np.empty((len(numbers), IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8)
    for row, number in enumerate(numbers):
        images[row] = paint_scene(split, number)
    return images


def paint_scene(split: Split, index: int, seed: int = SEED) -> NDArray[np.uint8]:
    """Paint one scene, with training drawings or held-out ones: (64, 64, 3) uint8."""
    rng = scene_generator(split, index, 1, seed)
    shown = scene(split, index, seed)
    image = _background(rng, shown)
    for thing in shown.things:
        _add_thing(rng, image, thing, held_out=split == "val")
    exposure = np.float32(np.exp(rng.normal(0, 0.08)))
    noise = np.float32(0.012) * rng.standard_normal(image.shape, dtype=np.float32)
    return np.clip((image * exposure + noise) * np.float32(255) + np.float32(0.5), 0, 255).astype(
        np.uint8
    )


def _background(rng: Generator, shown: Scene) -> FloatArray:
    """Two surfaces with a horizon between: (64, 64, 3), about 0..1."""
    place = PLACES[shown.place]
    horizon, softness = rng.uniform(22, 34), rng.uniform(1, 5)
    if shown.place == "sky":
        horizon, softness = rng.uniform(24, 60), rng.uniform(20, 60)
    rows = np.arange(IMAGE_SIZE, dtype=np.float32)[:, None, None]
    below = np.clip((rows - np.float32(horizon)) / np.float32(softness) + np.float32(0.5), 0, 1)
    image = np.zeros((IMAGE_SIZE, IMAGE_SIZE, 3), np.float32)
    for name, share in ((place.top, 1 - below), (place.bottom, below)):
        rgb, kind = _SURFACES[name]
        gain = np.exp(rng.normal(0, 0.08)) + rng.normal(0, 0.02, 3)
        colour = (np.array(rgb) * gain + rng.normal(0, 0.03, 3)).astype(np.float32)
        low, high = TEXTURES[kind][1]
        grain = np.float32(rng.uniform(low, high)) * _texture(rng, kind)
        image += share * (colour * (1 + grain) + np.float32(0.15) * grain)
    return image


def _texture(rng: Generator, kind: str) -> FloatArray:
    """A window of a texture of a kind: (64, 64, 1)."""
    textures = texture_bank(SEED)
    each = len(textures) // len(TEXTURES)
    number = list(TEXTURES).index(kind) * each + rng.integers(each)
    top, left = rng.integers(0, textures.shape[1] - IMAGE_SIZE, 2)
    return textures[number, top : top + IMAGE_SIZE, left : left + IMAGE_SIZE, None]


def _add_thing(rng: Generator, image: FloatArray, thing: Thing, held_out: bool) -> None:
    """Paste one drawing as often as the thing is there, all turned to the same side."""
    drawings = sprite_bank(BANK).drawings(held_out=held_out, label=NOUNS.index(thing.noun))
    which = int(drawings[rng.integers(len(drawings))])
    mirror = -1 if rng.random() < 0.5 else 1
    for right, down in _ARRANGEMENT[thing.count]:
        jitter = rng.normal(0, 0.6, 2)
        middle = (
            thing.x + right * thing.size * 1.04 + jitter[0] + (IMAGE_SIZE - 1) / 2,
            thing.y + down * thing.size * 1.04 + jitter[1] + (IMAGE_SIZE - 1) / 2,
        )
        _paste(image, which, middle, thing.size, mirror, rng.normal(0, 0.07), thing.colour)


def _paste(
    image: FloatArray,
    which: int,
    middle: tuple[float, float],
    size: float,
    mirror: int,
    angle: float,
    colour: str | None,
) -> None:
    """Paste drawing ``which`` in place, turned by ``angle`` (radians); only its box is touched."""
    bank = sprite_bank(BANK)
    reach = size * 0.72  # half the diagonal, nearly: a turned square sticks out a little
    left, right = (int(np.clip(middle[0] + s * reach + (s > 0), 0, IMAGE_SIZE)) for s in (-1, 1))
    top, bottom = (int(np.clip(middle[1] + s * reach + (s > 0), 0, IMAGE_SIZE)) for s in (-1, 1))
    x = (np.arange(left, right) - middle[0])[None, :] * (2 / size)
    y = (np.arange(top, bottom) - middle[1])[:, None] * (2 / size)
    cos, sin = np.cos(angle), np.sin(angle)
    u = (mirror * (cos * x + sin * y)).astype(np.float32)[None]
    v = (cos * y - sin * x).astype(np.float32)[None]
    level = bank.levels[0 if size > 32 else 1 if size > 16 else 2]
    rgba = sample_bilinear(level, np.array([which]), u, v)[0]  # (b, b, 4)
    rgb, alpha = rgba[..., :3], rgba[..., 3:]
    if colour:
        rgb = _painted(rgb, alpha, colour)
    box = image[top:bottom, left:right]
    box *= 1 - alpha
    box += rgb


def _painted(rgb: FloatArray, alpha: FloatArray, colour: str) -> FloatArray:
    """Paint a premultiplied drawing in one colour, keeping its light and shade.

    The drawing's mean brightness becomes the paint's own: a dark car painted white is white.
    """
    r, g, b = (rgb[..., i : i + 1] for i in range(3))
    luma = np.float32(0.30) * r + np.float32(0.55) * g + np.float32(0.15) * b
    # Sums in float64, rounded: the order in which NumPy adds must not show.
    mean = np.float32(luma.sum(dtype=np.float64) / max(alpha.sum(dtype=np.float64), 1e-6))
    shade = np.maximum(alpha + RELIEF * (luma - mean * alpha), np.float32(0.3) * alpha)
    coat = shade * np.array(_PAINT[colour], np.float32)
    return np.minimum((1 - PAINTED) * rgb + PAINTED * coat, alpha)
