"""Whole sentences: statements, questions, relative clauses, and several clauses in a row."""

from collections.abc import Callable
from dataclasses import dataclass

from cs231n_lib.translation.clauses import (
    Saying,
    a_subject,
    english_question,
    english_statement,
    french_statement,
    living_subject,
    pronoun,
)
from cs231n_lib.translation.french import spelled
from cs231n_lib.translation.lexicon import (
    ANIMATE,
    DAYS,
    INTRANSITIVE,
    PERSONS,
    POSSESSIVES,
    TRANSITIVE,
    VISIBLE,
    WARES,
)
from cs231n_lib.translation.phrases import DEFINITE, Choices, Phrase, owned, phrase
from cs231n_lib.translation.places_and_times import a_date, when, where
from cs231n_lib.translation.sayings import age, quality, said_of


@dataclass(frozen=True)
class Pair:
    """A sentence in both languages, as tokens. new: it holds an adjective and a noun that training
    never shows together."""

    english: tuple[str, ...]
    french: tuple[str, ...]
    new: bool


@dataclass(frozen=True)
class _Clause:
    english: list[str]
    french: list[str]
    new: bool = False


# -- one clause -----------------------------------------------------------------------------------


def _statement(choices: Choices, relatives: float) -> _Clause:
    subject = living_subject(choices)
    if choices.chance(relatives):
        subject = _with_relative(choices, subject)
    vague = subject.french[0] in ("un", "une", "beaucoup") or subject.english[0] not in (
        "the", "this", "these", "I", "you", "he", "she", "we", "they", *POSSESSIVES,
    )  # fmt: skip
    said = said_of(choices, subject, choices.chance(0.2) and not vague)
    clause = _Clause(
        english_statement(subject, said), french_statement(subject, said), subject.new or said.new
    )
    return clause


def _thing_statement(choices: Choices, relatives: float) -> _Clause:
    """The apple is red; the wooden chair is under the tree."""
    thing = phrase(choices, WARES, DEFINITE) if choices.chance(0.8) else owned(choices, WARES)
    if choices.chance(relatives):
        thing = _that_someone(choices, thing)
    negative = choices.chance(0.2)
    if choices.chance(0.6):
        said = quality(choices, thing, negative)
        if said.french[2] == "a":  # nothing fits, and things are not hungry
            return _thing_statement(choices, relatives)
    else:
        english, french, new = where(choices)
        said = Saying("be", ("be", "is"), ("suis", "es", "est", "sommes", "sont"), english, french,
                      negative=negative, new=new)  # fmt: skip
    return _Clause(
        english_statement(thing, said), french_statement(thing, said), thing.new or said.new
    )


def _there_is(choices: Choices, relatives: float) -> _Clause:
    """There is no cat in the garden: il n'y a pas de chat dans le jardin."""
    negative = choices.chance(0.25)
    kinds = {"a": 1.0} if negative else {"a": 0.7, "number": 0.2, "many": 0.1}
    thing = phrase(choices, VISIBLE, kinds, negated=negative)
    place_en, place_fr, new = where(choices)
    verb = "are" if thing.plural else "is"
    if negative:
        english = thing.english if thing.plural else thing.english[1:]
        first, french = ["there", verb, "no", *english], ["il", "ne", "y", "a", "pas"]
    else:
        first, french = ["there", verb, *thing.english], ["il", "y", "a"]
    return _Clause([*first, *place_en], [*french, *thing.french, *place_fr], thing.new or new)


def _this_is(choices: Choices, relatives: float) -> _Clause:
    """These are not old books: ce ne sont pas de vieux livres."""
    negative = choices.chance(0.25)
    if choices.chance(0.25):
        thing = owned(choices, VISIBLE - PERSONS)
    else:
        thing = phrase(choices, VISIBLE, {"a": 0.7, "possessive": 0.3})
    if choices.chance(relatives) and thing.english[0] == "the":
        thing = _that_someone(choices, thing)
    these, verb, french = ("these", "are", "sont") if thing.plural else ("this", "is", "est")
    not_en, ne, pas = (["not"], ["ne"], ["pas"]) if negative else ([], [], [])
    return _Clause(
        [these, verb, *not_en, *thing.english], ["ce", *ne, french, *pas, *thing.french], thing.new
    )


def _today(choices: Choices, relatives: float) -> _Clause:
    """Today is the 1st of May; my birthday is on the 21st of March."""
    if choices.chance(0.5):
        owner = choices.one(list(POSSESSIVES))
        english, french = when(choices)
        if len(french) == 1:
            french = ["le", french[0], "1er", "mai"]
            english = [*english, "the", "1st", "of", "May"]
        mine = POSSESSIVES[owner][0]
        return _Clause([owner, "birthday", "is", *english], [mine, "anniversaire", "est", *french])
    if choices.chance(0.25):
        english, french = choices.one(DAYS)
        return _Clause(["today", "is", english], ["aujourd'hui", ",", "nous", "sommes", french])
    english, french = a_date(choices)
    return _Clause(["today", "is", *english], ["aujourd'hui", ",", "nous", "sommes", *french])


_KINDS: dict[Callable[[Choices, float], _Clause], float] = {
    _statement: 0.68, _thing_statement: 0.12, _there_is: 0.08, _this_is: 0.08, _today: 0.04,
}  # fmt: skip


def _clause(choices: Choices, relatives: float) -> _Clause:
    return choices.weighted(_KINDS)(choices, relatives)


# -- relative clauses -----------------------------------------------------------------------------


def _with_relative(choices: Choices, subject: Phrase) -> Phrase:
    """The boy who sings; the cat that sleeps under the tree."""
    owned_by = {"'", "'s"} & {*subject.english}  # whose cat sleeps, the neighbour or his cat?
    first = subject.english[0]
    if subject.noun is None or owned_by or first not in ("the", "a", "an", "this", "these"):
        return subject
    said = said_of(choices, subject, choices.chance(0.1), without=frozenset({age}))
    who = "who" if subject.kind == "person" else "that"
    bare = Phrase([], [], subject.person, subject.gender, subject.kind)
    return Phrase(
        [*subject.english, who, *english_statement(bare, said)],
        [*subject.french, "qui", *french_statement(bare, said)],
        subject.person, subject.gender, subject.kind, subject.noun, subject.new or said.new,
    )  # fmt: skip


def _that_someone(choices: Choices, thing: Phrase) -> Phrase:
    """The book that she reads: le livre qu'elle lit."""
    who = a_subject(choices, PERSONS, definite=True)
    verbs = [verb for verb in TRANSITIVE if thing.kind in verb.objects and not verb.preposition]
    verb = choices.one([verb for verb in verbs if who.kind in verb.subjects])
    said = Saying("do", (verb.english.split()[0], verb.third), verb.french)
    said.tail_en = [verb.particle] if verb.particle else []
    return Phrase(
        [*thing.english, "that", *english_statement(who, said)],
        [*thing.french, "que", *french_statement(who, said)],
        thing.person, thing.gender, thing.kind, thing.noun, thing.new or who.new,
    )  # fmt: skip


# -- questions ------------------------------------------------------------------------------------


def _where_is(choices: Choices) -> _Clause:
    """Where are the keys?"""
    thing = phrase(choices, WARES | ANIMATE, DEFINITE)
    verbs = ("are", "sont") if thing.plural else ("is", "est")
    return _Clause(["where", verbs[0], *thing.english], ["où", verbs[1], *thing.french], thing.new)


def _is_there(choices: Choices) -> _Clause:
    """Is there a cat in the garden?"""
    thing = phrase(choices, VISIBLE, {"a": 0.85, "many": 0.15})
    english, french, new = where(choices)
    verb = "are" if thing.plural else "is"
    asked = ["est-ce", "que", "il", "y", "a", *thing.french, *french]
    return _Clause([verb, "there", *thing.english, *english], asked, thing.new or new)


def _asked_about(choices: Choices) -> Phrase:
    """A subject; nobody asks what he does himself."""
    subject = living_subject(choices, definite=True)
    return pronoun(choices, first=False) if subject.french == ["je"] else subject


def _where_does(choices: Choices) -> _Clause:
    """Where does the girl live? Where does the cat sleep?"""
    subject = _asked_about(choices)
    names = ("live", "work") if subject.kind == "person" else ("sleep",)
    name = choices.one(names)
    (verb,) = (one for one in INTRANSITIVE if one.english == name)
    said = Saying("do", (verb.english, verb.third), verb.french)
    asked = ["où", "est-ce", "que", *french_statement(subject, said)]
    return _Clause(["where", *english_question(subject, said)], asked, subject.new)


def _whether(choices: Choices) -> _Clause:
    """Does the cat sleep?"""
    subject = _asked_about(choices)
    said = said_of(choices, subject, False)
    said.adverb = None
    french = ["est-ce", "que", *french_statement(subject, said)]
    return _Clause(english_question(subject, said), french, subject.new or said.new)


_QUESTIONS: dict[Callable[[Choices], _Clause], float] = {
    _whether: 0.65, _where_does: 0.12, _where_is: 0.1, _is_there: 0.13,
}  # fmt: skip


# -- sentences ------------------------------------------------------------------------------------

_LINKS: dict[tuple[str, str], float] = {
    ("and", "et"): 0.4, (", but", ", mais"): 0.25, ("because", "parce que"): 0.2,
    ("when", "quand"): 0.15,
}  # fmt: skip


def sentence(choices: Choices, clauses: int, relatives: float) -> Pair:
    """``clauses`` joined by and, but, because, when; a share ``relatives`` of subjects with who."""
    if clauses == 1 and choices.chance(0.2):
        asked = choices.weighted(_QUESTIONS)(choices)
        return _pair(asked.english, asked.french, "?", asked.new)
    first = _clause(choices, relatives)
    english, french, new = list(first.english), list(first.french), first.new
    links = dict(_LINKS)
    for _ in range(clauses - 1):
        link_en, link_fr = choices.weighted(links)
        if link_en != "and":
            links = {link: share for link, share in links.items() if link != (link_en, link_fr)}
        reason = link_en in ("because", "when")
        more = (_statement if reason else _clause)(choices, relatives)
        english += [*link_en.split(), *more.english]
        french += [*link_fr.split(), *more.french]
        new = new or more.new
    return _pair(english, french, ".", new)


def _pair(english: list[str], french: list[str], mark: str, new: bool) -> Pair:
    return Pair((*english, mark), (*spelled(french), mark), new)
