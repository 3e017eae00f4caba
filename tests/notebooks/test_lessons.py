"""The map of the course says of each notebook what the notebook itself says."""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from autograder.authoring.course_map import FUNCTIONS, MAP, PICTURE, TABLE, course_pages, describe
from autograder.authoring.lessons import (
    ROWS,
    Lesson,
    hours_of,
    read_lesson,
    read_lessons,
    title_table,
    used_names,
)
from autograder.authoring.release import ReleaseError, release
from autograder.grading.prerequisites import loads
from cs231n_lib.plotting import plot_lessons
from cs231n_lib.plotting.lessons import direct, place_lessons

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "source").glob("*/*.ipynb"))


def first_cell(path: Path) -> str:
    return nbformat.read(path, as_version=4).cells[0].source


#: The notebooks that are asked to have a title table.
WITH_TABLE = SOURCES


@pytest.fixture(params=WITH_TABLE, ids=lambda path: f"{path.parent.name}/{path.stem}")
def path(request: pytest.FixtureRequest) -> Path:
    return request.param


# -- the table in a notebook's first cell ---------------------------------------------------------


def test_the_title_table_has_its_rows(path: Path) -> None:
    rows = title_table(first_cell(path))
    assert tuple(rows) == ROWS
    assert all(rows.values()), "no row is empty"


def test_the_hours_are_those_of_a_person(path: Path) -> None:
    hours = read_lesson(path).hours
    assert hours is not None, "write it as 'about 3 hours'"
    assert 0.5 <= hours <= 10


def test_the_points_are_those_that_are_graded(path: Path) -> None:
    text = title_table(first_cell(path))["Points"]
    found = re.match(r"(\d+(?:\.\d+)?):\s*(.+)", text)
    assert found, "it begins with the total, as in '22: two loops 3, one loop 3'"
    assert float(found[1]) == read_lesson(path).points
    parts = re.split(r"[,;]\s+(?![^()]*\))", found[2])  # not within brackets
    tasks = [re.search(r"(\d+(?:\.\d+)?)\.?$", task) for task in parts]
    assert all(tasks), "each task ends with its points"
    assert sum(float(task[1]) for task in tasks if task) == float(found[1])


def test_it_names_the_notebooks_whose_functions_are_loaded(path: Path) -> None:
    needed = title_table(first_cell(path))["You need first"]
    assert [name for name in read_lesson(path).uses if name not in needed] == []


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("about 3 hours", 3),
        ("about 1 hour", 1),
        ("about 2.5 hours, of which the last cell takes ten minutes", 2.5),
        ("about half an hour", 0.5),
        ("3 hours", None),
        ("about an hour", None),
        ("", None),
    ],
)
def test_hours_are_read(text: str, hours: float | None) -> None:
    assert hours_of(text) == hours


def test_a_table_in_another_form_is_none() -> None:
    assert title_table("# T\n\n| | |\n| --- | --- |\n| Time | about 3 hours |") == {}
    rows = title_table("| **Time** | about `a` \\* 3 |\n|  **Points**|5: x 5|\n| **Other** | y |")
    assert rows == {"Time": "about `a` \\* 3", "Points": "5: x 5"}


# -- whose functions are used ---------------------------------------------------------------------


def test_names_are_found_however_they_are_taken() -> None:
    code = [
        'svm = load("svm")\nforward, backward = svm.forward, svm.backward',
        'adam = load("nets.ipynb").adam\nload("only")',
        "def f():\n    return svm.late(other.not_this)",
        "%matplotlib inline\nthis is no Python",
    ]
    cells = [new_code_cell(source) for source in code]
    assert used_names(new_notebook(cells=cells)) == {
        "svm": ("forward", "backward", "late"),
        "nets": ("adam",),
        "only": (),
    }


def test_they_are_the_notebooks_that_grading_puts_beside() -> None:
    for path in SOURCES:
        nb = nbformat.read(path, as_version=4)
        assert sorted(used_names(nb)) == sorted(loads(nb)), path.stem


# -- the map --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cells() -> dict[str, NotebookNode]:
    released = nbformat.read(ROOT / "release" / MAP, as_version=4)
    nbformat.validate(released)
    return {cell.id: cell for cell in released.cells}


def test_the_released_map_and_its_pages_are_not_stale() -> None:
    for name, text in course_pages(ROOT / "source").items():
        released = (ROOT / "release" / name).read_text("utf-8")
        assert released == text, f"release/{name} is stale; run `make release`"


def test_the_authors_list_is_whole() -> None:
    source = nbformat.read(ROOT / "source" / MAP, as_version=4)
    (listed,) = [cell.source for cell in source.cells if cell.id == TABLE]
    assert sorted(re.findall(r"^\| `(\w+)`", listed, re.MULTILINE)) == sorted(
        path.stem for path in SOURCES
    )


def test_each_notebook_has_a_row_with_its_numbers(cells: dict[str, NotebookNode]) -> None:
    lessons = {lesson.name: lesson for lesson in read_lessons(ROOT / "source")}
    rows = re.findall(r"^\| \[`(\w+)`\]\((\S+)\) \|(.+)\|$", cells[TABLE].source, re.MULTILINE)
    assert {name for name, _, _ in rows} == set(lessons)
    for name, link, rest in rows:
        lesson = lessons[name]
        assert (ROOT / "release" / link).is_file()
        _, uses, hours, points = (part.strip() for part in rest.split("|"))
        assert set(filter(None, uses.split(", "))) == set(lesson.uses)
        assert hours == ("" if lesson.hours is None else f"{lesson.hours:g}")
        assert points == f"{lesson.points:g}"
    total = sum(lesson.points for lesson in lessons.values())
    assert cells[TABLE].source.endswith(f"| {total:g} |")


def test_each_is_below_those_that_it_uses(cells: dict[str, NotebookNode]) -> None:
    order = re.findall(r"^\| \[`(\w+)`\]", cells[TABLE].source, re.MULTILINE)
    for lesson in read_lessons(ROOT / "source"):
        below = [name for name in lesson.uses if order.index(name) > order.index(lesson.name)]
        assert not below, f"{lesson.name} uses {below}"


def test_every_function_that_is_used_again_is_listed(cells: dict[str, NotebookNode]) -> None:
    for lesson in read_lessons(ROOT / "source"):
        for written_in, names in lesson.uses.items():
            (row,) = re.findall(rf"^\| `{written_in}` \|.+$", cells[FUNCTIONS].source, re.MULTILINE)
            assert f"`{lesson.name}`" in row
            assert all(f"`{name}`" in row for name in names)


def test_its_picture_draws_every_notebook(cells: dict[str, NotebookNode]) -> None:
    space: dict = {}
    exec(compile(cells[PICTURE].source, PICTURE, "exec"), space)
    (ax,) = plt.gcf().axes
    drawn = [text.get_text().replace("\n", "") for text in ax.texts]
    assert all(path.stem in drawn for path in SOURCES)
    uses = {name: row[3] for name, row in space["lessons"].items()}
    assert sum(not text for text in drawn) == sum(len(direct(uses, name)) for name in uses)
    plt.close("all")


def test_the_statement_on_ai_tools_is_there_to_be_edited(cells: dict[str, NotebookNode]) -> None:
    statement = cells["use-of-ai-tools"].source
    assert "yours to edit, in source/00_course_map.ipynb" in statement
    assert "Where your instructor or your university says otherwise, that holds." in statement


def test_the_readme_has_the_same_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    from course_table import with_table

    readme = (ROOT / "README.md").read_text("utf-8")
    assert with_table(readme) == readme, "run tools/course_table.py"
    with pytest.raises(ValueError, match="two comments around the table"):
        with_table("no place")


# -- the picture ----------------------------------------------------------------------------------

CHAIN = {"a": [], "b": ["a"], "c": ["a", "b"], "d": ["b"], "e": []}


def test_a_step_that_goes_by_way_of_another_has_no_arrow() -> None:
    assert [direct(CHAIN, name) for name in CHAIN] == [[], ["a"], ["b"], ["b"], []]
    assert direct({"a": ["b"], "b": ["a"]}, "a") == ["b"], "a circle ends"


def test_no_two_boxes_are_in_one_place_and_arrows_lead_to_the_right() -> None:
    lessons = {lesson.name: list(lesson.uses) for lesson in read_lessons(ROOT / "source")}
    for uses in (CHAIN, lessons, {}, {"alone": []}):
        places = place_lessons(uses)
        assert set(places) == set(uses)
        assert len(set(places.values())) == len(uses)
    ax = plot_lessons({name: ("Part", "", 3, uses) for name, uses in CHAIN.items()})
    assert "3 points" in [text.get_text() for text in ax.texts]
    plt.close("all")


def test_the_picture_in_words() -> None:
    lessons = [Lesson("a1", name, name, 1, None, dict.fromkeys(CHAIN[name], ())) for name in CHAIN]
    assert describe(lessons) == (
        "A box for each notebook, 5 in all. Arrows lead, in one step or in several, from a to b; "
        "a, b to c; b to d. No arrow touches e."
    )
    assert describe(lessons[4:]) == "A box for each notebook, 1 in all. No arrow touches e."


# -- a small course -------------------------------------------------------------------------------


def write_course(
    root: Path, *rows: str, cells: tuple[str, ...] = (TABLE, FUNCTIONS, PICTURE)
) -> None:
    folder = root / "source" / "toy"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("one", "two"):
        load = new_code_cell('load("one").f' if name == "two" else "1", id="code")
        nb = new_notebook(cells=[new_markdown_cell(f"# The {name}", id="title"), load])
        nbformat.write(nb, folder / f"{name}.ipynb")
    table = "\n".join(["| notebook | about |", "| --- | --- |", *rows])
    written = [
        new_code_cell(id=name) if name == PICTURE else new_markdown_cell(table, id=name)
        for name in cells
    ]
    nbformat.write(new_notebook(cells=written), root / "source" / MAP)


def test_a_course_with_a_map_gets_it_with_its_pages(tmp_path: Path) -> None:
    write_course(tmp_path, "| `two` | the second |")
    (tmp_path / "source" / "glossary.md").write_text("# Words\n")
    written = release(tmp_path)
    assert [path.name for path in written] == ["one.ipynb", "two.ipynb", MAP, "glossary.md"]
    assert (tmp_path / "release" / "glossary.md").read_text() == "# Words\n"
    table = nbformat.read(tmp_path / "release" / MAP, as_version=4).cells[0].source
    assert table.index("the second") < table.index("| The one |"), "unlisted ones come last"


def test_a_map_that_is_wrong_leaves_the_release_as_it_was(tmp_path: Path) -> None:
    write_course(tmp_path, "| `three` | not there |")
    with pytest.raises(
        ReleaseError, match=r"lists three, which is not a notebook .* remove the row"
    ):
        release(tmp_path)
    write_course(tmp_path, cells=(TABLE, PICTURE))
    with pytest.raises(ReleaseError, match=f"no cell with the id '{FUNCTIONS}'; add it"):
        release(tmp_path)
    write_course(tmp_path)
    (tmp_path / "source" / "notes.md").write_text("### BEGIN MARK SCHEME\n")
    with pytest.raises(ReleaseError, match=r"notes.md: would be released as it is, and holds"):
        release(tmp_path)
    assert not (tmp_path / "release").exists()
