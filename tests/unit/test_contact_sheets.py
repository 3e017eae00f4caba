"""All figures of a notebook on one sheet, and the page that describes them."""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for path in (ROOT / "source").glob("*/*.ipynb"))


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import contact_sheets

    yield contact_sheets
    sys.modules.pop("contact_sheets", None)


def png(width: int, height: int = 40) -> str:
    file = BytesIO()
    noise = np.random.default_rng(width).integers(0, 255, (height, width, 3), np.uint8)
    Image.fromarray(noise).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def drawing(name: str, **data: str) -> NotebookNode:
    output = new_output("display_data", data={key.replace("_", "/"): data[key] for key in data})
    return new_code_cell("plot()", id=name, outputs=[output])


def image(width: int, alt: str = "") -> str:
    described = f'alt="{alt}" ' if alt else ""
    return f'<img {described}src="data:image/png;base64,{png(width)}" style="x">'


def test_every_figure_is_found_once_with_its_description(script: ModuleType) -> None:
    frames = "".join(image(10 + n, "It moves &amp; stops.") for n in range(9))
    nb = new_notebook(
        cells=[
            drawing("bare", image_png=png(30)),
            drawing("described", text_html=image(31, "A line."), image_png=png(31)),
            new_code_cell("1", id="none", outputs=[new_output("stream", text="1")]),
            drawing("table", text_html="<table></table>"),
            drawing("moves", text_html=f"<figure>{frames}</figure>", image_png=png(10)),
        ]
    )
    found = [(one.cell, one.alt, one.picture.width) for one in script.figures_of(nb)]
    assert found == [
        ("bare", "", 30),
        ("described", "A line.", 31),
        *(("moves", "It moves & stops.", width) for width in (10, 14, 18)),
    ]


def drawn(script: ModuleType, *widths: int, height: int = 300) -> list:
    pictures = [Image.open(BytesIO(base64.b64decode(png(w, height)))) for w in widths]
    return [
        script.Drawn(f"cell-{width}", f"Figure {width}.", picture)
        for width, picture in zip(widths, pictures, strict=True)
    ]


def test_a_sheet_has_rows_of_three_and_no_figure_beyond_its_column(script: ModuleType) -> None:
    page = script.sheet(drawn(script, 200, 2000, 500, 400))
    assert page.width == 3 * (script.WIDTH + script.GAP) + script.GAP
    first, second = 300, 300
    rows = first + second + 2 * (script.LABEL + script.GAP) + script.GAP
    assert page.height == rows
    assert script.sheet(drawn(script, 200)).width < page.width / 2


def test_a_sheet_is_a_webp_that_is_small_enough(script: ModuleType) -> None:
    many = drawn(script, 700, 701, 702, 703)  # noise, which is hardest to make small
    for most in (60_000, 400_000):
        data = script.encode(many, most)
        assert Image.open(BytesIO(data)).format == "WEBP"
        assert len(data) <= most


def test_a_new_section_takes_the_place_of_the_old_one(script: ModuleType) -> None:
    order = ["a", "b", "c"]
    page = ""
    for name in ("c", "a", "b", "a"):
        text = script.section(name, drawn(script, 20, 21))
        page = script.with_section(page, text, order)
    assert re.findall(r"^## (\w+)", page, re.MULTILINE) == order
    assert page.startswith(script.INTRODUCTION)
    assert page.count("- `cell-20`: Figure 20.") == 3
    assert "![The 2 figures of b; described below](figures/b.webp)" in page
    assert script.with_section(page, script.section("b", drawn(script, 20)), ["b"]).count("##") == 1


def test_notebooks_are_chosen_by_name_and_by_assignment(script: ModuleType) -> None:
    names = [path.stem for path in script.chosen(["assignment1", "Dropout"])]
    assert sorted(names) == sorted(
        ["Dropout", "features", "knn", "softmax", "svm", "two_layer_net"]
    )
    assert [path.stem for path in script.chosen([])] == [
        path.stem for path in sorted((ROOT / "source").glob("*/*.ipynb"))
    ]
    with pytest.raises(SystemExit, match="gnn: neither a notebook nor an assignment"):
        script.chosen(["gnn"])


def test_what_is_committed_is_small_and_described() -> None:
    page = (ROOT / "docs" / "figures.md").read_text("utf-8")
    sheets = sorted((ROOT / "docs" / "figures").glob("*"))
    assert sorted(re.findall(r"\(figures/(\w+)\.webp\)", page)) == sorted(p.stem for p in sheets)
    assert {path.stem for path in sheets} <= set(NAMES)
    assert [path.name for path in sheets if path.stat().st_size > 300_000] == []
