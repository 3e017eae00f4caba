"""Build a sprite bank: SpriteCIFAR's from ``tools/sprites.toml``, or that of the captioned scenes.

    python -m venv /tmp/render && /tmp/render/bin/pip install numpy pillow resvg-py==0.5.0
    /tmp/render/bin/python tools/build_sprites.py --fetch --sheet /tmp/sprites.png
    /tmp/render/bin/python tools/build_sprites.py --bank caption_sprites --fetch

``tools/`` holds what is run by hand when the course's material is made, never by students or
graders. This script needs npm, and apt on Debian (one set is a Debian package), but only with
``--fetch``; and the renderer resvg-py (MIT), which is no dependency of the course.

It writes ``cs231n_lib/data/BANK.npz`` (rgba, label, name, style, held_out) and the bank's table in
``cs231n_lib/data/SPRITES.md``. Look at the sheet before you commit either: a person should know
every drawing at sight. After a change of the captions' bank run ``tools/build_captions.py``, too.
"""

import argparse
import io
import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sprite_paint import paint, sprite
from sprite_sources import (
    CLASSES,
    Drawing,
    DrawingSet,
    drawings,
    fetch,
    read_classes,
    read_manifest,
)

ROOT = Path(__file__).resolve().parents[1]
SIZE, RENDERED = 48, 192
TABLE = r"(<!-- table: {}.*? -->\n).*?(<!-- end of the table -->)"
Render = Callable[[str | Path], Image.Image]


def render(content: str | Path) -> Image.Image:
    """Draw an SVG text, or open a picture: RGBA."""
    if isinstance(content, Path):
        return Image.open(content).convert("RGBA")
    import resvg_py  # only here: all else works, and is tested, without it

    try:
        png = resvg_py.svg_to_bytes(svg_string=content, width=RENDERED)
    except ValueError:  # no size given: a generous one, since the outline is cropped anyway
        root = re.search(r"<svg\b[^>]*>", content, re.DOTALL)
        if root is None:
            raise
        sized = re.sub(r"""\s(width|height)=("[^"]*"|'[^']*')""", "", root[0])
        sized = sized.replace("<svg", '<svg width="1600" height="1600"', 1)
        whole = content[: root.start()] + sized + content[root.end() :]
        png = resvg_py.svg_to_bytes(svg_string=whole)
    return Image.open(io.BytesIO(bytes(png))).convert("RGBA")


def build(
    sets: list[DrawingSet],
    folder: Path,
    render: Render = render,
    classes: Sequence[str] = CLASSES,
) -> tuple[dict[str, NDArray[np.generic]], list[Drawing]]:
    """Make the arrays of a bank, and the drawings in the same order."""
    all_drawings = [drawing for one in sets for drawing in drawings(one, folder)]
    pictures = []
    for drawing in all_drawings:
        key = f"{drawing.source.style}/{drawing.name}"
        try:
            image = paint(render(drawing.content), drawing.source.treatment, drawing.label, key)
            pictures.append(sprite(image, SIZE))
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from error
    arrays = {
        "rgba": np.stack(pictures),
        "label": np.array([classes.index(drawing.label) for drawing in all_drawings], np.int8),
        "name": np.array([drawing.name for drawing in all_drawings]),
        "style": np.array([drawing.source.style for drawing in all_drawings]),
        "held_out": np.array([drawing.held_out for drawing in all_drawings]),
    }
    return arrays, all_drawings


def attribution(
    sets: list[DrawingSet], all_drawings: list[Drawing], classes: Sequence[str] = CLASSES
) -> str:
    """The table of SPRITES.md: a row for each set, and the artists of the Open Clip Art Library."""
    rows = [
        "| `style` | drawings (held out) | set | package, version | author | licence |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for one in sets:
        mine = [drawing for drawing in all_drawings if drawing.source is one]
        held_out = sum(drawing.held_out for drawing in mine)
        rows.append(
            f"| `{one.style}` | {len(mine)} ({held_out}) | {one.title} "
            f"| `{one.package}` {one.version} | {one.author} | {one.licence} |"
        )
    rows += ["", "| class | training drawings | held-out drawings |", "| --- | --- | --- |"]
    for label in classes:
        mine = [drawing.held_out for drawing in all_drawings if drawing.label == label]
        rows.append(f"| {label} | {len(mine) - sum(mine)} | {sum(mine)} |")
    artists = sorted({one.author for one in all_drawings if one.source.is_debian})
    if artists:
        rows += ["", "Artists of the Open Clip Art Library's drawings:", ""]
    for artist in artists:
        names = [
            f"`{one.name.rsplit('/', 1)[-1]}`"
            for one in all_drawings
            if one.source.is_debian and one.author == artist
        ]
        rows.append(f"- {artist}: {', '.join(names)}")
    return "\n".join(rows) + "\n"


def with_table(page: Path, table: str, bank: str = "sprites") -> str:
    """The text of SPRITES.md with this bank's table. Raises OSError, or ValueError: no place."""
    place = re.compile(TABLE.format(re.escape(f"{bank}.npz")), re.DOTALL)
    text, found = place.subn(lambda match: match[1] + table + match[2], page.read_text("utf-8"))
    if not found:
        raise ValueError(f"{page} has no '<!-- table: {bank}.npz ... -->' to write the table into")
    return text


def contact_sheet(arrays: dict[str, NDArray[np.generic]], path: Path, columns: int = 24) -> None:
    """All drawings by class, the held-out ones on a darker ground."""
    tiles = []
    for label in range(arrays["label"].max() + 1):
        for held_out in (False, True):
            rows = np.flatnonzero((arrays["label"] == label) & (arrays["held_out"] == held_out))
            tiles += [(index, held_out) for index in rows] + [(-1, held_out)] * (
                -len(rows) % columns
            )
    sheet = Image.new("RGB", (columns * 50, len(tiles) // columns * 50), "white")
    for place, (index, held_out) in enumerate(tiles):
        ground = Image.new("RGB", (50, 50), (150, 170, 190) if held_out else (205, 215, 222))
        if index >= 0:
            picture = Image.fromarray(arrays["rgba"][index], "RGBA")
            ground.paste(picture, (1, 1), picture)
        sheet.paste(ground, (place % columns * 50, place // columns * 50))
    sheet.save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--packages", type=Path, default=Path("/tmp/sprite-packages"),
                        help="folder with (or for) the unpacked packages")  # fmt: skip
    parser.add_argument("--fetch", action="store_true", help="download missing packages")
    parser.add_argument("--sheet", type=Path, help="write a picture of all drawings here")
    data = ROOT / "cs231n_lib" / "data"
    parser.add_argument("--bank", default="sprites", help="name of the manifest in tools/ "
                        "and of the file: sprites or caption_sprites")  # fmt: skip
    parser.add_argument("--out", type=Path, help="default: cs231n_lib/data/BANK.npz")
    parser.add_argument("--attribution", type=Path, default=data / "SPRITES.md")
    arguments = parser.parse_args()

    try:
        manifest = Path(__file__).with_name(f"{arguments.bank}.toml")
        sets, classes = read_manifest(manifest), read_classes(manifest)
        if arguments.fetch:
            for number, one in enumerate(sets, 1):
                print(f"[{number}/{len(sets)}] {one.package} {one.version}", flush=True)
                fetch(one, arguments.packages)
        arrays, all_drawings = build(sets, arguments.packages, classes=classes)
        table = attribution(sets, all_drawings, classes)
        text = with_table(arguments.attribution, table, arguments.bank)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"error: {error}") from None
    out = arguments.out or data / f"{arguments.bank}.npz"
    np.savez_compressed(out, **arrays)
    arguments.attribution.write_text(text, "utf-8")
    if arguments.sheet:
        contact_sheet(arrays, arguments.sheet)
    print(f"{len(all_drawings)} drawings, {out.stat().st_size / 1e6:.2f} MB")
    print(table.partition("Artists")[0])


if __name__ == "__main__":
    main()
