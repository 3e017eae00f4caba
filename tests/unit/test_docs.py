"""Files, folders and modules that the documents and docstrings name are there."""

import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = ("autograder", "benchmarks", "cs231n_lib", "tests", "tools", "deploy")

# Folders that a course gets, and files that are not ours.
NOT_IN_THE_REPOSITORY = {
    "submitted", "autograded", "feedback", "report", "demo", "downloaded", "unattributed",
    "solutions", "attempts", "results", ".autograder", "exchange", "inbound", "build",
}  # fmt: skip
OTHERS = {
    "plugins/zipcollect.py": "nbgrader's",
    "apps/zipcollectapp.py": "nbgrader's",
    "skimage/data/_fetchers.py": "scikit-image's",
    "autograder.py": "an attack's",
    "sitecustomize.py": "an attack's",
    ".github/workflows/": "of repositories on GitHub",
    "/etc/jupyter/nbgrader_config.py": "of a hub",
    "jupyterhub_config.py": "of a hub",
    "in_kernel.py": "of a notebook's checks, where they need one",
    "regression_checks/": "of the course that docs/new-course.md makes",
    "regression_checks/assignment1/lines.py": "of that course",
    "regression_lib/": "of that course",
    "mutants/assignment1/lines/wrong.toml": "of that course",
    "mutants/assignment1/lines/equivalent.toml": "of that course",
    "regression_checks/assignment1/scales.py": "of the course that docs/roads.md makes",
    "mutants/assignment1/scales/wrong.toml": "of that course",
    "autograder/checks/assignment1/knn/knn_nearest.py": "of the question that it adds",
    "calendar.toml": "of a course that has one",
    "course.toml": "of a course that is not the engine's",
    "mutants/assignment1/lines/right_1.py": "of that course",
}
PLACEHOLDER = re.compile(r"[A-Z]{4,}|[*<>…]|\.\.\.|_N\b")


def named_paths(text: str) -> Iterator[str]:
    """Paths in backticks and in links; ``{a,b}.py`` are two, commands and placeholders none."""
    for found in re.findall(r"`([^`\s]+(?:\.(?:py|md|sh|toml|cfg|lock)|/))`", text):
        head, _, rest = found.partition("{")
        names, _, tail = rest.partition("}")
        for name in names.split(","):
            path = f"{head}{name}{tail}"
            if not PLACEHOLDER.search(path):
                yield path
    for found in re.findall(r"\]\(([\w./-]+\.\w+)(?:#[^)]*)?\)", text):
        yield found


def exists(path: str, document: Path) -> bool:
    if path.rstrip("/").split("/")[0] in NOT_IN_THE_REPOSITORY or path in OTHERS:
        return True
    if (document.parent / path).exists():
        return True
    if "/" not in path.rstrip("/"):  # a name alone, where the text says of which folder
        return any(path.rstrip("/") in names for names in all_names())
    return any((folder / path).exists() for folder in (ROOT, ROOT / "autograder"))


@cache
def all_names() -> tuple[set[str], ...]:
    found = [path for folder in CODE for path in (ROOT / folder).rglob("*")]
    return {path.name for path in found}, {path.name for path in ROOT.iterdir()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_path_in_a_document_is_there(document: Path) -> None:
    paths = set(named_paths(document.read_text("utf-8")))
    assert sorted(path for path in paths if not exists(path, document)) == []


def test_paths_are_found_in_text() -> None:
    text = "`a/b.py`, `c/{d,e}.py`, `NOTEBOOK.md`, `x = 1`, [f](g.md#h), `dir/`, `right_*.py`"
    assert list(named_paths(text)) == ["a/b.py", "c/d.py", "c/e.py", "dir/", "g.md"]
    assert not exists("autograder/wire.py", ROOT / "README.md")


def sources() -> list[Path]:
    """All text that people read or run: documents, modules, templates, settings."""
    kinds = {".py", ".j2", ".toml", ".cfg", ".sh", ".md", ""}
    found = [path for folder in CODE for path in (ROOT / folder).rglob("*") if path.is_file()]
    found = [p for p in found if p.suffix in kinds and "mutants" not in p.parts]
    return [*DOCUMENTS, ROOT / "pyproject.toml", ROOT / "Makefile", *sorted(found)]


# Not modules: a file's name, a logger's name, made-up ones of tests.
NOT_MODULES = re.compile(
    r"autograder\.(zip|py|nbgrader|checks\.assignment1\.hogs|checks\.assignment)\b"
)


def test_every_module_that_is_named_anywhere_is_there() -> None:
    """Also in strings: commands of tests, patches, images of containers."""
    missing: list[str] = []
    for path in sources():
        for match in re.finditer(
            r"(?<![\w.@/])(?:autograder|cs231n_lib)(?:\.[a-z]\w*)+", text(path)
        ):
            if not NOT_MODULES.match(match[0]) and not is_there(match[0]):
                missing.append(f"{path.relative_to(ROOT)}: {match[0]}")
    assert missing == []


def text(path: Path) -> str:
    return path.read_text("utf-8", errors="replace")


def is_there(name: str) -> bool:
    """A module, or a name that its module defines."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        folder = ROOT.joinpath(*parts[:length])
        if folder.is_dir() and length == len(parts):
            return True
        for file in (folder / "__init__.py", folder.with_suffix(".py")):
            if file.is_file():
                rest = parts[length:]
                return not rest or re.search(rf"\b{rest[0]}\b", text(file)) is not None
    return False


def test_a_module_that_is_not_there_is_noticed() -> None:
    assert is_there("autograder.batch.run.grade_class")
    assert is_there("autograder.judge")
    assert not is_there("autograder" + ".wire")
    assert not is_there("autograder" + ".batch.no_such_module")
    assert find_spec("autograder.batch.run") is not None
