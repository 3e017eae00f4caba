"""A figure that moves, in an exported notebook and a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbclient
import nbformat
import pytest
from nbconvert import HTMLExporter
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.e2e.browsers import chromium

CELL = """
import matplotlib.pyplot as plt
from cs231n_lib.plotting import show_frames, use_course_style

use_course_style()

def bar(height):
    _, ax = plt.subplots(figsize=(2, 1))
    ax.bar([0], [height])
    return ax

show_frames(
    bar, [0.5, 1, 2], label="height <h>", alt='The bar\\n grows "fast".', start=1, form="{:.1f} m"
)
"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    nbclient.NotebookClient(made, kernel_name="python3").execute()
    return made


@pytest.fixture(scope="module")
def page(
    notebook: nbformat.NotebookNode, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chrome]:
    folder = tmp_path_factory.mktemp("page")
    html, _ = HTMLExporter(template_name="basic").from_notebook_node(notebook)
    Path(folder, "page.html").write_text(html, "utf-8")
    with chromium(folder / "profile") as driver:
        driver.get(Path(folder, "page.html").as_uri())
        yield driver


def shown(page: Chrome) -> list[str]:
    images = page.find_elements(By.CSS_SELECTOR, "figure img")
    assert all(image.get_property("naturalWidth") == 360 for image in images)
    return [str(image.get_attribute("alt")) for image in images if image.is_displayed()]


def test_one_frame_is_there_and_the_slider_leads_to_the_others(page: Chrome) -> None:
    words = 'The bar grows "fast".'
    assert shown(page) == [f"height <h> 1.0 m. {words}"]
    slider = page.find_element(By.CSS_SELECTOR, "figure input")
    value = page.find_element(By.CSS_SELECTOR, "figure output")
    assert value.text == "1.0 m"
    slider.send_keys(Keys.ARROW_RIGHT)
    assert (shown(page), value.text) == ([f"height <h> 2.0 m. {words}"], "2.0 m")
    slider.send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert (shown(page), value.text) == ([f"height <h> 0.5 m. {words}"], "0.5 m")
    assert [entry for entry in page.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_without_html_the_first_frame_and_its_words_are_left(
    notebook: nbformat.NotebookNode,
) -> None:
    (output,) = notebook.cells[0].outputs
    assert output.data["text/plain"] == 'The bar grows "fast".'
    assert output.data["image/png"] in output.data["text/html"]
    assert output.metadata["image/png"]["width"] == 180
