"""The released notebook as the yardstick of a submission: its cells, points and kinds.

Grading reads ``release/``, what students were given, and never ``source/``: neither solutions nor
hidden hooks are in memory while student code runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.errors import WrongUse
from autograder.notebook.limits import limit_complaint
from autograder.notebook.order import order_of
from autograder.sandbox.policy import PACKAGES, Packages
from cs231n_lib.prepared import NAMED_BY

Cell = dict[str, Any]

SKIP_TAG = "skip-when-grading"
MAX_SHARE = 12  # notebooks on one GPU
GPU_FORM = (
    'metadata "cs231n": {"gpu": ...} takes "share", how many notebooks may use a GPU at once (1 to '
    f'{MAX_SHARE}), and "memory_mb", how much of its memory each gets'
)
PACKAGES_FORM = (
    f'metadata "cs231n": {{"packages": ...}} takes one of {", ".join(PACKAGES)} (all that are '
    "installed, or those of a notebook in NumPy)"
)


class TemplateError(WrongUse):
    """The release is missing or is no notebook of ours; the message says what to do."""


@dataclass(frozen=True)
class Template:
    """One released notebook."""

    assignment: str
    notebook: str
    document: dict[str, Any]

    @property
    def cells(self) -> list[Cell]:
        return self.document["cells"]

    def auto_graded(self) -> Iterator[tuple[str, float]]:
        """(grade_id, points) of the cells that the judge grades, in order."""
        for cell in self.cells:
            if is_auto_graded(cell):
                yield grade_id(cell), float(nbgrader(cell).get("points", 0))

    def limit(self, name: str, default: float, *, on_gpu: bool = False) -> float:
        """A limit that the notebook sets for itself in its ``cs231n`` metadata.

        What stands there under ``gpu`` holds where it runs on one.
        """
        about = self._settings()
        if on_gpu:
            about = {**about, **about["gpu"]}
        return float(about.get(name, default))

    def gpu(self) -> GpuRequest | None:
        """What the notebook says of GPUs; None: it wants none."""
        found = self._settings().get("gpu")
        return None if found is None else GpuRequest(int(found["share"]), int(found["memory_mb"]))

    def packages(self) -> Packages:
        """Which packages are there while it is graded: all, where it does not say."""
        return self._settings().get("packages", "all")

    def prepared(self) -> tuple[str, ...]:
        """Which data its code uses, of what can be prepared for all notebooks at once."""
        code = "\n".join(source_of(cell) for cell in self.cells if cell["cell_type"] == "code")
        used = set(re.findall(r"\w+", code)) | set(re.findall(r"[\w.]+", code))
        return tuple(name for name, names in NAMED_BY.items() if not used.isdisjoint(names))

    def _settings(self) -> dict[str, Any]:
        return self.document.get("metadata", {}).get("cs231n", {})


@dataclass(frozen=True)
class GpuRequest:
    """``share``: how many notebooks like this one may use a device at once; memory of each."""

    share: int
    memory_mb: int


def load_template(root: Path, assignment: str, notebook: str) -> Template:
    """Read ``release/ASSIGNMENT/NOTEBOOK.ipynb``. Raises TemplateError."""
    path = root / "release" / assignment / f"{notebook}.ipynb"
    try:
        document = json.loads(path.read_text("utf-8"))
        cells = document["cells"]
    except FileNotFoundError:
        raise TemplateError(f"{path} does not exist: run `make release` first") from None
    except (ValueError, KeyError, TypeError) as error:
        raise TemplateError(
            f"{path} is not a notebook ({error}): run `make release` again"
        ) from None
    for cell in cells:
        cell["source"] = source_of(cell)
    template = Template(assignment, notebook, document)
    if complaint := limit_complaint(document.get("metadata", {}).get("cs231n", {})):
        raise TemplateError(f"{path}: {complaint}")
    try:
        request = template.gpu()
    except (KeyError, TypeError, ValueError):
        raise TemplateError(f"{path}: {GPU_FORM}") from None
    if request and not (1 <= request.share <= MAX_SHARE and request.memory_mb > 0):
        raise TemplateError(f"{path}: {GPU_FORM}, not {request}")
    if template.packages() not in PACKAGES:
        raise TemplateError(f"{path}: {PACKAGES_FORM}, not {template.packages()!r}")
    return template


def packages_first(templates: Iterable[Template]) -> Packages:
    """Which packages a process that grades these should have ready: the few, if any needs them."""
    return "numpy" if any(each.packages() == "numpy" for each in templates) else "all"


def notebooks_of(root: Path, assignment: str) -> list[str]:
    """Names of an assignment's released notebooks, in the order of the course.

    Raises TemplateError when there are none.
    """
    folder = root / "release" / assignment
    names = order_of(root, assignment).sort(path.stem for path in folder.glob("*.ipynb"))
    if not names:
        known = sorted(p.name for p in (root / "release").glob("*") if p.is_dir())
        hint = f"there are: {', '.join(known)}" if known else "run `make release` first"
        raise TemplateError(f"{folder} holds no notebooks; {hint}")
    return names


def nbgrader(cell: Cell) -> dict[str, Any]:
    """The cell's nbgrader metadata, empty where it has none."""
    metadata = cell.get("metadata")
    found = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def grade_id(cell: Cell) -> str:
    return str(nbgrader(cell).get("grade_id", ""))


def is_auto_graded(cell: Cell) -> bool:
    """A cell of tests: graded, and not written by the student."""
    about = nbgrader(cell)
    return bool(about.get("grade")) and not about.get("solution") and cell["cell_type"] == "code"


def is_manual(cell: Cell) -> bool:
    """A written answer (or a task) that a person grades."""
    about = nbgrader(cell)
    return bool(about.get("task") or (about.get("grade") and not is_auto_graded(cell)))


def is_answer(cell: Cell) -> bool:
    """A cell the student writes in."""
    return bool(nbgrader(cell).get("solution"))


def is_locked(cell: Cell) -> bool:
    """A cell whose released source counts, whatever was made of it."""
    about = nbgrader(cell)
    return bool(about) and not about.get("solution") and not about.get("task")


def is_skipped(cell: Cell) -> bool:
    """A cell for looking, not needed to grade."""
    tags = cell.get("metadata", {}).get("tags", [])
    return isinstance(tags, list) and SKIP_TAG in tags


def source_of(cell: Cell) -> str:
    """The source as one string with Unix line ends."""
    source = cell.get("source", "")
    if isinstance(source, list):
        source = "".join(str(line) for line in source)
    return str(source).replace("\r\n", "\n").replace("\r", "\n")
