"""Noun phrases in both languages: articles, possessives, numbers, adjectives, owners.

French agrees: the article, the possessive and all adjectives follow gender and number of the noun,
and some of them the sound of the word that stands next.
"""

import random
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from cs231n_lib.translation.french import english_number, french_number, starts_with_vowel
from cs231n_lib.translation.lexicon import (
    ADJECTIVES,
    BIG,
    COLOURS,
    NOUNS,
    POSSESSIVES,
    Adjective,
    Gender,
    Kind,
    Noun,
)

T = TypeVar("T")
Pairs = Literal["known", "new"]
Words = tuple[list[str], list[str]]  # English and French


@dataclass(frozen=True)
class Phrase:
    """A noun phrase or a pronoun. person: 0 je, 1 tu, 2 il, 3 nous, 4 ils."""

    english: list[str]
    french: list[str]
    person: int
    gender: Gender
    kind: Kind
    noun: Noun | None = None
    new: bool = False  # whether it holds an adjective and a noun that training never shows together

    @property
    def plural(self) -> bool:
        return self.person >= 3


@dataclass
class Choices:
    """Random choices, the same for a seed on every machine; which pairs may be made."""

    seed: int
    pairs: Pairs = "known"
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    def one(self, options: Sequence[T]) -> T:
        return options[int(self.rng.random() * len(options))]

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def weighted(self, options: dict[T, float]) -> T:
        """One of the keys, in proportion to the values."""
        point = self.rng.random() * sum(options.values())
        *others, last = options
        for option in others:
            point -= options[option]
            if point < 0:
                return option
        return last


def held_out(adjective: str, noun: str) -> bool:
    """Whether training never shows the two together (English words); one pair in seven."""
    return zlib.crc32(f"{adjective} {noun}".encode()) % 7 == 0


def noun_of(choices: Choices, kinds: frozenset[Kind]) -> Noun:
    return choices.one([noun for noun in NOUNS if noun.kind in kinds])


def adjectives_for(
    choices: Choices, noun: Noun, accept: Callable[[Adjective], bool]
) -> list[Adjective]:
    """Those that go well with a noun and that may be shown with it."""
    fitting = [
        BIG if one.english == "big" and noun.big == "gros" else one
        for one in ADJECTIVES
        if noun.kind in one.kinds and accept(one)
    ]
    known = [one for one in fitting if not held_out(one.english, noun.name)]
    if choices.pairs == "known":
        return known
    return [one for one in fitting if held_out(one.english, noun.name)] or known


def named(
    choices: Choices, noun: Noun, plural: bool, adjectives: int | None = None
) -> tuple[list[str], list[str], bool]:
    """A noun with none to two adjectives: English, French, and whether a pair is new.

    French puts some before the noun and others after it; two of one side are not used, except for
    colours (a red and white car).
    """
    count = choices.weighted({0: 0.5, 1: 0.38, 2: 0.12}) if adjectives is None else adjectives
    before = adjectives_for(choices, noun, lambda one: one.before)
    after = adjectives_for(choices, noun, lambda one: not one.before)
    first: list[Adjective] = []
    last: list[Adjective] = []
    if count == 1 and (before or after):
        chosen = choices.one([*before, *after])
        (first if chosen.before else last).append(chosen)
    if count == 2 and after:
        colours = [one for one in after if one.english in COLOURS]
        if len(colours) > 1 and choices.chance(0.3):
            one = choices.one(colours)
            last = [one, choices.one([other for other in colours if other != one])]
        else:
            first, last = [choices.one(before)] if before else [], [choices.one(after)]
    en, fr = noun.plural if plural else noun.singular
    follows = fr
    if len(last) == 2:
        english = [last[0].english, "and", last[1].english]
    else:
        english = [one.english for one in sorted((*first, *last), key=lambda one: one.rank)]
    french: list[str] = []
    for one in first:
        shown = one.form(noun.gender, plural)
        if one.liaison and noun.gender == "m" and not plural and starts_with_vowel(follows):
            shown = one.liaison
        french.append(shown)
    french.append(fr)
    for place, one in enumerate(last):
        french += (["et"] if place else []) + one.form(noun.gender, plural).split()
    new = any(held_out(one.english, noun.name) for one in (*first, *last))
    return [*english, en], french, new


# -- determiners ----------------------------------------------------------------------------------


def the(noun: Noun, plural: bool, core: Words) -> Words:
    article = "les" if plural else ("le" if noun.gender == "m" else "la")
    return ["the", *core[0]], [article, *core[1]]


def indefinite(noun: Noun, plural: bool, core: Words, negated: bool = False) -> Words:
    """A cat, cats. des is de before an adjective, and any of them is de as a negated object."""
    english, french = core
    if not plural:
        english = ["an" if english[0][0] in "aeiou" else "a", *english]
    if negated or (plural and french[0] != noun.plural[1]):
        return english, ["de", *french]
    article = "des" if plural else ("un" if noun.gender == "m" else "une")
    return english, [article, *french]


def possessive(noun: Noun, plural: bool, core: Words, owner: str) -> Words:
    """My cats. The feminine is mon, not ma, before a vowel."""
    m, f, many = POSSESSIVES[owner]
    masculine = noun.gender == "m" or (m != f and starts_with_vowel(core[1][0]))
    return [owner, *core[0]], [many if plural else (m if masculine else f), *core[1]]


def demonstrative(noun: Noun, plural: bool, core: Words) -> Words:
    """This cat, these cats. ce is cet before a vowel."""
    if plural:
        return ["these", *core[0]], ["ces", *core[1]]
    m = "cet" if starts_with_vowel(core[1][0]) else "ce"
    return ["this", *core[0]], [m if noun.gender == "m" else "cette", *core[1]]


def numbered(noun: Noun, core: Words, number: int) -> Words:
    """Eighty-one cats: only what ends in un knows a feminine."""
    return [english_number(number), *core[0]], [*french_number(number, noun.gender), *core[1]]


def many(core: Words) -> Words:
    return ["many", *core[0]], ["beaucoup", "de", *core[1]]


def a_number(choices: Choices) -> int:
    """2 to 10, or one of the difficult ones."""
    return choices.one(range(2, 11)) if choices.chance(0.5) else choices.one(range(70, 100))


# -- phrases --------------------------------------------------------------------------------------

SUBJECT = {"the": 0.56, "possessive": 0.16, "this": 0.1, "a": 0.06, "number": 0.07, "many": 0.05}
OBJECT = {"the": 0.36, "a": 0.32, "possessive": 0.12, "this": 0.08, "number": 0.08, "many": 0.04}
LIKED = {
    "the": 0.45,
    "all": 0.25,
    "possessive": 0.15,
    "this": 0.15,
}  # likes cats: aime les chats
_NOBODYS = frozenset({"man", "woman", "boy", "girl"})  # sa femme is his wife
DEFINITE = {"the": 0.75, "possessive": 0.25}


def phrase(
    choices: Choices,
    kinds: frozenset[Kind],
    determiners: dict[str, float],
    *,
    negated: bool = False,
    adjectives: int | None = None,
    plural: bool | None = None,
    noun: Noun | None = None,
) -> Phrase:
    """A noun of one of the kinds with a determiner, and perhaps adjectives.

    ``negated``: it is the direct object of a negated verb.
    """
    noun = noun or noun_of(choices, kinds)
    kind = choices.weighted(determiners)
    if kind == "possessive" and noun.name in _NOBODYS:
        kind = "the"
    several = choices.chance(0.35) if plural is None else plural
    if kind in ("number", "many", "all"):
        several = True
    if kind == "a" and determiners is SUBJECT:
        several = False  # what "cats sleep" says of all cats is les chats in French
    english, french, new = named(choices, noun, several, adjectives)
    core = english, french
    if kind == "a":
        words = indefinite(noun, several, core, negated)
    elif kind == "possessive":
        words = possessive(noun, several, core, choices.one(list(POSSESSIVES)))
    elif kind == "this":
        words = demonstrative(noun, several, core)
    elif kind == "number":
        words = numbered(noun, core, a_number(choices))
    elif kind == "many":
        words = many(core)
    elif kind == "all":
        words = english, ["les", *french]
    else:
        words = the(noun, several, core)
    return Phrase(*words, 4 if several else 2, noun.gender, noun.kind, noun, new)


def owned(choices: Choices, kinds: frozenset[Kind]) -> Phrase:
    """The neighbour's small dog: le petit chien du voisin."""
    owner = phrase(choices, frozenset({"person"}), DEFINITE, adjectives=0)
    noun, several = noun_of(choices, kinds), choices.chance(0.3)
    english, french, new = named(choices, noun, several)
    mark = "'" if owner.english[-1].endswith("s") else "'s"
    _, with_article = the(noun, several, (english, french))
    return Phrase(
        [*owner.english, mark, *english], [*with_article, "de", *owner.french],
        4 if several else 2, noun.gender, noun.kind, noun, new,
    )  # fmt: skip


def both(first: Phrase, second: Phrase) -> Phrase:
    """The boy and the girl: masculine if one of them is."""
    gender: Gender = "f" if first.gender == second.gender == "f" else "m"
    return Phrase(
        [*first.english, "and", *second.english], [*first.french, "et", *second.french],
        4, gender, first.kind, None, first.new or second.new,
    )  # fmt: skip
