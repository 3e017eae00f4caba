"""Where and when, in both languages: in the garden, on the 21st of March."""

from cs231n_lib.translation.french import (
    date,
)
from cs231n_lib.translation.lexicon import (
    DAYS,
    NOUNS,
    PLACES,
    SUPPORTS,
)
from cs231n_lib.translation.phrases import (
    DEFINITE,
    Choices,
    phrase,
)

_AROUND = (("near", "près de"), ("behind", "derrière"), ("in front of", "devant"))
_OWN_PLACES = frozenset({"garden", "house", "school", "village", "castle"})


def where(choices: Choices) -> tuple[list[str], list[str], bool]:
    """In the garden, near the houses, under the table."""
    if choices.chance(0.2):
        below = ("under", "sous") if choices.chance(0.6) else choices.one(_AROUND)
        thing = phrase(choices, SUPPORTS, {"the": 1.0}, plural=False)
        return [*below[0].split(), *thing.english], [*below[1].split(), *thing.french], thing.new
    near = choices.chance(0.3)
    noun = choices.one([noun for noun in NOUNS if noun.kind == "place"])
    own = {"the": 1.0} if near or noun.name not in _OWN_PLACES else DEFINITE
    several = near and choices.chance(0.3)
    place = phrase(choices, PLACES, own, noun=noun, plural=several)
    english, french = choices.one(_AROUND) if near else noun.at
    return [*english.split(), *place.english], [*french.split(), *place.french], place.new


def when(choices: Choices) -> tuple[list[str], list[str]]:
    """On the 21st of March, on Monday the 3rd of May, on Monday."""
    if choices.chance(0.25):
        english, french = choices.one(DAYS)
        return ["on", english], [french]
    english, french = a_date(choices)
    return ["on", *english], french


def a_date(choices: Choices) -> tuple[list[str], list[str]]:
    """The 21st of March, Monday the 3rd of May."""
    weekday = choices.one(range(7)) if choices.chance(0.3) else None
    month = choices.one(range(1, 13))
    days = 29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31
    return date(choices.one(range(1, days + 1)), month, weekday)
