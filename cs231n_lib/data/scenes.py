"""Backgrounds for SpriteCIFAR: two-colour scenes (sky over road, ...) with procedural texture.

As in CIFAR-10 the background says something about the class, but not everything: a plane is
usually in the sky and a ship usually at sea. Dimension letters: n images, K textures.
"""

from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cs231n_lib.data.sprites import CENTRED, IMAGE_SIZE, FloatArray, IntArray

# Mean RGB of each kind of surface, 0..1.
SURFACES = {
    "sky": (0.55, 0.70, 0.90),
    "overcast": (0.78, 0.80, 0.83),
    "sunset": (0.85, 0.60, 0.45),
    "sea": (0.20, 0.38, 0.52),
    "grass": (0.38, 0.50, 0.22),
    "forest": (0.18, 0.27, 0.15),
    "road": (0.42, 0.42, 0.43),
    "city": (0.55, 0.50, 0.47),
    "sand": (0.72, 0.63, 0.48),
    "dirt": (0.45, 0.35, 0.26),
    "indoor": (0.62, 0.48, 0.38),
    "dark": (0.12, 0.11, 0.13),
    "snow": (0.90, 0.91, 0.94),
    "leaf": (0.30, 0.42, 0.14),
}
# Six scenes a class, "top/bottom", in the order of CIFAR10_CLASSES; repeats make a scene likelier.
SCENES = (
    "sky/sky sky/overcast overcast/overcast sky/road sunset/dark sky/sky",  # plane
    "city/road sky/road forest/road overcast/road snow/snow city/dirt",  # car
    "sky/sky leaf/leaf forest/grass sea/sea overcast/sand grass/grass",  # bird
    "indoor/indoor indoor/sand dark/indoor snow/indoor city/indoor grass/grass",  # cat
    "forest/grass forest/dirt leaf/grass grass/grass forest/forest sky/grass",  # deer
    "indoor/indoor grass/grass sand/sand city/grass snow/snow indoor/dirt",  # dog
    "leaf/leaf dirt/dirt forest/dirt grass/grass dark/leaf sand/dirt",  # frog
    "sky/grass forest/grass city/sand grass/grass forest/dirt sky/sand",  # horse
    "sky/sea overcast/sea sunset/sea sea/sea sky/sea city/sea",  # ship
    "sky/road overcast/road city/road forest/dirt sky/dirt snow/road",  # truck
)
OWN_SCENE = 0.78  # how often an image has a scene of its own class; else one of any class
TEXTURE_STRENGTH = (0.03, 0.16)

_RGB = np.array(list(SURFACES.values()), np.float32)  # (surfaces, 3)
_NUMBER = {name: number for number, name in enumerate(SURFACES)}
_SCENES = np.array(
    [[[_NUMBER[half] for half in scene.split("/")] for scene in row.split()] for row in SCENES]
)  # (10, 6, 2)
_ALL_SCENES = _SCENES.reshape(-1, 2)


@cache
def texture_bank(seed: int, count: int = 40, size: int = 128) -> FloatArray:
    """Make (K, size, size) textures of multi-scale value noise, zero mean, clipped to +-2.5."""
    rng = np.random.default_rng([seed, 99])
    textures = [_texture(rng, number, size) for number in range(count)]
    return np.clip(np.stack(textures), np.float32(-2.5), np.float32(2.5))


def _texture(rng: Generator, number: int, size: int) -> FloatArray:
    """Sum octaves of noise; ``number`` picks the family: smooth, banded, blotchy or streaked."""
    texture = np.zeros((size, size), np.float32)
    persistence = 0.5 + 0.5 * rng.random()
    for octave, scale in enumerate((32, 16, 8, 4, 2, 1)):
        noise = rng.random((size // scale, size // scale), dtype=np.float32) - np.float32(0.5)
        in_band = octave in (number % 4 + 1, number % 4 + 2)
        weight = persistence**octave if number % 3 else (1.0 if in_band else 0.15)
        texture += _upsample(noise, scale) * np.float32(weight)
    if number % 5 == 0:
        blotches = _upsample(texture[: size // 4, : size // 4], 4)
        texture = blotches * np.float32(0.6) + texture * np.float32(0.4)
    if number % 7 == 0:
        texture = texture[:, :1] * np.float32(0.7) + texture * np.float32(0.5)
    if number % 7 == 3:
        texture = texture[:1] * np.float32(0.7) + texture * np.float32(0.5)
    # Sums in float64, rounded: the order in which NumPy adds must not show.
    mean = np.float32(texture.mean(dtype=np.float64))
    spread = np.float32(np.abs(texture).mean(dtype=np.float64) * 1.25 + 1e-6)
    return (texture - mean) / spread


def _upsample(square: FloatArray, factor: int) -> FloatArray:
    """Enlarge a square ``factor`` times, bilinear, wrapping at the border."""
    n = len(square)
    position = (np.arange(n * factor) + 0.5) / factor - 0.5
    low = np.floor(position).astype(np.int64)
    weight = (position - low).astype(np.float32)
    rows = square[low % n] * (1 - weight)[:, None] + square[(low + 1) % n] * weight[:, None]
    return rows[:, low % n] * (1 - weight) + rows[:, (low + 1) % n] * weight


def random_crops(rng: Generator, textures: FloatArray, n: int) -> FloatArray:
    """Cut n random 32x32 windows out of the textures: (n, 32, 32, 1)."""
    count, height, width = textures.shape
    which = rng.integers(0, count, n)
    top = rng.integers(0, height - IMAGE_SIZE, n)
    left = rng.integers(0, width - IMAGE_SIZE, n)
    steps = np.arange(IMAGE_SIZE)
    rows = top[:, None, None] + steps[None, :, None]
    columns = left[:, None, None] + steps[None, None, :]
    return textures[which[:, None, None], rows, columns][..., None]


def random_surface_colours(rng: Generator, n: int) -> FloatArray:
    """The colour of one half of a random scene, slightly varied: (n, 3)."""
    surface = _ALL_SCENES[rng.integers(0, len(_ALL_SCENES), n), rng.integers(0, 2, n)]
    return _RGB[surface] + rng.normal(0, 0.1, (n, 3)).astype(np.float32)


def random_backgrounds(rng: Generator, labels: IntArray, textures: FloatArray) -> FloatArray:
    """Paint a background for each label: (n,) -> (n, 32, 32, 3), about 0..1."""
    n = len(labels)
    own = rng.random(n) < OWN_SCENE
    scene = np.where(
        own[:, None],
        _SCENES[labels, rng.integers(0, 6, n)],
        _ALL_SCENES[rng.integers(0, len(_ALL_SCENES), n)],
    )  # (n, 2): top, bottom
    gain = _f32(np.exp(rng.normal(0, 0.12, (n, 2, 1))))
    shift = _f32(rng.normal(0, 0.13, (n, 2, 1))) + _f32(rng.normal(0, 0.063, (n, 2, 3)))
    colours = (_RGB[scene] * gain + shift)[:, :, None, None, :]  # (n, 2, 1, 1, 3)

    # The horizon: 0 above, 1 below, somewhat tilted, from sharp to a gradient.
    height = _f32(rng.uniform(-12, 12, n))[:, None, None]
    softness = _f32(np.exp(rng.uniform(np.log(0.6), np.log(9.0), n)))[:, None, None]
    tilt = _f32(rng.normal(0, 0.12, n))[:, None, None]
    distance = CENTRED[None, :, None] + tilt * CENTRED[None, None, :] - height
    below = np.clip(distance / softness * np.float32(0.5) + np.float32(0.5), 0, 1)[..., None]
    image = colours[:, 0] * (1 - below) + colours[:, 1] * below

    strength = _f32(rng.uniform(*TEXTURE_STRENGTH, (n, 2)) ** 1.3)[:, :, None, None, None]
    amplitude = strength[:, 0] * (1 - below) + strength[:, 1] * below
    tint = _f32(1 + rng.normal(0, 0.25, (n, 1, 1, 3)))
    image = image * (1 + amplitude * random_crops(rng, textures, n))
    return image + amplitude * np.float32(0.25) * random_crops(rng, textures, n) * tint


def _f32(values: NDArray[np.float64]) -> FloatArray:
    return values.astype(np.float32)
