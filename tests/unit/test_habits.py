"""Habits of the tests themselves: no fixed sleeps, and each helper module loaded once."""

import ast
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]

# Where time.sleep is no wait of a test's, and what it is.
SLEEPS = {
    "grading/test_faults.py": "a random moment to kill at, which is what is tried",
    "security/inside.py": "attacks that stay",
    "waiting.py": "between two looks at a condition",
}


def trees() -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text("utf-8")) for path in sorted(TESTS.rglob("*.py"))}


def test_no_test_sleeps_for_a_fixed_time() -> None:
    """A machine is slower than any time one could wait: `waiting.wait_until` has a condition."""
    found = {
        path.relative_to(TESTS).as_posix()
        for path, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.sleep", "sleep")
    }
    assert found == set(SLEEPS)


def test_each_helper_is_imported_by_one_name() -> None:
    """``little`` and ``tests.little`` would be two modules, each with classes of its own."""
    helpers = {path.stem for path in TESTS.rglob("*.py") if not path.stem.startswith("test_")}
    names: dict[str, set[str]] = defaultdict(set)
    for tree in trees().values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            else:
                continue
            for module in modules:
                last = module.rpartition(".")[2]
                file = TESTS.parent.joinpath(*module.split(".")).with_suffix(".py")
                ours = module.startswith("tests.") and file.is_file()
                if last in helpers and (module == last or ours):
                    names[last].add(module)
    assert {helper: found for helper, found in names.items() if len(found) > 1} == {}
    assert names["little"] == {"tests.little"}
