"""One notebook of one student to be graded: plain data that fits into a message."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import msgpack

from autograder.grading.material import Name
from autograder.judge.results import GradedNotebook, from_dict, to_dict


@dataclass(frozen=True)
class Task:
    """What a worker needs besides the course's Material.

    ``handed_in`` holds all notebooks of the student by file name, ``earlier_verdicts`` the verdicts
    on those that this one loads; ``attempts`` are numbers of hand-ins, of this notebook and of
    those loaded that have no verdict yet. Where its notebook wants a GPU it gets one, unless
    ``no_gpu`` says why not.
    """

    student: str
    notebook: str
    handed_in: dict[str, bytes]
    submission: bytes | None  # None: it is missing
    missing_hint: str = ""
    earlier_verdicts: dict[Name, GradedNotebook] = field(default_factory=dict)
    late_in: str = ""  # where it ran out of time before: once more there is the end
    no_gpu: str = ""  # why it is to run on the CPU, although its notebook wants a GPU
    attempts: dict[Name, int] = field(default_factory=dict)  # number of the hand-in, by notebook
    found: tuple[str, ...] = ()  # how its file was found, where it had another name

    def pack(self) -> bytes:
        plain: dict[str, Any] = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        plain["earlier_verdicts"] = [
            [*name, to_dict(graded)] for name, graded in self.earlier_verdicts.items()
        ]
        plain["attempts"] = [[*name, number] for name, number in self.attempts.items()]
        return _packed(plain)

    @classmethod
    def unpack(cls, data: bytes) -> Task:
        plain = msgpack.unpackb(data, unicode_errors="surrogatepass")
        earlier_verdicts = {
            (where, name): from_dict(graded)
            for where, name, graded in plain.pop("earlier_verdicts")
        }
        attempts = {(where, name): number for where, name, number in plain.pop("attempts")}
        found = tuple(plain.pop("found"))
        return cls(**plain, earlier_verdicts=earlier_verdicts, attempts=attempts, found=found)


@dataclass(frozen=True)
class Refused:
    """A worker grades nobody: it has no isolation, or another version of the package."""

    worker: str  # its address
    stage: str  # of the sandbox, or VERSION
    reason: str


VERSION = "version"


def pack_answer(answer: GradedNotebook | Refused) -> bytes:
    if isinstance(answer, Refused):
        return _packed({"refused": dataclasses.asdict(answer)})
    return _packed({"graded": to_dict(answer)})


def unpack_answer(data: bytes) -> GradedNotebook | Refused:
    plain = msgpack.unpackb(data, unicode_errors="surrogatepass")
    return Refused(**plain["refused"]) if "refused" in plain else from_dict(plain["graded"])


def _packed(plain: dict[str, Any]) -> bytes:
    packed = msgpack.packb(plain, unicode_errors="surrogatepass")  # names of files can be anything
    assert packed is not None  # msgpack's type for "written to a stream"
    return packed
