"""Scenes with two captions each, one right and one wrong in a single point.

To find out what a model that compares images with texts has understood: if it has, the right one is
more similar to the scene. The scenes are new ones, with the drawings that no training scene has.
After Yuksekgonul and others, *When and Why Vision-Language Models Behave like Bags-of-Words*, 2023.

Dimension letters: n scenes of 64x64 pixels.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from cs231n_lib.data.scene_captions import plural
from cs231n_lib.data.scene_pictures import paint_scene
from cs231n_lib.data.spritescenes import COLOURS, PLACES, SEED, Scene, Thing, scene

Pair = tuple[str, str]
Make = Callable[[Generator, Scene], Pair | None]
_NUMBERS = {2: "two", 3: "three", 4: "four"}
_SEARCHED = 20_000  # scenes, at most


def contrasts(
    kind: str, count: int, seed: int = SEED + 1
) -> tuple[NDArray[np.uint8], list[str], list[str]]:
    """``count`` scenes with a right and a wrong caption each; ``kind``: one of ``KINDS``.

    Returns images (n, 64, 64, 3), right captions, wrong captions. Raises ValueError for another
    kind, or more scenes than there are.
    """
    if kind not in KINDS:
        raise ValueError(f"no kind {kind!r}; choose one of {', '.join(KINDS)}")
    found: list[tuple[int, Pair]] = []
    for index, pair in _pairs(KINDS[kind], seed):
        found.append((index, pair))
        if len(found) == count:
            break
    if len(found) < count:
        raise ValueError(f"only {len(found)} scenes have a contrast of kind {kind!r}, not {count}")
    images = np.stack([paint_scene("val", index, seed) for index, _ in found])
    right, wrong = zip(*(pair for _, pair in found), strict=True)
    return images, list(right), list(wrong)


def _pairs(make: Make, seed: int) -> Iterator[tuple[int, Pair]]:
    for index in range(_SEARCHED):
        pair = make(np.random.default_rng([seed, index]), scene("val", index, seed))
        if pair is not None:
            yield index, pair


def phrase(thing: Thing) -> str:
    """ "a red car", "two dogs"."""
    colour = f"{thing.colour} " if thing.colour else ""
    if thing.count > 1:
        return f"{_NUMBERS[thing.count]} {colour}{plural(thing.noun)}"
    words = colour + thing.noun
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _other_noun(rng: Generator, shown: Scene) -> Pair | None:
    if len(shown.things) != 1:
        return None
    (thing,) = shown.things
    others = [noun for noun in PLACES[shown.place].nouns if noun != thing.noun]
    other = replace(thing, noun=others[rng.integers(len(others))], colour=None)
    thing = replace(thing, colour=None)
    return f"a picture of {phrase(thing)}", f"a picture of {phrase(other)}"


def _other_place(rng: Generator, shown: Scene) -> Pair | None:
    if any(thing.is_up for thing in shown.things):
        return None
    names = [name for name in PLACES if name not in (shown.place, "sky")]
    here, there = PLACES[shown.place], PLACES[names[rng.integers(len(names))]]
    what = phrase(shown.things[0])
    return f"{what} {here.here[0]}", f"{what} {there.here[0]}"


def _other_colour(rng: Generator, shown: Scene) -> Pair | None:
    if len(shown.things) != 1 or not shown.things[0].colour:
        return None
    (thing,) = shown.things
    others = [colour for colour in COLOURS if colour != thing.colour]
    other = replace(thing, colour=others[rng.integers(len(others))])
    return f"a picture of {phrase(thing)}", f"a picture of {phrase(other)}"


def _other_count(rng: Generator, shown: Scene) -> Pair | None:
    if len(shown.things) != 1:
        return None
    (thing,) = shown.things
    others = [count for count in (1, 2, 3, 4) if count != thing.count]
    other = replace(thing, count=others[rng.integers(len(others))])
    return f"a picture of {phrase(thing)}", f"a picture of {phrase(other)}"


def _above_or_below(rng: Generator, shown: Scene) -> Pair | None:
    if len(shown.things) != 2 or shown.is_side_by_side:
        return None
    return _relation(rng, shown, "above", "below")


def _left_or_right(rng: Generator, shown: Scene) -> Pair | None:
    if len(shown.things) != 2 or not shown.is_side_by_side:
        return None
    return _relation(rng, shown, "to the left of", "to the right of")


def _relation(rng: Generator, shown: Scene, right: str, wrong: str) -> Pair:
    """The things of a scene stand in the order of this relation; half of the time, say it back."""
    first, second = shown.things
    if rng.random() < 0.5:
        first, second, right, wrong = second, first, wrong, right
    is_or_are = "is" if first.count == 1 else "are"
    text = f"{phrase(first)} {is_or_are} {{}} {phrase(second)}"
    return text.format(right), text.format(wrong)


def _whose_colour(rng: Generator, shown: Scene) -> Pair | None:
    if len(shown.things) != 2:
        return None
    a, b = shown.things
    if not (a.colour and b.colour) or a.colour == b.colour:
        return None
    return _beside(a, b, replace(a, colour=b.colour), replace(b, colour=a.colour))


def _whose_number(rng: Generator, shown: Scene) -> Pair | None:
    if len(shown.things) != 2:
        return None
    a, b = shown.things
    if a.count == b.count:
        return None
    return _beside(a, b, replace(a, count=b.count), replace(b, count=a.count))


def _beside(a: Thing, b: Thing, other_a: Thing, other_b: Thing) -> Pair:
    return (
        f"a picture of {phrase(a)} and {phrase(b)}",
        f"a picture of {phrase(other_a)} and {phrase(other_b)}",
    )


KINDS: Mapping[str, Make] = MappingProxyType(
    {
        "another thing": _other_noun,
        "another place": _other_place,
        "another colour": _other_colour,
        "another number": _other_count,
        "numbers exchanged": _whose_number,
        "above or below": _above_or_below,
        "left or right": _left_or_right,
        "colours exchanged": _whose_colour,
    }
)
