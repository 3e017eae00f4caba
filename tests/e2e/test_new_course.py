"""A course of one's own: docs/new-course.md as it stands, and what goes wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from traitlets.config import PyFileConfigLoader

from autograder.authoring.new_course import NewCourseError, new_course
from autograder.authoring.release import ReleaseError, make_release
from autograder.batch.fingerprints import checks_code
from autograder.settings import CS231N, SettingsError, settings_of
from tests.e2e.courses import Course, run

DOCUMENT = Path(__file__).parents[2] / "docs" / "new-course.md"
BLOCK = re.compile(
    r"^(?:(Cell|File) `([^`]+)`:\n\n)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL
)
NOTEBOOK = Path("source/assignment1/lines.ipynb")
NEEDS_HUMAN, WRONG_USE = 1, 2


def steps() -> Iterator[tuple[str, str, str]]:
    """(Cell, File or nothing; its name; the text) of each block, in the document's order."""
    for kind, name, language, text in BLOCK.findall(DOCUMENT.read_text("utf-8")):
        if kind or language == "bash":
            yield kind, name, text


def fill_in(path: Path, name: str, text: str) -> None:
    nb = nbformat.read(path, as_version=4)
    (cell,) = [cell for cell in nb.cells if cell.id == name]
    cell.source = text.rstrip("\n")
    nbformat.write(nb, path)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """What one has who does what the document says, in its order."""
    here = Course(tmp_path_factory.mktemp("own"))
    printed = []
    for kind, name, text in steps():
        if kind == "Cell":
            fill_in(here.root / NOTEBOOK, name, text)
        elif kind == "File":
            (here.root / name).write_text(text, "utf-8")
        else:
            output = ""
            for command in text.splitlines():
                if command == "cd regression":  # for all that follows
                    here = Course(here.root / "regression")
                else:
                    output += run(here.start("bash", "-c", command))
            printed.append(output)
    (here.root / "printed.json").write_text(json.dumps(printed))
    return here


def scores(course: Course) -> dict[str, float]:
    with Gradebook(f"sqlite:///{course.root}/gradebook.db") as book:
        return {one.student.id: one.score for one in book.assignment_submissions("assignment1")}


def test_the_document_makes_a_course_that_grades(course: Course) -> None:
    assert scores(course) == {"ada": 5, "ben": 0}
    assert (course.root / "feedback" / "ada" / "assignment1" / "lines.html").is_file()
    printed = json.loads((course.root / "printed.json").read_text())
    assert "4 / 4" in printed[1]  # the sample
    assert "0 / 4" in printed[1]
    assert "100.0%" in printed[3]  # of the mutants
    assert re.search(r"right_1\W+20\W+0 = 0\.0%", printed[3])


def test_students_get_the_library_and_no_answer(course: Course) -> None:
    released = course.root / "release" / "assignment1"
    names = sorted(str(path.relative_to(released)) for path in released.rglob("*.*"))
    assert names == ["lines.ipynb", "regression_lib/__init__.py", "regression_lib/data.py"]
    text = (released / "lines.ipynb").read_text()
    assert "NotImplementedError" in text
    assert "linalg" not in text
    assert "hidden.check" not in text


def test_a_student_who_looks_for_the_checks_finds_nothing(course: Course) -> None:
    """Through the real command; tests/security tries every tier and way."""
    name = "thief"
    folder = course.root / "submitted" / name / "assignment1"
    folder.mkdir(parents=True)
    document = json.loads((course.root / "release/assignment1/lines.ipynb").read_text())
    cell = next(cell for cell in document["cells"] if cell["id"] == "fit-code")
    cell["source"] = f"""
import glob, sys
sys.path.insert(0, {str(course.root)!r})
found = glob.glob({str(course.root)!r} + "/*")
print("FOUND", [path for path in found if not path.endswith("_lib")])
try:
    import regression_checks
    print("IMPORTED")
except ImportError:
    print("NO CHECKS")
def fit(X, y):
    import regression_checks.assignment1.lines as hidden
    return hidden.lstsq(X, y)
"""
    (folder / "lines.ipynb").write_text(json.dumps(document))
    run(course.autograder("grade", "assignment1", "--student", name))
    assert scores(course)[name] == 0
    graded = (course.root / "autograded" / name / "assignment1" / "lines.ipynb").read_text()
    assert "NO CHECKS" in graded
    assert "FOUND []" in graded


def test_its_checks_and_library_serve_regrade_and_watch(course: Course) -> None:
    run(course.autograder("regrade", "ada", "assignment1", "--note", "asked for"))
    assert scores(course)["ada"] == 5
    graded = nbformat.read(course.root / "autograded/ada" / NOTEBOOK.relative_to("source"), 4)
    failed = [out for cell in graded.cells for out in cell.get("outputs", ()) if "ename" in out]
    assert failed == []  # its first cell imports the library
    printed = run(course.autograder("watch", "assignment1", "--until", "2001-01-01"))
    assert "watching assignment1" in printed  # it has found the checks, and has no time left


def test_a_changed_check_or_library_grades_again(course: Course) -> None:
    """Also a file that is not code, and what is imported from beside the module."""
    folder = course.root / "regression_checks" / "assignment1"
    settings = settings_of(course.root)
    kept = {checks_code("assignment1", "lines", settings)}
    for path, text in {
        folder / "lines.py": "\nfrom .helper import nothing\n",
        folder / "helper.py": "nothing = 1\n",
        course.root / "regression_lib" / "table.csv": "1,2\n",
    }.items():
        before = path.read_text() if path.exists() else ""
        path.write_text(before + text)
        checks_code.cache_clear()
        checks_code.__wrapped__.__globals__["_imports"].cache_clear()
        checks_code.__wrapped__.__globals__["_path"].cache_clear()
        kept.add(checks_code("assignment1", "lines", settings))
    assert len(kept) == 4


def test_checks_names_a_question_without_one(course: Course, tmp_path: Path) -> None:
    copy = Course(tmp_path / "regression")
    copy.root.mkdir()
    for name in ("course.toml", "release", "regression_lib", "regression_checks", "mutants"):
        run(course.start("cp", "-r", name, str(copy.root / name)))
    path = copy.root / "regression_checks" / "assignment1" / "lines.py"
    path.write_text(path.read_text().split('@check("r-squared")')[0])
    printed = " ".join(run(copy.autograder("checks", "assignment1"), NEEDS_HUMAN).split())
    assert "lines: r-squared has no hidden check" in printed
    path.unlink()
    printed = " ".join(run(copy.autograder("checks", "assignment1"), WRONG_USE).split())
    assert f"assignment1/lines has no hidden checks: write {path}" in printed


@pytest.mark.parametrize(
    ("folder", "says"),
    [
        ("full", "is not empty"),
        ("7", "begin the folder's name with a letter"),
        ("a/b", "not exist"),
    ],
)
def test_no_course_is_made_over_anything(tmp_path: Path, folder: str, says: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(NewCourseError, match=says):
        new_course(tmp_path / folder)
    assert [path.name for path in tmp_path.rglob("*")] == ["full", "notes.txt"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('checks = "algebra_checks"', 'checks = "algebra_check"', "create it, or mend the name"),
        ('library = "algebra_lib"', "", "there is no library"),
        ('library = "algebra_lib"', 'library = "algebra_checks"', "two packages"),
        ('mutants = "mutants"', 'mutants = "mutants"\nlate = 3', "'late' is no setting"),
        ("checks =", "checks", "cannot be read"),
    ],
)
def test_wrong_settings_say_what_to_do(tmp_path: Path, old: str, new: str, says: str) -> None:
    new_course(tmp_path / "algebra")
    path = tmp_path / "algebra" / "course.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(SettingsError, match=says) as caught:
        settings_of(tmp_path / "algebra")
    assert str(path) in str(caught.value)


def test_a_folder_without_settings_is_the_engines_own_course(tmp_path: Path) -> None:
    assert settings_of(tmp_path) is CS231N


def test_it_configures_all_that_the_engines_own_course_does(tmp_path: Path) -> None:
    new_course(tmp_path / "algebra")
    ours, made = (
        PyFileConfigLoader("nbgrader_config.py", path=str(root)).load_config()
        for root in (DOCUMENT.parents[1], tmp_path / "algebra")
    )
    assert made.CourseDirectory.pop("root") == str(tmp_path / "algebra")
    del ours.CourseDirectory["root"]
    assert ours.ExchangeFactory.collect, "nothing was read"
    assert made == ours


def test_its_notebooks_import_nothing_of_the_engines_own_course(tmp_path: Path) -> None:
    """Students have what the setup imports; of an import of PyTorch CS231n makes two."""
    root = tmp_path / "algebra"
    new_course(root)
    setup = "import torch\n\nfrom algebra_lib import measurements"
    fill_in(root / "source" / "assignment1" / "scales.ipynb", "setup", setup)
    [path] = make_release(root, "assignment1")
    cells = {cell.id: cell.source for cell in nbformat.read(path, as_version=4).cells}
    assert cells["setup"] == setup
    assert "cs231n_lib" not in path.read_text("utf-8")


def test_an_address_for_colab_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "algebra"
    new_course(root)
    with (root / "nbgrader_config.py").open("a") as config:
        config.write("c.ColabSetup.address = 'https://github.com/an-institute/algebra'\n")
    says = r"is for CS231n alone: .* and not algebra_lib\. Delete the line"
    with pytest.raises(ReleaseError, match=says):
        make_release(root, "assignment1")
    assert not (root / "release").exists()
