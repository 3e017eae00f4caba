"""Exports of a really graded class: nothing lost, nothing invented, nothing dangerous."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from nbgrader import api
from nbgrader.api import Gradebook
from sqlalchemy import create_engine, insert, make_url, select, text
from sqlalchemy.exc import DBAPIError

from autograder.authoring.release import release
from autograder.cli.export import export
from autograder.export.snapshot import reading_engine
from tests.little import (
    ASSIGNMENT,
    NOTEBOOK,
    ROOT,
    answer,
    cell_of,
    copy_course,
    submit,
    write_course,
)

BOB, EVE = "bob@uni.example", "=1+2"
QUESTIONS = ["knn-two-loops", "knn-one-loop", "knn-no-loops", "knn-predict-labels"]
WRITTEN = "knn-question-bright-rows"
MAX_SCORE = "13"  # 11 by checks, 2 for the written answer
FINE, NEEDS_HUMAN, WRONG_USE = 0, 1, 2
HOSTILE = '=HYPERLINK(\\"http://x\\")<script>\\x1b[31m'


def in_one_loop(line: str) -> Callable[[dict], object]:
    """A first line for the method with one loop, which no other question depends on."""

    def change(document: dict) -> None:
        cell = cell_of(document, "k-nearest-neighbor")
        head, contract, tail = cell["source"].partition('one test row at a time."""\n')
        cell["source"] = f"{head}{contract}        {line}\n{tail}"

    return change


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ann is right, Bob fails one question, Eve is hostile, Cleo's notebook is missing."""
    root = write_course(tmp_path_factory.mktemp("course"))
    release(root)
    submit(root, "ann", answer())
    submit(root, BOB, answer(in_one_loop("return np.zeros((len(X), 1)) - 1")))
    submit(root, EVE, answer(in_one_loop(f'raise ValueError("{HOSTILE}")')))
    (root / "submitted" / "cleo" / ASSIGNMENT).mkdir(parents=True)
    command = [sys.executable, "-m", "autograder", "grade", ASSIGNMENT, "--workers", "1"]
    command += ["--root", str(root)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == NEEDS_HUMAN, done.stdout + done.stderr
    with Gradebook(f"sqlite:///{root}/gradebook.db") as book:
        names = (NOTEBOOK, ASSIGNMENT)
        written = book.find_grade(WRITTEN, *names, "ann")
        written.manual_score, written.needs_manual_grade = 1.5, False
        book.find_grade("knn-two-loops", *names, "ann").extra_credit = -0.5
        book.find_submission_notebook(*names, "ann").late_submission_penalty = 1.0
        corrected = book.find_grade("knn-one-loop", *names, EVE)
        corrected.manual_score, corrected.needs_manual_grade = 1.0, False
        book.add_student("zoe", email="zoe@uni.example", lms_user_id="4711")
        book.db.commit()
    return root


@pytest.fixture
def course(graded: Path, tmp_path: Path) -> Path:
    """A copy to do with what one likes."""
    return copy_course(graded, tmp_path / "course")


def run(root: Path, kind: str, *more: str | Path) -> Result:
    arguments = [ASSIGNMENT, "--format", kind, "--root", str(root), *map(str, more)]
    return CliRunner().invoke(export, arguments)


def table(root: Path, kind: str, *more: str | Path) -> list[dict[str, str]]:
    out = root / "out.csv"
    result = run(root, kind, "--out", out, *more)
    assert result.exit_code in (FINE, NEEDS_HUMAN), result.output
    return list(csv.DictReader(io.StringIO(out.read_text("utf-8"), newline="")))


def scores(root: Path) -> dict[str, str]:
    return {row["student"]: row["score"] for row in table(root, "assignment")}


# Tables ------------------------------------------------------------------------------------------


def test_a_line_for_each_check(graded: Path) -> None:
    rows = table(graded, "checks")
    ann = [row for row in rows if row["student"] == "ann"]
    assert list(dict.fromkeys(row["question"] for row in ann)) == QUESTIONS
    assert {row["passed"] for row in ann} == {"yes"}
    assert {row["tier"] for row in ann} == {"points", "advice"}
    assert all((row["tier"] == "advice") == (row["weight"] == "0") for row in ann)
    bob = [row for row in rows if row["student"] == BOB]
    assert len(bob) == len(ann)
    failed = {row["question"] for row in bob if row["passed"] == "no"}
    assert failed == {"knn-one-loop"}
    assert all(bool(row["message"]) == (row["passed"] == "no") for row in bob)


def test_what_could_not_be_checked_is_a_line_that_says_why(graded: Path) -> None:
    cleo = [row for row in table(graded, "checks") if row["student"] == "cleo"]
    assert [row["question"] for row in cleo] == QUESTIONS
    assert {(row["check"], row["passed"], row["message"]) for row in cleo} == {
        ("", "no", "not handed in")
    }


def test_a_line_for_each_question_with_both_scores(graded: Path) -> None:
    rows = {(row["student"], row["question"]): row for row in table(graded, "questions")}
    assert len(rows) == 4 * 5
    written = rows["ann", WRITTEN]
    assert (written["automatic_score"], written["manual_score"]) == ("", "1.5")
    assert (written["total"], written["max_score"], written["to_read"]) == ("1.5", "2", "no")
    assert rows[BOB, WRITTEN]["to_read"] == "yes"
    corrected = rows[f"'{EVE}", "knn-one-loop"]
    assert (corrected["automatic_score"], corrected["manual_score"]) == ("0", "1")
    assert corrected["total"] == "1"


def test_negative_numbers_stay_numbers(graded: Path) -> None:
    rows = {(row["student"], row["question"]): row for row in table(graded, "questions")}
    assert rows["ann", "knn-two-loops"]["extra_credit"] == "-0.5"
    assert rows["ann", "knn-two-loops"]["total"] == "1.5"


def test_a_line_for_each_student_as_nbgrader_would_count(graded: Path) -> None:
    rows = {row["student"]: row for row in table(graded, "assignment")}
    ann = rows["ann"]
    assert (ann["points"], ann["late_penalty"], ann["score"]) == ("12", "1", "11")
    assert rows["cleo"]["score"] == "0"
    assert rows["cleo"]["needs_human"] == "knn.ipynb is missing"
    assert {row["max_score"] for row in rows.values()} == {MAX_SCORE}
    assert rows["zoe"]["score"] == rows["zoe"]["points"] == ""  # nothing handed in, no 0
    with Gradebook(f"sqlite:///{graded}/gradebook.db") as book:
        for student in ("ann", BOB, EVE, "cleo"):
            theirs = book.find_submission(ASSIGNMENT, student)
            name = student if student != EVE else f"'{EVE}"
            counted = max(0.0, theirs.score - theirs.late_submission_penalty)
            assert float(rows[name]["score"]) == counted
            assert float(rows[name]["max_score"]) == theirs.max_score


@pytest.mark.parametrize("kind", ["checks", "questions", "assignment", "canvas"])
def test_no_cell_is_a_formula_and_the_same_data_give_the_same_bytes(
    graded: Path, kind: str, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    for out in (one, two):
        assert run(graded, kind, "--out", out).exit_code == NEEDS_HUMAN
    assert one.read_bytes() == two.read_bytes()
    for row in csv.reader(one.open(encoding="utf-8", newline="")):
        for cell in row:
            harmless = cell.lstrip()[:1] not in ("=", "+", "-", "@")
            assert harmless or float(cell) < 0, cell
    assert f"'{EVE}" in one.read_text("utf-8")


# Not final, wrong use, others at work ------------------------------------------------------------


def test_what_is_not_final_is_reported_and_the_file_is_written(
    graded: Path, tmp_path: Path
) -> None:
    out = tmp_path / "deep" / "grades.csv"
    result = run(graded, "assignment", "--out", out)
    assert result.exit_code == NEEDS_HUMAN
    assert "cleo needs a human: knn.ipynb is missing" in result.stderr
    assert f"still to read: 2, of {EVE}, {BOB}" in result.stderr
    written = out.read_bytes()
    assert run(graded, "assignment", "--out", out, "--anyway").exit_code == FINE
    assert out.read_bytes() == written


def test_a_notebook_that_was_not_graded_has_nothing_to_be_read(course: Path) -> None:
    """As after `grade --notebooks`: nbgrader has rows for it, all marked as to be looked at."""
    (course / "autograded" / BOB / ASSIGNMENT / f"{NOTEBOOK}.ipynb").unlink()
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        for grade in book.find_submission_notebook(NOTEBOOK, ASSIGNMENT, BOB).grades:
            grade.auto_score = grade.manual_score = None
            grade.needs_manual_grade = True
        book.db.commit()
    result = run(course, "assignment")
    assert f"not graded yet, and 0 here: {NOTEBOOK}, of {BOB}" in result.stderr
    assert f"still to read: 1, of {EVE}" in result.stderr


def test_when_all_is_read_nothing_is_left_to_say(course: Path) -> None:
    shutil.rmtree(course / ".autograder" / "results" / ASSIGNMENT / "cleo")
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        book.remove_submission(ASSIGNMENT, "cleo")
        for student in (BOB, EVE):
            grade = book.find_grade(WRITTEN, NOTEBOOK, ASSIGNMENT, student)
            grade.manual_score, grade.needs_manual_grade = 0.0, False
        book.db.commit()
    result = run(course, "assignment")
    assert (result.exit_code, result.stderr) == (FINE, "")
    assert (course / "report" / ASSIGNMENT / "assignment.csv").is_file()


def test_points_that_are_not_those_on_record_are_reported(course: Path) -> None:
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        book.find_grade("knn-one-loop", NOTEBOOK, ASSIGNMENT, "ann").auto_score = 0.5
        book.db.commit()
    result = run(course, "assignment", "--anyway")
    assert "ann needs a human: knn: the gradebook has other automatic points" in result.stderr
    assert scores(course)["ann"] == "9.5"  # what the formgrader shows


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["moodle"], "Download grading worksheet"),
        (["gradescope"], "--student NAME and --format gradescope go together"),
        (["checks", "--student", "ann"], "--student NAME and --format gradescope go together"),
        (["gradescope", "--student", "nobody"], "'nobody' handed in nothing for assignment1"),
        (["checks", "--roster", "x.csv"], "--roster goes with canvas and moodle"),
        (["canvas", "--scale"], "add --roster FILE"),
        (["canvas", "--roster", "/no/such.csv"], "/no/such.csv cannot be read: No such file"),
    ],
)
def test_wrong_use_is_reported_in_a_line(graded: Path, arguments: list[str], message: str) -> None:
    result = run(graded, *arguments)
    assert result.exit_code == WRONG_USE
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_an_assignment_without_grades_is_reported(graded: Path, tmp_path: Path) -> None:
    arguments = ["assignment9", "--format", "checks", "--root", str(graded)]
    result = CliRunner().invoke(export, [*arguments, "--out", str(tmp_path / "x.csv")])
    assert result.exit_code == WRONG_USE
    assert "has no grades for 'assignment9'" in result.stderr
    assert not list(tmp_path.iterdir())


def test_without_a_gradebook_no_grade_is_guessed(course: Path) -> None:
    (course / "gradebook.db").unlink()
    result = run(course, "assignment")
    assert result.exit_code == WRONG_USE
    assert "there is no gradebook" in result.stderr
    assert not (course / "gradebook.db").exists()
    (course / "gradebook.db").write_bytes(b"something else" * 100)
    assert "cannot be read: file is not a database" in run(course, "assignment").stderr
    with (course / "nbgrader_config.py").open("a") as config:
        config.write('\nc.CourseDirectory.db_url = "no such database"\n')
    result = run(course, "assignment")
    assert result.exit_code == WRONG_USE
    assert "Is db_url in nbgrader_config.py right" in result.stderr


def test_others_may_write_meanwhile_and_nothing_is_changed(course: Path) -> None:
    path = course / "gradebook.db"
    before = hashlib.sha256(path.read_bytes()).digest()
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE grade SET auto_score = 0")
        assert scores(course)["ann"] == "11"  # not what is half-written
        writer.execute("ROLLBACK")
    assert hashlib.sha256(path.read_bytes()).digest() == before


def test_postgresql_gives_the_same_grades(course: Path, postgresql: str) -> None:
    expected = table(course, "questions"), table(course, "assignment")
    tables = api.Base.metadata
    sqlite, server = create_engine(f"sqlite:///{course}/gradebook.db"), create_engine(postgresql)
    tables.create_all(server)
    with sqlite.connect() as source, server.begin() as target:
        for one in tables.sorted_tables:
            if rows := [dict(row._mapping) for row in source.execute(select(one))]:
                target.execute(insert(one), rows)
    (course / "gradebook.db").unlink()
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(f"\nc.CourseDirectory.db_url = {postgresql!r}\n")
    assert (table(course, "questions"), table(course, "assignment")) == expected
    reader = reading_engine(make_url(postgresql))
    with reader.connect() as connection, pytest.raises(DBAPIError, match="read-only transaction"):
        connection.execute(text("DELETE FROM grade"))


# Canvas ------------------------------------------------------------------------------------------

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Notes,Essay (11),Assignment 1 (12),Final Score
,,,,,,,Manual Posting,
    Points Possible,,,,,,10,13,(read only)
"Ünal, Ann",101,u-ann,ANN,"Tue, 10:00",late?,7.5,,57.69
"Łoś, Bob",102,u-bob,bob@uni.example,Wed,,8,3,50
"=1+1, Eve",103,=1+2,eve,Wed,,,,
"Student, Test",104,,7f3a,Tue,,,9,
"""


def canvas(root: Path, text: str = CANVAS, *more: str) -> tuple[Result, list[list[str]]]:
    roster, out = root / "canvas.csv", root / "filled.csv"
    roster.write_text(text, "utf-8")
    result = run(root, "canvas", "--roster", roster, "--out", out, *more)
    rows = list(csv.reader(out.open(encoding="utf-8", newline=""))) if out.exists() else []
    return result, rows


def test_canvas_own_gradebook_is_filled_in_and_nothing_else_changed(course: Path) -> None:
    result, rows = canvas(course)
    before = list(csv.reader(io.StringIO(CANVAS, newline="")))
    assert [row[7] for row in rows[1:]] == ["Manual Posting", "13", "11", "9", "10", "9"]
    for old, new in zip(before, rows, strict=True):
        new[7] = old[7]
        if old[0] == "=1+1, Eve":
            assert new[0] == "'=1+1, Eve"  # a name, which Canvas does not read: it has the ID
            new[0] = old[0]
        assert new == old
    assert "graded here, but not on the list: cleo" in result.stderr
    assert "left as is: Student, Test" in result.stderr
    assert result.exit_code == NEEDS_HUMAN
    assert run(course, "canvas", "--roster", course / "canvas.csv", "--anyway").exit_code == (
        NEEDS_HUMAN  # a grade that does not arrive is never all right
    )


def test_canvas_students_are_found_by_any_of_their_names(course: Path) -> None:
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        book.update_or_create_student("cleo", email="C.Leo@uni.example", lms_user_id="105")
        book.update_or_create_student("ann", lms_user_id="999")
    rows = [
        '"Leo, Cleo",105,,cl05,Tue,,,,',  # by LMS ID
        '"Ünal, Ann",101,u-ann,ann@uni.example,Tue,,,,',  # by what stands before the @
        '"Ünal, Ann",106,u-ann2,someone,Tue,,,,',
    ]
    text = "\n".join([*CANVAS.splitlines()[:3], *rows, ""])
    result, filled = canvas(course, text)
    assert [row[7] for row in filled[3:]] == ["0", "11", ""]
    assert f"graded here, but not on the list: {EVE}, {BOB}" in result.stderr


def test_canvas_doubts_are_reported_and_left_out(course: Path) -> None:
    rows = [
        "A,101,ann,x,Tue,,,1,",
        "B,102,y,ann,Tue,,,2,",  # both are ann
        f"C,103,{BOB},cleo,Tue,,,3,",  # Bob and Cleo at once
    ]
    result, filled = canvas(course, "\n".join([*CANVAS.splitlines()[:3], *rows, ""]))
    assert [row[7] for row in filled[3:]] == ["1", "2", "3"]
    assert f"in several rows, or two in one, so left out: ann, {BOB}, cleo" in result.stderr


def test_canvas_excused_students_stay_excused(course: Path) -> None:
    result, filled = canvas(course, CANVAS.replace(",8,3,50", ",8,EX,50"))
    assert [row[7] for row in filled[3:]] == ["11", "EX", "10", "9"]
    assert f"excused by Canvas, left as is: {BOB}" in result.stderr


def test_canvas_without_a_list_goes_by_login(graded: Path) -> None:
    rows = table(graded, "canvas")
    assert list(rows[0]) == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", ASSIGNMENT]
    assert (rows[0]["Student"], rows[0][ASSIGNMENT]) == ("    Points Possible", MAX_SCORE)
    assert [(row["SIS Login ID"], row[ASSIGNMENT]) for row in rows[1:]] == [
        (f"'{EVE}", "10"), ("ann", "11"), (BOB, "9"), ("cleo", "0")
    ]  # fmt: skip


def test_canvas_column_is_named_when_it_is_not_plain_which(course: Path) -> None:
    other = CANVAS.replace("Assignment 1 (12)", "Nearest neighbours (12)")
    result, rows = canvas(course, other)
    assert (result.exit_code, rows) == (WRONG_USE, [])
    assert "There are: 'Essay (11)', 'Nearest neighbours (12)'" in result.stderr
    _, rows = canvas(course, other, "--grade-column", "Nearest neighbours (12)")
    assert rows[3][7] == "11"
    result, _ = canvas(course, other, "--grade-column", "Final Score")
    assert "a column that Canvas only computes" in result.stderr


def test_other_points_are_reported_or_made_to_fit(course: Path) -> None:
    of_100 = CANVAS.replace(",10,13,", ",10,100,")
    result, rows = canvas(course, of_100)
    assert "Canvas gives 100 points, the assignment here has 13" in result.stderr
    assert rows[3][7] == "11"
    result, rows = canvas(course, of_100, "--scale")
    assert rows[3][7] == "84.6154"
    assert "gives 100 points" not in result.stderr
    result, _ = canvas(course, CANVAS.replace(",10,13,", ",10,,"), "--scale")
    assert "does not say how many points Canvas gives" in result.stderr


# Moodle ------------------------------------------------------------------------------------------

MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Online text,Last modified (grade),Feedback comments\n"
    'Participant 31,Ann Ünal,ANN@uni.example,Submitted for grading,,13.00,Yes,'
    '"Tuesday, 3 June 2031, 9:14 AM","=1+1 and\na second line",-,"good, but"\n'
    "Participant 32,Bob Łoś,bob@uni.example,Submitted for grading,2.00,13.00,Yes,-,,-,\n"
    "Participant 33,=Cleo,cleo@uni.example,No submission,,13.00,Yes,-,,-,-\n"
    "Participant 34,Dan Dee,dan@uni.example,No submission,,13.00,Yes,-,,-,\n"
)  # fmt: skip


def moodle(root: Path, data: bytes, *more: str) -> tuple[Result, bytes]:
    roster, out = root / "worksheet.csv", root / "filled.csv"
    roster.write_bytes(data)
    out.unlink(missing_ok=True)
    result = run(root, "moodle", "--roster", roster, "--out", out, *more)
    return result, out.read_bytes() if out.exists() else b""


def test_moodles_worksheet_is_filled_in_and_nothing_else_changed(course: Path) -> None:
    result, data = moodle(course, MOODLE.encode())
    before = list(csv.reader(io.StringIO(MOODLE, newline="")))
    after = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert [row[4] for row in after] == ["Grade", "11", "9", "0", ""]
    changed = {
        (row, column)
        for row, (old, new) in enumerate(zip(before, after, strict=True))
        for column, (was, now) in enumerate(zip(old, new, strict=True))
        if was != now and column != 4
    }
    assert changed == {(1, 8), (3, 1)}  # what students wrote, made harmless; Moodle reads neither
    assert after[1][8].startswith("'=1+1")
    assert after[3][1] == "'=Cleo"
    assert f"graded here, but not on the list: {EVE}" in result.stderr
    assert "left as is: Participant 34 Dan Dee" in result.stderr


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8", b"\xef\xbb\xbf"),
        ("utf-16-le", b"\xff\xfe"),
        ("cp1252", b""),
    ],
)
def test_a_german_worksheet_stays_one(course: Path, encoding: str, mark: bytes) -> None:
    text = (
        "ID;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Bestwertung;Kommentar\r\n"
        "Teilnehmer/in31;Ann Ünal;ann@uni.example;Abgegeben;;13,00;\r\n"
        "Teilnehmer/in32;Bob;bob@uni.example;Abgegeben;7,25;13,00;\"er sagt \"\"so\"\"\"\r\n"
    )  # fmt: skip
    data = mark + text.encode(encoding)
    result, _ = moodle(course, data)
    assert result.exit_code == WRONG_USE
    assert "no column is called 'Grade' in the list; name one with --grade-column" in result.stderr
    _, filled = moodle(course, data, "--grade-column", "Bewertung")
    expected = text.replace(";Abgegeben;;", ";Abgegeben;11;").replace("7,25", "9")
    assert filled == mark + expected.encode(encoding)
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        book.find_submission_notebook(NOTEBOOK, ASSIGNMENT, "ann").late_submission_penalty = 0.5
        book.db.commit()
    _, filled = moodle(course, data, "--grade-column", "Bewertung")
    assert ";Abgegeben;11,5;" in filled[len(mark) :].decode(encoding)


def test_moodle_finds_participants_by_number(course: Path) -> None:
    with Gradebook(f"sqlite:///{course}/gradebook.db") as book:
        book.update_or_create_student(EVE, lms_user_id="34")
    _, data = moodle(course, MOODLE.encode())
    assert data.decode().splitlines()[-1].startswith("Participant 34,Dan Dee,dan@uni.example,No")
    assert list(csv.reader(io.StringIO(data.decode())))[-1][4] == "10"


def test_grades_that_moodle_would_pass_over_are_reported(course: Path) -> None:
    result, data = moodle(course, MOODLE.replace("13.00", "10.00").encode())
    assert "more than 10 points, which Moodle silently ignores: ann" in result.stderr
    assert ",11,10.00," in data.decode()
    result, data = moodle(course, MOODLE.replace("13.00", "10.00").encode(), "--scale")
    assert ",8.4615,10.00," in data.decode()
    assert "silently" not in result.stderr


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "has no row of column names"),
        (b"PK\x03\x04rest", "is a zip or an Excel workbook"),
        (b"a,b\n\x81\x8d\xff", "is not text"),
        (b'a,"' + b"x" * 200_000 + b'"\n', "is not a CSV file: field larger than field limit"),
        (MOODLE.replace("13.00", "Good").encode(), "is the assignment graded by a scale"),
        (MOODLE.replace("Status", "Grade").encode(), "several columns are called 'Grade'"),
    ],
)
def test_a_list_that_is_none_is_reported(course: Path, data: bytes, message: str) -> None:
    result, written = moodle(course, data)
    assert result.exit_code == WRONG_USE
    assert message in result.stderr
    assert written == b""


def test_the_list_itself_is_never_overwritten(course: Path) -> None:
    roster = course / "worksheet.csv"
    roster.write_text(MOODLE, "utf-8")
    result = run(course, "moodle", "--roster", roster, "--out", roster)
    assert "--out would overwrite the list" in result.stderr
    assert roster.read_text("utf-8") == MOODLE


# Gradescope's results.json -----------------------------------------------------------------------


def results_json(root: Path, student: str) -> dict:
    out = root / "results.json"
    result = run(root, "gradescope", "--student", student, "--out", out, "--anyway")
    assert result.exit_code == FINE, result.output
    data = out.read_bytes()
    assert data.isascii()
    return json.loads(data)


def test_results_json_has_a_test_for_each_question(graded: Path) -> None:
    found = results_json(graded, "ann")
    assert found["score"] == 11
    assert found["output"] == "Handed in late: 1 points less."
    assert found["stdout_visibility"] == "hidden"
    assert [test["name"] for test in found["tests"]] == [
        f"knn: {name}" for name in (*QUESTIONS, WRITTEN)
    ]
    assert [test["number"] for test in found["tests"]] == ["1.1", "1.2", "1.3", "1.4", "1.5"]
    assert sum(test["score"] for test in found["tests"]) == 12
    assert sum(test["max_score"] for test in found["tests"]) == float(MAX_SCORE)
    last = found["tests"][-1]
    assert (last["score"], last["output"]) == (1.5, "Graded by a person: 1.5 of 2.")
    assert "[passed]" in found["tests"][0]["output"]


def test_results_json_shows_no_unread_answer_as_failed(graded: Path) -> None:
    found = results_json(graded, BOB)
    statuses = [test["status"] for test in found["tests"]]
    assert statuses == ["passed", "failed", "passed", "passed"]
    assert "[FAILED]" in found["tests"][1]["output"]
    assert "Written answers that a person will read: 1." in found["output"]
    assert found["extra_data"]["written_answers_to_read"] == 1


def test_results_json_is_text_whatever_a_student_writes(graded: Path) -> None:
    found = results_json(graded, EVE)
    formats = ("output_format", "test_output_format", "test_name_format")
    assert {found[name] for name in formats} == {"text"}
    assert {test["output_format"] for test in found["tests"]} == {"text"}
    assert {test["name_format"] for test in found["tests"]} == {"text"}
    message = found["tests"][1]["output"]
    assert "<script>" in message  # shown as it is, by declaration
    assert "\x1b" not in message
