"""Links of a Markdown page that is shown elsewhere than where it lies in the repository."""

import os
import re
from collections.abc import Callable
from pathlib import PurePosixPath

_BLOCK = re.compile(r"^ *(?P<fence>`{3,}|~{3,}).*?^ *(?P=fence)[ \t]*$", re.M | re.S)
_LINK = re.compile(r"(?<!!)\[([^\[\]]*)\]\(([\w./~-]*(?:#[\w./-]*)?)\)")


def relinked(text: str, path: str, address: Callable[[str], str | None]) -> str:
    """The Markdown of ``path`` (in the repository), with every link one that leads somewhere.

    ``address``: of a file of the repository, what the link shall be; where there is none, its words
    stay.
    """

    def changed(link: re.Match[str]) -> str:
        words, target = link[1], link[2]
        if target.startswith("#"):
            return link[0]
        file, mark, anchor = target.partition("#")
        place = address(resolved(path, file))
        return words if place is None else f"[{words}]({place}{mark}{anchor})"

    return outside_code(text, lambda prose: _LINK.sub(changed, prose))


def resolved(path: str, target: str) -> str:
    """What a relative link of the file ``path`` means, from the root of the repository."""
    return os.path.normpath(PurePosixPath(path).parent / target)


def relative(target: str, page: str) -> str:
    """The link from a page to a file, both from one root."""
    return os.path.relpath(target, PurePosixPath(page).parent)


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """The text, changed wherever it is not in a fenced block of code."""
    parts, at = [], 0
    for block in _BLOCK.finditer(text):
        parts += [change(text[at : block.start()]), block[0]]
        at = block.end()
    return "".join([*parts, change(text[at:])])
