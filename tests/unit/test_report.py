"""The report: right numbers, nothing executable from a student, readable by everybody."""

from __future__ import annotations

import base64
import csv
import hashlib
import re
import weakref
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from markupsafe import escape
from scipy.stats import pointbiserialr

from autograder.judge.results import UNASKED, CellVerdict, CheckVerdict, GradedNotebook
from autograder.judge.score import NO_ANSWER, NOT_ATTEMPTED, NOT_RUN
from autograder.report import write_report
from autograder.report.beside import beside
from autograder.report.cases import BROKEN_CHECK, DATE, KINDS, OTHER, OUTCOMES, reasons, shortened
from autograder.report.grades_csv import harmless, number
from autograder.report.histograms import histogram, time_axis
from autograder.report.html import breakable, duration, percent, student_file
from autograder.report.item_analysis import CheckSummary, CheckTally
from autograder.report.summary import summarize
from tests import little, made_up_class
from tests.html_tags import Tags

HOSTILE = "<script>alert(1)</script>\"><img src=x onerror='alert(2)'>"
ALLOWS = "style-src 'unsafe-inline'"
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
        graded("bo", 0.5, notebook="svm", needs_human="svm: the kernel died, in cell 'x'"),
        graded("ann", 2, 2),
    ]
    write_report(tmp_path, "a1", iter(notebooks), {})
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
    notebook = graded(
        HOSTILE,
        0,
        message=HOSTILE,
        repairs=(HOSTILE,),
        substituted=(HOSTILE,),
        needs_human=HOSTILE,
        device=HOSTILE,
        fallback=HOSTILE,
        attempts=2,
    )
    write_report(tmp_path, "a1", [notebook], {"host": HOSTILE})
    pages = list(tmp_path.rglob("*.html"))
    assert len(pages) == 2
    for page in pages:
        html = page.read_text("utf-8")
        tags = Tags.of(html)
        assert "img" not in {tag for tag, _ in tags}
        assert not any(name.startswith("on") for _, attributes in tags for name in attributes)
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
        assert "<script>alert" not in html


def test_no_script_may_run_but_the_one_of_the_class_page(tmp_path: Path) -> None:
    write_report(tmp_path, "a1", [graded("ann", 1)], {})
    index = (tmp_path / "index.html").read_text("utf-8")
    [script] = re.findall(r"<script>(.*?)</script>", index, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; base-uri 'none'; form-action 'none'; {ALLOWS}" in index
    assert f"; script-src 'sha256-{digest}'" in index
    student = (tmp_path / "students" / "ann.html").read_text("utf-8")
    assert "script" not in student
    assert f'; {ALLOWS}">' in student


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
        assert not {"link", "iframe"} & {tag for tag, _ in Tags.of(html)}
        assert not any("src" in attributes for _, attributes in Tags.of(html))


def test_summary_counts_students_by_points_and_checks_by_verdict() -> None:
    summary = summarize("a1", [graded("a", 2, 1), graded("b", 2, 0), graded("c", 0, 2)])
    first, second = summary.questions
    assert (first.full, first.partial, first.none) == (2, 0, 1)
    assert (second.full, second.partial, second.none) == (1, 1, 1)
    assert second.mean_score == 1.0
    assert [(c.passed, c.students) for c in summary.checks] == [(2, 3), (1, 3)]
    assert (summary.mean, summary.median, summary.max_score) == (pytest.approx(7 / 3), 2, 4)
    (time,) = summary.times
    assert (time.median, time.most, time.longest, time.total) == (1.5, 1.5, 1.5, 4.5)
    assert dict(time.stages) == pytest.approx({"start": 0.1, "cells": 0.9, "checks": 0.5})


def cell(*verdicts: tuple[bool, str], points: float = 2.0, score: float = 0.0) -> GradedNotebook:
    """A notebook of one question, with these checks: passed, message."""
    checks = tuple(
        CheckVerdict(f"c{i}", "Does it.", "A", False, 1.0, passed, message, 0.0)
        for i, (passed, message) in enumerate(verdicts)
    )
    return GradedNotebook("a", "a1", "knn", (CellVerdict("q", points, score, checks),))


def test_what_was_never_answered_says_nothing_about_a_question() -> None:
    blank = cell((False, NOT_ATTEMPTED), (False, NO_ANSWER), (True, ""))
    unreached = cell()
    (question,) = summarize("a1", [blank]).questions
    assert (question.blank, question.answered, question.checks) == (1, 0, ())
    (question,) = summarize("a1", [unreached]).questions
    assert (question.unreached, question.answered, question.students) == (1, 0, 1)


def test_a_check_counts_only_the_answers_it_judged() -> None:
    hung = cell((False, "took longer: does it ever end?"), (False, NOT_RUN), (False, NO_ANSWER))
    (question,) = summarize("a1", [hung]).questions
    assert (question.none, [c.students for c in question.checks]) == (1, [1])


VERDICTS = [(p, r / 4) for p, r in [(1, 4), (1, 3), (0, 3), (1, 4), (0, 1), (1, 2), (0, 0), (1, 1)]]


def tally(verdicts: list[tuple[int, float]]) -> CheckSummary:
    counters = CheckTally(check_verdict())
    for i, (passed, rest) in enumerate(verdicts):
        counters.add(f"s{i}", bool(passed), rest)
    return counters.summary("knn", "q")


def test_item_rest_correlation_is_scipys_point_biserial() -> None:
    expected = pointbiserialr(*zip(*VERDICTS, strict=True)).statistic
    assert tally(VERDICTS).correlation == pytest.approx(expected)


@pytest.mark.parametrize(
    "verdicts",
    [[(1, 0.5), (1, 0.7)], [(0, 0.5), (1, 0.5)], [(0, float("nan")), (1, float("nan"))]],
    ids=["all passed", "rest never varies", "no other checks"],
)
def test_there_may_be_nothing_to_correlate(verdicts: list[tuple[int, float]]) -> None:
    assert tally(verdicts).correlation is None


@pytest.mark.parametrize(
    ("verdicts", "suspicion"),
    [
        ([(0, 0.5)] * 3, "Nobody passes it: 0 of 3."),
        ([(0, 0.5)] * 2, ""),  # too few to say so
        ([(0, 1)] * 3 + [(1, 1)] * 2, "3 of the 5 students who passed everything else"),
        ([(0, 1)] * 2 + [(1, 1)] * 2 + [(0, 0.5)], ""),
        ([(0, 0.2), (1, 0.2), (0, 0.8), (1, 0.8)] * 5, "item-rest correlation 0.00"),
        ([(0, 0.2), (1, 0.2), (0, 0.8), (1, 0.8)] * 4, ""),
        ([(0, 0.8), (1, 0.2)] * 10, "item-rest correlation −1.00"),
        ([(0, 0.2), (1, 0.8)] * 10, ""),
    ],
)
def test_what_makes_a_check_suspicious(verdicts: list[tuple[int, float]], suspicion: str) -> None:
    found = tally(verdicts).suspicion
    assert suspicion in found
    assert bool(suspicion) == bool(found)


def test_examples_of_a_failure_begin_with_those_who_had_the_rest_right() -> None:
    verdicts = [(0, 0.5), (1, 1), (0, 1), (0, 0), (0, 1), (0, 0.1)]
    assert tally(verdicts).examples == ("s2", "s4", "s0")


def test_in_a_class_exactly_the_planted_checks_are_suspicious() -> None:
    summary = summarize("a1", made_up_class.made_up_class(200, notebooks=4))
    found = {(c.notebook, c.grade_id, c.probe[-1]) for c in summary.checks if c.suspicion}
    planted = (made_up_class.NOBODY, made_up_class.ALONE, made_up_class.UNRELATED)
    assert found == {(notebook, cell, str(number)) for notebook, cell, number in planted}


def test_every_notebook_that_needs_a_human_is_listed_with_its_reason(tmp_path: Path) -> None:
    notebooks = list(made_up_class.made_up_class(60))
    summary = summarize("a1", notebooks)
    listed = {
        (case.notebook, student)
        for kind in summary.cases.needs_human
        for case in kind.found.cases
        for student in case.students
    }
    assert listed == {(n.notebook, n.student) for n in notebooks if n.needs_human}
    assert len(listed) == summary.cases.waiting
    write_report(tmp_path, "a1", notebooks, {})
    index = (tmp_path / "index.html").read_text("utf-8")
    for kind in summary.cases.needs_human:
        assert kind.title in index
        for case in kind.found.cases:
            assert escape(case.what[0].removeprefix(f"{case.notebook}: ")) in index


BROKEN = "check q/a raised ValueError: could not; broadcast"


@pytest.mark.parametrize(
    ("outcome", "text", "kinds"),
    [
        ("died", "knn: the process ended", ["died"]),
        ("", "something new", [OTHER]),
        ("a new outcome", "knn: went wrong", [OTHER]),
        ("", BROKEN, [BROKEN_CHECK]),
        ("timed out", f"knn: did not stop; {BROKEN}", [BROKEN_CHECK, "timed out"]),
        ("", "no hidden checks exist for knn-x", [BROKEN_CHECK]),
        ("", "timestamp.txt says 'x', which is not a time", [DATE]),
        ("", f"{BROKEN}; timestamp.txt says 'x', which is not a time", [BROKEN_CHECK, DATE]),
    ],
)
def test_reasons_are_sorted_by_kind(outcome: str, text: str, kinds: list[str]) -> None:
    found = reasons(graded("ann", 0, needs_human=text, outcome=outcome))
    assert [kind for kind, *_ in found] == kinds
    assert set(OUTCOMES) < set(KINDS)


def test_long_reasons_are_cut_for_the_class_and_whole_for_the_student(tmp_path: Path) -> None:
    reason = f"knn: {'x' * 5000} end"
    write_report(tmp_path, "a1", [graded("ann", 0, needs_human=reason)], {})
    assert f"{'x' * 5000} end" in (tmp_path / "students" / "ann.html").read_text("utf-8")
    index = (tmp_path / "index.html").read_text("utf-8")
    assert "x" * 300 not in index
    assert "xx…" in index


def test_repairs_of_the_same_form_are_one() -> None:
    repairs = (*(f"cell 'c{i}' had lost its name" for i in range(3)), "cells were in another order")
    assert shortened(repairs) == (
        "cell 'c0' had lost its name, and 2 more like it",
        "cells were in another order",
    )


def test_what_was_mended_replaced_and_tried_again_is_reported_on_both_pages(tmp_path: Path) -> None:
    notes = {
        "repairs": ("the locked cell was restored",),
        "substituted": ("svm_loss of svm: the instructor-s was used",),
        "fallback": "no worker has a GPU",
    }
    write_report(tmp_path, "a1", [graded("ann", 1, attempts=3, **notes)], {})
    index = (tmp_path / "index.html").read_text("utf-8")
    student = (tmp_path / "students" / "ann.html").read_text("utf-8")
    for page, text in product((index, student), notes.values()):
        assert (text if isinstance(text, str) else text[0]) in page
    assert "graded on attempt 3" in index
    assert "repaired, substituted, CPU fallback, tried again" in index
    assert '<td class="number">3</td>' in student


def test_a_gpu_that_nobody_asked_for_is_not_missed() -> None:
    cases = summarize("a1", [graded("ann", 1, fallback=UNASKED)]).cases
    assert cases.fallbacks.cases == ()
    assert summarize("a1", [graded("ann", 1, fallback="none is free")]).cases.fallbacks.cases


def test_a_time_out_that_cost_only_a_cell_is_reported_without_calling_for_a_human() -> None:
    cases = summarize("a1", [graded("ann", 1, outcome="timed out")]).cases
    assert (cases.waiting, cases.needs_human) == (0, ())
    assert cases.interrupted.notebooks == 1
    assert cases.outcomes == {"knn": {"timed out": 1}}


def test_a_large_class_is_never_all_in_memory(tmp_path: Path) -> None:
    """Of 20 students with 2 notebooks each, at most the one before, this one and the next."""
    made: list[weakref.ref[GradedNotebook]] = []
    most = 0

    def watched() -> Iterator[GradedNotebook]:
        nonlocal most
        for notebook in made_up_class.made_up_class(20, notebooks=2):
            made.append(weakref.ref(notebook))
            most = max(most, sum(one() is not None for one in made))
            yield notebook

    write_report(tmp_path, "a1", watched(), {})
    assert len(made) == 40
    assert most <= 6


def test_the_class_page_of_a_thousand_stays_under_a_megabyte(tmp_path: Path) -> None:
    small = write_report(tmp_path / "20", "a1", made_up_class.made_up_class(20), {}).stat().st_size
    large = write_report(tmp_path / "60", "a1", made_up_class.made_up_class(60), {}).stat().st_size
    assert large + 940 * (large - small) / 40 < 1_000_000


def test_pages_that_would_be_the_same_are_left_alone(tmp_path: Path) -> None:
    ann, bo = tmp_path / "students" / "ann.html", tmp_path / "students" / "bo.html"
    write_report(tmp_path, "a1", [graded("ann", 1), graded("bo", 1)], {})
    before = ann.stat().st_ino, bo.stat().st_ino
    write_report(tmp_path, "a1", [graded("ann", 1), graded("bo", 2)], {})
    assert ann.stat().st_ino == before[0]
    assert bo.stat().st_ino != before[1]
    assert "2 of 2" in bo.read_text("utf-8")


def test_a_student_in_two_places_is_refused_and_the_old_page_stays(tmp_path: Path) -> None:
    index = write_report(tmp_path, "a1", [graded("ann", 1)], {})
    before = index.read_bytes()
    with pytest.raises(ValueError, match="'bo' come in two places"):
        write_report(tmp_path, "a1", [graded("bo", 1), graded("ann", 1), graded("bo", 1)], {})
    assert index.read_bytes() == before


@pytest.mark.parametrize(
    ("shortest", "longest", "marks"),
    [(1.5, 40, (1, 3, 10, 30, 100)), (0.35, 2, (0.3, 1, 3)), (0, 0, (0.01, 0.03)), (3, 3, (3, 10))],
)
def test_a_time_axis_holds_all_times_between_round_ones(
    shortest: float, longest: float, marks: tuple[float, ...]
) -> None:
    axis = time_axis(shortest, longest)
    assert axis.marks == pytest.approx(marks)
    assert sum(axis.bars([shortest, longest, longest])) == 3
    assert axis.ticks()[0].at == 0
    assert axis.ticks()[-1].at == 100


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (9.96, "10 s"), (99.4, "99 s"), (99.6, "2 min"), (9360, "2 h 36 min")],
)
def test_durations_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


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


def test_names_may_break_where_a_word_begins_and_nowhere_else() -> None:
    assert breakable("Network_Visualization") == "Network_<wbr>Visualization"
    assert breakable("FullyConnectedNets") == "Fully<wbr>Connected<wbr>Nets"
    assert breakable("<b>") == "&lt;b&gt;"


def test_pages_of_students_who_left_are_removed(tmp_path: Path) -> None:
    write_report(tmp_path, "a1", [graded("ann", 1), graded("bo", 1)], {})
    write_report(tmp_path, "a1", [graded("ann", 1)], {})
    assert [p.name for p in (tmp_path / "students").iterdir()] == ["ann.html"]
    assert len(read_csv(tmp_path)) == 2


def test_a_class_of_nobody_is_a_page_too(tmp_path: Path) -> None:
    index = write_report(tmp_path, "a1", [], {})
    assert "nobody's notebooks have been graded yet" in index.read_text("utf-8")
    assert read_csv(tmp_path) == [COLUMNS]


def test_a_class_that_handed_in_nothing_is_a_page_too(tmp_path: Path) -> None:
    nothing = GradedNotebook("ann", "a1", "knn", (), needs_human="missing", outcome="missing")
    index = write_report(tmp_path, "a1", [nothing], {}).read_text("utf-8")
    assert 'id="needs-human"' in index
    assert read_csv(tmp_path) == [COLUMNS, ["ann", "a1", "0", "0", "0", "missing"]]


def test_unread_answers_stand_with_their_rubric_on_the_class_page_only(tmp_path: Path) -> None:
    root = little.write_course(tmp_path / "course")
    released = root / "release" / little.ASSIGNMENT / f"{little.NOTEBOOK}.ipynb"
    released.parent.mkdir(parents=True)
    released.write_bytes(little.answer())
    question = "knn-question-bright-rows"
    notebooks = [graded(name, 2, manual_pending=(question,)) for name in ("ann", "bo")]
    for place in ("autograded/ann/a1/knn.ipynb", "feedback/ann/a1/knn.html"):
        (root / place).parent.mkdir(parents=True)
        (root / place).write_text("{}", "utf-8")

    around = beside(root, little.ASSIGNMENT)
    index = write_report(root / "report" / "a1", "a1", notebooks, {}, around)
    page = " ".join(index.read_text("utf-8").split())
    source = "".join(little.cell_of(little.little_source(), question)["source"])
    model, scheme = (str(escape(part)).split() for part in source.split("### BEGIN MARK SCHEME"))
    assert "### " not in page
    for words in (model[:9], scheme[:9]):
        assert " ".join(words) in page
    assert re.search(rf'id="read-knn-{question}".*students/ann\.html.*students/bo\.html', page)

    student = index.parent / "students" / "ann.html"
    text = " ".join(student.read_text("utf-8").split())
    assert " ".join(scheme[:9]) not in text, "the page may be shown to the student"
    links = [about["href"] or "" for name, about in Tags.of(text) if name == "a" and about]
    assert f"../index.html#read-knn-{question}" in links
    pages = [link for link in links if link.startswith("../../../")]
    assert len(pages) == 2
    assert all((student.parent / link).resolve().is_file() for link in pages)
    assert "../../../" not in (student.parent / "bo.html").read_text("utf-8"), "there are none"
