"""What every page of ours has to be: read on a phone, in the dark, by a screen reader; harmless."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome

DESKTOP, PHONE = 1280, 390
DRAWN = ("--bar", "--edge", "--full", "--some", "--zero", "--noted", "--link")
TEXT_CONTRAST, DRAWN_CONTRAST = 4.5, 3.0  # WCAG 2.2, 1.4.3 (AA) and 1.4.11
HARM = "window.harmed = true"  # what hostile names and notebooks in tests try to run


def show(browser: Chrome, page: Path, width: int = DESKTOP, scheme: str = "light") -> None:
    """Open a page on a screen of this width, with everything unfolded."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    command(browser, "Emulation.setEmulatedMedia", media="", features=features)
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == PHONE}
    command(browser, "Emulation.setDeviceMetricsOverride", **size)
    browser.get(page.as_uri())
    browser.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true })")


def command(browser: Chrome, name: str, **options: Any) -> None:
    browser.execute_cdp_cmd(name, options)


def nothing_hangs_over_the_edge(browser: Chrome, width: int) -> None:
    inner, over = browser.execute_script(OVER_THE_EDGE)
    assert inner == width, inner
    assert over == [], over


def text_stands_out(browser: Chrome, scheme: str) -> None:
    behind = nothing_is_pale(browser, DRAWN)
    brightness = sum(map(int, behind.strip("rgb()").split(","))) / 3
    assert (brightness > 128) == (scheme == "light")


def nothing_is_pale(browser: Chrome, drawn: Sequence[str] = ()) -> str:
    """Every text can be read, and so can what is drawn in colours of these names.

    Returns the colour of the page.
    """
    options = (TEXT_CONTRAST, DRAWN_CONTRAST, list(drawn))
    texts, found, behind = browser.execute_script(LOW_CONTRAST, *options)
    assert texts > 50, texts
    assert found == [], found
    return behind


def screen_reader_finds_its_way(browser: Chrome) -> tuple[int, int]:
    """How many tables and drawings there are."""
    tables, drawings, wrong = browser.execute_script(STRUCTURE)
    assert wrong == [], wrong
    return tables, drawings


def nothing_runs_or_is_fetched(browser: Chrome) -> None:
    """The log would also tell of what the page's own policy has blocked."""
    assert browser.execute_script("return window.harmed") is None
    assert browser.execute_script("return performance.getEntriesByType('resource')") == []
    assert browser.get_log("browser") == []


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
for (const drawn of arguments[2]) {
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
