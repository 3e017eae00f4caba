"""Single figures out of the contact sheets of docs/figures, which `tools/contact_sheets.py` makes.

A sheet has its figures in rows of three, each below the name of its cell, in an order that
docs/figures.md gives. Where a row begins is seen on the sheet: white from edge to edge, then names.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

COLUMNS, GAP, LABEL = 3, 14, 22  # as in tools/contact_sheets.py
PAPER = 245  # lighter is white: WebP is lossy
UNLIKE = 12.0  # mean difference in grey at which a name is another one
_SECTION = re.compile(r"^## (\w+)$", re.M)
_FIGURE = re.compile(r"^- `([^`]+)`: (.*)$", re.M)


@dataclass(frozen=True)
class Figure:
    """A picture, the cell that draws it, and what it shows."""

    cell: str
    alt: str
    picture: Image.Image


def described(document: str) -> dict[str, list[tuple[str, str]]]:
    """Of each notebook in docs/figures.md, the cells that draw, in order, and what they show."""
    _, *parts = _SECTION.split(document)
    return {name: _FIGURE.findall(text) for name, text in zip(parts[::2], parts[1::2], strict=True)}


def figures(sheet: Path, told: list[tuple[str, str]]) -> Iterator[Figure]:
    """The figures of one sheet. Raises ValueError where it does not show what is described."""
    with Image.open(sheet) as file:
        page = file.convert("RGB")
    grey = np.asarray(page.convert("L"), dtype=np.int16)
    cells = list(dict.fromkeys(cell for cell, _ in told))
    columns = min(COLUMNS, len(cells))
    width = (page.width - GAP) // columns - GAP
    at = 0  # in cells: whose figure is next
    drawn: dict[str, int] = {}
    tops = list(_rows(grey, cells, width))
    for top, below in zip(tops, [*tops[1:], page.height], strict=True):
        for column in range(columns):
            left = GAP + column * (width + GAP)
            here = [n for n in (at, at - 1) if 0 <= n < len(cells)]
            found = [n for n in here if _unlike(grey, cells[n], left, top) < UNLIKE]
            if not found:
                break
            cell = cells[found[0]]
            at = found[0] + 1
            box = (left, top + LABEL, left + width, below - GAP)
            alts = [alt for name, alt in told if name == cell]
            number = drawn[cell] = drawn.get(cell, 0) + 1
            yield Figure(cell, alts[min(number, len(alts)) - 1], _trimmed(page.crop(box)))
    if at != len(cells):
        raise ValueError(f"{sheet}: no figure of the cell {cells[at]} is on it; make it anew")


def _rows(grey: np.ndarray, cells: list[str], width: int) -> Iterator[int]:
    """Where rows begin: below white from edge to edge stands the name of a cell."""
    white = (grey >= PAPER).all(axis=1)
    for y in range(grey.shape[0] - LABEL):
        # The first line of a row is white, too: letters begin some pixels lower.
        if not white[max(0, y - GAP + 2) : y + 1].all():
            continue
        if any(_unlike(grey, cell, GAP, y) < UNLIKE for cell in cells):
            yield y


def _unlike(grey: np.ndarray, cell: str, left: int, top: int) -> float:
    """How far the picture at this place is from the name of the cell: 0 is the same."""
    name = _name(cell)
    part = grey[top : top + name.shape[0], left : left + name.shape[1]]
    width = min(part.shape[1], name.shape[1])
    if not width or part.shape[0] < name.shape[0]:
        return 255.0
    ink = name[:, :width] < PAPER
    near = np.abs(part[:, :width] - name[:, :width])
    return float(near[ink].mean() / 4 + near[~ink].mean())


@cache
def _name(cell: str) -> np.ndarray:
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 14)
    picture = Image.new("L", (round(font.getlength(cell)) + 8, LABEL), 255)
    ImageDraw.Draw(picture).text((0, 0), cell, fill=0, font=font)
    return np.asarray(picture, dtype=np.int16)


def _trimmed(picture: Image.Image) -> Image.Image:
    """Without the white around it, except a little."""
    grey = np.asarray(picture.convert("L"))
    rows, columns = np.flatnonzero((grey < PAPER).any(1)), np.flatnonzero((grey < PAPER).any(0))
    if not len(rows):
        raise ValueError("a figure is empty")
    right, bottom = min(picture.width, columns[-1] + 9), min(picture.height, rows[-1] + 9)
    return picture.crop((max(0, columns[0] - 8), max(0, rows[0] - 8), right, bottom))
