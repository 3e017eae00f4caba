"""TeX as MathML, which browsers show by themselves: no script, no font, no network, one file.

A student is handed a single HTML file, so there is nothing beside it that a script could be loaded
from, and the formgrader's machine may have no network. The library does the work; what it returns
is let through only as far as it consists of the elements and the attributes listed here, since the
TeX may be a student's: nothing that moves a formula over something else on the page.
"""

from __future__ import annotations

import re
from html import escape, unescape
from xml.etree import ElementTree

from math_core import LatexError, LatexToMathML

MAX_CHARS = 4_000  # of a formula; the longest of the course has 300
#: The space that TeX is told to leave below a row, which MathML does not know.
_ROW_SPACE = re.compile(r"\\\\\s*\[\s*-?[\d.]+\s*[a-z]{2}\s*\]")

_TAGS = frozenset(
    "math mfrac mi mn mo mover mpadded mroot mrow mspace msqrt mstyle msub msubsup msup mtable mtd "
    "mtext mtr munder munderover code".split()
)
_WORD = re.compile(r"[a-z]+|-?\d+")
_LENGTH = re.compile(r"0|\d?(\.\d+)?em")  # less than ten
#: Characters by names that HTML knows, and XML does not: &ApplyFunction;
_NAMED = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z]+;")
_ATTRIBUTES = {
    **dict.fromkeys(
        "accent accentunder display displaystyle form largeop mathvariant movablelimits "
        "scriptlevel separator stretchy symmetric".split(),
        _WORD,
    ),
    **dict.fromkeys("linethickness lspace maxsize minsize rspace width".split(), _LENGTH),
    "style": re.compile(
        r"((text-align: ?\w+|justify-items: ?\w+|padding-(left|right): ?\d?(\.\d+)?(em)?"
        r"|margin-left: ?-0?\.\d+em|color: ?#[0-9A-Fa-f]{3,6});? ?)*"
    ),
}


def mathml(tex: str, *, block: bool) -> str:
    """The formula as an element ``math``; as code where it is not TeX that the library knows."""
    try:
        return _safe(_ROW_SPACE.sub(r"\\\\", tex), block=block)
    except (LatexError, ValueError, ElementTree.ParseError):
        mark = "$$" if block else "$"
        return f"<code>{mark}{escape(tex, quote=False)}{mark}</code>"


def _safe(tex: str, *, block: bool) -> str:
    if len(tex) > MAX_CHARS:
        raise ValueError("too long for a formula")
    # A converter of its own: what one formula defines is no other's.
    made = LatexToMathML().convert_with_local_state(tex, displaystyle=block)
    if "<!" in made or "<?" in made:
        raise ValueError("not an element")
    root = ElementTree.fromstring(_NAMED.sub(lambda name: unescape(name[0]), made))
    for element in root.iter():
        _check(element)
    return ElementTree.tostring(root, encoding="unicode")


def _check(element: ElementTree.Element) -> None:
    if element.tag not in _TAGS:
        raise ValueError(f"<{element.tag}>")
    for name, value in element.attrib.items():
        allowed = _ATTRIBUTES.get(name)
        if allowed is None or not allowed.fullmatch(value):
            raise ValueError(f"{name}={value!r}")
