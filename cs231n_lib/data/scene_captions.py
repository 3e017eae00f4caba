"""Five captions for a scene of SpriteScenes, and the vocabulary they are written in.

A caption names what is there, how many, in which colour, where, and which is left of, right of,
above or below the other; each of the five leaves out something else, as people do. No caption is
longer than 15 words, so that <START>, words and <END> fit into 17 columns.

Dimension letters: T = 17 columns of a caption.
"""

from functools import cache

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cs231n_lib.data.spritescenes import (
    CAPTIONS_PER_SCENE,
    COLOURS,
    NOUNS,
    PLACES,
    SEED,
    Scene,
    Split,
    Thing,
    scene,
    scene_generator,
)

COLUMNS = 17
MAX_WORDS = COLUMNS - 2
SPECIAL = ("<NULL>", "<START>", "<END>", "<UNK>")
NULL, START, END, UNK = range(4)

ANIMALS = frozenset(NOUNS[:12])
VEHICLES = frozenset(("car", "bus", "truck", "bicycle"))
_NUMBERS = {2: "two", 3: "three", 4: "four"}
_OTHER_WORDS = (
    "a an the there is are picture photo of and to left right above below next group pair "
    "flying floating swimming standing parked lying two three four"
)


def plural(noun: str) -> str:
    return {"sheep": "sheep", "bus": "buses"}.get(noun, f"{noun}s")


@cache
def vocabulary() -> tuple[str, ...]:
    """Every word a caption may hold, after the four special ones; the index is the word's id."""
    places = " ".join(" ".join((*place.here, place.over)) for place in PLACES.values())
    words = {*NOUNS, *map(plural, NOUNS), *COLOURS, *places.split(), *_OTHER_WORDS.split()}
    return SPECIAL + tuple(sorted(words))


@cache
def word_ids() -> dict[str, int]:
    return {word: index for index, word in enumerate(vocabulary())}


def scene_captions(split: Split, index: int, seed: int = SEED) -> list[str]:
    """The five captions of scene ``index``."""
    rng = scene_generator(split, index, 2, seed)
    shown = scene(split, index, seed)
    describe = _describe_one if len(shown.things) == 1 else _describe_two
    return [describe(rng, shown) for _ in range(CAPTIONS_PER_SCENE)]


def encode(caption: str) -> NDArray[np.int32]:
    """The ids of a caption: <START>, words, <END>, then <NULL>: (T,) int32.

    Raises ValueError when it has more than 15 words, or one that is not in the vocabulary.
    """
    words = caption.split()
    if len(words) > MAX_WORDS:
        raise ValueError(f"{len(words)} words, but only {MAX_WORDS} fit: {caption!r}")
    ids = np.full(COLUMNS, NULL, np.int32)
    try:
        ids[: len(words) + 2] = [START, *(word_ids()[word] for word in words), END]
    except KeyError as error:
        raise ValueError(f"{error} is not in the vocabulary: {caption!r}") from None
    return ids


def _describe_one(rng: Generator, shown: Scene) -> str:
    (thing,) = shown.things
    where = _where(rng, shown, thing)
    doing = _doing(thing, where)
    phrase = _phrase(rng, thing, in_groups=True)
    is_or_are = "is" if thing.count == 1 or " of " in phrase else "are"
    forms = (
        f"{phrase} {doing} {where}",
        f"there {is_or_are} {phrase} {where}",
        f"a picture of {phrase} {where}",
        f"{phrase} {where}",
        f"a photo of {phrase} {doing} {where}",
        f"{phrase} {is_or_are} {doing} {where}",
    )
    return " ".join(forms[rng.integers(len(forms))].split())


def _describe_two(rng: Generator, shown: Scene) -> str:
    first, second = shown.things if rng.random() < 0.5 else shown.things[::-1]
    one, other = _phrase(rng, first), _phrase(rng, second)
    if shown.is_side_by_side:
        relation = "to the left of" if first.x < second.x else "to the right of"
        beside = "next to"
    else:
        relation = beside = "above" if first.y < second.y else "below"
    is_or_are = "is" if first.count == 1 else "are"
    # Where something stands is said of what stands there: no airplane is in the water.
    where, behind_first = _where(rng, shown, first if second.is_up else second), ""
    if second.is_up and not first.is_up:
        where, behind_first = "", where
    forms = (
        f"{one} {behind_first} {relation} {other} {where}",
        f"{one} {behind_first} and {other} {where}",
        f"there {is_or_are} {one} {relation} {other}",
        f"{one} {behind_first} {beside} {other} {where}",
        f"{one} {is_or_are} {relation} {other}",
        f"a picture of {one} {behind_first} and {other} {where}",
    )
    return " ".join(forms[rng.integers(len(forms))].split())


def _phrase(rng: Generator, thing: Thing, in_groups: bool = False) -> str:
    """The thing itself: "a red car", "two cars", and alone in the picture "a pair of cars"."""
    names_colour, says_group = rng.random() < 0.85, rng.random() < 0.15
    colour = f"{thing.colour} " if thing.colour and names_colour else ""
    if thing.count == 1:
        words = colour + thing.noun
        return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
    number = _NUMBERS[thing.count]
    if in_groups and says_group:
        number = "a pair of" if thing.count == 2 else "a group of"
    return f"{number} {colour}{plural(thing.noun)}"


def _where(rng: Generator, shown: Scene, thing: Thing) -> str:
    place, usual = PLACES[shown.place], rng.random() < 0.7
    if thing.is_up and shown.place != "sky":
        return place.over
    return place.here[0 if usual else 1]


def _doing(thing: Thing, where: str) -> str:
    if thing.is_up:
        return "floating" if thing.noun == "balloon" else "flying"
    if "water" in where:
        return "swimming" if thing.noun in ANIMALS and where == "in the water" else "floating"
    if thing.noun in VEHICLES:
        return "parked"
    if thing.noun in ANIMALS:
        return "standing" if thing.noun != "bird" else ""  # some are drawn with their wings out
    return "lying" if thing.noun in ("ball", "apple", "banana", "guitar", "book") else ""
