"""Build the emoji of the notebook DDPM: 32x32 pictures and the words that describe them.

    python -m venv /tmp/render && /tmp/render/bin/pip install numpy pillow resvg-py==0.5.0
    /tmp/render/bin/python tools/build_emoji.py --fetch --sheet /tmp/emoji.png

It follows ``tools/emoji.toml`` and writes ``cs231n_lib/ddpm/emoji.npz``: ``images`` (N, 32, 32, 3)
uint8 on white, ``texts`` (N,), and ``held_out`` (N,), the combinations of colour and object that
the shipped weights were not trained on. Needs npm, but only with ``--fetch``, and resvg-py (MIT),
which is no dependency of the course. The weights were trained on exactly these pictures: after any
change train again (``tools/train_ddpm.py``). ``cs231n_lib/ddpm/EMOJI.md`` attributes them.
"""

import argparse
import colorsys
import io
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from sprite_sources import drawings, fetch, read_manifest

ROOT = Path(__file__).resolve().parents[1]
SIZE, RENDERED = 32, 96
NEAR, SPREAD = 45, 0.6  # degrees of hue that are recoloured, and the share of their variety kept
VIVID = 0.15  # saturation above which a pixel has a say in which hue is the dominant one

Pixels = NDArray[np.uint8]
Render = Callable[[str | Path], Image.Image]


@dataclass(frozen=True)
class Emoji:
    """A picture (32, 32, 3), what it is called, and whether it is kept out of the training."""

    image: Pixels
    text: str
    held_out: bool


def render(content: str | Path) -> Image.Image:
    """Draw an SVG text: RGBA."""
    import resvg_py  # only here: all else works, and is tested, without it

    png = resvg_py.svg_to_bytes(svg_string=str(content), width=RENDERED)
    return Image.open(io.BytesIO(bytes(png))).convert("RGBA")


def on_white(picture: Image.Image) -> Pixels:
    """Reduced to 32x32 pixels, on white: (32, 32, 3)."""
    small = picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS)
    ground = Image.new("RGBA", small.size, "white")
    ground.alpha_composite(small)
    return np.asarray(ground.convert("RGB"))


def recolour(image: Pixels, hue: float) -> Pixels:
    """Turn the dominant hue of image (H, W, 3), and hues near it, to ``hue`` (degrees)."""
    hsv = np.array([colorsys.rgb_to_hsv(*pixel) for pixel in image.reshape(-1, 3) / 255.0])
    degrees, saturation, value = hsv[:, 0] * 360, hsv[:, 1], hsv[:, 2]
    vivid = saturation * value * (saturation > VIVID)
    counts, edges = np.histogram(degrees, 36, (0, 360), weights=vivid)
    dominant = edges[(counts + np.roll(counts, 1) + np.roll(counts, -1)).argmax()] + 5
    away = (degrees - dominant + 180) % 360 - 180
    turned = np.where(np.abs(away) < NEAR, (hue + away * SPREAD) % 360, degrees)
    colours = zip(turned / 360, saturation, value, strict=True)
    rgb = np.array([colorsys.hsv_to_rgb(*colour) for colour in colours]).reshape(image.shape)
    return (rgb * 255).round().astype(np.uint8)


def emoji(manifest: Path, packages: Path, render: Render = render) -> Iterator[Emoji]:
    """All emoji, those in several colours first.

    Raises ValueError for a manifest that contradicts itself or the package.
    """
    about = tomllib.loads(manifest.read_text("utf-8"))
    hues, called, held_out = about["hues"], about["called"], set(about["held_out"])
    found = []
    for one in read_manifest(manifest):
        found += [
            (drawing, on_white(render(drawing.content))) for drawing in drawings(one, packages)
        ]
    known = set()
    for drawing, image in found:
        name = called.get(drawing.name, drawing.name.replace("-", " "))
        variants = hues if drawing.label == "coloured" else {"": None}
        for colour, hue in variants.items():
            text = f"{colour} {name}".strip()
            known.add(text)
            picture = image if hue is None else recolour(image, hue)
            yield Emoji(picture, text, text in held_out)
    if strangers := held_out - known:
        raise ValueError(f"{manifest.name}: held out, but no emoji: {sorted(strangers)}")


def contact_sheet(images: Pixels, path: Path, columns: int = 18) -> None:
    """All pictures, twice as large."""
    blank = np.full((-len(images) % columns, SIZE, SIZE, 3), 255, np.uint8)
    grid = np.concatenate([images, blank]).reshape(-1, columns, SIZE, SIZE, 3)
    sheet = Image.fromarray(grid.transpose(0, 2, 1, 3, 4).reshape(-1, columns * SIZE, 3))
    sheet.resize((2 * sheet.width, 2 * sheet.height), Image.Resampling.NEAREST).save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--packages", type=Path, default=Path("/tmp/sprite-packages"),
                        help="folder with (or for) the unpacked packages")  # fmt: skip
    parser.add_argument("--fetch", action="store_true", help="download missing packages")
    parser.add_argument("--sheet", type=Path, help="write a picture of all emoji here")
    parser.add_argument("--out", type=Path, default=ROOT / "cs231n_lib" / "ddpm" / "emoji.npz")
    arguments = parser.parse_args()
    manifest = Path(__file__).with_name("emoji.toml")
    try:
        if arguments.fetch:
            for one in read_manifest(manifest):
                fetch(one, arguments.packages)
        found = list(emoji(manifest, arguments.packages))
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        raise SystemExit(f"error: {error}") from None
    images = np.stack([one.image for one in found])
    texts, held_out = ([getattr(one, name) for one in found] for name in ("text", "held_out"))
    np.savez_compressed(
        arguments.out, images=images, texts=np.array(texts), held_out=np.array(held_out)
    )
    if arguments.sheet:
        contact_sheet(images, arguments.sheet)
    print(f"{len(found)} emoji, {sum(held_out)} of them held out")


if __name__ == "__main__":
    main()
