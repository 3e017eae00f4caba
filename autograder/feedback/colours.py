"""Colours that a terminal was told to use, on a page that is white: as dark as reading takes.

IPython's tracebacks are coloured for a black terminal. The sixteen named colours are classes, which
the page's style sheet defines; the others stand in the page as numbers, and are darkened here.
"""

from __future__ import annotations

import re

#: So that there is a contrast of 4.5 : 1 (WCAG 2.2, 1.4.3) even on what nbconvert puts behind
#: stderr, whose luminance is 0.79.
MAX_LUMINANCE = 0.13

_SPAN = re.compile(r'(<span[^<>]*? style=")([^"<>]*)(")')
_COLOUR = re.compile(r"(?<![-\w])color: rgb\((\d+),\s*(\d+),\s*(\d+)\)")
_BEHIND = re.compile(r"background-color: rgb\([^)]*\);?\s*")


def on_white(html: str) -> str:
    """What nbconvert's ``ansi2html`` made, readable on white."""
    return _SPAN.sub(lambda span: span[1] + _darker(span[2]) + span[3], html)


def _darker(style: str) -> str:
    return _COLOUR.sub(
        lambda colour: "color: rgb({},{},{})".format(*dark([int(part) for part in colour.groups()])),
        _BEHIND.sub("", style),
    )


def dark(colour: list[int]) -> list[int]:
    """The colour, with its hue, not brighter than `MAX_LUMINANCE`."""
    while luminance(colour) > MAX_LUMINANCE:
        colour = [int(part * 0.95) for part in colour]
    return colour


def luminance(colour: list[int]) -> float:
    """Between 0 and 1, as WCAG defines it."""
    shares = [min(part, 255) / 255 for part in colour]
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
