"""The demo: a small class is built, released, graded; pages to open are named at the end."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console

from autograder.cli.grade import grade_with_progress, report_on
from autograder.cli.grading_start import GradingOptions, started
from autograder.course.submissions import CourseError
from autograder.demo import ASSIGNMENTS, SMALL, DemoClass, build_demo
from autograder.report.html import student_file
from autograder.settings import settings_of


def run_demo(course: Path, folder: Path, who: DemoClass = SMALL) -> None:
    """Build the class in ``folder``, grade it, write report and feedback, name three pages."""
    from autograder.feedback.pages import make_feedback  # imports nbgrader: a second

    if settings_of(course).folder:
        raise CourseError(
            f"the sample class has handed in CS231n's notebooks, and {course} is another course; "
            "its README.md says how to see a grade without students"
        )
    console = Console()
    students = build_demo(folder, course, who)
    console.print(f"{len(students)} sample students in {_short(folder / 'submitted')}")
    for assignment in ASSIGNMENTS:
        if not any((folder / "release" / assignment).glob("*.ipynb")):
            continue  # no notebook of it is in this class
        options = GradingOptions()
        with started(folder, assignment, options) as start:
            grade_with_progress(folder, assignment, options=options, start=start)
        make_feedback(folder, assignment)
        report_on(folder, assignment, folder / "report" / assignment, {})  # links to these pages
    console.print("\nThree pages to open:")
    for what, page in _pages(folder, who).items():
        console.print(f"  {what:<13}{_short(page)}", soft_wrap=True, highlight=False)


def _pages(folder: Path, who: DemoClass) -> dict[str, Path]:
    """What to look at first, by what it is."""
    assignment, student = who.student_page
    part, answered, notebook = who.feedback_page
    return {
        "the class": folder / "report" / part / "index.html",
        "a student": folder / "report" / assignment / "students" / student_file(student),
        "feedback": folder / "feedback" / answered / part / f"{notebook}.html",
    }


def _short(path: Path) -> str:
    """As one would type it here, where it is in this folder."""
    here = Path.cwd()
    return os.path.relpath(path, here) if path.is_relative_to(here) else str(path)
