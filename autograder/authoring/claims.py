"""Numbers that a notebook's prose claims, read against the output that printed them.

A sentence names the cell that it reports on in a comment behind it, which no reader sees:

    The net gets 42 % of the validation images right. <!-- printed by: train-net -->

Every number of that sentence must then stand in the stored output of the cell, rounded to the
digits that the sentence gives. Output that changes takes the prose with it, or somebody is told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from nbformat import NotebookNode

from autograder.authoring.tolerance import CHECKED_OUTPUT_TAG

_MARK = re.compile(r"<!--\s*printed by:\s*(?P<cell>[^\s>]+)\s*-->")
_LOOKS_LIKE_A_MARK = re.compile(r"<!--\s*printed\b.*?-->", re.IGNORECASE)
_UNREAD = re.compile(r"```.*?```|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|<!--.*?-->", re.DOTALL)
#: A full stop ends a sentence where a new one begins, which "e.g. 3" and "0.5" do not show.
_END = re.compile(r"(?<=[.!?:])[\"')*_]*\s+(?=[\"'(*_]*[A-Z])|\n\s*\n|\n(?=\s*(?:[-*|]|\d+\.)\s)")
_NUMBER = re.compile(
    r"(?<![\w.,])(?P<sign>[-\u2212])?(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    r"(?P<exponent>e[-+]?\d+)?(?![\w]|,\d)(?P<percent>\s*(?:%|percent|per cent)(?!\w))?"
)
_ABOUT = re.compile(r"\b(?:about|around|roughly|nearly|almost|some|close to)\s+$", re.IGNORECASE)
ABOUT = Decimal("0.1")  # how far, relatively, "about" may be from what is printed


@dataclass(frozen=True)
class Claim:
    """A sentence of a Markdown cell that reports numbers of another cell's output."""

    cell: str  # where it stands
    printed_by: str
    sentence: str


def claims(nb: NotebookNode) -> Iterator[Claim]:
    """All marked sentences, in the notebook's order."""
    for cell in nb.cells:
        if cell.cell_type != "markdown":
            continue
        begin = 0
        for mark in _MARK.finditer(cell.source):
            before = cell.source[begin : mark.start()].strip()
            yield Claim(cell.id, mark["cell"], " ".join(_last_sentence(before).split()))
            begin = mark.end()


def false_claims(nb: NotebookNode) -> list[str]:
    """What is wrong with each claim that does not hold: where, what was found, what to do."""
    wrong = [
        f"cell {cell.id!r}: {mark.group()!r} does not name a cell; "
        "write <!-- printed by: CELL-ID -->"
        for cell in nb.cells
        if cell.cell_type == "markdown"
        for mark in _LOOKS_LIKE_A_MARK.finditer(cell.source)
        if not _MARK.fullmatch(mark.group())
    ]
    by_id = {cell.id: cell for cell in nb.cells}
    return wrong + [why for claim in claims(nb) if (why := _doubt(claim, by_id))]


def _doubt(claim: Claim, by_id: dict[str, NotebookNode]) -> str:
    where = f"cell {claim.cell!r}, “{claim.sentence}”"
    printing = by_id.get(claim.printed_by)
    if printing is None or CHECKED_OUTPUT_TAG not in printing.metadata.get("tags", ()):
        return (
            f"{where}: {claim.printed_by!r} is not a cell tagged {CHECKED_OUTPUT_TAG}; name "
            "the one that prints this"
        )
    sentence = _UNREAD.sub(" ", claim.sentence)
    numbers = list(_NUMBER.finditer(sentence))
    if not numbers:
        return f"{where}: there is no number in it; remove the mark"
    printed = [_value(number) for number in _NUMBER.finditer(_text_of(printing))]
    missing = [
        number.group().strip() for number in numbers if not _is_printed(number, sentence, printed)
    ]
    if not missing:
        return ""
    return (
        f"{where}: {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not in what "
        f"{claim.printed_by!r} prints; correct the sentence, or the cell"
    )


def _is_printed(claimed: re.Match[str], sentence: str, printed: list[Decimal]) -> bool:
    want = _value(claimed)
    last = want.as_tuple().exponent
    room = Decimal((0, (5,), int(last) - 1))  # half a unit of the last digit
    if _ABOUT.search(sentence[: claimed.start()]):
        room = max(room, abs(want) * ABOUT)
    scales = (Decimal(1), Decimal(100)) if claimed["percent"] else (Decimal(1),)
    return any(abs(value * scale - want) <= room for value in printed for scale in scales)


def _value(number: re.Match[str]) -> Decimal:
    sign = "-" if number["sign"] else ""
    try:
        return Decimal(sign + number["number"].replace(",", "") + (number["exponent"] or ""))
    except InvalidOperation:  # an exponent that no computer holds
        return Decimal("NaN")


def _last_sentence(text: str) -> str:
    ends = [found.end() for found in _END.finditer(_same_length(text))]
    return text[ends[-1] if ends and ends[-1] < len(text) else 0 :]


def _same_length(text: str) -> str:
    """Code and formulas blanked out, in which a full stop ends no sentence."""
    return _UNREAD.sub(lambda found: "x" * len(found.group()), text)


def _text_of(cell: NotebookNode) -> str:
    texts = []
    for output in cell.get("outputs", []):
        texts.append(output.get("text", "") or output.get("data", {}).get("text/plain", ""))
    return "\n".join("".join(text) for text in texts)
