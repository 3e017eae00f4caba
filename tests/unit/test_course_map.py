"""The picture of the course: a card for every notebook, each with a cell that draws."""

import base64
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import ModuleType

import matplotlib.pyplot as plt
import nbformat
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import draw_course_map

    yield draw_course_map
    sys.modules.pop("draw_course_map", None)


def test_every_notebook_has_a_card_in_the_order_of_the_readme(script: ModuleType) -> None:
    cards = [card.notebook for row in script.COURSE.values() for card in row]
    assert {path.stem for path in ROOT.glob("source/*/*.ipynb")} == set(cards)
    listed = (ROOT / "README.md").read_text("utf-8")
    assert re.findall(r"^\| \[`(\w+)`\]", listed, re.MULTILINE) == cards


def test_each_cell_draws(script: ModuleType) -> None:
    for assignment, cards in script.COURSE.items():
        for card in cards:
            path = ROOT / "source" / assignment / f"{card.notebook}.ipynb"
            cells = {cell.id: cell for cell in nbformat.read(path, as_version=4).cells}
            assert re.search(r"plt\.show|with_alt_text|show_", cells[card.cell].source), card


def png(width: int) -> str:
    """A picture of this width, as notebooks keep it."""
    file = BytesIO()
    Image.new("RGB", (width, 4)).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize("described", [False, True])
def test_the_last_figure_of_a_cell_is_taken(script: ModuleType, described: bool) -> None:
    outputs = []
    for width in (6, 9):
        html = f'<img alt="A line." src="data:image/png;base64,{png(width)}">'
        data = {"text/html": html} if described else {"image/png": png(width)}
        outputs.append(nbformat.v4.new_output("display_data", data=data))
    cell = nbformat.v4.new_code_cell("plt.show()", outputs=outputs)
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1"), cell])
    assert script.figure_of(nb).size == (9, 4)


def test_the_map_shows_each_figure_and_name(script: ModuleType, tmp_path: Path) -> None:
    cards = [card for row in script.COURSE.values() for card in row]
    for number, card in enumerate(cards):
        Image.new("RGB", (60, 40), (0, 10 * number, 200)).save(tmp_path / f"{card.notebook}.png")
    fig = script.draw(tmp_path)
    named = [text.get_text() for ax in fig.axes for text in ax.texts]
    assert all(card.notebook in named for card in cards)
    colours = {tuple(ax.images[0].get_array()[0, 0]) for ax in fig.axes if ax.images}
    assert len(colours) == len(cards)
    plt.close(fig)
