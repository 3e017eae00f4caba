"""Downloads of learning management systems come into submitted/, and nothing gets lost."""

from __future__ import annotations

import json
import unicodedata
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from nbgrader.api import Base, Student
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from autograder.cli.collect import collect as command
from autograder.collect import CollectError
from tests import little
from tests.e2e.courses import Course, run
from tests.grading.downloads import (
    ASSIGNMENT,
    CLASS,
    NOON,
    AsCp437,
    AsUtf8,
    gather,
    gradescope,
    notebook,
    outcomes,
    released,
    remarks,
    students,
    submitted,
    tree,
    write_course,
    write_roster,
    write_zip,
    zipped,
)

CREATED = "2031-03-01 12:00:00.123456+00:00"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_course(tmp_path / "course")


# -- the formats ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [AsUtf8, AsCp437])
def test_canvas(root: Path, tmp_path: Path, kind) -> None:
    members = {
        "müllerann_101_9001_knn.ipynb": notebook(),
        "müllerann_101_9002_svm-2.ipynb": notebook("svm"),
        "oneilbob_LATE_102_9003_knn-1.ipynb": notebook(remark="bob"),
        "rocketteam_999_9004_knn.ipynb": notebook(remark="a group"),
        "anon_x7Kq2_9005_knn.ipynb": notebook(remark="nobody"),
        "vanderbergzoë_103_text.html": b"<p>see the other file</p>",
    }
    done = gather(root, write_zip(tmp_path / "submissions.zip", members, kind=kind))
    assert students(root) == {
        "ann": ["knn.ipynb", "svm.ipynb"],
        "anon_x7Kq2": ["knn.ipynb"],
        "bob": ["knn.ipynb"],
        "rocketteam_999": ["knn.ipynb"],
    }
    assert submitted(root, "bob").read_bytes() == notebook(remark="bob")
    text = remarks(done)
    assert "LATE, according to Canvas" in text
    assert "rocketteam_999/knn" in text
    assert "not in the roster" in text
    assert "vanderbergzoë_103_text.html: not a notebook" in text
    assert done.needs_human


@pytest.mark.parametrize("shape", ["folders", "folders, before Moodle 4", "no folders"])
def test_moodle(root: Path, tmp_path: Path, shape: str) -> None:
    end = {"folders": "/", "folders, before Moodle 4": "_/", "no folders": "_"}[shape]
    decomposed = unicodedata.normalize("NFD", "Müller Ann")  # as a Mac may have it
    inner = zipped({"hw/knn (1).ipynb": notebook()}, tmp_path)
    members = {
        f"{decomposed}_11_assignsubmission_file{end}my homework.zip": inner,
        f"Bob ONeil_12_assignsubmission_file{end}KNN.ipynb": notebook(),
        f"Default group_assignsubmission_file{end}knn.ipynb": notebook(),
        "Bob ONeil_12_assignsubmission_onlinetext/onlinetext.html": b"<p>Hi</p>",
    }
    done = gather(root, write_zip(tmp_path / "CS231-Homework-5.zip", members, kind=AsUtf8))
    assert students(root) == {
        "Default_group": ["knn.ipynb"], "ann": ["knn.ipynb"], "bob": ["knn.ipynb"]
    }  # fmt: skip
    assert outcomes(done)["onlinetext.html"] == "unattributed"


def test_gradescope_knows_groups_and_times(root: Path, tmp_path: Path) -> None:
    ann, bob = {"name": "Ann M.", "email": "ANN@x.edu"}, {"name": "Bob", "email": "bob@x.edu"}
    zoe = {"name": "Zoe", "sid": "6758767", "email": "z@y.org"}  # a spreadsheet ate the zero
    people = {"submission_1": [ann, bob], "submission_2": [zoe], "submission_3": []}
    about = {name: {"people": who, "time": CREATED} for name, who in people.items()}
    files = {
        "submission_1/work/deep/knn.ipynb": notebook(),
        "submission_2/knn.ipynb": notebook(remark="zoe"),
        "submission_3/knn.ipynb": notebook(remark="whose?"),
    }
    done = gather(root, gradescope(tmp_path, about, files))
    both = ["knn.ipynb", "timestamp.txt"]
    assert students(root) == {"06758767": both, "ann": both, "bob": both}
    assert submitted(root, "ann").read_bytes() == submitted(root, "bob").read_bytes() == notebook()
    text = submitted(root, "ann", "timestamp.txt").read_text()
    assert text == "2031-03-01 12:00:00 UTC\n"
    assert "handed in by a group of 2" in remarks(done)
    assert "submission_metadata.yml names no student for it" in remarks(done)
    kept = root / "downloaded" / ASSIGNMENT / "unattributed" / "assignment_77_export.zip!"
    where = kept / "assignment_77_export" / "submission_3" / "knn.ipynb"
    assert where.read_bytes() == notebook(remark="whose?")


def test_folders_of_students(root: Path, tmp_path: Path) -> None:
    place = tmp_path / "handed in"
    files = {
        "ann/knn.ipynb": notebook(),
        f"Bob O'Neil/{ASSIGNMENT}/knn.ipynb": notebook(remark="bob"),
        f"Bob O'Neil/{ASSIGNMENT}/timestamp.txt": b"2031-03-01 13:00:00 CET",
        "zoe@x.edu.zip": zipped({"a/b/svm.ipynb": notebook("svm")}, tmp_path),
        "README.txt": b"where from?",
    }
    for name, data in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    (place / "link").symlink_to(root)
    done = gather(root, place)
    assert students(root) == {
        "06758767": ["svm.ipynb"], "ann": ["knn.ipynb"], "bob": ["knn.ipynb", "timestamp.txt"]
    }  # fmt: skip
    assert submitted(root, "bob", "timestamp.txt").read_text() == "2031-03-01 12:00:00 UTC\n"
    assert outcomes(done)["README.txt"] == "unattributed"
    assert outcomes(done)["link"] == "refused"


def test_no_timestamp_of_a_students_own_dates_the_hand_in(root: Path, tmp_path: Path) -> None:
    """Only nbgrader's own, in STUDENT/ASSIGNMENT/ of a folder, does."""
    early = b"2020-01-01 12:00:00 UTC"
    packed = {f"{ASSIGNMENT}/knn.ipynb": notebook(), f"{ASSIGNMENT}/timestamp.txt": early}
    place = tmp_path / "folders"
    (place / "bob").mkdir(parents=True)
    (place / "bob" / "knn.ipynb").write_bytes(notebook())
    (place / "bob" / "timestamp.txt").write_bytes(early)  # beside the notebook: anybody's
    (place / "zoe@x.edu" / ASSIGNMENT).mkdir(parents=True)
    (place / "zoe@x.edu" / ASSIGNMENT / "work.zip").write_bytes(zipped(packed, tmp_path))
    done = gather(root, write_zip(tmp_path / "ann.zip", packed), place)
    only = ["knn.ipynb"]
    assert students(root) == {"06758767": only, "ann": only, "bob": only}
    assert not done.needs_human


def test_a_zip_of_one_student_and_a_folder_around_a_download(root: Path, tmp_path: Path) -> None:
    mine = write_zip(tmp_path / "ann.zip", {"ann/knn.ipynb": notebook()})
    canvas = {"submissions/oneilbob_102_1_knn.ipynb": notebook()}
    done = gather(root, mine, write_zip(tmp_path / "submissions.zip", canvas))
    assert students(root) == {"ann": ["knn.ipynb"], "bob": ["knn.ipynb"]}
    assert not done.needs_human


def test_unpacked_downloads_are_known_too(root: Path, tmp_path: Path) -> None:
    about = {"submission_1": {"people": [{"name": "Ann", "sid": "ann"}], "time": CREATED}}
    export = gradescope(tmp_path, about, {"submission_1/knn.ipynb": notebook()})
    canvas = write_zip(
        tmp_path / "c.zip", {"oneilbob_102_1_hw.zip": zipped({"knn.ipynb": b""}, root)}
    )
    for path in (export, canvas):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(tmp_path / path.stem)
    done = gather(root, tmp_path / export.stem, tmp_path / canvas.stem)
    assert students(root) == {"ann": ["knn.ipynb", "timestamp.txt"], "bob": ["knn.ipynb"]}
    assert "cannot be read as a notebook" in remarks(done)


def test_a_student_cannot_pack_a_download_of_others(root: Path, tmp_path: Path) -> None:
    forged = zipped({"oneilbob_102_9_knn.ipynb": notebook(remark="forged")}, tmp_path)
    canvas = write_zip(tmp_path / "submissions.zip", {"müllerann_101_1_hw.zip": forged})
    gather(root, canvas)
    assert students(root) == {"ann": ["knn.ipynb"]}
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "ann.zip").write_bytes(forged)
    (folder / "bob.zip").write_bytes(zipped({"svm.ipynb": notebook("svm")}, tmp_path))
    done = gather(root, folder)
    assert students(root) == {"ann": ["knn.ipynb"], "bob": ["svm.ipynb"]}
    assert "ann.zip looks like a download from canvas: name it as a PATH" in remarks(done)


# -- which notebook -------------------------------------------------------------------------------

RENAMED = ["knn (1).ipynb", "knn-2.ipynb", "Copy of knn.ipynb", "knn_solved.ipynb", "KNN.ipynb"]
RENAMED += ["knn.ipynb.txt", "knn.ipynb.json", "Kopie von knn - final.IPYNB", "müller_knn3.ipynb"]
RENAMED += ["knn-0c6b1c34-2d7e-4c55-9f5b-1f4a0d1b2c3d.ipynb"]
STRIPPED = json.dumps({"cells": [], "nbformat": 4, "metadata": {"colab": {}}}).encode()


@pytest.mark.parametrize("name", RENAMED)
@pytest.mark.parametrize("data", [notebook(), STRIPPED, b"{not json"], ids=["work", "bare", "bad"])
def test_a_renamed_notebook_is_known_by_its_name(root, tmp_path, name, data) -> None:
    canvas = {f"müllerann_101_1_{name}": data}
    gather(root, write_zip(tmp_path / "submissions.zip", canvas))
    assert submitted(root, "ann").read_bytes() == data


def without_ids() -> bytes:
    document = json.loads(notebook("softmax"))
    for cell in document["cells"]:
        cell["metadata"] = {}
        cell.pop("id", None)
    return json.dumps(document).encode()


def only_grade_ids() -> bytes:
    document = json.loads(notebook("softmax"))
    for number, cell in enumerate(document["cells"]):
        cell["id"], cell["source"] = f"c{number}", "rewritten"
    return json.dumps(document).encode()


@pytest.mark.parametrize("data", [without_ids(), only_grade_ids()], ids=["sources", "grade ids"])
@pytest.mark.parametrize("name", ["Untitled3.ipynb", "homework.json", "knn.ipynb"])
def test_cells_say_which_notebook_it_is(root, tmp_path, name, data) -> None:
    done = gather(root, write_zip(tmp_path / "s.zip", {f"müllerann_101_1_{name}": data}))
    assert students(root) == {"ann": ["softmax.ipynb"]}
    assert f"called '{name}'" in remarks(done)


def test_what_is_no_notebook_of_the_assignment_is_kept(root: Path, tmp_path: Path) -> None:
    files = {
        "knn.ipynb": notebook("Dropout", assignment="assignment2"),
        "scratch.ipynb": b'{"cells": [], "nbformat": 4}',
        "knn_and_svm.ipynb": b'{"cells": [], "nbformat": 4}',
        "report.pdf": b"%PDF",
        "solutions.tar.gz": b"\x1f\x8b",
        "__MACOSX/._knn.ipynb": b"junk",
        ".DS_Store": b"junk",
        ".ipynb_checkpoints/knn-checkpoint.ipynb": notebook(),
    } | {f"data/batch_{number}": b"%d" % number for number in range(9)}
    inner = zipped(files, tmp_path)
    done = gather(root, write_zip(tmp_path / "s.zip", {"müllerann_101_1_hw.zip": inner}))
    assert students(root) == {}
    text = remarks(done)
    assert "by its cells it is Dropout of assignment2, not of assignment1" in text
    assert "scratch.ipynb: neither its name nor its cells are those of a released notebook" in text
    assert "its name may mean knn or svm" in text
    assert "report.pdf: not a notebook" in text
    assert "solutions.tar.gz: an archive that was not unpacked" in text
    assert done.ignored == 3
    kept = tree(root / "downloaded")
    assert len(kept) == len(done.rows) == len(files) - done.ignored


PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(40)


def test_what_a_notebook_shows_and_imports_comes_with_it(root: Path, tmp_path: Path) -> None:
    """Packed in a zip, as Gradescope has it for a pair, and side by side, as Canvas has it."""
    packed = zipped(
        {
            "hw/knn.ipynb": notebook(),
            "hw/helper.py": b"k = 5\n",
            "hw/img/plot.png": PICTURE,
            "hw/deep/tools.py": b"",  # from there nothing imports it
            "elsewhere/other.png": PICTURE,
        },
        tmp_path,
    )
    canvas = {
        "müllerann_101_1_hw.zip": packed,
        "oneilbob_102_2_knn.ipynb": notebook(remark="bob"),
        "oneilbob_102_3_sketch.jpg": b"\xff\xd8\xff",
        "oneilbob_102_4_notes.pdf": b"%PDF",
        "vanderbergzo_103_5_plot.png": PICTURE,  # and no notebook
    }
    done = gather(root, write_zip(tmp_path / "s.zip", canvas))
    assert students(root) == {
        "ann": ["helper.py", "img", "knn.ipynb"],
        "bob": ["knn.ipynb", "sketch.jpg"],
    }
    assert submitted(root, "ann", "img/plot.png").read_bytes() == PICTURE
    left = {row.where.rpartition("/")[2] for row in done.rows if row.human}
    assert left == {
        "tools.py",
        "other.png",
        "oneilbob_102_4_notes.pdf",
        "vanderbergzo_103_5_plot.png",
    }
    before = tree(root / "submitted")
    again = gather(root, write_zip(tmp_path / "s.zip", canvas))
    assert tree(root / "submitted") == before
    assert "collected" not in outcomes(again).values()
    people = [{"name": "Ann", "sid": "ann"}, {"name": "Bob", "sid": "bob"}]
    files = {"submission_1/svm.ipynb": notebook("svm"), "submission_1/util.py": b"1"}
    pair = {"submission_1": {"people": people, "time": CREATED}}
    gather(root, gradescope(tmp_path, pair, files))
    assert all(submitted(root, name, "util.py").read_bytes() == b"1" for name in ("ann", "bob"))


def test_a_newer_picture_replaces_the_older_one(root: Path, tmp_path: Path) -> None:
    first = {
        "müllerann_101_1_knn.ipynb": notebook(),
        "müllerann_101_2_plot.png": PICTURE,
    }
    gather(root, write_zip(tmp_path / "s.zip", first))
    newer = {"müllerann_101_7_plot.png": PICTURE + b"new", "müllerann_101_1_knn.ipynb": notebook()}
    done = gather(root, write_zip(tmp_path / "s.zip", newer | first))
    assert submitted(root, "ann", "plot.png").read_bytes() == PICTURE + b"new"
    assert outcomes(done)["müllerann_101_7_plot.png"] == "replaced"
    kept = root / "downloaded" / ASSIGNMENT / "attempts" / "ann"
    assert [path.read_bytes() for path in kept.glob("plot-*.png")] == [PICTURE]
    edited = submitted(root, "ann", "plot.png")
    edited.write_bytes(b"a person's")
    gather(root, write_zip(tmp_path / "s.zip", first))
    assert edited.read_bytes() == b"a person's"


# -- several files for one notebook ---------------------------------------------------------------


def moodle(*names_and_data: tuple[str, bytes]) -> dict[str, bytes]:
    return {f"Ann Müller_1_assignsubmission_file/{name}": data for name, data in names_and_data}


def test_two_that_differ_are_for_a_person(root: Path, tmp_path: Path) -> None:
    two = moodle(("knn.ipynb", notebook()), ("knn (1).ipynb", notebook(remark="other")))
    done = gather(root, write_zip(tmp_path / "m.zip", two))
    assert students(root) == {}
    assert [row.outcome for row in done.rows] == ["unattributed"] * 2
    assert "one of 2 different files for knn; nothing shows which is the last" in remarks(done)
    assert sorted(tree(root / "downloaded").values()) == sorted(tree_of(two))


def tree_of(members: dict[str, bytes]) -> list[str]:
    from hashlib import sha256

    return [sha256(data).hexdigest() for data in members.values()]


@pytest.mark.parametrize(
    "other",
    [notebook(), json.dumps(released()).encode(), b"", b"{'cells'"],
    ids=["the same", "as released", "empty", "unreadable"],
)
def test_of_two_files_one_is_the_work(root: Path, tmp_path: Path, other: bytes) -> None:
    two = moodle(("knn (1).ipynb", notebook()), ("knn.ipynb", other))
    done = gather(root, write_zip(tmp_path / "m.zip", two))
    assert submitted(root, "ann").read_bytes() == notebook()
    assert not done.needs_human
    kept = tree(root / "downloaded")
    assert list(kept.values()) == ([] if other == notebook() else tree_of({"": other}))


def canvas_twice(tmp_path: Path) -> list[Path]:
    """Canvas, twice downloaded. Ann changed one notebook; Bob handed in once."""
    bob = {"oneilbob_102_9_knn.ipynb": notebook(remark="bob")}
    first = {"müllerann_101_7_knn.ipynb": notebook(), "müllerann_101_8_svm.ipynb": notebook("svm")}
    second = {"müllerann_101_11_knn-1.ipynb": notebook(remark="better")}
    return [
        write_zip(tmp_path / "submissions.zip", first | bob),
        write_zip(tmp_path / "submissions (1).zip", second | bob),
    ]


def test_the_latest_of_each_notebook(root: Path, tmp_path: Path) -> None:
    done = gather(root, *canvas_twice(tmp_path))
    assert students(root) == {"ann": ["knn.ipynb", "svm.ipynb"], "bob": ["knn.ipynb"]}
    assert submitted(root, "ann").read_bytes() == notebook(remark="better")
    assert not done.needs_human
    [older] = (root / "downloaded" / ASSIGNMENT / "attempts" / "ann").iterdir()
    assert older.read_bytes() == notebook()


def test_one_attempt_of_several(root: Path, tmp_path: Path) -> None:
    done = gather(root, *canvas_twice(tmp_path), attempt=2)
    assert students(root) == {"ann": ["knn.ipynb"]}
    assert submitted(root, "ann").read_bytes() == notebook(remark="better")
    assert "bob/ : attempt 2 is not there: 1 found" in remarks(done)
    assert done.needs_human


def test_attempts_without_an_order(root: Path, tmp_path: Path) -> None:
    for remark in ("one", "two"):
        for name, data in moodle(("knn.ipynb", notebook(remark=remark))).items():
            (tmp_path / remark / name).parent.mkdir(parents=True)
            (tmp_path / remark / name).write_bytes(data)
    done = gather(root, tmp_path / "one", tmp_path / "two", attempt=1)
    assert "of one of 2 attempts, and nothing shows their order" in remarks(done)
    assert students(root) == {}


def test_moodle_downloads_in_the_order_in_which_they_were_made(root: Path, tmp_path: Path) -> None:
    new, old = (moodle(("knn.ipynb", notebook(remark=remark))) for remark in ("new", "old"))
    later = write_zip(tmp_path / "a.zip", new, time=NOON + timedelta(days=1))
    gather(root, later, write_zip(tmp_path / "b.zip", old))
    assert submitted(root, "ann").read_bytes() == notebook(remark="new")


def test_a_broken_upload_takes_no_good_one_away(root: Path, tmp_path: Path) -> None:
    good = write_zip(tmp_path / "1.zip", {"müllerann_101_1_knn.ipynb": notebook()})
    broken = write_zip(tmp_path / "2.zip", {"müllerann_101_2_knn-1.ipynb": b"{cut off"})
    done = gather(root, good, broken)
    assert submitted(root, "ann").read_bytes() == notebook()
    assert "the newest knn cannot be read: an older one is taken" in remarks(done)
    assert done.needs_human
    done = gather(root, broken)
    assert outcomes(done) == {"müllerann_101_2_knn-1.ipynb": "held back"}
    assert submitted(root, "ann").read_bytes() == notebook()


# -- what is there already ------------------------------------------------------------------------


def test_running_again_changes_nothing(root: Path, tmp_path: Path) -> None:
    first, second = canvas_twice(tmp_path)
    stray = write_zip(tmp_path / "stray.zip", {"readme.md": b"?", "müllerann_101_1_a.pdf": b"?"})
    gather(root, first, second, stray)
    before = tree(root)
    again = gather(root, first, second, stray)
    assert tree(root) == before
    assert {row.outcome for row in again.rows} == {"unchanged", "not used", "unattributed"}


def test_a_newer_attempt_replaces_and_an_older_one_does_not(root: Path, tmp_path: Path) -> None:
    first, second = canvas_twice(tmp_path)
    gather(root, first)
    done = gather(root, second)
    assert outcomes(done)["müllerann_101_11_knn-1.ipynb"] == "replaced"
    [kept] = (root / "downloaded" / ASSIGNMENT / "attempts" / "ann").iterdir()
    assert kept.read_bytes() == notebook()
    assert str(kept.relative_to(root)) in remarks(done)
    back = gather(root, first)
    assert outcomes(back)["müllerann_101_7_knn.ipynb"] == "not used"
    assert submitted(root, "ann").read_bytes() == notebook(remark="better")
    assert not back.needs_human
    gather(root, first, force=True)
    assert submitted(root, "ann").read_bytes() == notebook()
    assert len(list(kept.parent.iterdir())) == 2


def test_what_a_person_edited_stays(root: Path, tmp_path: Path) -> None:
    first, second = canvas_twice(tmp_path)
    gather(root, first)
    submitted(root, "ann").write_bytes(b"mended by hand")
    done = gather(root, second)
    assert outcomes(done)["müllerann_101_11_knn-1.ipynb"] == "held back"
    assert "another one, not known to be older; --force takes this one" in remarks(done)
    assert done.needs_human
    assert submitted(root, "ann").read_bytes() == b"mended by hand"
    gather(root, second, force=True)
    assert submitted(root, "ann").read_bytes() == notebook(remark="better")
    kept = (root / "downloaded" / ASSIGNMENT / "attempts" / "ann").iterdir()
    assert b"mended by hand" in [path.read_bytes() for path in kept]


def test_an_extension_granted_by_hand_stays(root: Path, tmp_path: Path) -> None:
    about = {"submission_1": {"people": [{"name": "Ann", "sid": "ann"}], "time": CREATED}}
    first = gradescope(tmp_path / "1", about, {"submission_1/knn.ipynb": notebook()})
    gather(root, first)
    stamp = submitted(root, "ann", "timestamp.txt")
    stamp.write_text("2031-02-28 12:00:00 UTC\n")
    gather(root, first)
    assert stamp.read_text() == "2031-02-28 12:00:00 UTC\n"
    about = {"submission_2": {**about["submission_1"], "time": "2031-03-02 12:00:00+00:00"}}
    files = {"submission_2/knn.ipynb": notebook(remark="new")}
    done = gather(root, gradescope(tmp_path / "2", about, files))
    assert stamp.read_text() == "2031-03-02 12:00:00 UTC\n"
    assert "timestamp.txt said '2031-02-28 12:00:00 UTC' before" in remarks(done)


def test_a_dry_run_says_the_same_and_writes_nothing(root: Path, tmp_path: Path) -> None:
    zips = canvas_twice(tmp_path)
    roster = write_roster(root / "roster.csv")
    before = tree(root)
    said = gather(root, *zips, roster=roster, dry_run=True)
    assert tree(root) == before
    assert said == gather(root, *zips, roster=roster)


# -- the roster -----------------------------------------------------------------------------------


SPREADSHEETS = [{"delimiter": ";"}, {"delimiter": "\t"}, {"encoding": "cp1252"}]


@pytest.mark.parametrize("options", [*SPREADSHEETS, {"encoding": "utf-8-sig"}])
def test_a_roster_out_of_a_spreadsheet(root: Path, tmp_path: Path, options: dict) -> None:
    roster = write_roster(tmp_path / "roster.csv", **options)
    members = {"Zoe van der Berg_5_assignsubmission_file/knn.ipynb": notebook()}
    done = gather(root, write_zip(tmp_path / "m.zip", members), roster=roster)
    assert students(root) == {"06758767": ["knn.ipynb"]}
    assert not done.needs_human


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([("ann",), ("ann",)], "line 3: 'ann' is there twice"),
        ([("../ann",)], "line 2: '../ann' cannot be a student's id"),
        ([("", "Ann")], "line 2: '' cannot be a student's id"),
    ],
)
def test_a_roster_that_cannot_be_used(root, tmp_path, rows, complaint) -> None:
    roster = write_roster(tmp_path / "roster.csv", rows)
    with pytest.raises(CollectError, match=complaint):
        gather(root, *canvas_twice(tmp_path), roster=roster)
    assert students(root) == {}


def test_a_roster_without_ids(root: Path, tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text("name,email\nAnn,a@x.edu\n")
    with pytest.raises(CollectError, match="without a column 'id'"):
        gather(root, *canvas_twice(tmp_path), roster=roster)


def test_nobody_is_taken_for_a_namesake(root: Path, tmp_path: Path) -> None:
    twins = [*CLASS, ("ann2", "Ann", "Müller", "", ""), ("cy", "Cy", "Lee", "", "105")]
    roster = write_roster(tmp_path / "roster.csv", twins)
    members = {
        "müllerann_101_1_knn.ipynb": notebook(),  # known by Canvas' id
        "leecy_777_2_knn.ipynb": notebook(),  # another Cy Lee
    }
    done = gather(root, write_zip(tmp_path / "c.zip", members), roster=roster)
    assert students(root) == {"ann": ["knn.ipynb"], "leecy_777": ["knn.ipynb"]}
    assert done.needs_human
    done = gather(root, write_zip(tmp_path / "m.zip", moodle(("knn.ipynb", b"{}"))), roster=roster)
    assert "'Ann Müller' may be ann, ann2: tell them apart in the roster" in remarks(done)
    both = {f"Bob ONeil_{n}_assignsubmission_file/knn.ipynb": b"%d" % n for n in (1, 2)}
    done = gather(root, write_zip(tmp_path / "m2.zip", both), roster=roster)
    assert "several people in the download from Moodle may be 'bob'" in remarks(done)
    assert "bob" not in students(root)


def test_a_name_in_the_lms_is_nobodys_id(root: Path, tmp_path: Path) -> None:
    about = {"submission_1": {"people": [{"name": "ann"}], "time": CREATED}}
    done = gather(root, gradescope(tmp_path, about, {"submission_1/knn.ipynb": notebook()}))
    assert students(root) == {}
    assert "'ann' is not in the roster, where 'ann' is somebody else" in remarks(done)


def test_without_a_roster_the_gradebook_knows_the_class(root: Path, tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{root}/gradebook.db")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add(Student(id="ann", first_name="Ann", last_name="Müller", lms_user_id="101"))
        session.commit()
    members = {"someone_101_1_knn.ipynb": notebook(), "roe_5_2_knn.ipynb": notebook()}
    done = gather(root, write_zip(tmp_path / "c.zip", members), roster=None)
    assert students(root) == {"ann": ["knn.ipynb"], "roe_5": ["knn.ipynb"]}
    assert "called 'someone' there" in remarks(done)
    assert done.needs_human


def test_without_any_roster_the_lms_names_do(root: Path, tmp_path: Path) -> None:
    members = {"王小明_7_1_knn.ipynb": notebook(), "o neil; rm -rf_8_2_knn.ipynb": notebook()}
    done = gather(root, write_zip(tmp_path / "c.zip", members), roster=None)
    assert list(students(root)) == ["o_neil_rm_-rf_8", "王小明_7"]
    assert not done.needs_human


# -- the command ----------------------------------------------------------------------------------


def invoke(root: Path, *words: object, terminal: int = 0) -> tuple[int, str]:
    """``terminal``: with so many columns."""
    environment = {"FORCE_COLOR": "1", "COLUMNS": str(terminal)} if terminal else {}
    arguments = [ASSIGNMENT, *map(str, words), "--root", str(root)]
    result = CliRunner().invoke(command, arguments, env=environment)
    return result.exit_code, result.output


def test_the_command_says_what_went_where(root: Path, tmp_path: Path) -> None:
    members = {"müllerann_101_1_knn-3.ipynb": notebook(), "[red]x[/red]": b"?"}
    path = write_zip(tmp_path / "c.zip", members)
    status, text = invoke(root, path, "--dry-run")
    assert status == 1
    assert "would be: 1 collected, 1 unattributed" in text
    assert students(root) == {}
    status, text = invoke(root, path, "--dry-run", terminal=200)
    assert status == 1
    assert "│ müllerann_101" in text
    status, text = invoke(root, path, terminal=80)
    assert status == 1
    assert "│" not in text, "it would cut names"
    assert "müllerann_101/knn from c.zip!/müllerann_101_1_knn-3.ipynb" in text
    assert "[red]x[/red]" in text
    status, text = invoke(root, path, "--from", "canvas", "--latest")
    assert status == 1
    whose = "müllerann_101/knn from c.zip!/müllerann_101_1_knn-3.ipynb"
    assert f"unchanged    {whose}: was called 'knn-3.ipynb'" in text
    last = text.splitlines()[-1]
    assert last.startswith("1 unattributed, 1 unchanged; 1 student;")
    assert last.endswith("; deal with what is in downloaded/assignment1/unattributed/")


def test_the_command_used_wrongly(root: Path, tmp_path: Path) -> None:
    assert invoke(root)[0] == 2
    assert invoke(root, tmp_path / "absent.zip")[0] == 2
    assert invoke(root, tmp_path, "--latest", "--attempt", 1)[0] == 2
    with pytest.raises(CollectError, match="neither a zip nor a folder"):
        gather(root, write_roster(tmp_path / "roster.csv"))
    with pytest.raises(CollectError, match=r"submission_metadata\.yml"):
        gather(root, *canvas_twice(tmp_path), source="gradescope")
    (tmp_path / "empty").mkdir()
    with pytest.raises(CollectError, match="there is no file in"):
        gather(root, tmp_path / "empty")


def test_help_says_what_happens_to_what_is_there() -> None:
    text = " ".join(CliRunner().invoke(command, ["--help"]).output.split())
    assert "a newer attempt; the old one is kept in downloaded/ASSIGNMENT/attempts/STUDENT/" in text
    assert "kept in downloaded/ASSIGNMENT/unattributed/" in text


# -- together with nbgrader -----------------------------------------------------------------------


def stub(document: dict) -> None:
    little.cell_of(document, "k-nearest-neighbor")["source"] = "class KNearestNeighbor: ..."


def test_what_was_collected_is_graded(tmp_path: Path) -> None:
    course = Course(little.write_course(tmp_path / "course"))
    path = course.root / "release" / ASSIGNMENT / "knn.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(little.answer(stub))
    about = {"submission_1": {"people": [{"name": "Ann", "sid": "ann"}], "time": CREATED}}
    files = {"submission_1/Untitled.ipynb": little.answer()}
    done = gather(course.root, gradescope(tmp_path, about, files), roster=None)
    assert not done.needs_human
    run(course.autograder("grade", ASSIGNMENT))
    assert course.points("ann") == little.CLASS_POINTS
    with course.gradebook() as book:
        when = book.find_submission(ASSIGNMENT, "ann").timestamp
    assert str(when) == "2031-03-01 12:00:00"


def test_stock_zip_collect_with_our_plug_ins(root: Path, tmp_path: Path) -> None:
    (root / "nbgrader_config.py").write_text(
        "c = get_config()\n"
        'c.ZipCollectApp.extractor_plugin = "autograder.collect.plugins.LmsExtractor"\n'
        'c.ZipCollectApp.collector_plugin = "autograder.collect.plugins.LmsCollector"\n'
        'c.LmsCollector.roster = "roster.csv"\n'
    )
    write_roster(root / "roster.csv")
    archive = root / "downloaded" / ASSIGNMENT / "archive"
    inner = zipped({"work/Untitled.ipynb": notebook(), "../out": b"!"}, tmp_path)
    members = {"müllerann_101_1_hw.zip": inner, "oneilbob_102_2_svm-1.ipynb": notebook("svm")}
    write_zip(archive / "submissions.zip", members | {"readme.md": b"?"})
    zoe = {"people": [{"name": "Zoë", "sid": "06758767"}], "time": CREATED}
    pair = {"people": [{"name": "Cy", "sid": "cy"}, {"name": "Di", "sid": "di"}], "time": CREATED}
    files = {"submission_1/knn.ipynb": notebook(), "submission_2/knn.ipynb": notebook()}
    files["submission_2/svm.ipynb.txt"] = notebook("svm")
    gradescope(archive, {"submission_1": zoe, "submission_2": pair}, files)
    text = run(Course(root).nbgrader("zip_collect", ASSIGNMENT))
    assert "submission_2/knn.ipynb: also of di, not collected" in text
    assert "svm.ipynb.txt: rename it to svm.ipynb, collect again" in text
    assert "leads outside the folder" in text
    assert "its name does not say which student it is from" in text
    dated = ["knn.ipynb", "timestamp.txt"]
    assert students(root) == {
        "06758767": dated, "ann": ["knn.ipynb"], "bob": ["svm.ipynb"], "cy": dated
    }  # fmt: skip
    assert submitted(root, "ann").read_bytes() == notebook()
    stamp = submitted(root, "06758767", "timestamp.txt").read_text()
    assert stamp == "2031-03-01 12:00:00.123456"
