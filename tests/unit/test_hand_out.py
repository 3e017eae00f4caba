"""What students get: all that they need, nothing that is for staff."""

import re
import shutil
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from autograder.authoring.hand_out import PAGES, STAFF, HandOutError, contents_of, hand_out, pack
from autograder.authoring.new_course import new_course
from autograder.authoring.release import release
from autograder.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("students") / "cs231n"
    hand_out(ROOT, made)
    return made


def test_every_released_notebook_is_there_and_the_library_as_it_is(folder: Path) -> None:
    for kind in ("release", "cs231n_lib"):
        there = {p.relative_to(ROOT) for p in (ROOT / kind).rglob("*") if p.is_file()}
        there = {p for p in there if not {"__pycache__", ".ipynb_checkpoints"} & {*p.parts}}
        assert {p.relative_to(folder) for p in (folder / kind).rglob("*") if p.is_file()} == there
        assert all((folder / p).read_bytes() == (ROOT / p).read_bytes() for p in there)


def test_nothing_else_is(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "release", "cs231n_lib", "docs", "pyproject.toml", "LICENSE", "README.md",
    }  # fmt: skip
    assert {path.name for path in (folder / "docs").iterdir()} == {
        Path(place).name for place in PAGES.values() if place != "README.md"
    }


def test_sections_for_staff_are_left_out(folder: Path) -> None:
    pages = "".join((folder / place).read_text("utf-8") for place in PAGES.values())
    assert "For instructors" not in pages
    assert "## Tried, and not tried" in pages
    assert "apparmor" not in pages
    for page, headings in STAFF.items():
        text = (ROOT / page).read_text("utf-8")
        assert all(f"\n## {heading}\n" in text for heading in headings)


def test_every_link_of_its_pages_leads_to_a_file_in_it(folder: Path) -> None:
    """A page that is for staff is no link any more, and a picture would have to come along."""
    links = []
    for page in (folder / place for place in PAGES.values()):
        for target in LINK.findall(page.read_text("utf-8")):
            if not target.startswith("http"):
                links.append(target)
                assert (page.parent / target).is_file(), f"{page.name}: {target}"
    assert "docs/student-help.md" in links
    assert "release/00_course_map.ipynb" in links


def test_it_can_be_installed(folder: Path, tmp_path: Path) -> None:
    """The package is built from what is there alone."""
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(folder)).build(directory=str(tmp_path), versions=["standard"])
    names = zipfile.ZipFile(wheel).namelist()
    assert "cs231n_lib/__init__.py" in names
    assert not [name for name in names if name.startswith(("autograder", "release", "tests"))]


def test_an_assignment_alone_and_the_next_one_later(tmp_path: Path) -> None:
    made = tmp_path / "out"
    hand_out(ROOT, made, ["assignment1"])
    assert {path.name for path in (made / "release").glob("*/")} == {"assignment1"}
    assert (made / "release" / "glossary.md").is_file()

    mended = made / "release" / "assignment1" / "knn.ipynb"
    mended.write_text("an earlier state")
    (made / ".git").mkdir()
    (made / ".git" / "HEAD").touch()
    (made / "notes.md").write_text("mine")
    with pytest.raises(HandOutError, match=r"is not empty .* --update"):
        hand_out(ROOT, made, ["assignment2"])
    done = hand_out(ROOT, made, ["assignment2"], update=True)
    assert {name.split("/")[1] for name in done.new} == {"assignment2"}
    assert done.changed == ("release/assignment1/knn.ipynb",), "what is there is brought up to date"
    assert done.others == ("notes.md",)
    assert (made / "notes.md").read_text() == "mine"
    with zipfile.ZipFile(pack(made, done)) as archive:
        assert "out/release/assignment1/knn.ipynb" in archive.namelist()


def test_the_zip_has_what_was_handed_out_and_no_more(tmp_path: Path) -> None:
    made = tmp_path / "out"
    done = hand_out(ROOT, made, ["assignment1"])
    (made / "notes.md").write_text("mine")
    with zipfile.ZipFile(pack(made, done)) as archive:
        assert {name.removeprefix("out/") for name in archive.namelist()} == set(done.files)


@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = tmp_path / "pottery"
    list(new_course(root))
    list(release(root))
    return root


def test_a_course_of_ones_own_hands_out_its_release_and_its_page(course: Path) -> None:
    assert all(name.startswith("release/") for name in contents_of(course))
    (course / "students.md").write_text("# Welcome\n")
    found = contents_of(course)
    assert found["README.md"] == b"# Welcome\n"
    assert "release/assignment1/pottery_lib/__init__.py" in found
    assert not [name for name in found if "pottery_checks" in name or "mutants" in name]


@pytest.mark.parametrize(
    "mark", ["### BEGIN SOLUTION", "### BEGIN HIDDEN TESTS", "### BEGIN MARK SCHEME"]
)
def test_a_source_among_the_released_is_refused_and_nothing_is_written(
    course: Path, mark: str
) -> None:
    (course / "release" / "assignment1" / "stray.ipynb").write_text(f'{{"cells": ["{mark}"]}}')
    result = run(course, "../out")
    assert result.exit_code == 2
    assert f"stray.ipynb holds `{mark.removeprefix('### ')}`" in result.output
    assert not (course.parent / "out").exists()


def test_a_link_among_the_released_is_refused(course: Path) -> None:
    (course / "release" / "assignment1" / "notes.md").symlink_to(course / "course.toml")
    result = run(course, "../out")
    assert result.exit_code == 2
    assert "notes.md is a link" in " ".join(result.output.split())
    assert not (course.parent / "out").exists()


def test_pages_may_quote_a_mark_and_other_folders_come_along(course: Path) -> None:
    (course / "release" / "guide.md").write_text("We write `### BEGIN SOLUTION`.")
    (course / "release" / "pictures").mkdir()
    (course / "release" / "pictures" / "pot.png").touch()
    result = run(course, "../out", "assignment1/")
    assert result.exit_code == 0, result.output
    there = {path.name for path in (course.parent / "out" / "release").iterdir()}
    assert there == {"assignment1", "guide.md", "pictures"}


def test_what_stands_in_the_way_is_named_before_anything_is_written(course: Path) -> None:
    out = course.parent / "out"
    (out / "release").mkdir(parents=True)
    (out / "release" / "assignment1").touch()
    told = run(course, "../out", "--update")
    assert told.exit_code == 2
    assert "assignment1 is a file, where a folder is to be" in " ".join(told.output.split())
    assert [path.name for path in out.rglob("*")] == ["release", "assignment1"]


def test_what_is_wrong_is_said_in_a_sentence(course: Path) -> None:
    told = run(course, "../out", "assignment7")
    assert "released are assignment1): run `python -m autograder release assignment7` first" in (
        " ".join(told.output.split())
    )
    (course.parent / "file").touch()
    assert "is a file: name a folder" in run(course, "../file").output
    for place in (".", "release/x", "..", "source", "new"):
        told = run(course, place, "--update")
        assert told.exit_code == 2
        assert "for staff: name a folder elsewhere" in " ".join(told.output.split()), place
    shutil.rmtree(course / "release")
    told = run(course, "../out")
    assert told.exit_code == 2
    assert "run `python -m autograder release`" in " ".join(told.output.split())


def test_the_command_says_what_it_has_done(course: Path) -> None:
    told = run(course, "../out", "--zip")
    assert told.exit_code == 0, told.output
    assert "release/assignment1: 1 notebook" in told.output
    assert (course.parent / "out.zip").is_file()
    told = run(course, "../out", "--update")
    assert "new: nothing" in told.output
    assert "changed: nothing" in told.output


def run(course: Path, folder: str, *options: str) -> Result:
    place = str((course / folder).resolve()) if folder != "." else str(course)
    return CliRunner().invoke(main, ["hand-out", place, *options, "--root", str(course)])


def test_a_disk_that_refuses_is_named(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, content: bytes) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("autograder.authoring.hand_out.write_bytes", refuse)
    told = run(course, "../out")
    assert told.exit_code == 2
    assert "cannot be written: [Errno 13] Permission denied" in " ".join(told.output.split())
