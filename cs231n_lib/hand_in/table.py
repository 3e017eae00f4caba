"""What was found, as lines of text: for a terminal, and for the output of a cell."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from cs231n_lib.hand_in.look import MAX_BYTES
from cs231n_lib.hand_in.report import Question, Report

WIDTH = 100
NO_MARK = (
    "This is no mark: visible checks try a few inputs, hidden checks with others decide, and a\n"
    "person reads the written answers."
)


def table(report: Report) -> Iterator[str]:
    """The lines on one notebook."""
    notebook, questions = report.notebook, report.questions
    yield (
        f"{notebook.path.name}: {notebook.note.assignment}, {len(questions)} questions, "
        f"{report.points:g} points{_ran(report)}"
    )
    yield ""
    yield from _rows(questions)
    yield ""
    if report.stubs:
        yield from wrapped(f"To be written: {', '.join(report.stubs)}.")
    yield "  When it is graded:"
    for remark in report.remarks:
        yield from wrapped(f"{'!' if remark.open else '-'} {remark.text}", hang=2)
    if notebook.size <= MAX_BYTES:
        yield f"  - Its size, {_size(notebook.size)}, is below the limit of {MAX_BYTES >> 20} MB."
    if report.run is None:
        yield "  It was not run, so nothing is known of its visible checks."
    if report.at_stake:
        yield f"  Open: questions worth {report.at_stake:g} of {report.points:g} points."
    elif report.ready:
        yield "  Nothing is known to be open."


def _rows(questions: Sequence[Question]) -> Iterator[str]:
    if not questions:
        yield "  It has no questions."
        return
    names = max(len("question"), *(len(one.name) for one in questions))
    states = max(len("visible checks"), *(len(one.state) for one in questions))
    yield f"    {'question':<{names}}  points  {'visible checks':<{states}}  where"
    for one in questions:
        mark = "!" if one.open else " "
        row = f"  {mark} {one.name:<{names}}  {one.points:>6g}  {one.state:<{states}}  "
        yield _cut(row + one.title).rstrip()
        if one.message:
            yield from wrapped(one.message, "      ", hang=2)


def _ran(report: Report) -> str:
    if report.run is None:
        return ""
    return f"; {len(report.run.cells)} cells run in {report.run.seconds:.0f} s"


def _cut(line: str) -> str:
    return line if len(line) <= WIDTH else f"{line[: WIDTH - 1]}…"


def wrapped(text: str, indent: str = "  ", hang: int = 0) -> list[str]:
    """Lines of at most `WIDTH` characters; no word is broken."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + " " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _size(size: int) -> str:
    return f"{size / (1 << 20):.1f} MB" if size >= 1 << 20 else f"{max(1, size >> 10)} KB"
