"""Which installed packages a kernel has: all of them, or those that a notebook in NumPy needs.

Where a question is to be answered with NumPy, a framework that could do the work is not there to be
called: not in memory, not among the files. So it need not be found in the student's source.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import NamedTuple, NoReturn

# With what these require they are all that is there.
NEEDED = (
    *("numpy", "matplotlib", "pillow", "pooch", "tqdm"),  # by cs231n_lib
    *("ipython", "matplotlib-inline", "msgpack", "threadpoolctl"),  # by the agent
    # Tables, files and widgets that a student's notebook may use. None does the work of an answer.
    *("h5py", "imageio", "ipywidgets", "pandas", "sacrebleu", "seaborn"),
)
OURS = "cs231n-course"  # its files; it requires more than notebooks in NumPy do
ABSENT = frozenset({"scikit-image", "scikit-learn", "scipy", "torch"})  # whoever requires them
# Of an absent package, the folder whose pictures cs231n_lib shows.
PICTURES = {"skimage": "data", "sklearn": "datasets/images"}
_FOLDERS = [
    f"{below}{lib}/python3*/{name}-packages"
    for below in ("", "local/", "*/", "*/*/")  # the last two: conda's and nix's collections
    for lib in ("lib", "lib64")
    for name in ("site", "dist")
]


class View(NamedTuple):
    """Of a folder of packages, what is there: names, or paths below it."""

    folder: str
    shown: tuple[str, ...]


class Readable(NamedTuple):
    """What a sandbox may read. Of the folders that are ``listed`` it may see the names in them."""

    paths: list[str]
    views: tuple[View, ...] = ()
    listed: list[str] = []  # noqa: RUF012 (never written to)


def views(readable: Iterable[str]) -> tuple[View, ...]:
    """What a kernel for NumPy sees of every folder of packages below the ``readable`` paths."""
    own = {os.path.realpath(path) for path in sys.path if path}
    found = {}
    for root in readable:
        for folder in (found for pattern in _FOLDERS for found in Path(root).glob(pattern)):
            real = os.path.realpath(folder)
            # One that a link leads to is found by its own path, too.
            if folder.is_dir() and real == f"{os.path.realpath(root)}/{folder.relative_to(root)}":
                found[str(folder)] = _needed(real) if real in own else frozenset()
    return tuple(View(folder, tuple(sorted(shown))) for folder, shown in sorted(found.items()))


@functools.cache
def _needed(folder: str) -> frozenset[str]:
    """The entries of a folder of packages that belong to what is needed, and exist."""
    waiting, seen, files = [OURS, *NEEDED], set(ABSENT), set()
    installed = {
        _canonical(entry.name.split("-")[0]): metadata.Distribution.at(entry)
        for entry in Path(folder).glob("*.*-info")
    }
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name in installed:
            files |= _entries(installed[name])
        if name != OURS:
            waiting += _requirements(installed.get(name), name)
    files |= {f"{package}/{inside}" for package, inside in PICTURES.items()}
    return frozenset(name for name in files if Path(folder, name).exists())


def _requirements(found: metadata.Distribution | None, name: str) -> list[str]:
    """What a package cannot do without; it may lie in another folder than those who need it."""
    try:
        required = (found or metadata.distribution(name)).requires or []
    except metadata.PackageNotFoundError:
        return []
    # A requirement for another system or Python is not installed, or does no harm.
    wanted = [line for line in required if not re.search(r"\bextra\s*==", line)]
    return [_canonical(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in wanted]


def _entries(distribution: metadata.Distribution) -> set[str]:
    """The names in the folder of packages under which its files lie."""
    paths = [file.parts for file in distribution.files or ()]
    names = {parts[0] for parts in paths if parts and parts[0] not in ("..", "__pycache__")}
    return names or set((distribution.read_text("top_level.txt") or "").split())


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def without(readable: Iterable[str], hiding: Sequence[View]) -> list[str]:
    """The ``readable`` paths, those that hold a view replaced by what else is in them.

    For Landlock, which can allow a folder, but nothing less within it, and follows links.
    """
    paths: dict[str, None] = {}
    for path in readable:
        real = Path(os.path.realpath(path))
        here = [view for view in hiding if Path(os.path.realpath(view.folder)).is_relative_to(real)]
        exact = [view for view in here if os.path.realpath(view.folder) == str(real)]
        if exact:
            paths |= dict.fromkeys(f"{real}/{name}" for view in exact for name in view.shown)
        elif here:
            inside = sorted(e.path for e in os.scandir(real) if not e.is_symlink() or e.is_file())
            paths |= dict.fromkeys(without(inside, here))
        else:
            paths[path] = None
    return list(paths)


def hide(hiding: Sequence[View]) -> frozenset[str]:
    """Let imports of what is not there say why, and what to do; returns the names of that.

    This keeps nobody out, and need not: the files are hidden as well. Called again, it is as if it
    had not been called before.
    """
    sys.meta_path[:] = [one for one in sys.meta_path if not isinstance(one, _Absent)]
    own = [view for view in hiding if view.shown]
    installed = {_module(path.name) for view in own for path in Path(view.folder).iterdir()}
    there = {_module(name) for view in own for name in view.shown} - PICTURES.keys()
    folders = frozenset(os.path.realpath(view.folder) for view in own)
    pictures = {name: spec for name in PICTURES if (spec := importlib.util.find_spec(name))}
    hidden = frozenset(installed - there)
    sys.meta_path.insert(0, _Absent(hidden, folders, pictures))
    return hidden


def _module(entry: str) -> str:
    return entry.split("/")[0].split(".")[0]


@dataclass(frozen=True)
class _Absent(MetaPathFinder, Loader):
    """Answers for the ``hidden`` packages, which are installed, and not there in this kernel."""

    hidden: frozenset[str]
    folders: frozenset[str]  # of packages
    pictures: Mapping[str, ModuleSpec]

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package = name.partition(".")[0]
        if package not in self.hidden:
            return None
        elsewhere = [entry for entry in sys.path if os.path.realpath(entry) not in self.folders]
        if found := PathFinder.find_spec(package, elsewhere):  # a file of the student's own
            return found if name == package else None
        if name in self.pictures:  # whoever looks for the folder alone finds it
            spec = ModuleSpec(name, self, is_package=True)
            spec.submodule_search_locations = self.pictures[name].submodule_search_locations
            return spec
        self._refuse(package)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        self._refuse(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        self._refuse(module.__name__)

    def _refuse(self, package: str) -> NoReturn:
        raise ModuleNotFoundError(
            f"No module named {package!r}: this notebook is graded without {package}. Its "
            "questions are to be answered with NumPy; remove the import",
            name=package,
        )
