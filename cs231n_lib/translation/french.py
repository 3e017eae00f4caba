"""French spelling: numbers and dates, elision, contraction, and texts cut into tokens.

Sentences are lists of tokens. An elided word keeps its apostrophe and is a token of its own:
["l'", "arbre"] is written "l'arbre".
"""

import re
from collections.abc import Sequence
from itertools import pairwise

from cs231n_lib.translation.lexicon import DAYS, MONTHS

_VOWELS = "aàâeéèêëiîïoôœuùûü"
#: An h that nobody hears, so that words before it elide. The others (le hibou, le huit) do not.
_SILENT = ("homme", "habit", "heure", "hôtel")
#: Begin with a vowel, and are treated as if they did not.
_BLOCKING = frozenset({"onze", "oui"})
_ELIDED = {
    "le": "l'", "la": "l'", "je": "j'", "me": "m'", "te": "t'", "ne": "n'", "de": "d'",
    "que": "qu'",
}  # fmt: skip
_CONTRACTED = {
    ("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux",
}  # fmt: skip

_UNITS = (
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze",
    "douze", "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf",
)  # fmt: skip
_TENS = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante"}
_ENGLISH_UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_ENGLISH_TENS = (
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)  # fmt: skip


def starts_with_vowel(word: str) -> bool:
    """Whether words before it are elided, as heard: true of arbre, homme and y, not of hibou."""
    if not word or word in _BLOCKING:
        return False
    return word == "y" or word[:1].lower() in _VOWELS or word.startswith(_SILENT)


def spelled(tokens: Sequence[str]) -> list[str]:
    """Elide and contract: le arbre is l' arbre, de le chat is du chat; de l' arbre stays."""
    found = list(tokens)
    for place, (word, following) in enumerate(pairwise(found)):
        if word in _ELIDED and starts_with_vowel(following):
            found[place] = _ELIDED[word]
        elif word == "ce" and following in ("est", "était"):
            found[place] = "c'"
    short: list[str] = []
    for word in found:
        if short and (short[-1], word) in _CONTRACTED:
            short[-1] = _CONTRACTED[short[-1], word]
        else:
            short.append(word)
    return short


def french_number(number: int, gender: str = "m") -> list[str]:
    """0 to 99 in words; only those that end in un have a feminine. Raises ValueError elsewhere."""
    if not 0 <= number <= 99:
        raise ValueError(f"{number} is not between 0 and 99")
    one = "une" if gender == "f" else "un"
    if number < 20:
        return [one if number == 1 else _UNITS[number]]
    if number >= 80:
        rest = number - 80
        if rest == 0:
            return ["quatre-vingts"]  # the s is lost where something follows
        return [f"quatre-vingt-{one if rest == 1 else _UNITS[rest]}"]
    ten = 60 if number >= 60 else number // 10 * 10
    rest = number - ten
    if rest == 0:
        return [_TENS[ten]]
    if rest in (1, 11):
        return [_TENS[ten], "et", one if rest == 1 else "onze"]
    return [f"{_TENS[ten]}-{_UNITS[rest]}"]


def english_number(number: int) -> str:
    """0 to 99 in words. Raises ValueError elsewhere."""
    if not 0 <= number <= 99:
        raise ValueError(f"{number} is not between 0 and 99")
    if number < 20:
        return _ENGLISH_UNITS[number]
    ten, rest = divmod(number, 10)
    return _ENGLISH_TENS[ten] + (f"-{_ENGLISH_UNITS[rest]}" if rest else "")


def ordinal(day: int) -> str:
    """1st, 2nd, 3rd, 4th, ..."""
    ending = "th" if 10 <= day <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def date(day: int, month: int, weekday: int | None = None) -> tuple[list[str], list[str]]:
    """The same date in both languages; month 1 to 12, weekday 0 (Monday) to 6 or None."""
    english, french = ["the", ordinal(day), "of", MONTHS[month - 1][0]], ["le"]
    if weekday is not None:
        english.insert(0, DAYS[weekday][0])
        french.append(DAYS[weekday][1])
    return english, [*french, "1er" if day == 1 else str(day), MONTHS[month - 1][1]]


# -- texts ----------------------------------------------------------------------------------------

_APOSTROPHES = str.maketrans({"\u2019": "'", "\u00a0": " ", "\u202f": " "})
_FRENCH = re.compile(r"aujourd'hui|[\w-]+'|[\w-]+|[^\w\s]")
_ENGLISH = re.compile(r"'s\b|'|[\w-]+|[^\w\s']")


def tokenize(text: str, language: str) -> list[str]:
    """Cut a text of ``language`` ("en" or "fr") into words, elided words and punctuation marks."""
    pattern = {"en": _ENGLISH, "fr": _FRENCH}[language]
    return pattern.findall(text.translate(_APOSTROPHES))


def detokenize(tokens: Sequence[str], language: str) -> str:
    """Tokens as one writes them; French has a space before a question mark, English has none."""
    text = " ".join(tokens)
    if language == "fr":
        return re.sub(r" ([.,])", r"\1", re.sub(r"(\w') ", r"\1", text))
    return re.sub(r" ([.,?!]|'s|'(?=\s|$))", r"\1", text)
