"""The formgrader's buttons, in a real Jupyter server and a real browser, use our judge."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from autograder.feedback.pages import make_feedback
from autograder.judge.sandbox import children
from tests import little
from tests.e2e import pages
from tests.e2e.browsers import SECONDS, chromium
from tests.e2e.courses import Course
from tests.little import ASSIGNMENT, CLASS_POINTS, cell_of
from tests.processes import named
from tests.waiting import wait_until

HARM = "document.title = 'HARMED'; window.harmed = true"
SCREEN = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
PAYLOADS = f"""<script>{HARM}</script><img src=x onerror="{HARM}"><svg onload="{HARM}"></svg>
<a href="javascript:{HARM}">here</a><iframe srcdoc="<script>parent.harmed = true</script>"></iframe>
<details open ontoggle="{HARM}">x</details>"""


def malicious(document: dict) -> None:
    """Correct, but its answer and its outputs carry scripts for whoever reads them."""
    cell_of(document, "knn-question-bright-rows")["source"] = f"Bright rows.\n\n{PAYLOADS}"
    shown = f"""
from IPython.display import HTML, Javascript, Markdown, SVG, display
display(HTML({PAYLOADS!r}), Markdown({PAYLOADS!r}), Javascript({HARM!r}))
display(SVG("<svg xmlns='http://www.w3.org/2000/svg' onload=\\"{HARM}\\"></svg>"))
print({PAYLOADS!r})
"""
    cell = cell_of(document, "k-nearest-neighbor")
    cell["source"] = "".join(cell["source"]) + shown


def mistaken(document: dict) -> None:
    """An answer with a formula, and cells that print in colours, warn, and raise an error."""
    cell_of(document, "knn-question-bright-rows")["source"] = "Since $d_2 < \\frac{1}{2}$, bright."
    source = """
import warnings
print("\\033[31mred\\033[32mgreen\\033[93mbright yellow\\033[37mwhite\\033[96mbright cyan\\033[0m")
warnings.warn("careful", stacklevel=1)
def share(part: float, whole: float = 0) -> float:
    '''A share, which cannot be.'''
    return part / whole  # of nothing
share(1.5)
"""
    own = {"cell_type": "code", "id": "own", "metadata": {}, "outputs": [], "execution_count": None}
    document["cells"].append(own | {"source": source})


@dataclass(frozen=True)
class Server:
    """A Jupyter server in a course, with nbgrader's formgrader."""

    course: Course
    url: str
    token: str
    process: subprocess.Popen[bytes]

    def request(self, path: str, *, post: bool = False) -> Any:
        """JSON from the formgrader's API, as its buttons ask for it."""
        request = urllib.request.Request(
            f"{self.url}/formgrader/api/{path}",
            method="POST" if post else "GET",
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return json.loads(answer.read())


@contextmanager
def serving(course: Course) -> Iterator[Server]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token, log = secrets.token_hex(16), course.root.with_name("server.log")
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", f"--IdentityProvider.token={token}"]
    with log.open("wb") as file:
        process = subprocess.Popen(
            command,
            cwd=course.root,
            env=course.environment(),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = Server(course, f"http://127.0.0.1:{port}", token, process)
    try:
        _wait_until_up(server, log)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_until_up(server: Server, log: Path) -> None:
    def answers() -> bool:
        with suppress(urllib.error.URLError, ConnectionError):
            server.request("status")
            return True
        return False

    wait_until(answers, server.process, lambda: log.read_text()[-4000:])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    course = Course(little.write_course(tmp_path_factory.mktemp("formgrader") / "course"))
    little.submit(course.root, "ada", little.answer())
    little.submit(course.root, "mallory", little.answer(malicious))
    little.submit(course.root, "zoe", little.answer(mistaken))
    with serving(course) as running:
        generated = running.request(f"assignment/{ASSIGNMENT}/assign", post=True)
        assert generated["success"], generated
        yield running


def submission(server: Server, student: str) -> dict[str, Any]:
    return server.request(f"submission/{ASSIGNMENT}/{student}")


def test_generate_button_makes_our_release(server: Server) -> None:
    release = server.course.root / "release" / ASSIGNMENT / f"{little.NOTEBOOK}.ipynb"
    text = release.read_text("utf-8")
    assert "compute_distances_two_loops: write your code here" in text
    assert "hidden.check" not in text


def test_autograde_button_asks_our_judge(server: Server) -> None:
    assert not submission(server, "ada")["autograded"]
    graded = server.request(f"submission/{ASSIGNMENT}/ada/autograde", post=True)
    assert graded["success"], graded
    assert submission(server, "ada")["score"] == CLASS_POINTS
    assert server.course.points("ada") == CLASS_POINTS
    assert "of 4 points" in server.course.autograded("ada").read_text("utf-8")


def test_the_button_still_works_after_its_warm_process_died(server: Server) -> None:
    """The server lives for days; what it keeps warm may have been killed in between."""
    own = children(server.process.pid)
    warm = [pid for pid in named(server.process.pid, b"autograder.sandbox") if pid in own]
    assert warm, "the executor keeps a warm process"
    for child in warm:
        os.kill(child, signal.SIGKILL)
    graded = server.request(f"submission/{ASSIGNMENT}/ada/autograde", post=True)
    assert graded["success"], graded
    assert submission(server, "ada")["score"] == CLASS_POINTS


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.mark.browser
def test_a_ta_clicks_autograde_and_reads_a_harmless_page(
    server: Server, browser: webdriver.Chrome, tmp_path: Path
) -> None:
    wait = WebDriverWait(browser, SECONDS)
    browser.get(f"{server.url}/api/status?token={server.token}")  # logs in
    browser.get(f"{server.url}/formgrader/manage_submissions/{ASSIGNMENT}")
    row = "//tr[td[contains(@class, 'student-id') and normalize-space() = 'mallory']]"
    wait.until(lambda b: b.find_elements(By.XPATH, f"{row}//td[contains(@class, 'autograde')]/a"))
    browser.find_element(By.XPATH, f"{row}//td[contains(@class, 'autograde')]/a").click()
    score = f"{row}//td[contains(@class, 'score')]"
    total = f"{CLASS_POINTS:g} / {CLASS_POINTS + 2:g}"
    wait.until(lambda b: [e for e in b.find_elements(By.XPATH, score) if e.text == total])
    status = browser.find_element(By.XPATH, f"{row}//td[contains(@class, 'status')]").text
    assert status == "needs manual grading"

    notebook = server.request(f"submitted_notebooks/{ASSIGNMENT}/{little.NOTEBOOK}")
    [ours] = [entry for entry in notebook if entry["student"] == "mallory"]
    browser.get(f"{server.url}/formgrader/submissions/{ours['id']}/")
    wait.until(lambda b: b.find_elements(By.CSS_SELECTOR, "input.score"))
    wait.until(lambda b: b.execute_script("return document.readyState") == "complete")
    browser.save_screenshot(str(tmp_path / "submission.png"))
    assert browser.execute_script("return window.harmed") is None
    assert "HARMED" not in browser.title
    text = browser.find_element(By.TAG_NAME, "body").text
    assert "4 of 4 points" in text
    assert "Bright rows." in text
    assert not browser.find_elements(By.CSS_SELECTOR, "[onerror], [onload], [ontoggle], iframe")
    assert not browser.find_elements(By.CSS_SELECTOR, "a[href^=javascript]")


@pytest.fixture(scope="module")
def zoe(server: Server) -> str:
    """Zoe's answers are graded: the id of her notebook in the formgrader."""
    graded = server.request(f"submission/{ASSIGNMENT}/zoe/autograde", post=True)
    assert graded["success"], graded
    found = server.request(f"submitted_notebooks/{ASSIGNMENT}/{little.NOTEBOOK}")
    [one] = [entry for entry in found if entry["student"] == "zoe"]
    return one["id"]


@pytest.mark.browser
def test_the_rubric_stands_beside_the_answer_and_comments_are_kept(
    server: Server, browser: webdriver.Chrome, zoe: str, tmp_path: Path
) -> None:
    report = server.course.root / "report" / ASSIGNMENT / "students" / "zoe.html"
    report.parent.mkdir(parents=True)
    report.write_text("<title>Zoe in the report</title>", "utf-8")
    wait = WebDriverWait(browser, SECONDS)
    pages.command(browser, "Emulation.setDeviceMetricsOverride", **SCREEN)
    browser.get(f"{server.url}/api/status?token={server.token}")  # logs in
    page = f"{server.url}/formgrader/submissions/{zoe}/"
    browser.get(page)
    score = (By.ID, "knn-question-bright-rows")
    wait.until(lambda b: "needs_manual_grade" in b.find_element(*score).get_attribute("class"))

    answer = browser.find_element(By.CSS_SELECTOR, ".answer:has(math mfrac)")
    rubric = browser.find_element(By.CSS_SELECTOR, "aside.rubric")
    browser.execute_script("arguments[0].querySelector('details').open = true", rubric)
    source = "".join(cell_of(little.little_source(), "knn-question-bright-rows")["source"])
    model, scheme = source.split("### BEGIN MARK SCHEME\n")
    for words in (model.split()[:6], scheme.split()[:6], ["2", "points"]):
        assert " ".join(words) in " ".join(rubric.text.split())
    assert rubric.rect["x"] >= answer.rect["x"] + answer.rect["width"] - 1, "it is not beside it"
    assert abs(rubric.rect["y"] - answer.rect["y"]) < 100
    assert len(browser.find_elements(By.CSS_SELECTOR, "aside.rubric")) == 1, (
        "of tests there is none"
    )
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", rubric)
    browser.save_screenshot(str(tmp_path / "rubric.png"))
    assert browser.get_log("browser") == []
    fetched = browser.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    assert [url for url in fetched if not url.startswith(server.url)] == [], "works offline"

    browser.find_element(*score).send_keys("1.5\t")
    browser.find_element(By.ID, "knn-question-bright-rows-comment").send_keys("Well seen.\t")

    def grade() -> tuple[float | None, float | None, bool]:
        return server.course.grades("zoe")["knn-question-bright-rows"]

    wait.until(lambda _: grade()[1] == 1.5)
    again = server.request(f"submission/{ASSIGNMENT}/zoe/autograde", post=True)
    assert again["success"], again
    assert grade() == (None, 1.5, True), "kept, and marked for another look"
    browser.get(page)
    wait.until(lambda b: b.find_element(*score).get_attribute("value") == "1.5")
    comment = (By.ID, "knn-question-bright-rows-comment")
    wait.until(lambda b: b.find_element(*comment).get_attribute("value") == "Well seen.")

    browser.find_element(By.PARTIAL_LINK_TEXT, "in the report").click()
    wait.until(lambda b: b.title == "Zoe in the report")


@pytest.mark.browser
def test_a_feedback_page_is_one_file_that_can_be_read(
    server: Server, browser: webdriver.Chrome, zoe: str, tmp_path: Path
) -> None:
    assert zoe
    [page] = make_feedback(server.course.root, ASSIGNMENT, ["zoe"])
    browser.get_log("browser")  # of other tests
    pages.show(browser, page)
    pages.nothing_runs_or_is_fetched(browser)
    pages.nothing_is_pale(browser)
    browser.save_screenshot(str(tmp_path / "feedback.png"))
    assert browser.find_elements(By.CSS_SELECTOR, ".output_error span[style*=rgb]")
    assert browser.find_elements(By.CSS_SELECTOR, "math mfrac")
    assert not browser.find_elements(By.CSS_SELECTOR, ".rubric")
    links = browser.find_elements(By.CSS_SELECTOR, ".contents nav a")
    named = [str(link.get_attribute("href")).partition("#")[2] for link in links]
    assert set(server.course.grades("zoe")) <= set(named)
    for name in named:
        assert browser.find_elements(By.NAME, name), name
