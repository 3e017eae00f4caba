"""A notebook's cell as Python: magics, ``!commands`` and ``help?`` become the calls they stand for.

IPython's own transformer reads them, and nothing is executed. Lines keep their numbers, so that a
message about line 7 means the line 7 that its reader sees.
"""

import ast
import re

# Cell magics whose lines below run as the cell would, in the notebook's own namespace.
_RUNS = re.compile(r"%%(?:time|capture|prun)\b")
# Those whose lines are Python all the same: a helper module, a loop that is timed.
_HOLDS = re.compile(r"%%(?:timeit\b|(?:writefile|file)\b.*\.py[\"']?\s*$)")
# How much tokenizing a cell may cost: the transformer reads all of it again for each such line.
_MAX_WORK = 1_000_000
_MAX_LINE = 1_000
# What to blank where there is no IPython, or too much for it: `%pwd`, `x = !ls`, `net?`.
_MAGIC_LINE = re.compile(
    r"^(?P<indent>\s*)(?:[\w.,\s]+=\s*)?(?:[%!].*|\?{1,2}[\w.*].*|[\w.*]+\?{1,2}\s*)$"
)


def python_of(source: str, *, all_code: bool = False) -> str:
    """The cell as Python, line for line; where that cannot be had, the cell as it is.

    A cell magic such as ``%%bash`` leaves nothing, one such as ``%%time`` the lines below it. With
    ``all_code`` also the lines below ``%%writefile module.py`` and ``%%timeit`` stay, which are
    Python but define nothing in the notebook.
    """
    if _is_python(source):
        return source  # a line of a string, or of a bracket, may well begin with %
    body = source.lstrip()
    if body.startswith("%%"):
        first, _, rest = body.partition("\n")
        first = first[:_MAX_LINE]
        below = "\n" * (source[: len(source) - len(body)].count("\n") + 1)
        kept = _RUNS.match(first) or (all_code and _HOLDS.match(first))
        return below + python_of(rest, all_code=all_code) if kept else ""
    return _transformed(source)


def _is_python(source: str) -> bool:
    try:
        compile(source, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError:
        return False
    except (ValueError, RecursionError, MemoryError):
        return True  # nothing that another reading could mend: a null byte, a thousand brackets
    return True


def _transformed(source: str) -> str:
    """What IPython makes of the cell, with a blank line for each that it joined to another."""
    try:
        # Here: most cells are plain Python, and plain Python needs no IPython.
        from IPython.core.inputtransformer2 import TransformerManager
    except ImportError:
        return _without_magics(source)
    manager = TransformerManager()
    body = source.lstrip("\n")
    blank = len(source) - len(body)
    lines = f"{body}\n".splitlines(keepends=True)
    try:
        for transform in manager.cleanup_transforms:
            lines = transform(lines)
        for _ in range(_MAX_WORK // (len(source) + 1)):
            changed, after = manager.do_one_token_transform(lines)
            if not changed:
                break
            lines = _padded(lines, after)
        else:
            lines = [_without_magics("".join(lines))]
    except Exception:  # IPython's is written for what people type, and this may be anything
        return source
    return "\n" * blank + "".join(lines).removesuffix("\n")


def _without_magics(source: str) -> str:
    return "\n".join(
        _MAGIC_LINE.sub(r"\g<indent>pass", line) if len(line) <= _MAX_LINE else line
        for line in source.split("\n")
    )


def _padded(before: list[str], after: list[str]) -> list[str]:
    """Several lines have become one call: leave the place of the others empty."""
    gone = len(before) - len(after)
    if gone <= 0:
        return after
    pairs = enumerate(zip(before, after, strict=False))
    changed = next((number for number, (old, new) in pairs if old != new), len(after) - 1)
    return [*after[: changed + 1], *["\n"] * gone, *after[changed + 1 :]]
