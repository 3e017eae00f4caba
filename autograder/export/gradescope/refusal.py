"""Results where there are none: a 0 that nobody can take for a grade."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autograder.export.gradescope.results import Json, document, plain

NO_GRADE = (
    "NOT GRADED: the 0 is not a grade. The grader could not run, through no fault of this "
    "submission. The course staff can see why, and will run it again."
)
ADVICE = (
    "Student code runs in isolation or not at all. See the autograder's output, and docs/export.md "
    "on what the container must allow; then run the autograder again on this submission."
)


def not_graded(reason: str, notes: Sequence[str] = ()) -> Json:
    """The whole file: students are told that it is no grade, the course staff why."""
    return document(
        score=0.0,
        output="\n".join([NO_GRADE, *notes]),
        tests=[
            _sign("Not graded", NO_GRADE, "visible"),
            _sign("For the course staff: why", f"{reason}\n\n{ADVICE}", "hidden"),
        ],
        visibility="visible",
        seconds=0.0,
        extra_data={"graded": False},
    )


def unreached(
    notebook: str, questions: Iterable[tuple[str, float]], reason: str, visibility: str
) -> list[Json]:
    """The questions of a notebook that grading did not get to, with what they are worth."""
    return [
        {
            **_sign(f"{notebook}: {name}", f"NOT GRADED: {reason}", visibility),
            "score": 0.0,
            "max_score": points,
        }
        for name, points in questions
    ]


def _sign(name: str, text: str, visibility: str) -> Json:
    return {
        "name": plain(name),
        "name_format": "text",
        "status": "failed",
        "output": plain(text),
        "output_format": "text",
        "visibility": visibility,
    }
