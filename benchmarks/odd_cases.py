"""Odd and hostile submissions, made from a right one: what a real class hands in, and worse.

Each case turns the right notebook into the files of a hand-in. ``honest`` are right solutions in an
unusual form: they earn full points, or a person is asked. The others try to stop, to stall or to
mislead grading: they may earn what they earn, and nobody else may notice them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
Files = dict[str, bytes]

CLASS, QUESTION, SETUP = "k-nearest-neighbor", "knn-question-bright-rows", "setup"
FILE = "knn.ipynb"
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADU"
    "lEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
# Everybody can write to the judge what they like: the agent is an object like others.
WIRE = """
import gc, struct
import msgpack
agent = next(o for o in gc.get_objects() if type(o).__name__ == "Agent")
def send(body):
    agent._send_frame(struct.pack(">I", len(body)) + body)
def reply(value):
    return b"\\x83\\xa2re" + msgpack.packb(agent._request) + b"\\xa2ok\\xc3\\xa5value" + value
"""


@dataclass(frozen=True)
class Case:
    """One odd student; ``name`` is that of the folder."""

    name: str
    honest: bool
    files: Callable[[Document], Files]


def cases() -> list[Case]:
    """All of them, by name."""
    kinds = ((True, HONEST), (False, HOSTILE))
    made = [Case(_folder(n), honest, files) for honest, kind in kinds for n, files in kind.items()]
    return sorted(made, key=lambda case: case.name)


def _folder(name: str) -> str:
    """A plain name, unless it is the name that is odd."""
    return name if "[" in name else name.replace(" ", "-").replace("'", "")


def whole(document: Document) -> Files:
    return {FILE: json.dumps(document).encode()}


def changed(change: Callable[[Document], object]) -> Callable[[Document], Files]:
    """A case that changes the notebook, and hands in nothing else."""

    def files(right: Document) -> Files:
        document = copy.deepcopy(right)
        change(document)
        return whole(document)

    return files


def cell_of(document: Document, name: str) -> Document:
    return next(cell for cell in document["cells"] if cell["id"] == name)


def around(name: str, before: str = "", after: str = "") -> Callable[[Document], Files]:
    """Text before and after what stands in a cell."""

    def change(document: Document) -> None:
        cell = cell_of(document, name)
        cell["source"] = f"{before}{cell['source']}{after}"

    return changed(change)


def put(name: str, **fields: Any) -> Callable[[Document], Files]:
    return changed(lambda document: cell_of(document, name).update(fields))


def code(source: str, name: str = "mine") -> Document:
    about = {"cell_type": "code", "id": name, "metadata": {}, "execution_count": None}
    return about | {"outputs": [], "source": source}


def markdown(source: str, name: str = "mine") -> Document:
    return {"cell_type": "markdown", "id": name, "metadata": {}, "source": source}


def extra(*cells: Document, after: str = SETUP) -> Callable[[Document], Files]:
    """Cells of the student's own."""

    def change(document: Document) -> None:
        at = document["cells"].index(cell_of(document, after)) + 1
        document["cells"][at:at] = [copy.deepcopy(cell) for cell in cells]

    return changed(change)


def attack(source: str) -> Callable[[Document], Files]:
    """A cell that writes to the judge."""
    return extra(code(WIRE + source))


def answer_below(document: Document) -> None:
    cell = cell_of(document, QUESTION)
    at = document["cells"].index(cell) + 1
    document["cells"].insert(at, markdown(cell["source"]))
    cell["source"] = "*Your answer:*"


def written_by_magic(document: Document) -> None:
    cell = cell_of(document, CLASS)
    at = document["cells"].index(cell) + 1
    cell["source"] = f"%%writefile my_knn.py\nimport numpy as np\n{cell['source']}"
    document["cells"].insert(at, code("from my_knn import KNearestNeighbor"))


def many_cells(document: Document) -> None:
    lines = ("\n".join(f"a{n}_{i} = [{n}, 2, 3]" for i in range(10)) for n in range(1600))
    document["cells"] = [code(text) for text in lines]
    for cell in document["cells"]:
        del cell["id"]


def cp1252(right: Document) -> Files:
    document = copy.deepcopy(right)
    cell_of(document, QUESTION)["source"] = "bright \u2013 it\u2019s the pixels\u2026"
    text = json.dumps(document, ensure_ascii=False)
    return {FILE: text.encode("cp1252", "replace")}


def conflict(right: Document) -> Files:
    text = json.dumps(right, indent=1)
    line = text.splitlines(keepends=True)[5]
    both = f"<<<<<<< HEAD\n{line}=======\n{line}>>>>>>> theirs\n"
    return {FILE: text.replace(line, both, 1).encode()}


HALF = "\ud83d"
HONEST: dict[str, Callable[[Document], Files]] = {
    "half emoji in an answer": put(QUESTION, source=f"very bright {HALF}"),
    "half emoji in the text": put("title", source=f"x {HALF}"),
    "half emoji in code": around(CLASS, after=f"\n\nmood = '{HALF}'"),
    "help line": around(CLASS, after="\n\nnp.sum?"),
    "percent begins a line": around(CLASS, after="\n\nlast = (7\n        % 3)"),
    "shell assigned": around(CLASS, after="\n\nfiles = !ls"),
    "answer in the cell below": changed(answer_below),
    "answer is a picture": put(
        QUESTION, source="![p](attachment:p.png)", attachments={"p.png": {"image/png": PNG}}
    ),
    "mounts Colab's drive": around(SETUP, before="from google.colab import drive\n"),
    "imports seaborn": around(SETUP, before="import seaborn as sns\n"),
    "imports past.builtins": around(CLASS, before="from past.builtins import xrange\n"),
    "f-string of 3.12": around(CLASS, after="\n\nd = {'a': 1}\nprint(f'{d['a']} number')"),
    "setup emptied": put(SETUP, source=""),
    "writes a module": changed(written_by_magic),
    "doe [auditor]": changed(lambda document: None),
    "picture beside": lambda right: whole(right) | {"notes.png": b"not really a picture"},
    "cp1252": cp1252,
    "Copy of": lambda right: {f"Copy of {FILE}": whole(right)[FILE]},
    "rubbish at the end": lambda right: {FILE: whole(right)[FILE] + b"\n<!-- saved -->"},
}

DEEP = """
body = b"\\x01"
for _ in range(260):
    body = msgpack.packb(msgpack.ExtType(4, b"\\x91" + body))
send(reply(body))
"""
COLLIDING = """
prime = (1 << 61) - 1
numbers = [msgpack.ExtType(7, str(prime * (i + 1 << 64)).encode()) for i in range(30_000)]
send(reply(msgpack.packb(msgpack.ExtType(8, msgpack.packb(numbers)))))
"""
EMPTY_MAPS = """
count = 24 << 20
send(reply(b"\\xdd" + count.to_bytes(4, "big") + b"\\x80" * count))
"""
FLOOD = """
def big():
    event = {"output_type": "display_data", "data": {"text/plain": "x" * (60 << 20)}}
    agent._send({"re": agent._request, "event": event})
big()
"""
HOSTILE: dict[str, Callable[[Document], Files]] = {
    "nests the judge to death": attack(DEEP),
    "numbers of equal hash": attack(COLLIDING),
    "24 million empty maps": attack(EMPTY_MAPS),
    "outputs of 60 MB": extra(
        code(WIRE + FLOOD, "m0"), *(code("big()", f"m{n}") for n in range(1, 7))
    ),
    "1600 cells": changed(many_cells),
    "list of 4 MB": extra(code(f"numbers = [{'1, ' * 1_300_000}]")),
    "4000 aliases": around(
        CLASS, before="a0 = np.sqrt\n" + "".join(f"a{n + 1} = a{n}\n" for n in range(4000))
    ),
    "LaTeX without end": extra(markdown(r"\begin{a}" * 9000)),
    "colours without end": extra(code(r"print('\x1b[3' * 300_000)")),
    "endless loop": extra(code("while True:\n    pass")),
    "ends the process": extra(code("import os\nos._exit(0)"), after=CLASS),
    "takes all memory": extra(code("taken = [bytearray(1 << 30) for _ in range(64)]")),
    "deep expression": extra(code(f"y = {'-' * 100_000}1")),
    "not a notebook": lambda right: {FILE: b"<!DOCTYPE html><title>Sign in</title>"},
    "conflict markers": conflict,
}  # fmt: skip
