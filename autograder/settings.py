"""What the engine takes from a course: its hidden checks, its students' library, its mutants.

``course.toml`` in the course folder names them, and they lie in that folder. A folder without that
file belongs to the course that comes with the engine.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from autograder.errors import WrongUse
from autograder.sandbox.policy import OWN_LIBRARY, Library

FILE = "course.toml"
KEYS = {"checks": "hidden checks", "library": "what students import", "mutants": "wrong solutions"}


class SettingsError(WrongUse):
    """A course's settings are wrong; the message says where, and what to do."""


@dataclass(frozen=True)
class CourseSettings:
    """``checks``: the package of hidden checks, which only trusted processes import.

    ``mutants``: the folder of wrong solutions, and of right ones in other styles.
    """

    checks: str = "autograder.checks"
    library: Library = OWN_LIBRARY
    mutants: str = str(Path(__file__).with_name("mutants"))

    @property
    def folder(self) -> str:
        """Where the packages lie; empty where they are installed with the engine."""
        return self.library.folder

    @property
    def packages(self) -> tuple[str, ...]:
        """Those that lie in the course's folder."""
        return (self.checks, self.library.name) if self.folder else ()

    def checks_module(self, assignment: str, notebook: str) -> str:
        """The module, or package, that holds the checks of a notebook."""
        return f"{self.checks}.{assignment}.{notebook.lower()}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CourseSettings:
        return cls(**{**data, "library": Library.from_json(data["library"])})


#: The course that comes with the engine.
CS231N = CourseSettings()


def settings_of(root: Path) -> CourseSettings:
    """The settings of a course folder. Raises SettingsError."""
    root = root.resolve()
    path = root / FILE
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return CS231N
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    found = {key: value for key, value in found.items() if not isinstance(value, dict)}
    if not found:
        return CS231N  # tables are others' settings
    for key, what in KEYS.items():
        if not isinstance(found.get(key), str):
            raise SettingsError(f'{path}: there is no {key}; add {key} = "NAME" ({what})')
    if unknown := sorted(found.keys() - KEYS.keys()):
        known = ", ".join(KEYS)
        raise SettingsError(f"{path}: {unknown[0]!r} is no setting; there are {known}")
    if found["checks"] == found["library"]:
        raise SettingsError(f"{path}: checks and library are two packages; students see the second")
    for key in ("checks", "library"):
        _ensure_package(path, key, found[key])
    hidden = (found["checks"], found["mutants"])
    library = Library(found["library"], str(root), hidden)
    return CourseSettings(found["checks"], library, str(root / found["mutants"]))


def _ensure_package(path: Path, key: str, name: str) -> None:
    """Raises SettingsError unless it is a package beside the settings."""
    if not name.isidentifier():
        raise SettingsError(f"{path}: {key} = {name!r} is not a name that Python can import")
    first = path.parent / name / "__init__.py"
    if not first.is_file():
        raise SettingsError(
            f"{path}: {key} = {name!r}, but there is no {first}; create it, or mend the name"
        )
