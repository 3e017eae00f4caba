"""The report: right numbers, nothing executable from a student, readable by everybody."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from autograder.judge.results import CellVerdict, CheckVerdict, GradedNotebook
from autograder.report import write_report
from autograder.report.grades_csv import harmless, number
from autograder.report.html import percent, student_file
from autograder.report.summary import histogram, summarize
from html_tags import Tags

HOSTILE = "<script>alert(1)</script>\"><img src=x onerror='alert(2)'>"
COLUMNS = ["student", "assignment", "score", "max_score", "manual_pending", "needs_human"]


def check_verdict(*, passed: bool = True, advice: bool = False, message: str = "") -> CheckVerdict:
    weight = 0.0 if advice else 1.0
    return CheckVerdict("a_check", "Does it.", "KNN-A1", advice, weight, passed, message, 0.01)


def graded(
    student: str, *scores: float, notebook: str = "knn", points: float = 2.0, **more
) -> GradedNotebook:
    """A notebook with one cell for each score."""
    message = more.pop("message", "")
    cells = tuple(
        CellVerdict(f"q-{i}", points, s, (check_verdict(passed=s == points, message=message),))
        for i, s in enumerate(scores)
    )
    timings = {"total": 1.5, "start": 0.1, "cells": 0.9, "checks": 0.5, "peak_mb": 50.0}
    return GradedNotebook(student, "a1", notebook, cells, timings=timings, **more)


def read_csv(folder: Path) -> list[list[str]]:
    with (folder / "grades.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_csv_has_one_line_a_student_with_points_added_up(tmp_path: Path) -> None:
    notebooks = [
        graded("bo", 2, 1.5, manual_pending=("w1", "w2")),
        graded("ann", 2, 2),
        graded("bo", 0.5, notebook="svm", needs_human="svm: the kernel died, in cell 'x'"),
    ]
    write_report(tmp_path, "a1", notebooks, {})
    assert read_csv(tmp_path) == [
        COLUMNS,
        ["ann", "a1", "4", "4", "0", ""],
        ["bo", "a1", "4", "6", "2", "svm: the kernel died, in cell 'x'"],
    ]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1+1", "  =cmd|'/C calc'!A0"]
)
def test_no_csv_cell_begins_a_formula(tmp_path: Path, text: str) -> None:
    write_report(tmp_path, "a1", [graded(text, 1, needs_human=text)], {})
    _, row = read_csv(tmp_path)
    for cell in (row[0], row[5]):
        assert cell.startswith("'")
        assert text.strip() in cell  # still readable


def test_csv_reasons_stay_on_one_line_and_names_as_they_are() -> None:
    assert harmless("died\r\n=in cell 3") == "died =in cell 3"
    assert harmless("Žofie O'Neil-Łoś") == "Žofie O'Neil-Łoś"


@pytest.mark.parametrize(
    ("value", "text"),
    [(16.0, "16"), (11.5, "11.5"), (0.0, "0"), (1 / 3, "0.3333"), (1e7, "10000000")],
)
def test_numbers_are_plain(value: float, text: str) -> None:
    assert number(value) == text


def test_hostile_names_and_messages_are_text(tmp_path: Path) -> None:
    notebook = graded(HOSTILE, 0, message=HOSTILE, repairs=(HOSTILE,), needs_human=HOSTILE)
    write_report(tmp_path, "a1", [notebook], {"host": HOSTILE})
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) == 2
    for page in pages:
        html = page.read_text("utf-8")
        tags = Tags.of(html)
        assert not {"script", "img"} & {tag for tag, _ in tags}
        assert not any(name.startswith("on") for _, attributes in tags for name in attributes)
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "..", "a/b", "a\\b", "con:", "\udcff", "x" * 999]
)
def test_student_files_stay_in_their_folder(tmp_path: Path, name: str) -> None:
    file = student_file(name)
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.html", file)
    assert len(file) < 255
    write_report(tmp_path, "a1", [graded(name, 1)], {})
    assert [p.name for p in (tmp_path / "students").iterdir()] == [file]


def test_different_names_have_different_files() -> None:
    names = ["a b", "a-b", "a/b", "a.b", "", "x" * 90, "x" * 91]
    assert len({student_file(name) for name in names}) == len(names)


def test_pages_ask_nothing_of_the_network(tmp_path: Path) -> None:
    write_report(tmp_path, "a1", [graded("ann", 1, 2)], {"python": "3.11"})
    for page in tmp_path.rglob("*.html"):
        html = page.read_text("utf-8")
        assert not re.search(r"https?:|//\w|url\(|@import", html)
        assert not {"script", "link", "iframe"} & {tag for tag, _ in Tags.of(html)}


def test_pages_can_be_read_by_a_screen_reader(tmp_path: Path) -> None:
    write_report(tmp_path, "a1", [graded("ann", 1, 2), graded("bo", 2, 2)], {"python": "3.11"})
    for page in tmp_path.rglob("*.html"):
        html = page.read_text("utf-8")
        tags = Tags.of(html)
        assert ("html", {"lang": "en"}) in tags
        assert re.search(r"<title>[^<]+</title>", html)
        assert sum(tag == "h1" for tag, _ in tags) == 1
        drawings = [attributes for tag, attributes in tags if tag == "svg"]
        assert all(a.get("role") == "img" and a.get("aria-label") for a in drawings)
        headers = [attributes for tag, attributes in tags if tag == "th"]
        assert all(a.get("scope") in ("row", "col") for a in headers)
    index = (tmp_path / "index.html").read_text("utf-8")
    tables = sum(tag == "table" for tag, _ in Tags.of(index))
    assert tables == index.count("<thead>") == 5
    assert 'aria-label="Students by automatic points, rounded down: 1 with 3, 1 with 4' in index
    assert 'aria-label="q-0 1 of 2, q-1 2 of 2"' in index


def test_summary_counts_students_by_points_and_checks_by_verdict() -> None:
    summary = summarize("a1", [graded("a", 2, 1), graded("b", 2, 0), graded("c", 0, 2)])
    first, second = summary.questions
    assert (first.full, first.partial, first.none) == (2, 0, 1)
    assert (second.full, second.partial, second.none) == (1, 1, 1)
    assert second.mean_score == 1.0
    assert [(c.passed, c.students) for c in summary.checks] == [(2, 3), (1, 3)]
    assert (summary.mean, summary.median, summary.max_score) == (pytest.approx(7 / 3), 2, 4)
    (time,) = summary.times
    assert (time.median, time.longest, time.total) == (1.5, 1.5, 4.5)


@pytest.mark.parametrize(("max_score", "bars", "width"), [(16, 17, 1), (4.5, 5, 1), (100, 21, 5)])
def test_histogram_holds_every_score_once(max_score: float, bars: int, width: float) -> None:
    scores = [0, max_score / 2, max_score, max_score + 1, -1]
    drawn = histogram(scores, max_score)
    assert len(drawn) == bars
    assert drawn[0].high - drawn[0].low == width
    assert sum(bar.students for bar in drawn) == len(scores)
    assert drawn[-1].students == 2


def test_percentages_say_all_and_none_only_where_it_is_so() -> None:
    assert [percent(n, 1000) for n in (0, 1, 500, 999, 1000)] == [
        "0 %", "1 %", "50 %", "99 %", "100 %"
    ]  # fmt: skip


def test_pages_of_students_who_left_are_removed(tmp_path: Path) -> None:
    write_report(tmp_path, "a1", [graded("ann", 1), graded("bo", 1)], {})
    write_report(tmp_path, "a1", [graded("ann", 1)], {})
    assert [p.name for p in (tmp_path / "students").iterdir()] == ["ann.html"]
    assert len(read_csv(tmp_path)) == 2


def test_a_class_of_nobody_is_a_page_too(tmp_path: Path) -> None:
    index = write_report(tmp_path, "a1", [], {})
    assert "Distribution of scores" in index.read_text("utf-8")
    assert read_csv(tmp_path) == [COLUMNS]
