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


def verdict_html(verdict: CellVerdict) -> str:
    """Score and checks, each with its message. Everything that came from a student is escaped."""
    lines = [f"<p><strong>{verdict.score:g} of {verdict.points:g} points</strong></p>"]
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
