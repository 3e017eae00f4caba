"""Gradescope's ``submission_metadata.yml``: who handed in which folder, and when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from autograder.collect import CollectError
from autograder.collect.people import Person

METADATA = "submission_metadata.yml"
# Ten times as fast, where libyaml is there.
SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Submission:
    """One folder of the export. A group has several people."""

    people: tuple[Person, ...]
    time: datetime | None  # UTC, without saying so, as nbgrader has it


class _Loader(SafeLoader):
    """Plain data only; what Ruby marks as objects of its own is left out."""


_Loader.add_multi_constructor("!", lambda loader, tag, node: None)
_Loader.add_multi_constructor("tag:", lambda loader, tag, node: None)


def read_metadata(path: Path) -> dict[str, Submission]:
    """The submissions by the name of their folder. Raises CollectError."""
    try:
        # Gradescope is Ruby: keys are symbols, such as ":submitters".
        data = yaml.load(path.read_bytes(), Loader=_Loader)
    except (OSError, yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CollectError(f"{METADATA} cannot be read: {reason}. Export once more") from None
    if not isinstance(data, dict):
        raise CollectError(f"{METADATA} names no submissions. Export once more")
    return {str(name): _submission(about) for name, about in data.items()}


def _submission(about: Any) -> Submission:
    about = about if isinstance(about, dict) else {}
    submitters = about.get(":submitters")
    people = [_person(one) for one in submitters] if isinstance(submitters, list) else []
    when = about.get(":created_at")
    if isinstance(when, datetime) and when.tzinfo:
        when = when.astimezone(UTC).replace(tzinfo=None)
    time = when if isinstance(when, datetime) else None
    return Submission(tuple(person for person in people if person), time)


def _person(submitter: Any) -> Person | None:
    if not isinstance(submitter, dict):
        return None
    name, sid, email = (str(submitter.get(f":{key}") or "") for key in ("name", "sid", "email"))
    return Person(name, "Gradescope", sid=sid, email=email) if name or sid or email else None
