"""Parts of the site: links, notebooks as pages, figures out of their sheets, commands."""

import json
import re
from pathlib import Path

import click
import pytest
from PIL import Image, ImageChops

from tools.website import commands, links, navigation, notebooks, sheets

ROOT = Path(__file__).resolve().parents[2]
PAGES = {"README.md", "docs/grading.md", "release/a1/knn.ipynb"}


@pytest.mark.parametrize(
    ("text", "path", "shown"),
    [
        ("[a](docs/grading.md#feedback)", "README.md", "[a](docs/grading.md#feedback)"),
        ("[`knn`](../release/a1/knn.ipynb)", "docs/x.md", "[`knn`](../release/a1/knn.md)"),
        ("[a](../README.md)", "docs/grading.md", "[a](../index.md)"),
        ("[a](#here) and [b](https://x.org/y.md)", "README.md", None),
        ("[the code](../autograder/hidden.py)", "docs/x.md", "the code"),
        ("![a picture](img/x.png)", "docs/x.md", None),
        ("```python\nx[0](docs/none.md)\n```\n", "README.md", None),
    ],
)
def test_links_lead_somewhere(text: str, path: str, shown: str | None) -> None:
    assert links.with_links(text, path, PAGES, None) == (text if shown is None else shown)


def test_files_that_are_no_pages_are_linked_in_the_repository() -> None:
    text = links.with_links("[a](../LICENSE)", "docs/x.md", PAGES, "https://host/course/blob/main/")
    assert text == "[a](https://host/course/blob/main/LICENSE)"


def test_pages_that_nobody_has_placed_come_last() -> None:
    pages = ["index", "docs/grading", "docs/brand-new", "release/assignment1/knn"]
    sections = navigation.placed(pages)
    assert [section.pages for section in sections] == [("docs/grading",), ("docs/brand-new",)]


def test_what_stands_in_the_navigation_is_there() -> None:
    placed = [page for section in navigation.SECTIONS for page in section.pages]
    assert len(placed) == len(set(placed))
    for page in placed:
        assert page == "docs/commands" or (ROOT / f"{page}.md").is_file(), page


def test_a_notebook_says_what_is_to_be_written_and_shows_figures(tmp_path: Path) -> None:
    def code(name: str, source: str, **nbgrader: object) -> dict:
        about = {"nbgrader": nbgrader} if nbgrader else {}
        return {"cell_type": "code", "id": name, "source": source, "metadata": about}

    cells = [
        {"cell_type": "markdown", "id": "t", "source": ["# Title\n", "Text."], "metadata": {}},
        code("f", "def f():\n    '''```'''\n    raise NotImplementedError", solution=True),
        code("f-tests", "f()", grade=True, points=1),
        code("plot", "plt.plot()"),
    ]
    path = tmp_path / "small.ipynb"
    path.write_text(json.dumps({"cells": cells}))
    page = notebooks.page(path, {"plot": [notebooks.Shown("figures/plot.webp", "A $[line]$")]})
    assert page.index("# Title") < page.index("{download}`small.ipynb`") < page.index("Text.")
    assert "Yours to write</p>\n\n````ipython3\ndef f()" in page
    assert "Tests · 1 point</p>" in page
    assert page.rstrip().endswith("![A \\$\\[line\\]\\$](figures/plot.webp)")


DOCUMENT = (ROOT / "docs" / "figures.md").read_text("utf-8")
TOLD = sheets.described(DOCUMENT)


@pytest.mark.parametrize("notebook", TOLD)
def test_each_figure_is_found_on_its_sheet(notebook: str) -> None:
    [number] = re.findall(rf"The (\d+|one) figures? of {notebook};", DOCUMENT)
    found = list(sheets.figures(ROOT / "docs" / "figures" / f"{notebook}.webp", TOLD[notebook]))
    assert len(found) == (1 if number == "one" else int(number))
    told = list(dict.fromkeys(cell for cell, _ in TOLD[notebook]))
    assert list(dict.fromkeys(one.cell for one in found)) == told
    for one in found:
        assert one.alt
        assert min(one.picture.size) > 40
        white = Image.new("RGB", one.picture.size, "white")
        assert ImageChops.difference(one.picture, white).getbbox()


def test_a_sheet_without_a_figure_that_is_described_is_refused() -> None:
    notebook, told = next(iter(TOLD.items()))
    told = [*told, ("a-cell-that-draws-nothing", "Nothing.")]
    with pytest.raises(ValueError, match="no figure of the cell a-cell-that-draws-nothing"):
        list(sheets.figures(ROOT / "docs" / "figures" / f"{notebook}.webp", told))


def test_the_list_of_commands_has_all_of_them() -> None:
    page = commands.write(ROOT)
    for name in commands.staff.commands:
        assert f"### `python -m autograder {name}`" in page
    for name in ("cs231n doctor", "cs231n data fetch"):
        assert f"### `{name}`" in page
    assert "| `--students, --student GLOB` | Only students whose name matches. |" in page
    assert "| `make demo` |" in page


def test_help_is_shown_as_it_is_written() -> None:
    @click.command(help="Reads *.ipynb and `a_b|c` [all].")
    @click.option("--form", type=click.Choice(["a", "b"]), help="Which.", default="a")
    def tidy(form: str) -> None: ...

    group = click.Group("main", commands={"tidy": tidy})
    [text] = commands.click_commands(group, "x", level=2)
    assert "\nx tidy [OPTIONS]\n" in text
    assert "Reads \\*.ipynb and `a_b|c` \\[all\\]." in text
    assert "| `--form [a\\|b]` | Which. |" in text


def test_the_pictures_of_the_readme_are_small_and_described() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for name in ("notebook", "report"):
        [alt] = re.findall(rf"!\[([^\]]+)\]\(docs/img/{name}\.webp\)", readme)
        assert len(alt) > 60
        path = ROOT / "docs" / "img" / f"{name}.webp"
        assert path.stat().st_size < 150_000
        with Image.open(path) as picture:
            assert picture.size == (2000, 1520)
