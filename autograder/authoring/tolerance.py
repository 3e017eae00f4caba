"""Text compared number by number, for cells whose last digits depend on the machine.

A cell tagged ``nbval-tolerance-0.02`` beside ``nbval-check-output`` may print every number up to
0.02 away from the stored one, in the units it prints: ``30.2 %`` and ``30.9 %`` are 0.7 apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

CHECKED_OUTPUT_TAG = "nbval-check-output"
NOT_SHOWN_TAG = "not-shown-to-students"  # beside the former: the release does not tell
TOLERANCE_TAG = "nbval-tolerance-"

_BOUND = re.compile(r"\d+(\.\d+)?(e-?\d+)?")
_NUMBER = re.compile(
    r"""
    (?<![\w.]) [-+]?                    # digits within a word (float64, 1.2.3) are text
    (?:
        (?: \d{1,3} (?:,\d{3})+ (?!\d) | \d+ ) (?: \.\d* )? (?: e[-+]?\d+ )?
        | \.\d+ (?: e[-+]?\d+ )?
        | (?: nan | inf (?:inity)? ) (?!\w)
    )
    """,
    re.VERBOSE | re.IGNORECASE,
)


def tolerance(tags: Sequence[str]) -> Decimal | None:
    """How far apart numbers may be in a cell with these tags; None: text is compared as text.

    Raises ValueError when a tolerance tag is malformed, given twice, or has nothing to act on.
    """
    found = [tag for tag in tags if tag.startswith(TOLERANCE_TAG.rstrip("-"))]
    if not found:
        return None
    bound = found[0].removeprefix(TOLERANCE_TAG)
    if _BOUND.fullmatch(bound) is None:
        raise ValueError(
            f"the tag {found[0]!r} does not name a tolerance; write a number that is not negative, "
            f"e.g. '{TOLERANCE_TAG}0.02'"
        )
    if len(found) > 1:
        raise ValueError(f"has {len(found)} tolerance tags, {', '.join(found)}; keep one")
    if CHECKED_OUTPUT_TAG not in tags:
        raise ValueError(
            f"the tag {found[0]!r} does nothing without {CHECKED_OUTPUT_TAG!r}; "
            "add that one or remove this one"
        )
    return Decimal(bound)


def difference(stored: str, new: str, bound: Decimal) -> str:
    """Why ``new`` is not ``stored`` with every number within ``bound``; empty when it is.

    Blanks beside a number are padding: 9.99 and 10.01 fill a column differently.
    """
    numbers, others = _NUMBER.findall(stored), _NUMBER.findall(new)
    if len(numbers) != len(others):
        return f"{len(numbers)} numbers became {len(others)}"
    if _between(stored) != _between(new):
        return "the text between the numbers differs"
    for number, other in zip(numbers, others, strict=True):
        if why := _apart(number, other, bound):
            return f"{number} became {other}: {why}"
    return ""


class Measured(str):
    """Output text that equals another when `difference` finds none: nbval compares with ``!=``."""

    bound: Decimal

    def __new__(cls, text: str, bound: Decimal) -> Measured:
        measured = super().__new__(cls, text)
        measured.bound = bound
        return measured

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and not difference(self, other, self.bound)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


def _between(text: str) -> list[str]:
    return [part.strip(" ") for part in _NUMBER.split(text)]


def _apart(stored: str, new: str, bound: Decimal) -> str:
    """What keeps two printed numbers apart; exact, because they are decimals and not floats."""
    a, b = (Decimal(number.replace(",", "")) for number in (stored, new))
    if not (a.is_finite() and b.is_finite()):
        return "" if str(a) == str(b) else "only the same NaN or infinity will do"
    if _is_integer(stored) != _is_integer(new):
        return "one is printed as an integer, the other is not"
    return f"{abs(a - b)} apart, {bound} allowed" if abs(a - b) > bound else ""


def _is_integer(number: str) -> bool:
    return re.fullmatch(r"[-+]?[\d,]+", number) is not None
