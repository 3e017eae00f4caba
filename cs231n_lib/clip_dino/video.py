"""Videos made of drawings that move, turn, overlap and leave, with an exact mask for every frame.

They stand in for DAVIS: a few things in each, numbered from 1 in the order of their depth, on a
background that is 0. Each video follows from its number alone; a frame takes some milliseconds, so
none is stored.

Dimension letters: T frames of H x W = 240 x 240 pixels, K things.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cs231n_lib.data.scenes import SURFACES, texture_bank
from cs231n_lib.data.sprites import FloatArray, sample_bilinear, sprite_bank
from cs231n_lib.data.spritescenes import NOUNS

SEED = 231
FRAMES, SIZE = 40, 240
BANK = "caption_sprites"
Frames = NDArray[np.uint8]


@dataclass(frozen=True)
class Actor:
    """A drawing and its way: what it does from the first frame (time 0) to the last (time 1).

    start, end: where its middle is, in widths of the picture from the left and from the top; it
    may be outside. size: in widths of the picture, at the start and at the end. turn: degrees in
    all. sway: how far it leaves the straight way, up and down, twice. drawing: which of its noun.
    """

    noun: str
    start: tuple[float, float]
    end: tuple[float, float]
    size: tuple[float, float]
    turn: float = 0.0
    sway: float = 0.0
    drawing: int = 0


@dataclass(frozen=True)
class Story:
    """A video: its name, its ground (two surfaces), and who is in it, the front one last."""

    name: str
    ground: tuple[str, str]
    actors: tuple[Actor, ...]


STORIES = (
    Story(
        "a dog passes a cat",
        ("sky", "grass"),
        (
            Actor("cat", (0.66, 0.62), (0.60, 0.60), (0.34, 0.38), turn=-8),
            Actor("dog", (0.20, 0.66), (0.95, 0.62), (0.42, 0.42), turn=12, sway=0.03),
            Actor("balloon", (0.30, 0.20), (0.72, 0.16), (0.24, 0.18), turn=20, sway=0.04),
        ),
    ),
    Story(
        "a car leaves, a bus comes",
        ("city", "road"),
        (
            Actor("bus", (0.72, 0.55), (0.40, 0.55), (0.40, 0.48)),
            Actor("car", (0.28, 0.68), (1.25, 0.72), (0.36, 0.36), sway=0.01),
            Actor("bird", (0.20, 0.18), (0.85, 0.25), (0.16, 0.12), turn=-25, sway=0.05),
        ),
    ),
    Story(
        "fruit on a table",
        ("indoor", "sand"),
        (
            Actor("apple", (0.30, 0.40), (0.65, 0.65), (0.30, 0.36), turn=160),
            Actor("banana", (0.70, 0.35), (0.30, 0.60), (0.34, 0.30), turn=-120),
            Actor("cake", (0.45, 0.78), (0.55, 0.25), (0.30, 0.26)),
        ),
    ),
    Story(
        "ducks swim by",
        ("sky", "sea"),
        (
            Actor("boat", (0.68, 0.42), (0.30, 0.40), (0.40, 0.34), sway=0.015),
            Actor("duck", (0.22, 0.70), (0.62, 0.72), (0.30, 0.38), sway=0.02),
            Actor("duck", (0.80, 0.78), (0.40, 0.55), (0.24, 0.24), sway=0.02, drawing=1),
        ),
    ),
)


class SpriteVideos:
    """The videos by their number, as ``DavisDataset`` of the official notebook gives them."""

    def __init__(self, frames: int = FRAMES, seed: int = SEED) -> None:
        """``frames``: of each video. ``seed``: of textures, light and the camera's noise."""
        if frames < 2:
            raise ValueError(f"frames is {frames}; a video has at least 2")
        self.frames, self.seed = frames, seed

    def __len__(self) -> int:
        return len(STORIES)

    def names(self, index: int) -> tuple[str, ...]:
        """What the classes of a video are: the background, then its things: K + 1 names."""
        return ("background", *(actor.noun for actor in self._story(index).actors))

    def get_sample(self, index: int) -> tuple[Frames, Frames]:
        """Frames (T, H, W, 3) and masks (T, H, W, 1), uint8: 0 the background, k the k-th thing.

        Raises IndexError when there is no such video.
        """
        story = self._story(index)
        rng = np.random.default_rng([self.seed, index])
        ground = _ground(rng, story.ground)
        pairs = [_frame(rng, ground, story.actors, time) for time in np.linspace(0, 1, self.frames)]
        frames, masks = zip(*pairs, strict=True)
        return np.stack(frames), np.stack(masks)[..., None]

    def _story(self, index: int) -> Story:
        if not 0 <= index < len(STORIES):
            raise IndexError(f"video {index}: there are videos 0 to {len(STORIES) - 1}")
        return STORIES[index]


def _ground(rng: Generator, surfaces: tuple[str, str]) -> FloatArray:
    """Two surfaces with a soft horizon: (H, W, 3), about 0..1."""
    textures = texture_bank(SEED)
    rows = np.linspace(-1, 1, SIZE, dtype=np.float32)[:, None, None]
    below = np.clip((rows + np.float32(0.1)) * 8 + np.float32(0.5), 0, 1)
    image = np.zeros((SIZE, SIZE, 3), np.float32)
    for name, share in zip(surfaces, (1 - below, below), strict=True):
        texture = textures[rng.integers(len(textures))]  # (128, 128): wraps at its border
        grain = np.tile(texture, (2, 2))[:SIZE, :SIZE, None]
        rgb = np.array(SURFACES[name][0], np.float32)
        image += share * (rgb * (1 + np.float32(0.06) * grain))
    return image


def _frame(
    rng: Generator, ground: FloatArray, actors: tuple[Actor, ...], time: float
) -> tuple[Frames, Frames]:
    """One frame (H, W, 3) and its mask (H, W)."""
    image, mask = ground.copy(), np.zeros((SIZE, SIZE), np.uint8)
    for number, actor in enumerate(actors, start=1):
        rgba = _posed(actor, time)
        image *= 1 - rgba[..., 3:]
        image += rgba[..., :3]
        mask[rgba[..., 3] > 0.5] = number
    light = np.float32(1 + 0.08 * np.sin(2 * np.pi * time))  # a cloud passes
    image = image * light + np.float32(0.012) * rng.standard_normal(image.shape, np.float32)
    return np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8), mask


def _posed(actor: Actor, time: float) -> FloatArray:
    """The actor's drawing where it is at that time: (H, W, 4), RGB premultiplied by alpha."""
    bank = sprite_bank(BANK)
    drawings = bank.drawings(held_out=False, label=NOUNS.index(actor.noun))
    which = drawings[actor.drawing % len(drawings)]
    (x0, y0), (x1, y1) = actor.start, actor.end
    x = SIZE * (x0 + (x1 - x0) * time)
    y = SIZE * (y0 + (y1 - y0) * time + actor.sway * np.sin(4 * np.pi * time))
    size = SIZE * (actor.size[0] + (actor.size[1] - actor.size[0]) * time)
    angle = np.deg2rad(actor.turn * time)
    across = (np.arange(SIZE) + 0.5 - x)[None, :] * (2 / size)
    down = (np.arange(SIZE) + 0.5 - y)[:, None] * (2 / size)
    u = (np.cos(angle) * across + np.sin(angle) * down).astype(np.float32)
    v = (np.cos(angle) * down - np.sin(angle) * across).astype(np.float32)
    return sample_bilinear(bank.levels[0], np.array([which]), u[None], v[None])[0]
