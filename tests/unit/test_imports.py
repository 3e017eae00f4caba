"""What the contracts of import-linter (pyproject.toml) cannot say about imports."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What checks may use besides the judge: arithmetic, and nothing that touches files or processes.
OUTSIDE = {"numpy", "scipy", "torch", "__future__", "dataclasses", "collections", "functools"}
OUTSIDE |= {"ast", "contextlib", "copy", "hashlib", "inspect", "itertools", "time", "typing"}


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports, wherever in the file."""
    package = ".".join(path.relative_to(ROOT).with_suffix("").parts[:-1])
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*package.split(".")[: -node.level + 1 or None], base])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def modules(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"no modules in {folder}"
    return found


@pytest.mark.parametrize("path", modules("autograder/checks"), ids=lambda p: p.stem)
def test_checks_know_only_the_judges_public_names(path: Path) -> None:
    for name in imported(path):
        head, *rest = name.split(".")
        if head == "autograder":
            public = rest[0] == "judge" and len(rest) <= 2
            assert public or rest[0] == "checks", f"{path.name} imports {name}"
        else:
            assert head in OUTSIDE | {"cs231n_lib"}, f"{path.name} imports {name}"


def test_nothing_loads_pickles_across_the_boundary() -> None:
    for path in modules("autograder"):
        names = set(imported(path))
        assert not names & {"pickle", "dill", "cloudpickle", "marshal", "shelve"}, path
