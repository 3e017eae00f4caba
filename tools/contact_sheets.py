"""Lay all figures of each notebook out on one labelled sheet, and describe them in docs/figures.md.

    .venv/bin/python tools/contact_sheets.py                        # every notebook: half an hour
    .venv/bin/python tools/contact_sheets.py assignment1 Dropout    # these; the others' stay

Notebooks are run with their solutions, on the embedded data. The sheets are for those who review a
change, and for readers who want to see what the course looks like.
"""

import argparse
import base64
import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from matplotlib import font_manager
from nbformat import NotebookNode
from PIL import Image, ImageDraw, ImageFont

from autograder.authoring.refresh import executed

ROOT = Path(__file__).resolve().parents[1]
SHEETS, DOCUMENT = ROOT / "docs" / "figures", ROOT / "docs" / "figures.md"
COLUMNS, WIDTH, GAP, LABEL = 3, 560, 14, 22  # pixels
MOST_BYTES = 300_000
MOST_FRAMES = 3  # of a figure that moves
INTRODUCTION = """# The figures of the notebooks

One sheet for each notebook, with its figures in their order and the names of the cells that draw
them. Below each sheet are the descriptions that screen readers get. `tools/contact_sheets.py` runs
the notebooks, with solutions and on the embedded data, and writes this page.
"""

_IMAGE = re.compile(r'<img\b[^>]*?\bsrc="data:image/png;base64,([^"]+)"[^>]*>')
_ALT = re.compile(r'\balt="([^"]*)"')


@dataclass(frozen=True)
class Drawn:
    """A figure, the cell that draws it, and its description, empty where it has none."""

    cell: str
    alt: str
    picture: Image.Image


def figures_of(nb: NotebookNode) -> Iterator[Drawn]:
    """Every figure of an executed notebook; of one that moves, a few frames."""
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            found = list(_IMAGE.finditer(data.get("text/html", "")))
            alts = [_ALT.search(match[0]) for match in found]
            words = next((html.unescape(alt[1]) for alt in alts if alt and alt[1]), "")
            if len(found) > 1:  # each of them begins with what it alone shows
                words = data.get("text/plain", words)
            encoded = [match[1] for match in found]
            if not found and "image/png" in data:
                encoded = [data["image/png"]]
            for png in _spread(encoded, MOST_FRAMES):
                picture = Image.open(BytesIO(base64.b64decode(png))).convert("RGBA")
                white = Image.new("RGBA", picture.size, "white")
                yield Drawn(cell.id, words, Image.alpha_composite(white, picture).convert("RGB"))


def _spread(items: Sequence[str], most: int) -> list[str]:
    """At most so many, from the first to the last."""
    if len(items) <= most:
        return list(items)
    return [items[round(n * (len(items) - 1) / (most - 1))] for n in range(most)]


def sheet(drawn: Sequence[Drawn], width: int = WIDTH) -> Image.Image:
    """The figures in rows, none wider than ``width``, each below the name of its cell."""
    font = ImageFont.truetype(font_manager.findfont("DejaVu Sans"), 14)
    fitting = [_at_most(one.picture, width) for one in drawn]
    rows = [range(at, min(at + COLUMNS, len(drawn))) for at in range(0, len(drawn), COLUMNS)]
    heights = [LABEL + GAP + max(fitting[n].height for n in row) for row in rows]
    columns = min(COLUMNS, len(drawn))
    page = Image.new("RGB", (columns * (width + GAP) + GAP, sum(heights) + GAP), "white")
    draw = ImageDraw.Draw(page)
    top = GAP
    for row, height in zip(rows, heights, strict=True):
        for column, n in enumerate(row):
            left = GAP + column * (width + GAP)
            draw.text((left, top), drawn[n].cell, fill="black", font=font)
            page.paste(fitting[n], (left, top + LABEL))
        top += height
    return page


def _at_most(picture: Image.Image, width: int) -> Image.Image:
    """Retina figures have twice the pixels that they are shown with."""
    scale = min(1.0, width / picture.width)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS)


def encode(drawn: Sequence[Drawn], most: int = MOST_BYTES) -> bytes:
    """The sheet as WebP, as good as fits; smaller where even a poor one does not."""
    width = WIDTH
    while True:
        page = sheet(drawn, width)
        for quality in (85, 75, 65, 55):
            file = BytesIO()
            page.save(file, "webp", quality=quality, method=6)
            if file.tell() <= most or width < 150:
                return file.getvalue()
        width = round(width * 0.85)


def section(notebook: str, drawn: Sequence[Drawn]) -> str:
    """What docs/figures.md has of one notebook."""
    described: dict[str, list[str]] = {}
    for one in drawn:
        if one.alt not in (told := described.setdefault(one.cell, [])):
            told.append(one.alt)
    number = f"The {len(drawn)} figures" if len(drawn) != 1 else "The one figure"
    lines = [
        f"- `{cell}`: {alt or 'not described'}" for cell, alts in described.items() for alt in alts
    ]
    image = f"![{number} of {notebook}; described below](figures/{notebook}.webp)"
    return "\n".join([f"## {notebook}", "", image, "", *lines, ""])


def with_section(document: str, text: str, order: Sequence[str]) -> str:
    """The page with a new section in its place; what is no notebook any more is left out."""
    _, *parts = re.split(r"^(?=## )", document, flags=re.MULTILINE)
    sections = {re.findall(r"## (\w+)", part)[0]: part.rstrip() + "\n" for part in (*parts, text)}
    return "\n".join([INTRODUCTION, *(sections[name] for name in order if name in sections)])


def chosen(what: Sequence[str]) -> list[Path]:
    """The source notebooks of these names or assignments, all by default. Raises SystemExit."""
    paths = sorted((ROOT / "source").glob("*/*.ipynb"))
    known = {name for path in paths for name in (path.stem, path.parent.name)}
    if unknown := sorted(set(what) - known):
        raise SystemExit(f"{unknown[0]}: neither a notebook nor an assignment")
    return [path for path in paths if not what or {path.stem, path.parent.name} & set(what)]


def main() -> None:
    parser = argparse.ArgumentParser(description="Lay all figures of notebooks out on sheets.")
    parser.add_argument("what", nargs="*", metavar="ASSIGNMENT|NOTEBOOK")
    options = parser.parse_args()
    order = [path.stem for path in chosen(())]
    SHEETS.mkdir(exist_ok=True)
    for path in chosen(options.what):
        print(f"{path.parent.name}/{path.stem} ...", end=" ", flush=True)
        drawn = list(figures_of(executed(path)))
        if not drawn:
            print("draws nothing")
            continue
        data = encode(drawn)
        (SHEETS / f"{path.stem}.webp").write_bytes(data)
        before = DOCUMENT.read_text("utf-8") if DOCUMENT.is_file() else ""
        DOCUMENT.write_text(with_section(before, section(path.stem, drawn), order), "utf-8")
        undescribed = len({one.cell for one in drawn if not one.alt})
        print(f"{len(drawn)} figures, {undescribed} not described, {len(data) // 1000} kB")


if __name__ == "__main__":
    main()
