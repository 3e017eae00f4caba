"""Whose work is it? From what an LMS calls somebody to the course's student id."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from autograder.collect import CollectError
from autograder.collect.names import is_safe, slug

SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae"})


@dataclass(frozen=True)
class Student:
    """A line of the roster: the columns of ``nbgrader db student import``."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""


@dataclass(frozen=True)
class Person:
    """What a download says of somebody. Two that differ are two people."""

    name: str
    lms: str = ""  # the format of the download
    lms_user_id: str = ""
    sid: str = ""  # the student id that the LMS was told
    email: str = ""
    number: str = ""  # makes the name unique in the LMS


@dataclass(frozen=True)
class Match:
    """The student, or why there is none."""

    student: str
    note: str = ""
    known: bool = True
    problem: str = ""


class Roster:
    """The class, to look people up in. It may be empty."""

    def __init__(self, students: Iterable[Student]) -> None:
        self.students = tuple(students)
        self._ids = {student.id: student for student in self.students}
        self._by: dict[tuple[str, str], list[Student]] = {}
        for student in self.students:
            for key in sorted(_keys(student)):
                self._by.setdefault(key, []).append(student)

    def find(self, person: Person) -> Match:
        """By id, e-mail address, then name; else under a name made of the LMS's own.

        A way of looking up counts where exactly one student is found by it.
        """
        for found in self._looked_up(person):
            if len(found) == 1:
                return Match(found[0].id, _note(person, found[0]))
            if found:
                ids = ", ".join(student.id for student in found)
                problem = f"{person.name!r} may be {ids}: tell them apart in the roster"
                return Match("", problem=problem)
        own = _own_id(person)
        if own in self._ids and (person.number or person.email):
            return Match(own)  # collected under this name before, and graded
        if own in self._ids:
            problem = f"{person.name!r} is not in the roster, where {own!r} is somebody else"
            return Match("", problem=problem)
        if not own:
            return Match(
                "", problem=f"{person.name!r} is not a name from which a student id can be made"
            )
        note = "not in the roster" if self.students else ""
        return Match(own, note, known=not self.students)

    def knows(self, name: str) -> bool:
        """Whether a folder's name is a student's: an id, an address or a name."""
        match = self.find(Person(name, sid=name, email=name))
        return match.known and bool(self.students) and bool(match.student)

    def _looked_up(self, person: Person) -> Iterator[list[Student]]:
        """What each way of looking up finds, the most certain first."""
        if person.sid in self._ids:
            yield [self._ids[person.sid]]
        yield self._by.get(("id", _id_key(person.sid)), [])
        yield self._by.get(("lms", _id_key(person.sid)), [])
        yield self._by.get(("lms", _id_key(person.lms_user_id)), [])
        yield self._by.get(("email", person.email.strip().casefold()), [])
        for spelling in SPELLINGS:
            found = self._by.get((spelling.__name__, spelling(person.name)), [])
            # A namesake has another id in the LMS.
            yield [s for s in found if not (s.lms_user_id and person.lms_user_id)]


def read_roster(path: Path) -> list[Student]:
    """The students of a CSV file with a column ``id``. Raises CollectError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise CollectError(f"the roster cannot be read: {error}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")  # as spreadsheets write in the west
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    rows = csv.DictReader(io.StringIO(text), delimiter=separator, skipinitialspace=True)
    if "id" not in (rows.fieldnames or ()):
        raise CollectError(
            f"{path}: the first line is {head[:80]!r}, without a column 'id'; expected are the "
            "columns of `nbgrader db student import`: id,first_name,last_name,email,lms_user_id"
        )
    columns = [field.name for field in fields(Student)]
    students: dict[str, Student] = {}
    for row in rows:
        student = Student(**{name: (row.get(name) or "").strip() for name in columns})
        if student == Student(""):
            continue
        if not is_safe(student.id) or student.id in students:
            what = "is there twice" if student.id in students else "cannot be a student's id"
            raise CollectError(f"{path}, line {rows.line_num}: {student.id!r} {what}")
        students[student.id] = student
    return list(students.values())


def gradebook_students(root: Path) -> list[Student]:
    """The students nbgrader knows; none where there is no gradebook yet. Raises CollectError."""
    from nbgrader import api
    from nbgrader.coursedir import CourseDirectory
    from sqlalchemy import create_engine, inspect, make_url, select
    from sqlalchemy.exc import SQLAlchemyError

    from autograder.course.gradebook import course_config

    url = make_url(CourseDirectory(config=course_config(root)).db_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return []  # connecting would make the file
    columns = [getattr(api.Student, field.name) for field in fields(Student)]
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            known = inspect(connection).has_table(api.Student.__tablename__)
            rows = connection.execute(select(*columns)).all() if known else []
    except SQLAlchemyError as error:
        reason = str(error).splitlines()[0]
        raise CollectError(
            f"the gradebook cannot be read ({reason}); name a roster with --roster instead"
        ) from None
    finally:
        engine.dispose()
    students = [Student(*(str(value or "") for value in row)) for row in rows]
    return [student for student in students if is_safe(student.id)]


def _keys(student: Student) -> set[tuple[str, str]]:
    """Under what a student is found."""
    keys = {("id", _id_key(student.id)), ("lms", _id_key(student.lms_user_id))}
    keys.add(("email", student.email.strip().casefold()))
    keys |= {(spell.__name__, spell(name)) for spell in SPELLINGS for name in _names(student)}
    return {(kind, key) for kind, key in keys if key}


def _names(student: Student) -> tuple[str, ...]:
    """How an LMS may write the name, spaces and signs aside."""
    first, last = student.first_name, student.last_name
    return (first + last, last + first) if first and last else ()


def _own_id(person: Person) -> str:
    """A student id made of what the LMS says; empty where nothing can be made of it."""
    if person.sid or person.email:
        return slug(person.sid) or slug(person.email)
    name = slug(person.name)
    return "_".join(filter(None, (name, slug(person.number)))) if name else ""


def _note(person: Person, student: Student) -> str:
    """Where an id has decided: what the LMS says, if that is quite another name."""
    names = [_without_marks(name) for name in _names(student)]
    alike = not names or _without_marks(person.name) in (*names, "", _without_marks(student.id))
    return "" if alike else f"called {person.name!r} there"


def _id_key(text: str) -> str:
    """Ids in a spreadsheet lose their zeros in front."""
    return text.strip().casefold().lstrip("0")


def _letters(name: str) -> str:
    text = unicodedata.normalize("NFC", name).casefold()
    return "".join(c for c in text if c.isalnum())


def _spelt_out(name: str) -> str:
    return _letters(name).translate(SPELT_OUT)


def _without_marks(name: str) -> str:
    return _letters("".join(c for c in unicodedata.normalize("NFKD", name) if c.isalnum()))


SPELLINGS = (_letters, _spelt_out, _without_marks)
