"""A real Chromium, without a window, driven by Selenium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
CHROMEDRIVER = shutil.which("chromedriver") or ""
NO_BROWSER = "no chromium with its chromedriver on PATH; on Debian: apt-get install chromium-driver"
QUIET = """
    headless=new no-sandbox disable-gpu disable-quic no-first-run disable-background-networking
    disable-component-update disable-sync disable-dev-shm-usage window-size=1100,1600
"""
SECONDS = 60  # what loading a page may take on a busy machine


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """A browser with an empty profile in this folder."""
    assert CHROMIUM, NO_BROWSER
    assert CHROMEDRIVER, NO_BROWSER
    options = Options()
    options.binary_location = CHROMIUM
    for word in (*QUIET.split(), f"user-data-dir={profile}"):
        options.add_argument(f"--{word}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options=options, service=Service(CHROMEDRIVER)) as driver:
        driver.set_page_load_timeout(SECONDS)
        yield driver
