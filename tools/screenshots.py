"""Take the README's pictures with Chromium: a notebook in JupyterLab, and a student's report.

    make demo && .venv/bin/python tools/screenshots.py

It writes docs/img/notebook.webp and report.webp. The notebook is a released one, run up to its
first figures; the report is of `make demo`.
"""

import argparse
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import nbformat
from PIL import Image
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from autograder.authoring.refresh import executed

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.e2e.browsers import chromium  # noqa: E402

WIDTH, HEIGHT = 1000, 760  # pixels of the page; pictures have twice as many
MOST_BYTES = 150_000
SECONDS = 300  # for JupyterLab to begin on a busy machine
NOTEBOOK, LAST_CELL = "release/assignment1/knn.ipynb", "l1-and-l2-picture"
SHOWN_CELL = "Before any algorithm, look at them"  # what stands above the first figure
REPORT = "demo/report/assignment1/students/wrong_net_relu_mask.html"
QUESTION = "two_layer_net: "  # the heading at which the picture begins


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", help="notebook, report; default: both")
    what = parser.parse_args().what or ["notebook", "report"]
    with tempfile.TemporaryDirectory() as folder, chromium(Path(folder) / "profile") as browser:
        size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 2, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        if "report" in what:
            save(report(browser), "report")
        if "notebook" in what:
            save(notebook(browser, Path(folder) / "course"), "notebook")


def report(browser: Chrome) -> bytes:
    """A student's report, where questions were answered."""
    browser.get((ROOT / REPORT).as_uri())
    scroll = "[...document.querySelectorAll('h2,h3')].find(h => h.innerText.startsWith('%s'))"
    browser.execute_script(f"{scroll % QUESTION}.scrollIntoView()")
    return browser.get_screenshot_as_png()


def notebook(browser: Chrome, folder: Path) -> bytes:
    """The released notebook in JupyterLab, with its first figure."""
    path = ROOT / NOTEBOOK
    ran = executed(path, last=LAST_CELL)
    whole = nbformat.read(path, as_version=4)
    whole.cells[: len(ran.cells)] = ran.cells
    folder.mkdir()
    nbformat.write(whole, folder / path.name)
    with jupyterlab(folder) as address:
        browser.get(f"{address.replace('/lab?', f'/doc/tree/{path.name}?')}")
        wait = WebDriverWait(browser, SECONDS)
        wait.until(lambda page: page.find_elements(By.CSS_SELECTOR, ".jp-Notebook .jp-Cell img"))
        text = f"//p[contains(., '{SHOWN_CELL}')]"
        wait.until(lambda page: page.find_elements(By.XPATH, text))
        browser.execute_script(
            "arguments[0].scrollIntoView()", browser.find_element(By.XPATH, text)
        )
        time.sleep(5)  # nothing tells when the pictures have been laid out
        browser.execute_script("document.querySelectorAll('.Toastify').forEach(e => e.remove())")
        return browser.get_screenshot_as_png()


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """A server for one folder; its address with the token. It ends with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token = secrets.token_hex(8)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}"]
    command += [f"--IdentityProvider.token={token}", f"--notebook-dir={folder}"]
    command += ["--allow-root"] if os.geteuid() == 0 else []
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + SECONDS
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api").close()
                break
            except OSError:
                if time.monotonic() > until or server.poll() is not None:
                    raise
                time.sleep(1)
        yield f"http://127.0.0.1:{port}/lab?token={token}"
    finally:
        server.terminate()
        server.wait()


def save(png: bytes, name: str) -> None:
    """As WebP, as good as fits."""
    picture = Image.open(BytesIO(png)).convert("RGB")
    for quality in (80, 70, 60, 50, 40):
        file = BytesIO()
        picture.save(file, "webp", quality=quality, method=6)
        if file.tell() < MOST_BYTES:
            break
    target = ROOT / "docs" / "img" / f"{name}.webp"
    target.write_bytes(file.getvalue())
    print(f"wrote {target}: {picture.size}, {file.tell() // 1000} kB, quality {quality}")


if __name__ == "__main__":
    main()
