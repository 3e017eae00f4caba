"""Every test of the library has its own empty cache, and no settings of the person running it."""

from pathlib import Path

import pytest

from cs231n_lib.data.folders import announce_once


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path / "cache"
    monkeypatch.setenv("CS231N_CACHE", str(cache))
    monkeypatch.delenv("CS231N_DATA", raising=False)
    announce_once.cache_clear()
    return cache
