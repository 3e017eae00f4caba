"""In Jupyter, a failed ``assert condition, "words"`` of a cell shows two lines and no traceback.

Only an assertion that stands in the cell itself: in a function of another cell, or of a library,
the way there is what one wants to see.
"""

from __future__ import annotations

import ast
import linecache
import sys
import textwrap
import traceback
from types import TracebackType
from typing import Any

_WIDEST = 100  # characters of a condition


def show_failed_asserts_briefly() -> None:
    """Outside Jupyter, and where exceptions are handled in another way already: nothing."""
    ipython = sys.modules.get("IPython")  # not imported: then nothing runs in it
    shell: Any = ipython.get_ipython() if ipython is not None else None
    if shell is not None and not shell.custom_exceptions:
        shell.set_custom_exc((AssertionError,), _show)


def _show(
    shell: Any,
    kind: type[BaseException],
    error: BaseException,
    trace: TracebackType,
    tb_offset: int | None = None,
) -> None:
    lines = brief(error, trace)
    if lines:
        error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def brief(error: BaseException, trace: TracebackType) -> list[str]:
    """What is shown in place of a traceback; empty where that stays."""
    words = str(error).strip()
    places = [(frame.f_code, line) for frame, line in traceback.walk_tb(trace)]
    cell = [number for number, (code, _) in enumerate(places) if code.co_name == "<module>"]
    if type(error) is not AssertionError or not words or not cell:
        return []
    names = {code.co_filename for code, _ in places[cell[0] :]}
    if len(names) > 1:
        return []
    stop = "" if words.endswith((".", "?", "!")) else "."
    condition = _condition(names.pop(), places[-1][1])
    return [
        *f"✗ {words}{stop}".splitlines(),
        *([f"  This does not hold: {condition}"] if condition else []),
    ]


def _condition(file: str, line: int) -> str:
    """What is asserted in this line, in one; empty where it cannot be said."""
    try:
        nodes = list(ast.walk(ast.parse("".join(linecache.getlines(file)))))
    except SyntaxError:  # a magic, say
        return ""
    asserts = [node for node in nodes if isinstance(node, ast.Assert)]
    around = [one for one in asserts if one.lineno <= line <= (one.end_lineno or one.lineno)]
    return (
        textwrap.shorten(ast.unparse(around[-1].test), _WIDEST, placeholder=" …") if around else ""
    )
