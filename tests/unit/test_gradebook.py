"""The writer of the gradebook follows nbgrader's configuration."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from autograder.authoring.release import ensure_assignment
from autograder.course.gradebook import GradebookWriter, course_config
from autograder.judge.results import CellVerdict, GradedNotebook
from tests.little import ASSIGNMENT, NOTEBOOK, write_course


@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = write_course(tmp_path / "course")
    ensure_assignment(root, ASSIGNMENT, tmp_path / "scratch")
    return root


def test_a_late_plugin_may_be_configured_by_name(course: Path) -> None:
    with (course / "nbgrader_config.py").open("a") as config:
        config.write(
            'c.AssignLatePenalties.plugin_class = "nbgrader.plugins.LateSubmissionPlugin"\n'
        )
        config.write('c.LateSubmissionPlugin.penalty_method = "zero"\n')
    cells = (CellVerdict("knn-two-loops", 2.0, 2.0, ()), CellVerdict("knn-no-loops", 4.0, 1.5, ()))
    graded = GradedNotebook("ada", ASSIGNMENT, NOTEBOOK, cells)
    with GradebookWriter(course) as writer:
        assert writer._gradebook is not None
        writer._gradebook.update_or_create_assignment(ASSIGNMENT, duedate="2031-03-01 12:00")
        writer.record("ada", ASSIGNMENT, [graded], datetime.datetime(2031, 3, 2, 12))
        late = writer._gradebook.find_submission(ASSIGNMENT, "ada")
        assert late.score == 3.5
        assert late.late_submission_penalty == 3.5
        writer.record("ada", ASSIGNMENT, [graded], datetime.datetime(2031, 3, 1, 11))
        assert late.late_submission_penalty == 0


def test_without_a_config_file_the_course_is_where_it_is(tmp_path: Path) -> None:
    assert course_config(tmp_path).CourseDirectory.root == str(tmp_path)
