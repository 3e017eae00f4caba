"""A course with one little notebook: the kNN class and its graded cells, without the data.

It has the real notebook's ids, so the real hidden checks grade it, in a fraction of a second.
"""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "source" / "assignment1" / "knn.ipynb"
ASSIGNMENT, NOTEBOOK = "assignment1", "knn"
CLASS_POINTS = 11.0  # two loops 2, one loop 2, no loops 4, predict_labels 3
IMPORTS = "import numpy as np\nprint('ready')"

CONFIG = """
from pathlib import Path
exec(compile(Path({ours!r}).read_text(), {ours!r}, "exec"), {{**globals(), "__file__": {ours!r}}})
c.CourseDirectory.root = {root!r}
"""


def little_source() -> dict:
    """The source notebook cut down to its class, the tests of it, and one written answer."""
    document = json.loads(SOURCE.read_text("utf-8"))
    keep = {"k-nearest-neighbor", "knn-question-bright-rows"}
    tests = {"knn-two-loops", "knn-one-loop", "knn-no-loops", "knn-predict-labels"}
    imports = {"cell_type": "code", "id": "imports", "metadata": {}, "source": IMPORTS}
    cells = [imports | {"outputs": [], "execution_count": None}]
    for cell in document["cells"]:
        if cell["id"] in keep | tests:
            cell = copy.deepcopy(cell)
            if cell["id"] in tests:
                hook = "".join(cell["source"]).partition("### BEGIN HIDDEN TESTS")
                cell["source"] = f"print('visible tests of {cell['id']}')\n\n{hook[1]}{hook[2]}"
            cells.append(cell)
    document["cells"] = cells
    document["metadata"]["cs231n"] = {"cell_seconds": 4, "call_seconds": 2}
    return document


def write_course(root: Path) -> Path:
    """A course folder with the little notebook as source, and our configuration."""
    target = root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    target.parent.mkdir(parents=True)
    target.write_text(json.dumps(little_source()), "utf-8")
    config = CONFIG.format(ours=str(ROOT / "nbgrader_config.py"), root=str(root))
    (root / "nbgrader_config.py").write_text(config, "utf-8")
    return root


def copy_course(course: Path, root: Path) -> Path:
    """The same course, gradebook included, in another folder."""
    shutil.copytree(course, root)
    config = root / "nbgrader_config.py"
    config.write_text(config.read_text("utf-8").replace(str(course), str(root)), "utf-8")
    return root


def answer(change: Callable[[dict], object] | None = None) -> bytes:
    """A submission: the solutions, then ``change``."""
    document = little_source()
    for cell in document["cells"]:
        source = "".join(cell["source"])
        cell["source"] = source.partition("### BEGIN HIDDEN TESTS")[0].partition("### BEGIN MARK")[
            0
        ]
    if change:
        change(document)
    return json.dumps(document).encode()


def submit(root: Path, student: str, data: bytes, name: str = f"{NOTEBOOK}.ipynb") -> Path:
    """Put a submission where nbgrader expects it."""
    path = root / "submitted" / student / ASSIGNMENT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def cell_of(document: dict, name: str) -> dict:
    return next(cell for cell in document["cells"] if cell["id"] == name)


def answer_source() -> str:
    """The source of the class cell, with its solutions."""
    source = "".join(cell_of(little_source(), "k-nearest-neighbor")["source"])
    return f"import numpy as np\n{source}"
