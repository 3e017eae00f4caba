"""The benchmark's limit grades without an engine around it, and finds what our grader finds."""

from pathlib import Path

import pytest

from benchmarks.class_scale.limit import run_limit
from benchmarks.class_scale.submissions import Class, full_points, write_course, wrong_grades


@pytest.mark.nightly
def test_two_styles_earn_all_points_and_a_mistake_loses_some(tmp_path: Path) -> None:
    who = Class(right=("a-000-right", "b-001-right"), wrong=("a-000-wrong",), hang=(), crash=())
    course = write_course(tmp_path / "course", who)
    scores = {cost.student: cost.score for cost in run_limit(course, 1).costs}
    assert wrong_grades("limit", who, scores, full_points(course)) == ""
    # Squared distances: knn-no-loops keeps 7 of its weight of 19, as in `autograder.demo.expected`.
    assert abs(full_points(course) - scores["a-000-wrong"] - 4 * 12 / 19) < 1e-3
