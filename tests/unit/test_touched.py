"""`make quick` runs the tests that a change touches: which are they?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import touched  # noqa: E402

DEMO = "tests/grading/test_demo.py::test_sample_earns"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("tests/grading/test_export.py", ["tests/grading/test_export.py"]),
        ("tests/grading/downloads.py", ["tests/grading/test_collect.py"]),
        ("tests/security/conftest.py", ["tests/security"]),
        ("autograder/export/canvas.py", ["tests/grading/test_export.py"]),
        ("autograder/cli/doctor.py", ["tests/e2e/test_autograder_cli.py"]),
        ("autograder/sandbox/lockdown.py", ["tests/security"]),
        ("autograder/demo/samples/cheat_exits.py", [f"{DEMO}[cheat_exits-knn]"]),
        (
            "autograder/mutants/assignment1/knn/right_1.py",
            ["tests/grading/test_knn_checks.py", touched.OTHER_STYLES],
        ),
        (
            "autograder/checks/assignment2/dropout/forward.py",
            ["tests/grading/test_dropout_checks.py", f"{DEMO}[reference-Dropout]"],
        ),
        ("autograder/checks/assignment1/svm.py", ["tests/grading/test_linear_checks.py"]),
        (
            "source/assignment2/Dropout.ipynb",
            [
                "tests/grading/test_dropout_checks.py",
                "tests/notebooks/test_structure.py",
                f"{touched.NBVAL}[assignment2/Dropout]",
            ],
        ),
        (
            "autograder/checks/shared/linear_losses.py",
            ["tests/grading/test_linear_checks.py", f"{DEMO}[reference-softmax]"],
        ),
    ],
)
def test_a_path_touches(path: str, expected: list[str]) -> None:
    found = touched.touched(ROOT, [path])
    assert set(expected) <= set(found), found


@pytest.mark.nightly  # half a minute: pytest collects everything
def test_what_is_named_exists() -> None:
    """Otherwise pytest would stop: names of single tests are made up from paths."""
    paths = [
        str(path.relative_to(ROOT))
        for pattern in ("source/*/*.ipynb", "autograder/demo/samples/*.py")
        for path in ROOT.glob(pattern)
    ]
    found = touched.touched(ROOT, paths)
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:xdist", *found]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_other_notebooks_are_left_alone() -> None:
    found = touched.touched(ROOT, ["source/assignment2/Dropout.ipynb"])
    cases = [name for name in found if "[" in name]
    assert cases
    assert all("Dropout" in name for name in cases)


def test_prose_touches_nothing_and_unit_tests_always_run() -> None:
    assert touched.touched(ROOT, ["README.md", "docs/grading.md", "tests/unit/test_wire.py"]) == []


def test_a_single_test_is_not_named_beside_its_module() -> None:
    paths = ["tests/grading/test_demo.py", "autograder/demo/samples/blank.py"]
    assert touched.touched(ROOT, paths) == ["tests/grading/test_demo.py"]


@pytest.fixture
def branch(tmp_path: Path) -> Path:
    """A repository on a branch: main has moved on since."""

    def git(*words: str) -> None:
        about = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
        subprocess.run(["git", *about, *words], cwd=tmp_path, check=True, capture_output=True)

    def commit(name: str) -> None:
        (tmp_path / name).write_text(name)
        git("add", name)
        git("commit", "-m", name)

    git("init", "-b", "main")
    commit("old.py")
    git("switch", "-c", "mine")
    commit("committed.py")
    git("switch", "main")
    commit("theirs.py")
    git("switch", "mine")
    (tmp_path / "old.py").write_text("changed")
    (tmp_path / "é.py").write_text("new")
    return tmp_path


def test_the_change_is_all_since_the_branch_left_main(branch: Path) -> None:
    assert touched.default_base(branch) == "main"
    assert touched.changed_paths(branch, "main") == ["committed.py", "old.py", "é.py"]


def test_an_unknown_base_is_named(branch: Path) -> None:
    with pytest.raises(SystemExit, match="nowhere"):
        touched.changed_paths(branch, "nowhere")
