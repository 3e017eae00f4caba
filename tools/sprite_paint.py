"""How a drawing becomes a sprite: colour for what has none, then a square of 48x48 pixels.

Icon sets draw in one colour ("ink"). Such a drawing gets the coat of its class here: an outline is
filled, a silhouette is given a second tone where it has holes (an eye, a window), and both are
shaded, grained and, for animals, sometimes patched. All of it is drawn from a seed made of the
drawing's own name, so that adding a drawing changes no other.

Dimension letters: H = W = pixels of one side. Colours are RGB, 0..255.
"""

import zlib

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

FloatArray = NDArray[np.floating]
CANVAS = 192  # drawings are painted at this size, then reduced
MARGIN = 8
OUTLINE = 0.6  # ink covering less than this share of the shape is an outline, not a silhouette

DARK, LIGHT, GLASS = (38, 33, 30), (235, 230, 220), (60, 80, 100)
_PAINT = (
    (190, 40, 35), (225, 225, 222), (50, 90, 165), (160, 165, 170), (70, 75, 80), (215, 170, 50),
    (60, 120, 80), (120, 170, 205),
)  # fmt: skip
_FUR = ((150, 95, 55), (95, 65, 45), (200, 160, 110), (70, 62, 58), (222, 212, 195))
COATS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "plane": ((215, 218, 222), (165, 175, 188), (205, 212, 225), (110, 125, 140), (200, 80, 70)),
    "car": _PAINT,
    "bird": (
        (120, 95, 70), (200, 198, 195), (75, 80, 92), (90, 130, 175), (190, 120, 60),
        (225, 190, 80), (55, 55, 60), (150, 60, 50),
    ),
    "cat": ((205, 135, 65), (130, 130, 130), (70, 66, 64), (185, 160, 130), (225, 215, 200)),
    "deer": ((160, 110, 65), (135, 95, 60), (180, 130, 80), (115, 85, 60)),
    "dog": _FUR,
    "frog": ((95, 140, 55), (130, 160, 60), (70, 115, 60), (125, 115, 60), (70, 150, 90)),
    "horse": ((125, 80, 50), (90, 60, 42), (160, 110, 70), (75, 68, 65), (215, 208, 198)),
    "ship": ((215, 215, 212), (60, 85, 125), (170, 60, 50), (120, 85, 55), (90, 110, 125)),
    "truck": _PAINT,
}  # fmt: skip
ANIMALS = ("bird", "cat", "deer", "dog", "frog", "horse")


def paint(image: Image.Image, treatment: str, label: str, key: str) -> Image.Image:
    """Colour a drawing: ``colour`` leaves it, ``ink`` and ``ramp`` give it a coat of its class.

    ``ramp`` is for drawings in shades of one colour: dark stays dark, the shades become coat.
    Raises ValueError for another treatment, and when the drawing is empty.
    """
    if treatment == "colour":
        return image
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    rgba = np.asarray(_on_canvas(image), np.float64)
    alpha = rgba[..., 3:] / 255
    coat = _coat(rng, label)
    if treatment == "ramp":
        luma = (rgba[..., :3] @ (0.299, 0.587, 0.114) / 255)[..., None]
        rgb = _mix(_mix(np.array(DARK), coat, np.clip(luma / 0.5, 0, 1)),
                   np.array(LIGHT), np.clip(luma - 0.5, 0, 0.35))  # fmt: skip
    elif treatment == "ink":
        whole = np.maximum(alpha, _filled(alpha[..., 0])[..., None])
        if alpha.sum() < OUTLINE * whole.sum():
            rgb = _mix(coat, np.array(DARK) + 0.25 * coat, alpha)
        else:
            second = np.array(_second_tone(rng, label), float)
            rgb = _mix(second, coat, alpha)
        alpha = whole
    else:
        raise ValueError(f"treatment {treatment!r} of {key}; choose colour, ink or ramp")
    out = np.concatenate([np.clip(rgb, 0, 255), alpha * 255], axis=-1)
    return Image.fromarray((out + 0.5).astype(np.uint8), "RGBA")


def sprite(image: Image.Image, size: int) -> NDArray[np.uint8]:
    """Crop to the outline, centre in a square and reduce: (size, size, 4), straight alpha.

    Raises ValueError when the drawing is empty.
    """
    image = _cropped(image)
    side = max(image.size)
    square = Image.new("RGBA", (side, side))
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    rgba = np.asarray(square, np.float32)
    rgba = np.dstack([rgba[..., :3] * (rgba[..., 3:] / 255), rgba[..., 3]])
    reduced = np.dstack(
        [
            np.asarray(Image.fromarray(channel, "F").resize((size, size), Image.Resampling.BOX))
            for channel in np.ascontiguousarray(rgba.transpose(2, 0, 1))
        ]
    )
    alpha = reduced[..., 3:]
    straight = np.where(alpha > 0.5, reduced[..., :3] * 255 / np.maximum(alpha, 0.5), 0)
    return np.clip(np.dstack([straight, alpha]) + 0.5, 0, 255).astype(np.uint8)


def _cropped(image: Image.Image) -> Image.Image:
    """The part with ink. Raises ValueError when there is none."""
    box = image.getchannel("A").getbbox()
    if box is None:
        raise ValueError("the drawing is empty")
    return image.crop(box)


def _on_canvas(image: Image.Image) -> Image.Image:
    """Crop, scale to the canvas and leave a margin, so that the outside is one piece."""
    image = _cropped(image)
    scale = CANVAS / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    canvas = Image.new("RGBA", (CANVAS + 2 * MARGIN, CANVAS + 2 * MARGIN))
    left, top = ((canvas.width - size[0]) // 2, (canvas.height - size[1]) // 2)
    canvas.paste(image.resize(size, Image.Resampling.LANCZOS), (left, top))
    return canvas


def _filled(alpha: FloatArray) -> FloatArray:
    """1 for what the ink encloses and most of the ink itself, else 0; small gaps count as closed.

    Shapes: alpha (H, W), from 0 to 1, empty in the corner; returns (H, W).
    """
    ink = Image.fromarray((alpha > 0.35).astype(np.uint8) * 255)
    closed = ink.filter(ImageFilter.MaxFilter(5))
    ImageDraw.floodfill(closed, (0, 0), 128)
    outside = closed.point(lambda value: 255 if value == 128 else 0)
    outside = np.asarray(outside.filter(ImageFilter.MaxFilter(5))) > 0
    return 1.0 - outside


def _coat(rng: Generator, label: str) -> FloatArray:
    """A shaded, grained coat for the whole canvas, (H, W, 3)."""
    side = CANVAS + 2 * MARGIN
    colours = COATS[label]
    coat = np.array(colours[rng.integers(len(colours))], float) + rng.normal(0, 7, 3)
    coat = np.broadcast_to(coat, (side, side, 3))
    if label in ANIMALS and rng.random() < 0.45:  # patches
        other = np.array(colours[rng.integers(len(colours))], float)
        coat = _mix(coat, other, np.clip(_noise(rng, 5) * 6 - rng.uniform(0.5, 3), 0, 1)[..., None])
    height = np.linspace(-1, 1, side)[:, None, None]
    shade = 1 + rng.uniform(-0.25, 0.1) * height + 0.05 * _noise(rng, 24)[..., None]
    return coat * (shade + 0.07 * _noise(rng, 7)[..., None])


def _second_tone(rng: Generator, label: str) -> tuple[int, int, int]:
    if label in ANIMALS:
        return DARK if rng.random() < 0.6 else LIGHT
    return GLASS if rng.random() < 0.7 else LIGHT


def _noise(rng: Generator, cells: int) -> FloatArray:
    """Smooth noise about 0, (H, W)."""
    coarse = Image.fromarray(rng.normal(0, 1, (cells, cells)).astype(np.float32), "F")
    side = CANVAS + 2 * MARGIN
    return np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC), np.float64)


def _mix(first: FloatArray, second: FloatArray, share: FloatArray) -> FloatArray:
    return first * (1 - share) + second * share
