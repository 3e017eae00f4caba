"""Which tests the change since `main` touches: one pytest argument a line, for `make quick`.

    python tools/touched.py [BASE]      by default origin/main, or main where there is no origin

The change is everything that differs from the commit where the branch left BASE: committed or not,
and new files. What is nearest comes first:

    tests/.../test_x.py                     itself
    tests/.../helper.py                     the test modules that import it
    source/, release/ of a notebook,        its hidden checks' tests, the notebook under nbval, our
      its checks, its mutants                 solution and others' graded from end to end
    autograder/demo/samples/x.py            that sample graded
    a module of autograder, cs231n_lib,     the test modules that import it; if there is none, those
      tools or benchmarks                     that import its package
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Tests that have one case for each notebook.
OTHER_STYLES = "tests/grading/test_mutate.py::test_right_solutions_in_other_styles_pass"
NBVAL = "tests/notebooks/test_nbval.py::test_notebook_runs_and_stored_outputs_hold"
SAMPLE = "tests/grading/test_demo.py::test_sample_earns"
#: Commands and settings, which tests use without importing them.
BY_NAME = {
    "autograder/cli/": ["tests/e2e/test_autograder_cli.py"],
    "autograder/__main__.py": ["tests/e2e/test_autograder_cli.py"],
    "nbgrader_config.py": ["tests/e2e/test_nbgrader.py"],
    "pyproject.toml": ["tests/unit/test_packaging.py"],
    "autograder/report/": ["tests/e2e/test_report_page.py"],
    "autograder/sandbox/": ["tests/security"],
}


def main(base: str = "") -> None:
    paths = changed_paths(ROOT, base or default_base(ROOT))
    print("\n".join(touched(ROOT, paths)))


def default_base(root: Path) -> str:
    names = git(root, "for-each-ref", "--format=%(refname:short)", "refs/remotes", "refs/heads")
    return next((name for name in ("origin/main", "main") if name in names), "HEAD")


def changed_paths(root: Path, base: str) -> list[str]:
    """Paths that differ from where this branch left ``base``, or are new."""
    [since] = git(root, "merge-base", "HEAD", base)
    differ = git(root, "diff", "--name-only", "--no-renames", since)
    new = git(root, "ls-files", "--others", "--exclude-standard")
    return sorted({*differ, *new})


def git(root: Path, *words: str) -> list[str]:
    command = ["git", "-c", "core.quotePath=false", *words]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout.splitlines()


def touched(root: Path, paths: Iterable[str]) -> list[str]:
    """Test modules, and single tests, of these paths; tests/unit is left out: it always runs."""
    imports = {path: imports_of(path) for path in (root / "tests").rglob("*.py")}
    found: dict[str, None] = {}
    for path in sorted(paths, key=lambda path: not path.startswith("tests/")):
        found |= dict.fromkeys(_touched_by(root, path, imports))
    whole = {name for name in found if "::" not in name}
    kept = [name for name in found if name.partition("::")[0] not in whole or name in whole]
    return [name for name in kept if not name.startswith("tests/unit/")]


def _touched_by(root: Path, path: str, imports: dict[Path, frozenset[str]]) -> Iterator[str]:
    if path.startswith("tests/"):
        yield from _tests_that_use(root, root / path, imports)
        return
    for beginning, tests in BY_NAME.items():
        if path.startswith(beginning):
            yield from tests
    if sample := re.fullmatch(r"autograder/demo/samples/(\w+)\.py", path):
        yield from _graded_sample(root, sample[1])
    elif path.endswith(".py") and not path.startswith("autograder/mutants/"):
        yield from _tests_that_import(root, path, imports)
    for assignment, notebook in notebooks_touched(root, path):
        yield from _checks_tests(root, notebook)
        yield from _one_notebook(root, assignment, notebook, path)


def _tests_that_use(root: Path, path: Path, imports: dict[Path, frozenset[str]]) -> Iterator[str]:
    """A test module itself; of what test modules share, those that import it."""
    if path.name.startswith("test_"):
        if path.exists():
            yield str(path.relative_to(root))
    elif path.name == "conftest.py":
        yield str(path.parent.relative_to(root))
    elif path.suffix == ".py":
        for user, names in imports.items():
            if path.stem in {name.rpartition(".")[2] for name in names}:
                yield from _tests_that_use(root, user, imports)


def _tests_that_import(root: Path, path: str, imports: dict[Path, frozenset[str]]) -> list[str]:
    """Those that import the module; where there are none, those that import its package."""
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    while "." in module:
        users = [
            user
            for user, names in imports.items()
            if any(f"{name}.".startswith(f"{module}.") for name in names)
        ]
        if users:
            return sorted({test for user in users for test in _tests_that_use(root, user, imports)})
        if path.startswith("autograder/checks/"):
            break  # `notebooks_touched` knows better
        module = module.rpartition(".")[0]
    return []


@cache
def imports_of(path: Path) -> frozenset[str]:
    """Dotted names of the modules, and of what is taken from them, that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def notebooks_touched(root: Path, path: str) -> list[tuple[str, str]]:
    """(assignment, notebook) of those that a file belongs to, or whose checks use it."""
    notebooks = sorted((p.parent.name, p.stem) for p in (root / "source").glob("*/*.ipynb"))
    if path.startswith("autograder/checks/shared/"):
        return [(a, name) for a, name in notebooks if _uses(root, a, name, Path(path).stem)]
    place = re.match(r"(?:source|release|autograder/(?:checks|mutants))/(\w+)/(\w+)", path)
    if place is None:
        return []
    return [(a, n) for a, n in notebooks if (a, n.lower()) == (place[1], place[2].lower())]


def _uses(root: Path, assignment: str, notebook: str, shared: str) -> bool:
    """Whether a notebook's checks import a module of ``checks/shared``, maybe through others."""
    folder = root / "autograder" / "checks"
    own = folder / assignment / notebook.lower()
    waiting = [own.with_suffix(".py"), *own.glob("*.py")]
    seen: set[Path] = set()
    while waiting:
        path = waiting.pop()
        if path in seen or not path.exists():
            continue
        seen.add(path)
        parts = [name.split(".") for name in imports_of(path) if ".checks.shared." in name]
        waiting += [folder / "shared" / f"{names[3]}.py" for names in parts]
    return folder / "shared" / f"{shared}.py" in seen


def _checks_tests(root: Path, notebook: str) -> list[str]:
    """The tests of a notebook's checks; those of two notebooks may share a module."""
    folder = root / "tests" / "grading"
    own = folder / f"test_{notebook.lower()}_checks.py"
    files = [own] if own.exists() else sorted(folder.glob("test_*_checks.py"))
    found = [path for path in files if path == own or f'"{notebook}"' in path.read_text("utf-8")]
    return [str(path.relative_to(root)) for path in found]


def _one_notebook(root: Path, assignment: str, notebook: str, path: str) -> Iterator[str]:
    """Single tests of one notebook, of modules that test them all."""
    if re.search(r"/right_\w+\.py$", path):
        yield OTHER_STYLES
    if path.startswith(("source/", "release/")):
        yield "tests/notebooks/test_structure.py"
        yield "tests/notebooks/test_release.py"
        yield f"{NBVAL}[{assignment}/{notebook}]"
    graded = f"# %% notebook {notebook}\n" in _sample(root, "reference")
    if graded and not path.startswith("autograder/mutants/"):
        yield f"{SAMPLE}[reference-{notebook}]"


def _graded_sample(root: Path, student: str) -> list[str]:
    notebooks = re.findall(r"^# %% notebook (\w+)$", _sample(root, student), re.MULTILINE)
    return [f"{SAMPLE}[{student}-{n}]" for n in notebooks]


def _sample(root: Path, student: str) -> str:
    path = root / "autograder" / "demo" / "samples" / f"{student}.py"
    return path.read_text("utf-8") if path.exists() else ""


if __name__ == "__main__":
    main(*sys.argv[1:])
