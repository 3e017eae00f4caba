"""Backgrounds for SpriteCIFAR: scenes of two surfaces (sky over road, ...) with procedural texture.

As in CIFAR-10 the background says something about the class, but not everything: a plane is
usually in the sky and a ship usually at sea. Colours vary much, textures are kept: what a linear
classifier can see of a scene is less than what a ConvNet can.

Dimension letters: n images, K textures.
"""

from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cs231n_lib.data.sprites import CENTRED, IMAGE_SIZE, FloatArray, IntArray

# Each surface: its mean RGB, 0..1, and the kind of its texture.
SURFACES = {
    "sky": ((0.55, 0.70, 0.90), "smooth"),
    "overcast": ((0.78, 0.80, 0.83), "smooth"),
    "sunset": ((0.85, 0.60, 0.45), "smooth"),
    "sea": ((0.20, 0.38, 0.52), "waves"),
    "grass": ((0.38, 0.50, 0.22), "blades"),
    "forest": ((0.18, 0.27, 0.15), "blotches"),
    "road": ((0.42, 0.42, 0.43), "fine"),
    "city": ((0.55, 0.50, 0.47), "blocks"),
    "sand": ((0.72, 0.63, 0.48), "fine"),
    "dirt": ((0.45, 0.35, 0.26), "fine"),
    "indoor": ((0.62, 0.48, 0.38), "blocks"),
    "dark": ((0.12, 0.11, 0.13), "smooth"),
    "snow": ((0.90, 0.91, 0.94), "smooth"),
    "leaf": ((0.30, 0.42, 0.14), "blotches"),
}
# Each texture: grain sizes in pixels (down, across) with their weights, and the range of strength.
TEXTURES = {
    "smooth": ((((32, 32), 1.0), ((16, 16), 0.6), ((8, 8), 0.2)), (0.016, 0.064)),
    "waves": ((((2, 16), 1.0), ((4, 32), 0.7), ((2, 8), 0.6)), (0.05, 0.144)),
    "fine": ((((1, 1), 1.0), ((2, 2), 0.7), ((16, 16), 0.6)), (0.024, 0.08)),
    "blades": ((((8, 1), 1.0), ((4, 1), 0.7), ((16, 8), 0.6)), (0.05, 0.144)),
    "blotches": ((((8, 8), 1.0), ((4, 4), 1.0), ((2, 2), 0.5)), (0.064, 0.192)),
    "blocks": ((((16, 8), 1.0), ((4, 32), 0.6), ((32, 4), 0.6)), (0.05, 0.16)),
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
LIGHTNESS, TINT = 0.17, 0.08  # how colours of surfaces vary: standard deviations, 0..1
OWN_SCENE = 0.87  # how often an image has a scene of its own class; else one of any class
OWN_TEXTURE = 0.9  # how often a surface has the texture of its kind; else one of any kind

_RGB = np.array([rgb for rgb, _ in SURFACES.values()], np.float32)  # (surfaces, 3)
_KIND = np.array([list(TEXTURES).index(kind) for _, kind in SURFACES.values()])  # (surfaces,)
_STRENGTH = np.array([strength for _, strength in TEXTURES.values()])  # (kinds, 2)
_NUMBER = {name: number for number, name in enumerate(SURFACES)}
_SCENES = np.array(
    [[[_NUMBER[half] for half in scene.split("/")] for scene in row.split()] for row in SCENES]
)  # (10, 6, 2)
_ALL_SCENES = _SCENES.reshape(-1, 2)


@cache
def texture_bank(seed: int, each: int = 12, size: int = 128) -> FloatArray:
    """Make ``each`` textures of every kind in turn: (K, size, size), about -2.5 to 2.5."""
    rng = np.random.default_rng([seed, 99])
    textures = [_texture(rng, kind, size) for kind in TEXTURES for _ in range(each)]
    return np.clip(np.stack(textures), np.float32(-2.5), np.float32(2.5))


def _texture(rng: Generator, kind: str, size: int) -> FloatArray:
    """Sum noise of several grain sizes. Blocks have hard edges, the other kinds soft ones."""
    texture = np.zeros((size, size), np.float32)
    for (down, across), weight in TEXTURES[kind][0]:
        noise = rng.random((size // down, size // across), dtype=np.float32) - np.float32(0.5)
        if kind == "blocks":
            grain = noise.repeat(down, axis=0).repeat(across, axis=1)
        else:
            grain = _upsample(_upsample(noise, down).T, across).T
        texture += grain * np.float32(weight * rng.uniform(0.5, 1.5))
    # Sums in float64, rounded: the order in which NumPy adds must not show.
    mean = np.float32(texture.mean(dtype=np.float64))
    spread = np.float32(np.abs(texture).mean(dtype=np.float64) * 1.25 + 1e-6)
    return (texture - mean) / spread


def _upsample(grid: FloatArray, factor: int) -> FloatArray:
    """Stretch a grid ``factor`` times from top to bottom, linear, wrapping at the border."""
    n = len(grid)
    position = (np.arange(n * factor) + 0.5) / factor - 0.5
    low = np.floor(position).astype(np.int64)
    weight = (position - low).astype(np.float32)[:, None]
    return grid[low % n] * (1 - weight) + grid[(low + 1) % n] * weight


def random_crops(
    rng: Generator, textures: FloatArray, n: int, kinds: IntArray | None = None
) -> FloatArray:
    """Cut n random 32x32 windows out of the textures, of given kinds or any: (n, 32, 32, 1)."""
    count, height, width = textures.shape
    which = rng.integers(0, count, n)
    if kinds is not None:
        each = count // len(TEXTURES)
        which = np.where(rng.random(n) < OWN_TEXTURE, kinds * each + which % each, which)
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
    shift = _f32(rng.normal(0, LIGHTNESS, (n, 2, 1))) + _f32(rng.normal(0, TINT, (n, 2, 3)))
    colours = (_RGB[scene] * gain + shift)[:, :, None, None, :]  # (n, 2, 1, 1, 3)

    # The horizon: 0 above, 1 below, somewhat tilted, from sharp to a gradient.
    height = _f32(rng.uniform(-12, 12, n))[:, None, None]
    softness = _f32(np.exp(rng.uniform(np.log(0.6), np.log(9.0), n)))[:, None, None]
    tilt = _f32(rng.normal(0, 0.12, n))[:, None, None]
    distance = CENTRED[None, :, None] + tilt * CENTRED[None, None, :] - height
    below = np.clip(distance / softness * np.float32(0.5) + np.float32(0.5), 0, 1)[..., None]
    image = colours[:, 0] * (1 - below) + colours[:, 1] * below

    kinds = _KIND[scene]  # (n, 2)
    low, high = _STRENGTH[kinds, 0], _STRENGTH[kinds, 1]
    strength = _f32(low + (high - low) * rng.random((n, 2)))[:, :, None, None, None]
    tint = _f32(1 + rng.normal(0, 0.25, (n, 1, 1, 3)))
    for half, share in enumerate((1 - below, below)):
        grain = strength[:, half] * share * random_crops(rng, textures, n, kinds[:, half])
        image = image * (1 + grain) + np.float32(0.25) * grain * tint
    return image


def _f32(values: NDArray[np.float64]) -> FloatArray:
    return values.astype(np.float32)
