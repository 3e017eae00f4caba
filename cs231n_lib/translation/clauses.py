"""A subject, and the order of what is said of it, in both languages.

English and French say it in another order: objects that are pronouns stand before the French verb,
and ne ... pas stands around it. What can be said is in sayings.py.
"""

from dataclasses import dataclass, field

from cs231n_lib.translation.lexicon import (
    ANIMATE,
    PERSONS,
    PRONOUNS,
    Kind,
)
from cs231n_lib.translation.phrases import (
    DEFINITE,
    SUBJECT,
    Choices,
    Phrase,
    both,
    owned,
    phrase,
)


@dataclass
class Saying:
    """What is said of a subject. helper: which English word is negated and asked with.

    english: base and third person; french: the five persons; tails: what follows the verb.
    clitic: an object before the French verb. adverb: before the English, after the French verb.
    """

    helper: str  # "do", "be" or "can"
    english: tuple[str, str]
    french: tuple[str, ...]
    tail_en: list[str] = field(default_factory=list)
    tail_fr: list[str] = field(default_factory=list)
    clitic: str = ""
    negative: bool = False
    adverb: tuple[str, str] | None = None
    new: bool = False

    def add(self, english: list[str], french: list[str]) -> None:
        self.tail_en += english
        self.tail_fr += french


def _be_form(person: int) -> str:
    return ("am", "are", "is", "are", "are")[person]


def english_statement(subject: Phrase, said: Saying) -> list[str]:
    adverb = [said.adverb[0]] if said.adverb else []
    base, third = said.english
    if said.helper == "be":
        verb = [_be_form(subject.person), *(["not"] if said.negative else []), *adverb]
    elif said.helper == "can":
        verb = ["cannot" if said.negative else "can", *adverb, base]
    elif said.negative:
        verb = ["does" if subject.person == 2 else "do", "not", base]
    else:
        verb = [*adverb, third if subject.person == 2 else base]
    return [*subject.english, *verb, *said.tail_en]


def english_question(subject: Phrase, said: Saying) -> list[str]:
    if said.helper == "be":
        return [_be_form(subject.person), *subject.english, *said.tail_en]
    helper = "can" if said.helper == "can" else ("does" if subject.person == 2 else "do")
    return [helper, *subject.english, said.english[0], *said.tail_en]


def french_statement(subject: Phrase, said: Saying) -> list[str]:
    never = said.adverb is not None and said.adverb[0] == "never"
    after = ["pas"] if said.negative else ([said.adverb[1]] if said.adverb else [])
    return [
        *subject.french,
        *(["ne"] if said.negative or never else []),
        *([said.clitic] if said.clitic else []),
        said.french[subject.person],
        *after,
        *said.tail_fr,
    ]


# -- subjects -------------------------------------------------------------------------------------


def pronoun(choices: Choices, first: bool = True) -> Phrase:
    english, french, person, gender, _ = choices.one(PRONOUNS if first else PRONOUNS[1:])
    return Phrase([english], [french], person, gender, "person")


def a_subject(choices: Choices, kinds: frozenset[Kind], definite: bool = False) -> Phrase:
    """A pronoun, a noun with what belongs to it, the neighbour's dog, or two nouns."""
    which = choices.weighted({"pronoun": 0.3, "noun": 0.55, "owned": 0.08, "both": 0.07})
    if which == "pronoun" and kinds & PERSONS:
        return pronoun(choices)
    if which == "owned" and kinds - PERSONS:
        return owned(choices, kinds - PERSONS)
    determiners = DEFINITE if definite else SUBJECT
    first = phrase(choices, kinds, determiners)
    if which == "both" and first.noun is not None:
        second = phrase(choices, frozenset({first.kind}), DEFINITE, adjectives=0)
        if second.noun != first.noun and first.english[0] in ("the", "my", "our"):
            return both(first, second)
    return first


def living_subject(choices: Choices, definite: bool = False) -> Phrase:
    return a_subject(choices, PERSONS if choices.chance(0.7) else ANIMATE, definite)
