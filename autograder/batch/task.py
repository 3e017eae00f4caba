"""One notebook of one student to be graded: plain data that fits into a message."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import msgpack

from autograder.judge.results import GradedNotebook, from_dict, to_dict
from autograder.material import Name


@dataclass(frozen=True)
class Task:
    """What a worker needs besides the course's Material.

    ``handed_in`` holds all notebooks of the student by file name, ``known`` the verdicts on those
    that this one loads.
    """

    student: str
    notebook: str
    handed_in: dict[str, bytes]
    submission: bytes | None  # None: it is missing
    missing_hint: str = ""
    known: dict[Name, GradedNotebook] = field(default_factory=dict)
    gpu: bool = False  # whether the worker has set a GPU apart for it

    def pack(self) -> bytes:
        plain: dict[str, Any] = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        plain["known"] = [[*name, to_dict(graded)] for name, graded in self.known.items()]
        return _packed(plain)

    @classmethod
    def unpack(cls, data: bytes) -> Task:
        plain = msgpack.unpackb(data, unicode_errors="surrogatepass")
        known = {(where, name): from_dict(graded) for where, name, graded in plain.pop("known")}
        return cls(**plain, known=known)


def pack_result(graded: GradedNotebook) -> bytes:
    return _packed(to_dict(graded))


def unpack_result(data: bytes) -> GradedNotebook:
    return from_dict(msgpack.unpackb(data, unicode_errors="surrogatepass"))


def _packed(plain: dict[str, Any]) -> bytes:
    packed = msgpack.packb(plain, unicode_errors="surrogatepass")  # names of files can be anything
    assert packed is not None  # msgpack's type for "written to a stream"
    return packed
