"""``cs231n doctor``: is everything installed, and which notebooks can be worked on?"""

import argparse
import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cs231n_lib.cli.data import describe_captions, describe_cifar10, describe_digits
from cs231n_lib.data.cache import cache_dir
from cs231n_lib.device import describe_device
from cs231n_lib.errors import CourseError
from cs231n_lib.extras import JUPYTER, NEEDED_BY, WHERE, installing, is_there, lacking, version

GRADED_WITH = (3, 11)  # the Python that reads what students hand in
PACKAGES = ("numpy", "scipy", "matplotlib", "pooch")


def add_to(commands: Any) -> None:
    """Add the command."""
    doctor = commands.add_parser(
        "doctor", help="check Python, packages, data, GPU and cache; which assignments are ready"
    )
    doctor.set_defaults(run=_doctor)


def _doctor(_options: argparse.Namespace) -> int:
    """Print one line a finding; status 1 when something needed is missing."""
    problems = []
    print(f"course     {version()}")
    print(f"Python     {platform.python_version()} on {platform.platform()}")
    if sys.version_info[:2] > GRADED_WITH:
        print(f"note:      {newer_python()}")
    for package in PACKAGES:
        try:
            print(f"{package:<10} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            print(f"{package:<10} missing")
            problems.append(f"{package} is missing: pip install {package}")
    print(f"device     {describe_device()}")
    writable = _writable(cache_dir())
    print(f"cache      {cache_dir()}{'' if writable else ' (not writable: images are not kept)'}")
    try:
        print(f"CIFAR-10   {describe_cifar10()}")
        print(f"captions   {describe_captions()}")
        print(f"digits     {describe_digits()}")
    except CourseError as error:
        problems.append(str(error))
    for line in _readiness():
        print(line)
    for problem in problems:
        print(f"problem:   {problem}")
    if problems:
        print("Something needs attention.")
    elif not _is_complete():
        print("All is well, but for the packages named above, which some notebooks need.")
    else:
        print("All is well.")
    return 1 if problems else 0


def _readiness() -> Iterator[str]:
    """What can be worked on, and what to install for the rest: nobody needs all of it at once."""
    missing = [module for module in JUPYTER if not is_there(module)]
    if missing:
        yield f"Jupyter    {', '.join(missing)} missing: {installing('jupyter')}"
    else:
        yield "Jupyter    ready; `cs231n check` can run notebooks"
    for assignment, notebooks in NEEDED_BY.items():
        waiting: dict[tuple[str, ...], list[str]] = {}
        for notebook, modules in notebooks.items():
            if extras := lacking(modules):
                waiting.setdefault(extras, []).append(notebook)
        if not waiting:
            yield f"{assignment}: ready"
        elif set(notebooks) - {name for names in waiting.values() for name in names} or (
            assignment == "assignment2"  # most of it is in NumPy
        ):
            yield f"{assignment}: ready, but for what follows"
        else:
            yield f"{assignment}: not ready"
        for extras, names in waiting.items():
            yield f"  {', '.join(names)}: {installing(*extras)}"
    if not _is_complete():
        yield f"pip        run it {WHERE}, which has pyproject.toml"


def _is_complete() -> bool:
    """Whether every notebook can be worked on, and checked."""
    needed = {module for of in NEEDED_BY.values() for modules in of.values() for module in modules}
    return all(map(is_there, {*JUPYTER, *needed}))


def newer_python() -> str:
    """What to mind with a Python that is newer than the one used for grading."""
    theirs, ours = (f"{major}.{minor}" for major, minor in (GRADED_WITH, sys.version_info[:2]))
    return (
        f"the course is graded with Python {theirs}, which does not know what is new in {ours}: in "
        "f-strings, for example, use other quotes inside than outside"
    )


def _writable(folder: Path) -> bool:
    """Whether the folder, or the nearest existing one above it, may be written."""
    existing = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    return os.access(existing, os.W_OK)
