"""The site as it is built: complete, without answers, without anything from another host."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from selenium.webdriver import Chrome

from tests.e2e import pages
from tests.e2e.browsers import chromium
from tests.e2e.pages import DESKTOP, PHONE

ROOT = Path(__file__).resolve().parents[2]
BEGIN, END = re.compile(r"### BEGIN (\w+)"), re.compile(r"### END (\w+)")
HIDDEN = {"SOLUTION", "HIDDEN", "MARK"}  # regions that students never see
KNOWN = {"from autograder import hidden"}  # how every hidden hook begins; CONTRIBUTING shows one
SHORT = 25  # characters: `return loss, grad` stands in many places


class Page(HTMLParser):
    """What a page links to and loads, its anchors, its text, and pictures without a description."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.words: list[str] = []
        self.undescribed: list[str] = []
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids.update(given[name] for name in ("id", "name") if name in given)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif "src" in given or (tag == "link" and given.get("rel") != "canonical"):
            self.loads.append(given.get("src") or given.get("href", ""))
        if tag == "img" and not given.get("alt"):
            self.undescribed.append(given["src"])

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does: a warning is an error."""
    out = tmp_path_factory.mktemp("site") / "html"
    command = [sys.executable, "-m", "tools.website", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


@pytest.fixture(scope="module")
def parsed(site: Path) -> dict[Path, Page]:
    found = {path: Page(path) for path in site.rglob("*.html") if "_static" not in path.parts}
    assert len(found) > 40
    return found


def test_links_and_anchors_lead_somewhere(parsed: dict[Path, Page]) -> None:
    broken = []
    for path, page in parsed.items():
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme in ("https", "http", "mailto", "data"):
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists() or (
                parts.fragment
                and target in parsed
                and unquote(parts.fragment) not in parsed[target].ids
            ):
                broken.append(f"{path.name}: {link}")
    assert broken == []


def test_nothing_is_loaded_from_another_host(site: Path, parsed: dict[Path, Page]) -> None:
    from_elsewhere = re.compile(r"^(https?:)?//")
    for path, page in parsed.items():
        assert [load for load in page.loads if from_elsewhere.match(load)] == [], path
    for path in site.rglob("*.css"):
        found = re.findall(r"(?:url\(|@import )['\"]?((?:https?:)?//[^)'\"]+)", path.read_text())
        assert found == [], path


def test_every_picture_is_described(parsed: dict[Path, Page]) -> None:
    assert {path.name: page.undescribed for path, page in parsed.items() if page.undescribed} == {}


def test_every_notebook_is_there_with_its_figures(site: Path, parsed: dict[Path, Page]) -> None:
    for path in sorted((ROOT / "release").rglob("*.ipynb")):
        page = parsed[(site / path.relative_to(ROOT)).with_suffix(".html")]
        assert any(link.endswith(f"/{path.name}") for link in page.links), "to be downloaded"
        sheet = ROOT / "docs" / "figures" / f"{path.stem}.webp"
        pictures = [load for load in page.loads if "_images/" in load]
        assert bool(pictures) == sheet.is_file(), path.name


def lines_students_never_see() -> Iterator[tuple[str, str]]:
    """Lines of solutions, hidden tests and rubrics, and model answers, each with where it is."""
    for path in sorted((ROOT / "source").rglob("*.ipynb")):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            source = "".join(cell["source"])
            about = cell["metadata"].get("nbgrader", {})
            region = "ANSWER" if about.get("solution") and cell["cell_type"] == "markdown" else ""
            for line in source.splitlines():
                if END.search(line):
                    region = ""
                elif found := BEGIN.search(line):
                    region = found[1]
                elif region in {*HIDDEN, "ANSWER"}:
                    yield f"{path.stem}, cell {cell['id']}", " ".join(line.split())


def test_no_answer_stands_on_the_site(site: Path, parsed: dict[Path, Page]) -> None:
    """Unless the released notebooks have the same line, in another place."""
    released = " ".join(
        " ".join("".join(cell["source"]).split())
        for path in (ROOT / "release").rglob("*.ipynb")
        for cell in json.loads(path.read_text("utf-8"))["cells"]
    )
    words = [" ".join("".join(page.words).split()) for page in parsed.values()]
    words += [path.read_text("utf-8") for path in site.rglob("*.js") if path.stem == "searchindex"]
    words += [" ".join(path.read_text("utf-8").split()) for path in site.rglob("*.ipynb")]
    text = "\n".join(words)
    asked = [
        (where, line)
        for where, line in lines_students_never_see()
        if len(line) >= SHORT and line not in released and line not in KNOWN
    ]
    assert len(asked) > 500
    assert [f"{where}: {line}" for where, line in asked if line in text] == []


def test_an_answer_would_be_found(parsed: dict[Path, Page]) -> None:
    """A line of code is found in its page, though every word of it is coloured."""
    [page] = [page for path, page in parsed.items() if path.name == "knn.html"]
    text = " ".join("".join(page.words).split())
    assert 'raise ValueError(f"num_loops must be 0, 1 or 2, got {num_loops!r}")' in text
    hidden = [line for where, line in lines_students_never_see() if where.startswith("knn,")]
    assert "from autograder import hidden" in hidden
    assert "return dists" in hidden


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_fit_a_phone_and_a_desk(
    site: Path, tmp_path_factory: pytest.TempPathFactory, scheme: str
) -> None:
    names = ["index", "docs/start-student", "docs/commands", "docs/threat-model"]
    names += ["release/assignment1/knn", "release/assignment3/Transformer_Captioning"]
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        for name in names:
            for width in (PHONE, DESKTOP):
                pages.show(browser, site / f"{name}.html", width, scheme)
                assert not scrolls_sideways(browser), (name, width)
                assert formulas_without_size(browser) == 0, name
                failed = [e for e in browser.get_log("browser") if e["level"] == "SEVERE"]
                assert failed == []


def scrolls_sideways(browser: Chrome) -> bool:
    wide = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    return browser.execute_script(wide) > 1


def formulas_without_size(browser: Chrome) -> int:
    count = "return [...document.querySelectorAll('article math')].filter(m => {" + (
        "const box = m.getBoundingClientRect(); return box.width * box.height === 0 "
        "&& !m.closest('details:not([open])') && m.textContent.trim() }).length"
    )
    return browser.execute_script(count)
