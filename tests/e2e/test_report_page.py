"""The report in a real browser: usable on a phone, by keyboard, by a screen reader, in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from autograder.judge.results import GradedNotebook
from autograder.report import write_report
from autograder.report.html import student_file
from browsers import chromium
from made_up_class import ASSIGNMENT, made_up_class

pytestmark = pytest.mark.browser

STUDENTS = 40
HARM = "window.harmed = true"
HOSTILE = f"""<script>{HARM}</script>"><img src=x onerror="{HARM}">"""
LONG = "Wolfeschlegelsteinhausenbergerdorff" * 4
PAGES = ("index", "student")
DESKTOP, PHONE = 1280, 390
TEXT_CONTRAST, DRAWN_CONTRAST = 4.5, 3.0  # WCAG 2.2, 1.4.3 (AA) and 1.4.11

# Every visible piece of text whose colour is too near to what is behind it. Where backgrounds are
# drawn (bars, shadows), the colour under the drawing counts.
LOW_CONTRAST = """
const parse = (color) => color.match(/[\\d.]+/g).map(Number);
const linear = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
const ratio = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};
const behind = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const color = parse(getComputedStyle(e).backgroundColor);
    if (color.length < 4 || color[3] > 0) return color;
  }
};
const found = [];
let texts = 0;
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  if (!own || !element.checkVisibility() || element.closest("script, option")) continue;
  const style = getComputedStyle(element);
  texts += 1;
  const color = parse(element.closest("svg") ? style.fill : style.color);
  const got = ratio(color, behind(element));
  if (got < arguments[0]) found.push(`${element.outerHTML.slice(0, 90)}: ${got.toFixed(2)}`);
}
const root = getComputedStyle(document.documentElement);
const probe = document.body.appendChild(document.createElement("i"));
const named = (name) => {
  probe.style.color = root.getPropertyValue(name);
  return parse(getComputedStyle(probe).color);
};
for (const drawn of ["--bar", "--edge", "--full", "--some", "--zero", "--noted", "--link"]) {
  const got = ratio(named(drawn), named("--card"));
  if (got < arguments[1]) found.push(`${drawn} on --card: ${got.toFixed(2)}`);
}
probe.remove();
return [texts, found, getComputedStyle(document.body).backgroundColor];
"""

# What a screen reader goes by, and has to be there.
STRUCTURE = """
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const wrong = [];
const want = (holds, what) => holds || wrong.push(what);
for (const one of ["main", "body > header", "h1", "title"])
  want(all(one).length === 1, `one ${one}`);
want(document.documentElement.lang === "en", "a language");
let level = 0;
for (const heading of all("h1, h2, h3, h4")) {
  const next = Number(heading.tagName[1]);
  want(next <= level + 1, `no jump to ${heading.outerHTML}`);
  level = next;
}
for (const nav of all("nav")) want(nav.getAttribute("aria-label"), "a name for each nav");
const ids = all("[id]").map((e) => e.id);
want(new Set(ids).size === ids.length, "ids of their own");
for (const link of all("a[href^='#']"))
  want(document.getElementById(decodeURIComponent(link.hash.slice(1))), `a place ${link.hash}`);
for (const e of all("[aria-labelledby]"))
  want(document.getElementById(e.getAttribute("aria-labelledby")), `a label of ${e.outerHTML}`);
for (const table of all("table")) {
  want(table.caption && table.caption.textContent.trim(), "a caption for each table");
  want(table.tHead && all("th[scope=col]", table.tHead).length, "column headers");
  for (const th of all("th", table))
    want(["col", "row", "rowgroup"].includes(th.getAttribute("scope")), `scope of ${th.outerHTML}`);
  for (const row of all("tbody tr", table))
    want(row.querySelector("th"), `a header of the row ${row.outerHTML.slice(0, 80)}`);
}
for (const svg of all("svg"))
  want(
    svg.getAttribute("aria-hidden") === "true" ||
      (svg.getAttribute("role") === "img" && svg.getAttribute("aria-label")),
    "words for each drawing",
  );
for (const input of all("input, select")) want(input.labels.length, "labels of inputs");
for (const box of all(".scroll"))
  want(box.tabIndex === 0 && box.getAttribute("aria-label"), "scrolling by keyboard");
return [all("table").length, all("svg").length, wrong];
"""

OVER_THE_EDGE = """
const root = document.documentElement;
const over = [...document.querySelectorAll("body *")].filter((e) =>
  e.checkVisibility() && !e.parentElement.closest(".scroll") && !e.matches(".skip")
  && (e.getBoundingClientRect().right > root.clientWidth || e.getBoundingClientRect().left < 0));
if (root.scrollWidth > root.clientWidth) over.push(root);
return [window.innerWidth, over.map((e) => e.outerHTML.slice(0, 120))];
"""

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
        self._command(
            "Emulation.setEmulatedMedia",
            media="",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE}
        self._command("Emulation.setDeviceMetricsOverride", **size)
        student = self.folder / "students" / student_file(self.student)
        path = self.folder / "index.html" if page == "index" else student
        self.browser.get(path.as_uri())
        self.browser.execute_script(
            "document.querySelectorAll('details').forEach(d => { d.open = true })"
        )
        return self.browser

    def _command(self, name: str, **options: Any) -> None:
        self.browser.execute_cdp_cmd(name, options)

    def print(self) -> None:
        """Lay the page out as on paper."""
        self._command("Emulation.setEmulatedMedia", media="print")

    def scripts(self, *, allowed: bool) -> None:
        self._command("Emulation.setScriptExecutionDisabled", value=not allowed)


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
    inner, over = browser.execute_script(OVER_THE_EDGE)
    assert inner == width
    assert over == []


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_both_schemes(report: Report, page: str, scheme: str) -> None:
    browser = report.open(page, PHONE, scheme)
    texts, found, behind = browser.execute_script(LOW_CONTRAST, TEXT_CONTRAST, DRAWN_CONTRAST)
    assert texts > 100
    assert found == []
    brightness = sum(map(int, behind.strip("rgb()").split(","))) / 3
    assert (brightness > 128) == (scheme == "light")


@pytest.mark.parametrize(("page", "tables", "drawings"), [("index", 10, 12), ("student", 1, 0)])
def test_a_screen_reader_finds_its_way(
    report: Report, page: str, tables: int, drawings: int
) -> None:
    found = report.open(page).execute_script(STRUCTURE)
    assert found[2] == []
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
        assert browser.execute_script("return window.harmed") is None
        assert browser.get_log("browser") == []


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
