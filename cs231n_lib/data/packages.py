"""Data files inside other installed packages."""

import importlib.util
from pathlib import Path


def package_folder(package: str) -> Path | None:
    """The folder of an installed top-level package, found without running its code; else None."""
    spec = importlib.util.find_spec(package)
    locations = spec.submodule_search_locations if spec else None
    return Path(next(iter(locations))) if locations else None
