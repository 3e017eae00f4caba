"""What can be said of a person or an animal, in both languages: is hungry, gives the boy a book."""

from collections.abc import Callable

from cs231n_lib.translation.clauses import Saying
from cs231n_lib.translation.french import (
    english_number,
    french_number,
)
from cs231n_lib.translation.lexicon import (
    ADVERBS,
    ANIMALS,
    ARRIVE,
    BE,
    CAN,
    COLOURS,
    COME,
    DAYS,
    FEELINGS,
    GIVING,
    GO,
    HAVE,
    INTRANSITIVE,
    NOUNS,
    OBJECTS,
    PERSONS,
    PLACES,
    TRANSITIVE,
    VISIBLE,
    WANT,
    Verb,
)
from cs231n_lib.translation.phrases import (
    DEFINITE,
    LIKED,
    OBJECT,
    Choices,
    Phrase,
    adjectives_for,
    held_out,
    owned,
    phrase,
)
from cs231n_lib.translation.places_and_times import when, where


def _of_verb(verb: Verb) -> Saying:
    return Saying("do", (verb.english.split()[0], verb.third), verb.french)


def _object_of(choices: Choices, verb: Verb, negative: bool) -> Phrase:
    kinds = verb.objects
    if not verb.preposition and choices.chance(0.12) and kinds & (VISIBLE - PERSONS):
        return owned(choices, frozenset(kinds & (VISIBLE - PERSONS)))
    if verb.infinitive == "aimer":
        return phrase(choices, kinds, LIKED)
    if verb.preposition:
        return phrase(choices, kinds, {"the": 0.6, "possessive": 0.3, "a": 0.1}, plural=None)
    options = {"the": 0.45, "a": 0.35, "possessive": 0.12, "this": 0.08} if negative else OBJECT
    written = [noun for noun in NOUNS if noun.name in ("book", "letter")]
    noun = choices.one(written) if verb.english == "write" else None
    return phrase(choices, kinds, options, negated=negative, noun=noun)


def _verbs_for(subject: Phrase, verbs: tuple[Verb, ...]) -> list[Verb]:
    return [verb for verb in verbs if subject.kind in verb.subjects]


def transitive(choices: Choices, subject: Phrase, negative: bool) -> Saying:
    """Sees a cat; answers the neighbour; with want or can, too."""
    verb = choices.one(_verbs_for(subject, TRANSITIVE))
    never = not negative and choices.chance(0.06)
    thing = _object_of(choices, verb, negative or never)
    particle = [verb.particle] if verb.particle else []
    french = [*([verb.preposition] if verb.preposition else []), *thing.french]
    wanted = choices.chance(0.12) and verb.english not in ("like", "have")
    said = _over_another(choices, verb, subject) if wanted else _of_verb(verb)
    said.add([*particle, *thing.english], french)
    said.negative, said.new = negative, thing.new
    if never:
        said.adverb = ("never", "jamais")
    return said


def _over_another(choices: Choices, verb: Verb, subject: Phrase) -> Saying:
    """Wants to see, can see; only people want."""
    base = verb.english.split()[0]
    if subject.kind != "person" or choices.chance(0.5):
        return Saying("can", (base, base), CAN.french, [], [verb.infinitive])
    return Saying("do", ("want", "wants"), WANT.french, ["to", base], [verb.infinitive])


def with_pronoun(choices: Choices, subject: Phrase, negative: bool) -> Saying:
    """Sees them: les voit."""
    verbs = [verb for verb in TRANSITIVE if verb.objects & PERSONS and not verb.preposition]
    verb = choices.one(_verbs_for(subject, tuple(verbs)))
    same = {"I": "me", "you": "you", "we": "us"}.get(subject.english[0], "")
    english, french = choices.one(
        [
            pair
            for pair in OBJECTS
            if pair[0] != same and not (same and {same, pair[0]} == {"me", "us"})
        ]
    )
    particle = [verb.particle] if verb.particle else []
    wanted = choices.chance(0.15) and verb.english != "like"
    said = _over_another(choices, verb, subject) if wanted else _of_verb(verb)
    if said.tail_fr:
        said.tail_fr.insert(0, french)  # wants to see them: veut les voir
    else:
        said.clitic = french
    said.tail_en += [*particle, english]
    said.negative = negative
    return said


def intransitive(choices: Choices, subject: Phrase, negative: bool) -> Saying:
    """Sleeps, often sings in the garden, lives near the church."""
    verb = choices.one(_verbs_for(subject, INTRANSITIVE))
    said = _over_another(choices, verb, subject) if choices.chance(0.15) else _of_verb(verb)
    said.negative = negative
    if not negative and choices.chance(0.2):
        said.adverb = choices.one(ADVERBS)
    if verb.english == "live" or choices.chance(0.5):
        english, french, said.new = where(choices)
        said.add(english, french)
    elif choices.chance(0.15) and verb.english == "work":
        english, french = choices.one(DAYS)
        said.add(["on", english + "s"], ["le", french])
    return said


#: One of each is enough: the big blue car is not yellow.
_EXCLUSIVE = (COLOURS | {"brown"}, {"old", "young", "new"}, {"small", "big"})


def quality(choices: Choices, subject: Phrase, negative: bool) -> Saying:
    """Is very tired: agrees with the subject, wherever that stands."""
    said = Saying("be", ("be", "is"), BE, negative=negative)
    if subject.noun is not None:
        fitting = adjectives_for(choices, subject.noun, lambda one: not one.attributive_only)
    else:
        child = next(noun for noun in NOUNS if noun.name == "child")
        fitting = adjectives_for(choices, child, lambda one: not one.before)
        fitting = [one for one in fitting if one.english in ("tired", "happy", "clever", "curious")]
        if subject.kind != "person":
            fitting = [one for one in fitting if one.english != "happy"] or fitting
    spoken = {*subject.english}
    said_already = {"new", "good"} | spoken
    for group in _EXCLUSIVE:
        said_already |= group if group & spoken else set()
    fitting = [one for one in fitting if one.english not in said_already]
    if not fitting:
        return feeling(choices, subject, negative)
    adjective = choices.one(fitting)
    said.new = subject.noun is not None and held_out(adjective.english, subject.noun.name)
    very = choices.chance(0.2)
    form = adjective.form(subject.gender, subject.plural)
    said.add([*(["very"] if very else []), adjective.english], [*(["très"] if very else []), form])
    return said


def feeling(choices: Choices, subject: Phrase, negative: bool) -> Saying:
    """Is hungry: a faim. Is afraid of the dog: a peur du chien."""
    said = Saying("be", ("be", "is"), HAVE, negative=negative)
    if choices.chance(0.35):
        feared = phrase(choices, ANIMALS, {"the": 0.7, "possessive": 0.2, "a": 0.1},
                        plural=None)  # fmt: skip
        if feared.french[0] in ("des", "de"):
            feared = phrase(choices, ANIMALS, {"the": 1.0})
        said.add(["afraid", "of", *feared.english], ["peur", "de", *feared.french])
        said.new = feared.new
        return said
    options = FEELINGS if subject.kind == "person" else FEELINGS[:3]
    english, french = choices.one(options)
    said.add([english], [french])
    return said


_YOUNG = {"boy", "boys", "girl", "girls", "child", "children", "young"}

_ADULT = {"man", "men", "woman", "women", "king", "queen", "teacher", "doctor", "old"}


def age(choices: Choices, subject: Phrase, negative: bool) -> Saying:
    """Is eighty years old: a quatre-vingts ans."""
    spoken = {*subject.english}
    young = subject.kind == "animal" or (spoken & _YOUNG and not spoken & _ADULT)
    number = choices.one(range(2, 13) if young else range(70, 100))
    return Saying(
        "be", ("be", "is"), HAVE, [english_number(number), "years", "old"],
        [*french_number(number), "ans"], negative=negative,
    )  # fmt: skip


def giving(choices: Choices, subject: Phrase, negative: bool) -> Saying:
    """Gives the boy a book: donne un livre au garçon."""
    verb = choices.one(GIVING)
    said = _of_verb(verb)
    options = {"the": 0.5, "a": 0.5} if negative else {"the": 0.35, "a": 0.5, "number": 0.15}
    gift = phrase(choices, verb.objects, options, negated=negative)
    receiver = phrase(choices, PERSONS, DEFINITE, adjectives=choices.weighted({0: 0.8, 1: 0.2}))
    said.add([*receiver.english, *gift.english], [*gift.french, "à", *receiver.french])
    said.negative, said.new = negative, gift.new or receiver.new
    return said


_NO_AIMS = frozenset({"island", "house"})


def moving(choices: Choices, subject: Phrase, negative: bool) -> Saying:
    """Goes to the market, comes from the village, arrives on the 1st of May."""
    verb = choices.one((GO, COME, ARRIVE))
    said = _of_verb(verb)
    said.negative = negative
    if verb is ARRIVE:
        said.add(*when(choices))
        return said
    noun = choices.one([one for one in NOUNS if one.kind == "place" and one.name not in _NO_AIMS])
    place = phrase(choices, PLACES, {"the": 1.0}, noun=noun, plural=False)
    to, french = ("to", "à") if verb is GO else ("from", "de")
    said.add([to, *place.english], [french, *place.french])
    said.new = place.new
    return said


SAYINGS: dict[Callable[[Choices, Phrase, bool], Saying], float] = {
    transitive: 0.4, with_pronoun: 0.08, intransitive: 0.17, quality: 0.12, feeling: 0.07,
    age: 0.05, giving: 0.05, moving: 0.06,
}  # fmt: skip
_OF_PEOPLE = frozenset({giving, moving})


def said_of(
    choices: Choices, subject: Phrase, negative: bool, without: frozenset[object] = frozenset()
) -> Saying:
    """Something that can be said of this subject, a person or an animal."""
    options = {kind: share for kind, share in SAYINGS.items() if kind not in without}
    if subject.kind not in PERSONS:
        options = {kind: share for kind, share in options.items() if kind not in _OF_PEOPLE}
    return choices.weighted(options)(choices, subject, negative)
