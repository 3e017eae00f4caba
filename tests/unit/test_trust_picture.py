"""The picture of the trust boundary: what is drawn is what is committed and described."""

import re
from collections.abc import Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure
from PIL import Image

from tools import draw_trust_boundary

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "img" / "trust-boundary.png"


@pytest.fixture(scope="module")
def drawn() -> Iterator[Figure]:
    figure = draw_trust_boundary.draw()
    yield figure
    plt.close(figure)


def test_the_committed_picture_is_the_one_that_is_drawn(drawn: Figure) -> None:
    with Image.open(PICTURE) as picture:
        assert picture.size == tuple(
            round(inches * draw_trust_boundary.DPI) for inches in drawn.get_size_inches()
        )


def test_no_word_lies_outside_or_over_another(drawn: Figure) -> None:
    drawn.canvas.draw()
    boxes = {text.get_text(): text.get_window_extent() for text in drawn.axes[0].texts}
    boxes = {text: box for text, box in boxes.items() if text}
    assert len(boxes) == 16
    for text, box in boxes.items():
        assert box.x0 >= 0, text
        assert box.x1 <= drawn.bbox.x1, text
        over = [other for other, place in boxes.items() if other != text and box.overlaps(place)]
        assert over == [], text


@pytest.mark.parametrize("document", ["docs/threat-model.md", "docs/grading.md", "README.md"])
def test_the_picture_is_described_where_it_is_shown(document: str) -> None:
    text = " ".join((ROOT / document).read_text("utf-8").split())
    [alt] = re.findall(r"!\[([^\]]+)\]\((?:docs/)?img/trust-boundary\.png\)", text)
    for word in ("judge", "inputs", "plain data", "kernel", "expected values"):
        assert word in alt, word
