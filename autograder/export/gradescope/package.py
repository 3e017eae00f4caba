"""``autograder.zip`` for Gradescope: the grader, and of the course only what it needs.

What must be in it says https://gradescope-autograders.readthedocs.io/en/latest/specs/. Laid out
as ``autograder/source/`` will be on the image:

    setup.sh, run_autograder      what Gradescope runs
    settings.json                 which assignment, when to stop
    requirements.lock             the packages, as this grader was tested with
    autograder/, cs231n_lib/      this code; of CS231n's hidden checks those of these assignments
    course/                       release/, gradebook.db without students, a secret; of source/
                                  only notebooks that later ones load; the packages of a course
                                  that has its own, with the checks of these assignments

The secret is new in each zip. The course's own stays here: a zip that gets around gives away no
inputs but its own. Student and submission are part of the seed, so even who knows the secret cannot
prepare for inputs before the submission is written.
"""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from autograder.authoring.release import make_release
from autograder.export import ExportError
from autograder.files import replacing
from autograder.grading.material import Material, load_material
from autograder.notebook.order import MAP
from autograder.settings import FILE

FOLDER = Path(__file__).resolve().parent
REPOSITORY = FOLDER.parents[2]
PACKAGES = ("autograder", "cs231n_lib")
LOCKS = ("requirements.lock", "torch-cpu.lock", "torch-cuda.lock")
# Wrong and right solutions, for measuring the checks: no part of grading.
LEFT_OUT = (
    "autograder/mutants",
    "autograder/demo/samples",
    "autograder/authoring/template_course",
)
FIXED_TIMESTAMP = (1980, 1, 1, 0, 0, 0)  # of the same files, the same zip


def build_zip(
    root: Path,
    assignment: str,
    out: Path,
    minutes: int,
    visibility: str,
    *,
    gpus: bool = False,
) -> Path:
    """Write the zip, readable for its owner only; return its path. Raises ExportError.

    Raises also what a course without release or source raises: TemplateError, ReleaseError.
    """
    for name in LOCKS:
        if not (REPOSITORY / name).is_file():
            where = REPOSITORY / name
            raise ExportError(f"there is no {where}: build the zip from a checkout of the course")
    material = load_material(root, assignment, b"")
    settings = {"assignment": assignment, "minutes": minutes, "visibility": visibility}
    settings |= {"gpus": True} if gpus else {}
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".gradescope-", dir=out.parent) as scratch:
            book = Path(scratch, "gradebook.db")
            make_release(root, assignment, Path(scratch, "release"), database=book)
            with (
                replacing(out, mode=0o600) as file,
                zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
            ):
                _add(archive, "settings.json", json.dumps(settings, indent=1).encode())
                for name in LOCKS:
                    _add(archive, name, (REPOSITORY / name).read_bytes())
                own = {name for name, _ in material.released}
                _add_code(archive, set() if material.course.folder else own)
                _add_course(archive, root, material, book.read_bytes())
    except OSError as error:
        raise ExportError(f"{out} cannot be made: {error}") from None
    return out


def _add_code(archive: zipfile.ZipFile, assignments: set[str]) -> None:
    for name in ("setup.sh", "run_autograder"):
        _add(archive, name, (FOLDER / name).read_bytes(), mode=0o755)
    for path in _code(assignments):
        _add(archive, path.relative_to(REPOSITORY).as_posix(), path.read_bytes())


def _add_course(archive: zipfile.ZipFile, root: Path, material: Material, book: bytes) -> None:
    _add(archive, "course/gradebook.db", book)
    _add(archive, "course/.autograder/secret", secrets.token_hex(32).encode(), mode=0o600)
    order = root / "release" / MAP
    if order.is_file():  # in which results are listed
        _add(archive, f"course/release/{MAP}", order.read_bytes())
    for folder, notebooks in (("release", material.released), ("source", material.solved)):
        for assignment, notebook in sorted(notebooks):
            path = f"{folder}/{assignment}/{notebook}.ipynb"
            _add(archive, f"course/{path}", (root / path).read_bytes())
    for path in _packages(root, material):
        _add(archive, f"course/{path.as_posix()}", (root / path).read_bytes())


def _packages(root: Path, material: Material) -> Iterator[Path]:
    """The settings and packages in the course's folder, where it has its own; relative paths."""
    if not material.course.folder:
        return
    yield Path(FILE)
    wanted = {assignment for assignment, _ in material.released}
    others = {path.name for path in (root / "source").iterdir()} - wanted
    for package in material.course.packages:
        for path in sorted((root / package).rglob("*")):
            parts = path.relative_to(root).parts
            foreign = package == material.course.checks and parts[1] in others
            hidden = any(part == "__pycache__" or part.startswith(".") for part in parts)
            if path.is_file() and not foreign and not hidden:
                yield Path(*parts)


def _code(assignments: set[str]) -> Iterator[Path]:
    """The files of our packages, with the checks of these assignments only."""
    for package in PACKAGES:
        for folder, inside, files in os.walk(REPOSITORY / package):
            inside[:] = sorted(
                name
                for name in inside
                if _wanted((Path(folder) / name).relative_to(REPOSITORY), assignments)
            )
            yield from (Path(folder) / name for name in sorted(files))


def _wanted(folder: Path, assignments: set[str]) -> bool:
    checks = folder.parent == Path("autograder/checks") and folder.name.startswith("assignment")
    if checks:
        return folder.name in assignments
    hidden = folder.name == "__pycache__" or folder.name.startswith(".")
    return not hidden and folder.as_posix() not in LEFT_OUT


def _add(archive: zipfile.ZipFile, name: str, data: bytes, mode: int = 0o644) -> None:
    entry = zipfile.ZipInfo(name, FIXED_TIMESTAMP)
    entry.external_attr = (0o100000 | mode) << 16  # a regular file
    entry.create_system = 3  # Unix: the mode counts
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, data)
