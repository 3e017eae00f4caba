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

from tests import little
from tests.e2e.browsers import SECONDS, chromium
from tests.e2e.courses import Course
from tests.little import ASSIGNMENT, CLASS_POINTS, cell_of
from tests.waiting import wait_until

HARM = "document.title = 'HARMED'; window.harmed = true"
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
    little.submit(course.root, "zoe", little.answer())
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
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    warm = [
        int(child)
        for child in children.read_text().split()
        if b"autograder.sandbox" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
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
