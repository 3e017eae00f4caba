"""The report in a real browser: usable on a phone, by keyboard, by a screen reader, in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from autograder.judge.results import GradedNotebook
from autograder.report import write_report
from autograder.report.html import student_file
from tests.e2e import pages
from tests.e2e.browsers import chromium
from tests.e2e.pages import DESKTOP, HARM, PHONE
from tests.made_up_class import ASSIGNMENT, made_up_class

pytestmark = pytest.mark.browser

STUDENTS = 40
HOSTILE = f"""<script>{HARM}</script>"><img src=x onerror="{HARM}">"""
LONG = "Wolfeschlegelsteinhausenbergerdorff" * 4
PAGES = ("index", "student")
VISIBLE = (
    "return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility()).length"
)


@dataclass(frozen=True)
class Report:
    """A report that was written, and a browser to look at it."""

    folder: Path
    student: str  # one with a bit of everything
    browser: Chrome

    def open(self, page: str, width: int = DESKTOP, scheme: str = "light") -> Chrome:
        """Show the page of the class or of a student, with everything unfolded."""
        student = self.folder / "students" / student_file(self.student)
        path = self.folder / "index.html" if page == "index" else student
        pages.show(self.browser, path, width, scheme)
        return self.browser

    def print(self) -> None:
        """Lay the page out as on paper."""
        pages.command(self.browser, "Emulation.setEmulatedMedia", media="print")

    def scripts(self, *, allowed: bool) -> None:
        pages.command(self.browser, "Emulation.setScriptExecutionDisabled", value=not allowed)


def hostile_class() -> Iterator[GradedNotebook]:
    """A made-up class, with two students whose names are meant to do harm."""
    notebooks = list(made_up_class(STUDENTS))
    first, second = notebooks[0].student, notebooks[-1].student
    for notebook in notebooks:
        if notebook.student == first:
            yield replace(notebook, student=HOSTILE, needs_human=HOSTILE, repairs=(HOSTILE,))
        elif notebook.student == second:
            yield replace(notebook, student=LONG, fallback=LONG, substituted=(HOSTILE,))
        else:
            yield notebook


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    folder = tmp_path_factory.mktemp("report")
    write_report(folder, ASSIGNMENT, hostile_class(), {"python": "3.11", "system": LONG})
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield Report(folder, HOSTILE, browser)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", [DESKTOP, PHONE])
def test_nothing_hangs_over_the_edge(report: Report, page: str, width: int, tmp_path: Path) -> None:
    browser = report.open(page, width)
    browser.save_screenshot(str(tmp_path / f"{page}-{width}.png"))
    pages.nothing_hangs_over_the_edge(browser, width)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_schemes(report: Report, page: str, scheme: str) -> None:
    pages.text_stands_out(report.open(page, PHONE, scheme), scheme)


@pytest.mark.parametrize(("page", "tables", "drawings"), [("index", 10, 12), ("student", 1, 0)])
def test_a_screen_reader_finds_its_way(
    report: Report, page: str, tables: int, drawings: int
) -> None:
    found = pages.screen_reader_finds_its_way(report.open(page))
    assert found[0] >= tables
    assert found[1] >= drawings


def test_students_are_searched_filtered_and_sorted_by_keyboard(report: Report) -> None:
    browser = report.open("index")

    def shown(column: int) -> list[str]:
        cells = f"#students-table tbody tr:not([hidden]) > :nth-child({column})"
        return [cell.text for cell in browser.find_elements(By.CSS_SELECTOR, cells)]

    everybody = shown(1)
    assert len(everybody) == STUDENTS
    search = browser.find_element(By.ID, "students-search")
    search.send_keys("zofie")  # as typed on a keyboard that has no Ž
    zofies = [name for name in everybody if name.startswith("Žofie")]
    assert shown(1) == zofies
    count = browser.find_element(By.ID, "students-count").text
    assert count == f"{len(zofies)} of {STUDENTS} students"
    search.send_keys(Keys.BACKSPACE * 5)

    remark = Select(browser.find_element(By.ID, "students-remark"))
    remark.select_by_visible_text("needs a human")
    assert 0 < len(shown(1)) < STUDENTS
    remark.select_by_index(0)

    points = browser.find_element(By.CSS_SELECTOR, "#students-table th:nth-child(2)")
    assert points.get_attribute("aria-sort") is None
    points.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert points.get_attribute("aria-sort") == "ascending"
    rising = [float(text) for text in shown(2)]
    assert rising == sorted(rising)
    points.find_element(By.TAG_NAME, "button").send_keys(Keys.SPACE)
    assert points.get_attribute("aria-sort") == "descending"
    assert [float(text) for text in shown(2)] == rising[::-1]


def test_without_its_script_the_page_is_complete(report: Report) -> None:
    report.scripts(allowed=False)
    try:
        browser = report.open("index")
        assert browser.execute_script(VISIBLE, "#students-table tbody tr") == STUDENTS
        assert browser.execute_script(VISIBLE, "#students-controls, thead button") == 0
    finally:
        report.scripts(allowed=True)


def test_a_script_in_a_name_does_not_run(report: Report) -> None:
    for page in PAGES:
        browser = report.open(page)
        assert HOSTILE in browser.find_element(By.TAG_NAME, "body").text
        pages.nothing_runs_or_is_fetched(browser)


def test_on_paper_everything_is_unfolded(report: Report) -> None:
    browser = report.open("index")
    folded = "details > :last-child"
    everything = browser.execute_script(VISIBLE, folded)
    assert everything > 10
    browser.execute_script("document.querySelectorAll('details').forEach(d => { d.open = false })")
    assert browser.execute_script(VISIBLE, folded) == 0
    report.print()
    assert browser.execute_script(VISIBLE, folded) == everything
    assert browser.execute_script(VISIBLE, "nav, #students-controls") == 0


def test_the_index_leads_to_a_student_and_back(report: Report) -> None:
    browser = report.open("index")
    browser.find_element(By.LINK_TEXT, LONG).click()
    assert browser.find_element(By.TAG_NAME, "h1").text == LONG
    browser.find_element(By.CSS_SELECTOR, "nav a").click()
    assert browser.find_element(By.TAG_NAME, "h1").text == f"{ASSIGNMENT}: grades"
