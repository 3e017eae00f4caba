"""Links of a page: to other pages as they are, to files that are no pages only where these lie."""

import os
import re
from collections.abc import Callable, Collection
from pathlib import PurePosixPath

_BLOCK = re.compile(r"^ *(?P<fence>`{3,}|~{3,}).*?^ *(?P=fence)[ \t]*$", re.M | re.S)
_LINK = re.compile(r"(?<!!)\[([^\[\]]*)\]\(([\w./~-]*(?:#[\w./-]*)?)\)")


def with_links(text: str, path: str, pages: Collection[str], repository: str | None) -> str:
    """The Markdown of ``path`` (in the repository), with every link one that leads somewhere.

    ``pages``: files that are pages of the site. Of a notebook the page is Markdown, too. A link to
    another file leads to ``repository``, an address like https://HOST/NAME/blob/main; without one,
    its text stays.
    """

    def changed(link: re.Match[str]) -> str:
        words, target = link[1], link[2]
        if target.startswith("#"):
            return link[0]
        file, mark, anchor = target.partition("#")
        found = resolved(path, file)
        if found in pages:
            here = PurePosixPath(page_of(path)).parent
            return f"[{words}]({os.path.relpath(page_of(found), here)}{mark}{anchor})"
        return f"[{words}]({repository.rstrip('/')}/{found}{mark}{anchor})" if repository else words

    return outside_code(text, lambda prose: _LINK.sub(changed, prose))


def resolved(path: str, target: str) -> str:
    """What a relative link of the file ``path`` means, from the root of the repository."""
    return os.path.normpath(PurePosixPath(path).parent / target)


def page_of(path: str) -> str:
    """Where the page made of a file lies on the site: the README is the first one."""
    if path == "README.md":
        return "index.md"
    return path.removesuffix(".ipynb") + ".md" if path.endswith(".ipynb") else path


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """The text, changed wherever it is not in a fenced block of code."""
    parts, at = [], 0
    for block in _BLOCK.finditer(text):
        parts += [change(text[at : block.start()]), block[0]]
        at = block.end()
    return "".join([*parts, change(text[at:])])
