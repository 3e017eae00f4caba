"""Pages of similar submissions in a real browser, written about people who mean harm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from autograder.cli.similar import similar
from tests.e2e import pages
from tests.e2e.browsers import chromium
from tests.e2e.pages import DESKTOP, HARM, PHONE
from tests.little import ASSIGNMENT, NOTEBOOK, answer, cell_of, little_source, submit, write_course

pytestmark = pytest.mark.browser

PAYLOAD = f"""</code></li><script>{HARM}</script>"><img src=x onerror="{HARM}">"""
FIRST = f"""'"><img src=x onerror="{HARM}">"""  # a folder, so without a slash
SECOND = "Wolfeschlegelsteinhausenbergerdorff" * 4
UNREADABLE = "<svg onload='window.harmed = true'>"
SHARED = "\n".join(f"part_{n} = image[{n}:].sum(axis={n % 3}) ** {n}" for n in range(40))
PAGES = ("list", "pair")


def copied(document: dict) -> None:
    cell = cell_of(document, "imports")
    cell["source"] += f"\n# {PAYLOAD}\ntext = {PAYLOAD!r}\n{'long_' * 60} = 1\n{SHARED}"


def copied_and_renamed(document: dict) -> None:
    copied(document)
    cell = cell_of(document, "imports")
    cell["source"] = cell["source"].replace("part_", "piece_").replace("image", "picture")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The list and the page of its one pair."""
    root = write_course(tmp_path_factory.mktemp("similar") / "course")
    released = root / "release" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    released.parent.mkdir(parents=True)
    released.write_text(json.dumps(little_source()), "utf-8")
    submit(root, FIRST, answer(copied))
    submit(root, SECOND, answer(copied_and_renamed))
    submit(root, UNREADABLE, PAYLOAD.encode())
    done = CliRunner().invoke(similar, [ASSIGNMENT, "--root", str(root)])
    assert "knn: 2 compared, 1 not, 1 pairs" in done.output, done.output
    folder = root / "report" / ASSIGNMENT / "similar"
    (pair,) = (folder / "pairs").glob("*.html")
    return {"list": folder / "index.html", "pair": pair}


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_nothing_hangs_over_the_edge(
    browser: Chrome, written: dict[str, Path], page: str, width: int, tmp_path: Path
) -> None:
    pages.show(browser, written[page], width)
    browser.save_screenshot(str(tmp_path / f"{page}-{width}.png"))
    pages.nothing_hangs_over_the_edge(browser, width)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_schemes(
    browser: Chrome, written: dict[str, Path], page: str, scheme: str
) -> None:
    pages.show(browser, written[page], PHONE, scheme)
    pages.text_stands_out(browser, scheme)


@pytest.mark.parametrize(("page", "tables"), [("list", 2), ("pair", 1)])
def test_a_screen_reader_finds_its_way(
    browser: Chrome, written: dict[str, Path], page: str, tables: int
) -> None:
    pages.show(browser, written[page])
    assert pages.screen_reader_finds_its_way(browser) == (tables, 0)


def test_what_students_wrote_is_text(browser: Chrome, written: dict[str, Path]) -> None:
    for page, theirs in {"list": (FIRST, SECOND, UNREADABLE), "pair": (FIRST, PAYLOAD)}.items():
        pages.show(browser, written[page])
        text = browser.find_element(By.TAG_NAME, "body").text
        assert [shown for shown in theirs if shown not in text] == []
        pages.nothing_runs_or_is_fetched(browser)


def test_the_list_leads_to_a_pair_whose_parts_lead_to_each_other(
    browser: Chrome, written: dict[str, Path]
) -> None:
    pages.show(browser, written["list"])
    browser.find_element(By.CSS_SELECTOR, "#pairs + .scroll th[scope=row] a").click()
    assert browser.current_url == written["pair"].as_uri()
    browser.find_element(By.ID, "left-1").click()
    opposite = browser.find_element(By.CSS_SELECTOR, ":target")
    assert opposite.get_attribute("id") == "right-1"
    assert opposite.is_displayed()
    browser.find_element(By.CSS_SELECTOR, "nav a").click()
    assert browser.current_url == written["list"].as_uri()
