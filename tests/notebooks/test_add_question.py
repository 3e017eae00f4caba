"""`add-question`, and the names that `refresh` gives: what JupyterLab cannot do."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from autograder.authoring.cell_ids import rename_cells
from autograder.authoring.new_course import new_course
from autograder.authoring.source_check import check_sources
from autograder.cli.main import main
from autograder.judge.registry import checks_for
from autograder.settings import settings_of

ROOT = Path(__file__).parents[2]


def add(root: Path, *words: str, status: int = 0) -> str:
    result = CliRunner().invoke(main, ["add-question", *words, "--root", str(root)])
    assert result.exit_code == status, result.output
    return result.output


def test_a_question_is_three_cells_a_check_and_a_place_for_mistakes(tmp_path: Path) -> None:
    root = tmp_path / "geometry"
    new_course(root)
    path = root / "source" / "week2" / "Circles.ipynb"
    printed = add(root, str(path), "area-of-circle", "--points", "2.5")
    assert add(root, str(path), "radius").startswith(
        "source/week2/Circles.ipynb: cells radius-idea"
    )
    checks, wrong = "geometry_checks/week2/circles.py", "mutants/week2/Circles/wrong.toml"
    assert [line.split(":")[0] for line in printed.splitlines()] == [
        "source/week2/Circles.ipynb", checks, wrong
    ]  # fmt: skip
    cells = nbformat.read(path, as_version=4).cells
    names = [
        f"{name}{part}" for name in ("area-of-circle", "radius") for part in ("-idea", "-code", "")
    ]
    assert [cell.id for cell in cells] == ["title", "setup", *names]
    roles = [cell.metadata.nbgrader for cell in cells if "nbgrader" in cell.metadata]
    assert [(r.grade_id, r.solution, r.grade, r.locked, r.get("points")) for r in roles[:2]] == [
        ("area-of-circle-code", True, False, False, None),
        ("area-of-circle", False, True, True, 2.5),
    ]
    check_sources([path])
    declared = checks_for("week2", "Circles", settings_of(root))
    assert {name: len(checks) for name, checks in declared.items()} == {
        "area-of-circle": 1, "radius": 1
    }  # fmt: skip
    assert "area_of_circle" in (root / wrong).read_text()
    assert "radius" in (root / wrong).read_text()


@pytest.mark.parametrize(
    ("path", "name", "says"),
    [
        ("source/assignment1/scales.ipynb", "standardize-columns", "has a cell"),
        ("source/assignment1/scales.ipynb", "Two Words", "no name for a question"),
        ("scales.ipynb", "mean", "mend the path"),
    ],
)
def test_nothing_is_written_where_it_does_not_fit(tmp_path: Path, path, name, says) -> None:
    new_course(tmp_path / "school")
    files = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    printed = add(tmp_path / "school", str(tmp_path / "school" / path), name, status=2)
    assert says in " ".join(printed.split())
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == files


def test_in_a_package_of_checks_a_module_is_begun(tmp_path: Path) -> None:
    """As CS231n's notebooks have them; what is there already is left alone."""
    new_course(tmp_path / "school")
    package = tmp_path / "school" / "school_checks" / "assignment1" / "scales"
    package.mkdir()
    package.with_suffix(".py").rename(package / "__init__.py")
    path = tmp_path / "school" / "source" / "assignment1" / "scales.ipynb"
    assert "import the module in __init__.py" in add(tmp_path / "school", str(path), "spread")
    assert '@check("spread")' in (package / "spread.py").read_text()


def test_cells_of_jupyterlab_get_names(tmp_path: Path) -> None:
    graded = {"grade_id": "fit-line", "grade": True, "solution": False}
    cells = [
        {"cell_type": "markdown", "id": "0f1e2d3c", "metadata": {}, "source": "## The idea"},
        {"cell_type": "code", "id": "fit-line", "metadata": {}, "source": "def slope(): pass"},
        {"cell_type": "code", "id": "9a8b7c6d", "metadata": {"nbgrader": graded}, "source": ""},
        {"cell_type": "code", "id": "kept", "metadata": {}, "source": "x = 1"},
        {
            "cell_type": "code",
            "id": "3f2c1b0a-1111-4222-8333-0123456789ab",
            "metadata": {},
            "source": "y = 2",
        },
    ]
    assert rename_cells(cells) == {
        "0f1e2d3c": "the-idea",
        "fit-line": "slope",
        "9a8b7c6d": "fit-line",
        "3f2c1b0a-1111-4222-8333-0123456789ab": "y-2",
    }
    assert [cell["id"] for cell in cells] == ["the-idea", "slope", "fit-line", "kept", "y-2"]


@pytest.mark.parametrize("path", sorted((ROOT / "source").glob("*/*.ipynb")), ids=lambda p: p.stem)
def test_no_name_of_ours_is_taken_for_a_random_one(path: Path) -> None:
    assert rename_cells(json.loads(path.read_text("utf-8"))["cells"]) == {}
