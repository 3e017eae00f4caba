"""In Jupyter, a failed ``assert condition, "words"`` of a notebook shows two lines, no traceback.

Only an assertion that stands in the notebook itself: in a library, or in another notebook that was
loaded, the way there is what one wants to see.
"""

from __future__ import annotations

import ast
import linecache
import sys
import textwrap
import traceback
from collections.abc import Mapping
from types import FrameType, TracebackType
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
    lines = brief(error, trace, shell.user_ns)
    if lines:
        error._render_traceback_ = lambda: lines  # type: ignore[attr-defined]
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)


def brief(error: BaseException, trace: TracebackType, notebook: Mapping[str, Any]) -> list[str]:
    """What is shown in place of a traceback; empty where that stays.

    ``notebook``: its global names, by which its code is known.
    """
    words = str(error).strip()
    *_, (frame, line) = traceback.walk_tb(trace)
    if type(error) is not AssertionError or not words or frame.f_globals is not notebook:
        return []
    stop = "" if words.endswith((".", "?", "!")) else "."
    condition = _condition(frame, line)
    return [*f"✗ {words}{stop}".splitlines(), *([f"  {condition}"] if condition else [])]


def _condition(frame: FrameType, line: int) -> str:
    """What is asserted in this line, in one; empty where it cannot be said."""
    try:
        tree = ast.parse("".join(linecache.getlines(frame.f_code.co_filename)))
    except SyntaxError:  # a magic, say
        return ""
    asserts = [node for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    around = [one for one in asserts if one.lineno <= line <= (one.end_lineno or one.lineno)]
    if not around:
        return ""
    text = textwrap.shorten(ast.unparse(around[-1].test), _WIDEST, placeholder=" …")
    name = frame.f_code.co_name
    return f"This does not hold{'' if name.startswith('<') else f' in {name}'}: {text}"
