"""A verdict as the output of its grade cell: for people to read, and for nbgrader to score.

nbgrader scores a grade cell by its first ``execute_result``. The judge puts that there, so that
nothing the kernel printed, to stdout or stderr, is ever looked at for points.
"""

from __future__ import annotations

from html import escape
from typing import Any

from autograder.judge.results import CellVerdict, CheckVerdict

Output = dict[str, Any]


def verdict_outputs(verdict: CellVerdict, printed: list[Output], count: int) -> list[Output]:
    """The verdict, then what the cell itself printed."""
    result = {
        "output_type": "execute_result",
        "execution_count": count or None,
        "data": {"text/plain": f"{verdict.score:g}", "text/html": verdict_html(verdict)},
        "metadata": {},
    }
    return [result, *printed]


def only_points(outputs: list[Output], points: float) -> list[Output]:
    """The outputs of a graded cell with the verdict down to its points: no checks, no reasons."""
    places = [i for i, output in enumerate(outputs) if output["output_type"] == "execute_result"]
    if not places:
        return outputs
    verdict = outputs[places[0]]
    score = str(verdict["data"].get("text/plain", ""))
    shown = verdict | {"data": {"text/plain": score, "text/html": points_html(score, points)}}
    return [shown, *outputs[: places[0]], *outputs[places[0] + 1 :]]


def points_html(score: str, points: float) -> str:
    return f"<p><strong>{escape(score)} of {points:g} points</strong></p>"


def verdict_html(verdict: CellVerdict) -> str:
    """Score and checks, each with its message. Everything that came from a student is escaped."""
    lines = [points_html(f"{verdict.score:g}", verdict.points)]
    if verdict.note:
        lines.append(f"<p>{escape(verdict.note)}</p>")
    if verdict.checks:
        items = "\n".join(f"<li>{_check_html(check)}</li>" for check in verdict.checks)
        lines.append(f"<ul>\n{items}\n</ul>")
    return "\n".join(lines)


def _check_html(check: CheckVerdict) -> str:
    mark = "✓" if check.passed else "advice:" if check.advice else "✗"
    text = f"{mark} {escape(check.title)}"
    return text if check.passed else f"{text}<br><em>{escape(check.message)}</em>"
