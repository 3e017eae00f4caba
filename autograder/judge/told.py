"""What a student is told of an exception that their code raised in a hidden check.

The text of an exception may hold the inputs of the check (``raise ValueError(repr(X))``). It is
shown where it cannot: where it stands in the student's own source as it is, or has the form of a
well-known message of Python, NumPy or PyTorch, whose variable parts are shapes, small whole numbers
and names that are no news. Whatever else came from the kernel is checked against the source, too:
the type, the line, and the code of that line, which is read here and not believed.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from typing import Any

from autograder.judge.messages import FORMS, PARTS, WORDS

WITHHELD = "whose message is not shown, since it may hold hidden inputs"
NAME = re.compile(r"(?<!\w)[A-Za-z_]\w*")
MAX_TEXT = 400


def message_of(
    error: Mapping[str, Any],
    sources: Mapping[str, str],
    known: Collection[str] = (),
    said: Collection[str] = (),
) -> str:
    """``raised TypeError: ... (line 3 of cell 'sgd', in sgd: `w -= dw`)``, as far as it may be.

    ``error`` is the kernel's word; ``sources`` the student's cells by id; ``known`` are further
    names that are no news: of functions that were called, of their arguments; ``said`` are texts of
    the judge's own.
    """
    text = str(error.get("message", ""))[:2000]
    names = _words(sources) | set(known)
    kind = type_of(str(error.get("type", "Exception")), names)
    if not text:
        said = kind
    elif text in said or _may_be_shown(text, names, sources):
        said = f"{kind}: {text[:MAX_TEXT]}"
    else:
        said = f"{kind}, {WITHHELD}"
    place = _place(str(error.get("line", "")), str(error.get("code", "")), sources, names)
    return f"raised {said} ({place})" if place else f"raised {said}"


def type_of(name: str, names: Collection[str] = ()) -> str:
    """The name of an exception's type, where it is no news."""
    is_builtin = isinstance(getattr(builtins, name, None), type)
    return name if is_builtin or name in WORDS or name in names else "an exception"


def is_known_type(name: str) -> bool:
    """Whether an object's type is one that Python, NumPy or PyTorch have."""
    return name in WORDS or isinstance(getattr(builtins, name, None), type)


def named(found: Iterable[Any], limit: int = 4) -> str:
    """Keys of a student's dictionary for a message: short names and numbers, the first few."""
    keys = sorted({str(key) for key in found})
    short = [key for key in keys if re.fullmatch(r"[A-Za-z_]\w{0,15}|\d{1,4}", key)]
    others = ["others"] if len(short) < len(keys) or len(short) > limit else []
    return ", ".join([*short[:limit], *others])


def _may_be_shown(text: str, names: Collection[str], sources: Mapping[str, str]) -> bool:
    """Whether the text cannot hold inputs."""
    if any(text in source for source in sources.values()):
        return True
    key = text[1:-1] if text[:1] == text[-1:] and text[:1] in "'\"" else ""
    if key and key in names:  # a KeyError's
        return True
    found = _forms().fullmatch(text)
    if found is None:
        return False
    # Every word is one of the form's own, or known.
    return all(word in names or word in _FIXED or _is_standard(word) for word in NAME.findall(text))


def _is_standard(word: str) -> bool:
    return word in WORDS or hasattr(builtins, word)


def _words(sources: Mapping[str, str]) -> set[str]:
    return {word for source in sources.values() for word in NAME.findall(source)}


@cache
def _forms() -> re.Pattern[str]:
    """All forms at once."""
    forms = [line for line in FORMS.splitlines() if line]
    parts = re.compile("|".join(PARTS))
    return re.compile("|".join(parts.sub(lambda part: PARTS[part[0]], f"(?:{f})") for f in forms))


_FIXED = frozenset(NAME.findall(re.sub(r"\\.", " ", FORMS)))  # what is no variable part


_LINE = re.compile(
    r"line (?P<line>\d{1,5})(?: of (?:cell '(?P<cell>[^']*)'|(?P<file>\w+)\.ipynb, cell "
    r"'(?P<id>[\w-]{1,60})'|(?P<helper>[\w/]+)\.py))?(?:, in (?P<function>[\w<>.]+))?"
)


def _place(line: str, code: str, sources: Mapping[str, str], names: Collection[str]) -> str:
    """Where it was raised, and the student's code there; empty where it cannot be told.

    ``line`` and ``code`` are the kernel's word. What they say is compared with the source.
    """
    said = _LINE.fullmatch(line)
    if said is None:
        return ""
    number, function = int(said["line"]), said["function"] or ""
    where = f"line {number}"
    written = {text.strip()[:200] for source in sources.values() for text in source.splitlines()}
    shown = code if code in written else ""
    if said["file"]:  # an earlier notebook: which is named in this one
        if said["file"] not in names:
            return ""
        where += f" of {said['file']}.ipynb, cell '{said['id']}'"
    elif said["helper"]:  # a module of the student's: which is imported in this notebook
        if not set(said["helper"].split("/")) <= set(names):
            return ""
        where += f" of {said['helper']}.py"
    elif said["cell"] is not None:
        lines = [text.strip()[:200] for text in sources.get(said["cell"], "").splitlines()]
        if not 0 < number <= len(lines):
            return ""
        where += f" of cell '{said['cell']}'"
        shown = code if code in lines else lines[number - 1]  # IPython may number them otherwise
    if function and all(word in names or _is_standard(word) for word in NAME.findall(function)):
        where += f", in {function}"
    return f"{where}: `{shown}`" if shown else where
