"""Draw the course as one picture: a card for each notebook, with a figure out of it.

    .venv/bin/python tools/draw_course_map.py --figures FOLDER     # writes docs/img/course.png

Each notebook is run up to the cell whose figure is shown, which takes some minutes for all. Figures
that FOLDER has already are not made again, so that the layout can be tried in seconds.
"""

import argparse
import base64
import re
import textwrap
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from nbformat import NotebookNode
from PIL import Image

from autograder.authoring.refresh import executed
from cs231n_lib.plotting import BLUE, GREEN, ORANGE, PURPLE

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = 7
CARD_WIDTH, CARD_HEIGHT = 2.0, 1.95  # inches
LONGEST_NAME = 23  # letters that fit at full size
PICTURE = re.compile(r'<img [^>]*src="data:image/png;base64,([^"]+)"')


@dataclass(frozen=True)
class Card:
    """A notebook, the cell whose figure stands for it, and what it is about.

    ``part``: what of the figure is shown: left, top, right, bottom, each from 0 to 1.
    """

    notebook: str
    cell: str
    about: str
    part: tuple[float, float, float, float] = (0, 0, 1, 1)


COURSE: dict[str, tuple[Card, ...]] = {
    "assignment1": (
        Card("knn", "nearest-images", "ask the most similar images"),
        Card("svm", "templates-picture", "one template a class, and a margin"),
        Card("softmax", "confidence-picture", "scores as probabilities", part=(0.5, 0, 1, 1)),
        Card(
            "two_layer_net",
            "six-hidden-units",
            "a hidden layer, and backpropagation",
            part=(0.34, 0, 1, 1),
        ),
        Card("features", "hog-picture", "edges and colours instead of pixels", part=(0, 0, 0.6, 1)),
    ),
    "assignment2": (
        Card(
            "FullyConnectedNets",
            "bowl-all",
            "any depth, and better update rules",
            part=(0.5, 0, 1, 1),
        ),
        Card(
            "BatchNormalization",
            "which-numbers-share",
            "batch, layer and group norm",
            part=(0, 0.08, 0.5, 1),
        ),
        Card("Dropout", "thinned-networks", "a network that is never whole", part=(0, 0, 0.5, 1)),
        Card("ConvolutionalNetworks", "filters-on-photographs", "filters that slide"),
        Card("PyTorch", "draw-graph", "autograd, modules, transfer", part=(0.03, 0.15, 1, 0.9)),
        Card(
            "Network_Visualization",
            "saliency-picture",
            "what a network looks at",
            part=(0, 0, 0.595, 1),
        ),
        Card("Style_Transfer", "transfer-picture", "content of one, style of another"),
    ),
    "assignment3": (
        Card("RNN_Captioning", "show-captions", "images into words", part=(0, 0.05, 0.5, 1)),
        Card("LSTM_Captioning", "draw-highway", "a memory that lasts"),
        Card(
            "Transformer_Captioning",
            "attention-maps",
            "attention; images as words",
            part=(0, 0, 0.5, 1),
        ),
        Card(
            "Generative_Adversarial_Networks",
            "dc-picture",
            "a forger and a critic",
            part=(0, 0, 0.52, 1),
        ),
        Card("Self_Supervised_Learning", "views", "learning without labels"),
    ),
    "assignment4": (
        Card("DDPM", "samples", "images out of noise", part=(0.25, 0, 0.75, 1)),
        Card("CLIP_DINO", "strip-picture", "words and patches", part=(0.02, 0, 0.5, 1)),
        Card(
            "Reinforcement_Learning", "variance-picture", "learning by trying", part=(0, 0, 0.6, 1)
        ),
        Card("Seq2Seq_Attention", "attention-maps", "words that look back", part=(0, 0, 0.45, 1)),
        Card("Model_Compression", "histograms", "how little is enough", part=(0.3, 0, 1, 1)),
    ),
}
COLOURS = dict(zip(COURSE, (BLUE, ORANGE, GREEN, PURPLE), strict=True))


def figure_of(nb: NotebookNode) -> Image.Image:
    """The figure of the last cell: bare, or within the HTML that describes it."""
    found = [
        match[1]
        for output in nb.cells[-1].get("outputs", [])
        for match in PICTURE.finditer(output.get("data", {}).get("text/html", ""))
    ]
    bare = [output.get("data", {}).get("image/png") for output in nb.cells[-1].get("outputs", [])]
    encoded = (found or [png for png in bare if png])[-1]
    return Image.open(BytesIO(base64.b64decode(encoded))).convert("RGB")


def make_figures(folder: Path) -> None:
    """Run what has no figure in ``folder`` yet; figures are named as their notebooks."""
    folder.mkdir(parents=True, exist_ok=True)
    for assignment, cards in COURSE.items():
        for card in cards:
            target = folder / f"{card.notebook}.png"
            if not target.exists():
                print(f"{assignment}/{card.notebook} ...", flush=True)
                path = ROOT / "source" / assignment / f"{card.notebook}.ipynb"
                figure_of(executed(path, last=card.cell)).save(target)


def draw(folder: Path) -> Figure:
    """A row for each assignment, a card for each notebook."""
    height = len(COURSE) * (CARD_HEIGHT + 0.25)
    fig = plt.figure(figsize=(COLUMNS * CARD_WIDTH, height), facecolor="white")
    for row, (assignment, cards) in enumerate(COURSE.items()):
        top = 1 - row / len(COURSE)
        title = f"Assignment {assignment.removeprefix('assignment')}"
        fig.text(0.006, top - 0.012, title, weight="bold", va="top", color=COLOURS[assignment])
        for column, card in enumerate(cards):
            left, width = column / COLUMNS, 1 / COLUMNS
            bottom = top - (CARD_HEIGHT + 0.2) / height
            _draw_card(fig, card, folder, (left, bottom, width, CARD_HEIGHT / height), assignment)
    return fig


def _draw_card(fig: Figure, card: Card, folder: Path, box: tuple[float, ...], row: str) -> None:
    left, bottom, width, height = box
    frame = fig.add_axes((left + 0.004, bottom, width - 0.008, height - 0.02))
    frame.axis("off")
    frame.add_patch(
        FancyBboxPatch(
            (0.01, 0.01),
            0.98,
            0.98,
            boxstyle="round,pad=0,rounding_size=0.03",
            facecolor="white",
            edgecolor=COLOURS[row],
            linewidth=1.5,
        )
    )
    size = min(8.5, 8.5 * LONGEST_NAME / len(card.notebook))
    frame.text(0.5, 0.235, card.notebook, ha="center", va="center", weight="bold", fontsize=size)
    about = textwrap.fill(card.about, 30)
    frame.text(0.5, 0.11, about, ha="center", va="center", fontsize=7.5, color="0.3")
    picture = Image.open(folder / f"{card.notebook}.png")
    sides = (picture.width, picture.height) * 2
    picture = picture.crop(tuple(round(p * s) for p, s in zip(card.part, sides, strict=True)))
    inner = fig.add_axes((left + 0.010, bottom + 0.29 * height, width - 0.020, 0.58 * height))
    inner.imshow(picture, interpolation="antialiased")
    inner.axis("off")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--figures", type=Path, required=True, help="folder to keep figures in")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "img" / "course.png")
    options = parser.parse_args()
    make_figures(options.figures)
    draw(options.figures).savefig(options.out, dpi=110)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
