"""What of a student's files lies beside a notebook while it runs, and what that is called.

A notebook finds those of the student's other notebooks that it names, repaired and bare: cells with
their source, without the metadata and outputs in which anything could be carried in. What it finds
and the notebook itself are one hand-in: its hidden inputs are drawn from all of it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from autograder.notebook.repair import UnreadableError, repair
from autograder.notebook.template import Template

SUFFIX = ".ipynb"


def seen_by(
    notebook: str, own: bytes | None, handed_in: Mapping[str, bytes], needed: Iterable[str]
) -> dict[str, bytes]:
    """The files beside ``notebook`` that it can see, by file name, as they were handed in.

    These are the notebooks that the lesson loads (``needed``), those that the student's own names
    in quotes or as a file, or that these name in turn; and whatever is no notebook.
    """
    names = [name for name in sorted(handed_in) if name != notebook + SUFFIX]
    seen = {name: handed_in[name] for name in names if not name.endswith(SUFFIX)}
    seen |= {name: handed_in[name] for name in names if name.removesuffix(SUFFIX) in set(needed)}
    look_into = [own or b"", *seen.values()]
    while look_into:
        text = look_into.pop()
        for name in names:
            if name not in seen and _named(name.removesuffix(SUFFIX)).search(text):
                seen[name] = handed_in[name]
                look_into.append(seen[name])
    return dict(sorted(seen.items()))


def digest_of(own: bytes, seen: Mapping[str, bytes]) -> str:
    """A hash of a hand-in: the bytes of the notebook, and of everything beside that it can see."""
    digest = hashlib.sha256()
    for part in _parts(own, seen):
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()


def bare(data: bytes, template: Template | None) -> bytes:
    """A notebook for another one to find: in the shape of its release, sources alone.

    ``template`` is None for a notebook of the student's own making. Empty where it is no notebook.
    """
    unknown = Template("", "", {"cells": [], "metadata": {}})
    try:
        return bare_document(repair(data, template or unknown).document)
    except UnreadableError:
        return b""


def bare_document(document: Mapping[str, Any]) -> bytes:
    """A repaired notebook with nothing but its cells' kinds, ids and sources."""
    empty = {"outputs": [], "execution_count": None}
    cells = [
        {"cell_type": cell["cell_type"], "id": cell["id"], "metadata": {}, "source": cell["source"]}
        | (empty if cell["cell_type"] == "code" else {})
        for cell in document["cells"]
    ]
    about = {"metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps({"cells": cells, **about}).encode("utf-8")


def _named(name: str) -> re.Pattern[bytes]:
    """A name as code has it: in quotes (which JSON may escape), or with its suffix."""
    as_json = json.dumps(name)[1:-1].encode()  # what is not ASCII, as \u....
    forms = {name.encode("utf-8", "surrogatepass"), as_json}
    name_of = b"|".join(re.escape(form) for form in sorted(forms))
    return re.compile(rb"(?:['\"/](?:%b)\\?['\"])|(?:%b)\.ipynb" % (name_of, name_of))


def _parts(own: bytes, seen: Mapping[str, bytes]) -> Iterator[bytes]:
    yield own
    for name, data in sorted(seen.items()):
        yield name.encode("utf-8", "surrogatepass")
        yield data
