"""The words: about 150 English ones, each with its French forms and with what goes well with it.

Kinds of nouns say which sentences make sense: a child reads a letter, and a cow does not. French
forms are stored where they are irregular, and made by rule where they are not.
"""

from dataclasses import dataclass
from typing import Literal

Gender = Literal["m", "f"]
Kind = Literal["person", "animal", "food", "thing", "text", "clothes", "place", "support"]


@dataclass(frozen=True)
class Noun:
    """singular, plural: (English, French) pairs of forms. big: how French says that it is big."""

    singular: tuple[str, str]
    plural: tuple[str, str]
    gender: Gender
    kind: Kind
    big: str = "grand"
    at: tuple[str, str] = ("", "")  # places: how to say that one is there, e.g. ("in", "dans")

    @property
    def name(self) -> str:
        return self.singular[0]


@dataclass(frozen=True)
class Adjective:
    """French forms: masculine and feminine, singular and plural; ``liaison`` before a vowel.

    before: whether French puts it before the noun. kinds: the nouns that it goes well with.
    """

    english: str
    singular: tuple[str, str]  # masculine, feminine
    plural: tuple[str, str]
    before: bool
    kinds: frozenset[Kind]
    liaison: str = ""
    rank: int = 0  # English puts lower ones first: opinion, size, condition, age, colour, material
    attributive_only: bool = False

    def form(self, gender: Gender, plural: bool) -> str:
        return (self.plural if plural else self.singular)[gender == "f"]


@dataclass(frozen=True)
class Verb:
    """English base, third person and, for phrasal verbs, particle; French infinitive and persons.

    french: je, tu, il, nous, ils. Objects: the kinds it takes directly, or after ``preposition``.
    """

    english: str
    third: str
    infinitive: str
    french: tuple[str, str, str, str, str]
    subjects: frozenset[Kind]
    objects: frozenset[Kind] = frozenset()
    particle: str = ""
    preposition: str = ""


PERSONS: frozenset[Kind] = frozenset({"person"})
ANIMALS: frozenset[Kind] = frozenset({"animal"})
FOOD: frozenset[Kind] = frozenset({"food"})
TEXT: frozenset[Kind] = frozenset({"text"})
CLOTHES: frozenset[Kind] = frozenset({"clothes"})
PLACES: frozenset[Kind] = frozenset({"place"})
SUPPORTS: frozenset[Kind] = frozenset({"support"})
ANIMATE = PERSONS | ANIMALS
GOODS: frozenset[Kind] = frozenset({"food", "thing", "text", "clothes"})
WARES = GOODS | SUPPORTS
VISIBLE = ANIMATE | WARES
EVERYTHING = VISIBLE | PLACES


def _noun(english: str, french: str, gender: Gender, kind: Kind, at: str = "") -> Noun:
    """English and French as "singular plural" or, where both are regular, as one word."""
    one, *more = english.split()
    un, *des = french.split()
    many = more[0] if more else one + ("es" if one.endswith(("ch", "sh", "ss", "x")) else "s")
    plusieurs = des[0] if des else un + ("x" if un.endswith("eau") else "s")
    big = "gros" if kind in ("animal", "food") else "grand"
    there = ("", "") if not at else (at, {"in": "dans", "on": "sur", "at": "à"}[at])
    return Noun((one, un), (many, plusieurs), gender, kind, big, there)


NOUNS = (
    _noun("boy", "garçon", "m", "person"),
    _noun("girl", "fille", "f", "person"),
    _noun("man men", "homme", "m", "person"),
    _noun("woman women", "femme", "f", "person"),
    _noun("child children", "enfant", "m", "person"),
    _noun("neighbour", "voisin", "m", "person"),
    _noun("teacher", "professeur", "m", "person"),
    _noun("doctor", "médecin", "m", "person"),
    _noun("king", "roi", "m", "person"),
    _noun("queen", "reine", "f", "person"),
    _noun("cat", "chat", "m", "animal"),
    _noun("dog", "chien", "m", "animal"),
    _noun("horse", "cheval chevaux", "m", "animal"),
    _noun("cow", "vache", "f", "animal"),
    _noun("bird", "oiseau", "m", "animal"),
    _noun("owl", "hibou hiboux", "m", "animal"),
    _noun("mouse mice", "souris souris", "f", "animal"),
    _noun("bee", "abeille", "f", "animal"),
    _noun("elephant", "éléphant", "m", "animal"),
    _noun("apple", "pomme", "f", "food"),
    _noun("orange", "orange", "f", "food"),
    _noun("egg", "œuf", "m", "food"),
    _noun("cake", "gâteau", "m", "food"),
    _noun("cabbage", "chou choux", "m", "food"),
    _noun("car", "voiture", "f", "thing"),
    _noun("flower", "fleur", "f", "thing"),
    _noun("boat", "bateau", "m", "thing"),
    _noun("key", "clé", "f", "thing"),
    _noun("ball", "ballon", "m", "thing"),
    _noun("jewel", "bijou bijoux", "m", "thing"),
    _noun("umbrella", "parapluie", "m", "thing"),
    _noun("book", "livre", "m", "text"),
    _noun("letter", "lettre", "f", "text"),
    _noun("newspaper", "journal journaux", "m", "text"),
    _noun("hat", "chapeau", "m", "clothes"),
    _noun("coat", "manteau", "m", "clothes"),
    _noun("dress", "robe", "f", "clothes"),
    _noun("table", "table", "f", "support"),
    _noun("chair", "chaise", "f", "support"),
    _noun("bed", "lit", "m", "support"),
    _noun("tree", "arbre", "m", "support"),
    _noun("garden", "jardin", "m", "place", "in"),
    _noun("park", "parc", "m", "place", "in"),
    _noun("house", "maison", "f", "place", "in"),
    _noun("church", "église", "f", "place", "in"),
    _noun("castle", "château", "m", "place", "in"),
    _noun("village", "village", "m", "place", "in"),
    _noun("school", "école", "f", "place", "at"),
    _noun("market", "marché", "m", "place", "at"),
    _noun("station", "gare", "f", "place", "at"),
    _noun("hotel", "hôtel", "m", "place", "at"),
    _noun("beach", "plage", "f", "place", "on"),
    _noun("island", "île", "f", "place", "on"),
)


def _adjective(
    english: str, french: str, where: str, *kinds: Kind, liaison: str = "", only: bool = False
) -> Adjective:
    """French as masculine, feminine, their plurals; or as the first two; or as one regular word."""
    forms = french.split(", ")
    if len(forms) == 1:
        forms.append(forms[0] if forms[0].endswith("e") else forms[0] + "e")
    if len(forms) == 2:
        forms += [form if form.endswith(("s", "x")) else form + "s" for form in forms]
    m, f, ms, fs = forms
    return Adjective(
        english,
        (m, f),
        (ms, fs),
        where == "before",
        frozenset(kinds),
        liaison,
        _RANKS.get(english, 0),
        only,
    )


_RANKS = {
    "small": 1, "big": 1, "fresh": 2, "quiet": 2, "old": 3, "young": 3, "new": 3, "red": 4,
    "blue": 4, "green": 4, "yellow": 4, "brown": 4, "grey": 4, "black": 4, "white": 4, "wooden": 5,
}  # fmt: skip
_SHAPED: tuple[Kind, ...] = ("animal", "food", "thing", "text", "clothes", "support")
_COLOURED: tuple[Kind, ...] = ("thing", "clothes")
_MADE: tuple[Kind, ...] = ("thing", "text", "clothes")
#: "big" is here as grand; where a noun says gros, the grammar takes BIG.
ADJECTIVES = (
    _adjective("small", "petit", "before", "person", "place", *_SHAPED),
    _adjective("big", "grand", "before", "place", *_SHAPED),
    _adjective("beautiful", "beau, belle, beaux, belles", "before", "animal", "food", "place",
               *_MADE, liaison="bel"),
    _adjective("old", "vieux, vieille", "before", "person", "animal", "place", "support", *_MADE,
               liaison="vieil"),
    _adjective("new", "nouveau, nouvelle, nouveaux, nouvelles", "before", "place", *_MADE,
               liaison="nouvel"),
    _adjective("young", "jeune", "before", "person", "animal"),
    _adjective("good", "bon, bonne", "before", "food", "text"),
    _adjective("pretty", "joli", "before", "animal", "place", *_MADE),
    _adjective("red", "rouge", "after", *_COLOURED),
    _adjective("blue", "bleu", "after", *_COLOURED),
    _adjective("green", "vert", "after", *_COLOURED),
    _adjective("yellow", "jaune", "after", *_COLOURED),
    _adjective("brown", "marron, marron, marron, marron", "after", "animal", *_COLOURED),
    _adjective("grey", "gris, grise", "after", "animal", *_COLOURED),
    _adjective("black", "noir", "after", "animal", *_COLOURED),
    _adjective("white", "blanc, blanche", "after", "animal", *_COLOURED),
    _adjective("tired", "fatigué", "after", "person", "animal"),
    _adjective("happy", "heureux, heureuse", "after", "person"),
    _adjective("curious", "curieux, curieuse", "after", "person", "animal"),
    _adjective("clever", "intelligent", "after", "person", "animal"),
    _adjective("famous", "célèbre", "after", "person", "place"),
    _adjective("expensive", "cher, chère", "after", "thing", "text", "clothes"),
    _adjective("fresh", "frais, fraîche", "after", "food"),
    _adjective("quiet", "calme", "after", "place"),
    _adjective("wooden", "en bois, en bois, en bois, en bois", "after", "support", only=True),
)  # fmt: skip
BIG = _adjective("big", "gros, grosse", "before", *_SHAPED)
#: Brown is not among them: "marron et blanc" stays as it is in the plural.
COLOURS = frozenset({"red", "blue", "green", "yellow", "grey", "black", "white"})


def _verb(
    english: str, infinitive: str, french: str, subjects: frozenset[Kind],
    objects: frozenset[Kind] = frozenset(), preposition: str = "",
) -> Verb:  # fmt: skip
    base, _, particle = english.partition(" ")
    third = {"have": "has", "go": "goes"}.get(base) or base + (
        "es" if base.endswith(("sh", "ch")) else "s"
    )
    je, tu, il, nous, ils = french.split()
    return Verb(
        base, third, infinitive, (je, tu, il, nous, ils), subjects, objects, particle, preposition
    )


def _regular(
    english: str, infinitive: str, subjects: frozenset[Kind],
    objects: frozenset[Kind] = frozenset(), preposition: str = "",
) -> Verb:  # fmt: skip
    """Of the first group; an e before a soft g stays (nous mangeons)."""
    stem = infinitive[:-2]
    nous = stem + ("eons" if stem.endswith("g") else "ons")
    forms = f"{stem}e {stem}es {stem}e {nous} {stem}ent"
    return _verb(english, infinitive, forms, subjects, objects, preposition)


TRANSITIVE = (
    _verb("see", "voir", "vois vois voit voyons voient", ANIMATE, EVERYTHING),
    _regular("like", "aimer", PERSONS, EVERYTHING),
    _regular("look for", "chercher", ANIMATE, VISIBLE),
    _regular("look at", "regarder", ANIMATE, EVERYTHING),
    _regular("find", "trouver", ANIMATE, WARES),
    _verb("buy", "acheter", "achète achètes achète achetons achètent", PERSONS, GOODS),
    _verb("sell", "vendre", "vends vends vend vendons vendent", PERSONS, GOODS),
    _regular("draw", "dessiner", PERSONS, EVERYTHING),
    _regular("eat", "manger", ANIMATE, FOOD),
    _verb("read", "lire", "lis lis lit lisons lisent", PERSONS, TEXT),
    _verb("write", "écrire", "écris écris écrit écrivons écrivent", PERSONS, TEXT),
    _regular("wear", "porter", PERSONS, CLOTHES),
    _verb("follow", "suivre", "suis suis suit suivons suivent", ANIMATE, ANIMATE),
    _regular("listen to", "écouter", PERSONS, PERSONS),
    _verb("wait for", "attendre", "attends attends attend attendons attendent", PERSONS, PERSONS),
    _verb("have", "avoir", "ai as a avons ont", PERSONS, WARES | ANIMALS),
    _regular("talk to", "parler", PERSONS, ANIMATE, preposition="à"),
    _verb("answer", "répondre", "réponds réponds répond répondons répondent", PERSONS, PERSONS,
          preposition="à"),
)  # fmt: skip
INTRANSITIVE = (
    _verb("sleep", "dormir", "dors dors dort dormons dorment", ANIMATE),
    _verb("run", "courir", "cours cours court courons courent", ANIMATE),
    _regular("play", "jouer", ANIMATE),
    _regular("sing", "chanter", PERSONS),
    _regular("dance", "danser", PERSONS),
    _regular("work", "travailler", PERSONS),
    _regular("walk", "marcher", PERSONS),
    _regular("live", "habiter", PERSONS),  # always with a place
)
GIVING = (_regular("give", "donner", PERSONS, GOODS), _regular("show", "montrer", PERSONS, GOODS))
GO = _verb("go", "aller", "vais vas va allons vont", PERSONS)
COME = _verb("come", "venir", "viens viens vient venons viennent", PERSONS)
ARRIVE = _regular("arrive", "arriver", PERSONS)
WANT = _verb("want", "vouloir", "veux veux veut voulons veulent", PERSONS)
CAN = _verb("can", "pouvoir", "peux peux peut pouvons peuvent", PERSONS)
BE = ("suis", "es", "est", "sommes", "sont")
HAVE = ("ai", "as", "a", "avons", "ont")

#: Subjects: English, French, person (0 je, 1 tu, 2 il, 3 nous, 4 ils), gender, plural.
PRONOUNS: tuple[tuple[str, str, int, Gender, bool], ...] = (
    ("I", "je", 0, "m", False),
    ("you", "tu", 1, "m", False),
    ("he", "il", 2, "m", False),
    ("she", "elle", 2, "f", False),
    ("we", "nous", 3, "m", True),
    ("they", "ils", 4, "m", True),
)
OBJECTS = (
    ("me", "me"), ("you", "te"), ("him", "le"), ("her", "la"), ("us", "nous"), ("them", "les"),
)  # fmt: skip
#: English: masculine, feminine, plural.
POSSESSIVES = {
    "my": ("mon", "ma", "mes"),
    "your": ("ton", "ta", "tes"),
    "his": ("son", "sa", "ses"),
    "her": ("son", "sa", "ses"),
    "our": ("notre", "notre", "nos"),
    "their": ("leur", "leur", "leurs"),
}
#: "is hungry" is "a faim": the noun stays as it is, whoever is hungry.
FEELINGS = (("hungry", "faim"), ("thirsty", "soif"), ("cold", "froid"), ("right", "raison"))
ADVERBS = (("often", "souvent"), ("always", "toujours"), ("never", "jamais"))
DAYS = (
    ("Monday", "lundi"), ("Tuesday", "mardi"), ("Wednesday", "mercredi"), ("Thursday", "jeudi"),
    ("Friday", "vendredi"), ("Saturday", "samedi"), ("Sunday", "dimanche"),
)  # fmt: skip
MONTHS = (
    ("January", "janvier"), ("February", "février"), ("March", "mars"), ("April", "avril"),
    ("May", "mai"), ("June", "juin"), ("July", "juillet"), ("August", "août"),
    ("September", "septembre"), ("October", "octobre"), ("November", "novembre"),
    ("December", "décembre"),
)  # fmt: skip
