"""Whose row is whose: the students graded here, and those of a learning platform's list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autograder.export.standing import Standing


@dataclass(frozen=True)
class Row:
    """One row of the list: what its student may be known by there, and what to call them."""

    place: int
    label: str
    names: frozenset[str]


@dataclass(frozen=True)
class Matches:
    """Places in the list with who is meant, and everybody who is left over on either side."""

    rows: dict[int, Standing]
    ours: tuple[str, ...]  # graded here, not in the list
    doubtful: tuple[str, ...]  # found in several rows, or two students in one
    theirs: tuple[str, ...]  # in the list, nothing graded here

    def problems(self) -> list[str]:
        """What a human has to see to: grades that do not arrive."""
        lines = []
        if self.ours:
            lines.append(f"graded here, but not on the list: {', '.join(self.ours)}")
        if self.doubtful:
            lines.append(f"in several rows, or two in one, so left out: {', '.join(self.doubtful)}")
        return lines


def match(students: Iterable[Standing], rows: Sequence[Row]) -> Matches:
    """Find the row of everybody who handed in: by login, ID or e-mail, whatever names a row.

    A student is known by the name of the folder in submitted/, and by the e-mail and LMS ID that
    the gradebook may hold. Upper and lower case are the same. Only where nothing of that is in the
    list, the folder's name may also be what stands before the @ of an e-mail.
    """
    exact = _index((row.place, map(_plain, row.names)) for row in rows)
    users = _index((row.place, map(_user, row.names)) for row in rows)
    claims: dict[int, list[str]] = {}
    found: dict[int, Standing] = {}
    ours, doubtful = [], []
    for student in students:
        if not student.handed_in:
            continue
        names = (student.student, student.person.email, student.person.lms_user_id)
        places = {place for name in names for place in exact.get(_plain(name), ())}
        places = places or users.get(_plain(student.student), set())
        if len(places) == 1:
            (place,) = places
            claims.setdefault(place, []).append(student.student)
            found[place] = student
        else:
            (doubtful if places else ours).append(student.student)
    for place, names in claims.items():
        if len(names) > 1:
            doubtful += names
            del found[place]
    return Matches(
        rows=found,
        ours=tuple(ours),
        doubtful=tuple(sorted(doubtful)),
        theirs=tuple(row.label for row in rows if row.place not in claims),
    )


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def _user(name: str) -> str:
    user, at, _ = _plain(name).partition("@")
    return user if at else ""


def _index(rows: Iterable[tuple[int, Iterable[str]]]) -> dict[str, set[int]]:
    index: dict[str, set[int]] = {}
    for place, names in rows:
        for name in names:
            if name:
                index.setdefault(name, set()).add(place)
    return index
