"""SpriteScenes: what is in each captioned scene, drawn from a seed.

The embedded stand-in for COCO: 5,000 training and 1,000 validation scenes of 64x64 pixels, one or
two kinds of things at one place, with five captions each. This module decides what a scene shows;
``scene_pictures`` paints it and ``scene_captions`` describes it. Each scene has a seed of its own,
so any one can be made without the others, on any machine to the same byte.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.random import Generator

Split = Literal["train", "val"]

SEED = 231
SIZES: dict[Split, int] = {"train": 5000, "val": 1000}
IMAGE_SIZE = 64
CAPTIONS_PER_SCENE = 5

# The order of the labels in caption_sprites.npz.
NOUNS = (
    "dog", "cat", "bird", "duck", "penguin", "horse", "cow", "pig", "sheep", "elephant", "bear",
    "rabbit", "car", "bus", "truck", "bicycle", "train", "airplane", "boat", "tree", "flower",
    "house", "umbrella", "ball", "balloon", "kite", "apple", "banana", "pizza", "cake", "clock",
    "chair", "bed", "guitar", "book", "laptop",
)  # fmt: skip
COLOURS = (
    "red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "black", "brown",
)  # fmt: skip
# Things that may have any colour; the others keep that of their drawing, and no caption names it.
COLOURED = frozenset((
    "car", "bus", "truck", "bicycle", "boat", "house", "umbrella", "ball", "balloon", "kite",
    "chair", "bed", "guitar", "book",
))  # fmt: skip
ALWAYS_UP = frozenset(("airplane", "balloon", "kite"))
CAN_BE_UP = ALWAYS_UP | {"bird"}


@dataclass(frozen=True)
class Place:
    """Where a scene is.

    top, bottom: its surfaces, see ``scene_pictures``. here: two ways to say where something
    stands. over: the same for what is up in the air. nouns: what may be found there. hides: the
    colours that cannot be told from its ground.
    """

    top: str
    bottom: str
    here: tuple[str, str]
    over: str
    nouns: tuple[str, ...]
    hides: tuple[str, ...]


PLACES = {
    "field": Place(
        "sky", "grass", ("in a field", "on the grass"), "over a field",
        ("dog", "horse", "cow", "pig", "sheep", "elephant", "rabbit", "duck", "bird", "tree",
         "flower", "house", "ball", "kite", "airplane", "balloon", "train", "bicycle", "chair"),
        ("green",),
    ),
    "beach": Place(
        "sky", "sand", ("on a beach", "on the sand"), "over a beach",
        ("dog", "bird", "horse", "umbrella", "ball", "kite", "chair", "balloon", "airplane",
         "boat", "duck", "book", "guitar", "banana"),
        ("yellow", "orange"),
    ),
    "street": Place(
        "city", "road", ("on a street", "on the road"), "over a street",
        ("car", "bus", "truck", "bicycle", "dog", "cat", "bird", "tree", "house", "balloon",
         "umbrella", "horse"),
        ("black",),
    ),
    "snow": Place(
        "overcast", "snow", ("in the snow", "on the snow"), "over the snow",
        ("penguin", "bear", "dog", "rabbit", "tree", "house", "bird", "train", "car", "truck"),
        ("white",),
    ),
    "water": Place(
        "sky", "sea", ("in the water", "on the water"), "over the water",
        ("duck", "boat", "ball", "penguin", "bird", "airplane", "kite", "balloon"),
        ("blue",),
    ),
    "room": Place(
        "wall", "carpet", ("in a room", "on the floor"), "in a room",
        ("dog", "cat", "rabbit", "ball", "balloon", "chair", "bed", "guitar", "book", "laptop",
         "flower", "umbrella", "clock"),
        ("red", "brown"),
    ),
    "table": Place(
        "wall", "wood", ("on a table", "on a wooden table"), "over a table",
        ("apple", "banana", "pizza", "cake", "clock", "book", "laptop", "flower", "cat", "ball"),
        ("brown", "orange"),
    ),
    "forest": Place(
        "forest", "leaf", ("in a forest", "in the woods"), "over a forest",
        ("bear", "rabbit", "bird", "tree", "flower", "horse", "elephant", "pig", "house",
         "bicycle", "dog", "sheep", "balloon"),
        ("green",),
    ),
    "night": Place(
        "dark", "road", ("at night", "in the dark"), "at night",
        ("car", "bus", "train", "truck", "house", "tree", "cat", "bicycle", "airplane", "dog"),
        ("black",),
    ),
    "sky": Place(
        "sky", "overcast", ("in the sky", "in the air"), "in the sky",
        ("bird", "airplane", "balloon", "kite"),
        ("blue", "white"),
    ),
}  # fmt: skip
# How often: the sky has few things to show, a table many that are found nowhere else.
_PLACE_WEIGHTS = (14, 10, 11, 10, 10, 12, 14, 10, 10, 5)

_RARITY = {
    noun: (6, 4, 3, 2)[min(sum(noun in place.nouns for place in PLACES.values()), 4) - 1]
    for noun in NOUNS
}


@dataclass(frozen=True)
class Thing:
    """One to four of a noun at (x, y), pixels from the middle of the picture, y downwards."""

    noun: str
    count: int
    colour: str | None  # None: as it is drawn
    is_up: bool
    x: float
    y: float
    size: float  # pixels, of each


@dataclass(frozen=True)
class Scene:
    """What a picture shows: one thing or two."""

    place: str
    things: tuple[Thing, ...]

    @property
    def is_side_by_side(self) -> bool:
        """Whether the two things stand beside each other, rather than one above the other."""
        first, second = self.things
        return abs(first.x - second.x) > abs(first.y - second.y)


def scene(split: Split, index: int, seed: int = SEED) -> Scene:
    """What scene ``index`` of a split shows."""
    rng = scene_generator(split, index, 0, seed)
    names = tuple(PLACES)
    place = names[_weighted(rng, _PLACE_WEIGHTS)]
    first, second = _two_nouns(rng, place)
    if rng.random() < 0.25:
        return Scene(place, (_alone(rng, place, first),))
    return Scene(place, _pair(rng, place, first, second))


def scene_generator(split: Split, index: int, purpose: int, seed: int = SEED) -> Generator:
    """Random numbers for one scene: purpose 0 its contents, 1 its picture, 2 its captions."""
    return np.random.default_rng([seed, 0 if split == "train" else 1, index, purpose])


def _two_nouns(rng: Generator, place: str) -> tuple[str, str]:
    """Two different nouns of a place; those that are found in few places come up more often."""
    pool = list(PLACES[place].nouns)
    chosen = []
    for _ in range(2):
        weights = tuple(_RARITY[noun] for noun in pool)
        chosen.append(pool.pop(_weighted(rng, weights)))
    return chosen[0], chosen[1]


def _alone(rng: Generator, place: str, noun: str) -> Thing:
    is_up = place == "sky" or noun in ALWAYS_UP or (noun == "bird" and rng.random() < 0.4)
    x, y = rng.uniform(-9, 9), rng.uniform(3, 10)
    if place == "sky":
        y = rng.uniform(-8, 8)
    elif is_up:
        y = rng.uniform(-13, -7)
    count = 1 + _weighted(rng, (55, 20, 14, 11))
    size = 35 * rng.uniform(0.88, 1.12) * _SHRINK[count]
    return Thing(noun, count, _colour(rng, place, noun), is_up, x, y, size)


def _pair(rng: Generator, place: str, first: str, second: str) -> tuple[Thing, Thing]:
    """Two things side by side, or one above the other where one of them can be up."""
    flyers = [noun for noun in (first, second) if noun in CAN_BE_UP or place == "sky"]
    if place == "room" and "clock" in (first, second):
        flyers.append("clock")  # on the wall
    stacked = bool(flyers) and rng.random() < 0.55
    if stacked:
        upper = flyers[rng.integers(len(flyers))]
        lower = second if upper == first else first
        names = (upper, lower)
        heights = (rng.uniform(-18, -14), rng.uniform(12, 16))
        spots = [(rng.uniform(-7, 7), height) for height in heights]
    else:
        names = (first, second)
        away = rng.uniform(14.5, 16.5)
        spots = [(sign * away, rng.uniform(2, 9)) for sign in (-1, 1)]
        if place == "sky":
            spots = [(x, y - 6) for x, y in spots]
    counts = [1 + _weighted(rng, (62, 19, 12, 7)), 1 + _weighted(rng, (75, 25))]
    if rng.random() < 0.5:
        counts.reverse()
    things = []
    for noun, (x, y), count in zip(names, spots, counts, strict=True):
        is_up = place == "sky" or noun in ALWAYS_UP or (stacked and noun == names[0])
        size = 24 * rng.uniform(0.88, 1.12) * _SHRINK[count]
        if not stacked and noun in ALWAYS_UP and place != "sky":
            y -= 9
        things.append(Thing(noun, count, _colour(rng, place, noun), is_up, x, y, size))
    return things[0], things[1]


_SHRINK = {1: 1.0, 2: 0.60, 3: 0.57, 4: 0.54}


def _colour(rng: Generator, place: str, noun: str) -> str | None:
    hidden = PLACES[place].hides
    colours = [colour for colour in COLOURS if colour not in hidden]
    chosen, wanted = colours[rng.integers(len(colours))], rng.random() < 0.8
    return chosen if wanted and noun in COLOURED else None


def _weighted(rng: Generator, weights: tuple[int, ...]) -> int:
    """An index, drawn in proportion to whole-number weights."""
    return int(np.searchsorted(np.cumsum(weights), rng.integers(sum(weights)), side="right"))
