"""What goes where, decided before anything is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograder.collect.companions import is_companion, place_beside
from autograder.collect.exports import SubmittedFile
from autograder.collect.names import shown
from autograder.collect.notebooks import Identified, Released, Worth, identify
from autograder.collect.people import Match, Person, Roster

Order = tuple[str, float]


@dataclass(frozen=True)
class Candidate:
    """A file that is a notebook of a student."""

    student: str
    handed: SubmittedFile
    what: Identified
    note: str = ""
    known: bool = True  # the student is in the roster, or there is no roster
    beside: str = ""  # of a file that goes along with a notebook: its path in the folder

    @property
    def notebook(self) -> str:
        return self.what.notebook

    @property
    def path(self) -> str:
        """Where it goes, in the student's folder of the assignment."""
        return self.beside or f"{self.notebook}.ipynb"


@dataclass(frozen=True)
class Leftover:
    """What a person has to look at. ``file`` is None where there is nothing to keep."""

    file: Path | None
    reason: str
    student: str = ""


@dataclass
class Plan:
    """The decisions."""

    chosen: list[Candidate] = field(default_factory=list)
    spare: list[tuple[Candidate, str]] = field(default_factory=list)  # and why it is not used
    leftovers: list[Leftover] = field(default_factory=list)
    ignored: int = 0  # files as they were released


def make_plan(
    handed_in: Sequence[SubmittedFile],
    roster: Roster,
    released: Released,
    attempt: int | None = None,
) -> Plan:
    """Decide about every file. ``attempt``: which of a student's, from 1; None is the latest."""
    plan = Plan()
    candidates: dict[str, list[Candidate]] = defaultdict(list)
    companions: dict[str, list[Candidate]] = defaultdict(list)
    matches = _matches(handed_in, roster)
    for handed in handed_in:
        what = identify(handed.file.read_bytes(), handed.name, released)
        if not what.notebook and not what.reason:
            plan.ignored += 1
        elif handed.person is None:
            plan.leftovers.append(Leftover(handed.file, handed.problem))
        elif what.reason and not is_companion(handed.name):
            student = matches[handed.person].student
            plan.leftovers.append(Leftover(handed.file, what.reason, student))
        else:
            group = (handed.person, *handed.others)
            found = companions if what.reason else candidates
            for match in map(matches.__getitem__, group):
                if match.problem:
                    plan.leftovers.append(Leftover(handed.file, match.problem))
                else:
                    one = _candidate(handed, what, match, len(group))
                    found[match.student].append(one)
    for student in sorted(candidates):
        mine = candidates[student]
        if attempt is not None:
            mine = _of_attempt(plan, mine, attempt)
        for notebook in sorted({one.notebook for one in mine}):
            _choose(plan, [one for one in mine if one.notebook == notebook])
        _choose_beside(plan, companions.pop(student, []), mine)
    for _, left in sorted(companions.items()):
        _choose_beside(plan, left, [])
    return plan


def newer(one: Order | None, other: Order | None) -> bool | None:
    """Whether the first is newer; None where nothing shows."""
    if one is None or other is None or one[0] != other[0] or one == other:
        return None
    return one[1] > other[1]


def _matches(handed_in: Iterable[SubmittedFile], roster: Roster) -> dict[Person, Match]:
    """Every person's student. One student is not two people of the same LMS."""
    people = {p: None for h in handed_in for p in (h.person, *h.others) if p is not None}
    matches = {person: roster.find(person) for person in people}
    claims: dict[tuple[str, str], list[Person]] = defaultdict(list)
    for person, match in matches.items():
        if match.student:
            claims[match.student, person.lms].append(person)
    for (student, lms), claimants in claims.items():
        if len(claimants) > 1:
            names = ", ".join(sorted(shown(f"{p.name} {p.number}".strip()) for p in claimants))
            problem = f"several people in the download from {lms} may be {student!r}: {names}"
            matches.update(dict.fromkeys(claimants, Match("", problem=problem)))
    return matches


def _candidate(handed: SubmittedFile, what: Identified, match: Match, group: int) -> Candidate:
    late = "LATE, according to Canvas" if handed.late else ""
    together = f"handed in by a group of {group}" if group > 1 else ""
    notes = filter(None, (what.note, match.note, late, together))
    return Candidate(match.student, handed, what, "; ".join(notes), match.known)


def _of_attempt(plan: Plan, mine: list[Candidate], wanted: int) -> list[Candidate]:
    """Those of the ``wanted``-th attempt; the others are spare."""
    orders: dict[str, Order | None] = {}
    for one in mine:  # an attempt is as new as its newest file
        known = orders.get(one.handed.attempt)
        order = one.handed.order
        orders[one.handed.attempt] = order if known is None or newer(order, known) else known
    attempts = set(orders.values())
    kinds = {order[0] if order else "" for order in attempts}
    if len(orders) > 1 and ("" in kinds or len(kinds) > 1):
        reason = f"of one of {len(orders)} attempts, and nothing shows their order"
        plan.leftovers += [Leftover(one.handed.file, reason, one.student) for one in mine]
        return []
    in_order = sorted(attempts, key=lambda order: order[1] if order else 0)
    if wanted > len(in_order):
        reason = f"attempt {wanted} is not there: {len(in_order)} found"
        plan.leftovers.append(Leftover(None, reason, mine[0].student))
    chosen = in_order[wanted - 1] if wanted <= len(in_order) else ("none", 0.0)
    plan.spare += [
        (one, "of another attempt") for one in mine if orders[one.handed.attempt] != chosen
    ]
    return [one for one in mine if orders[one.handed.attempt] == chosen]


def _choose_beside(plan: Plan, mine: list[Candidate], notebooks: list[Candidate]) -> None:
    """Of one student's other files take those that were handed in with a notebook that is taken."""
    ids = set(map(id, notebooks))
    taken = [one.handed for one in plan.chosen if id(one) in ids]
    rivals: dict[str, list[Candidate]] = defaultdict(list)
    for one in mine:
        if path := place_beside(one.handed, taken):
            rivals[path].append(replace(one, beside=path))
        elif path := place_beside(one.handed, [notebook.handed for notebook in notebooks]):
            plan.spare.append((replace(one, beside=path), "beside a notebook that is not used"))
        else:
            plan.leftovers.append(Leftover(one.handed.file, one.what.reason, one.student))
    for path, files in sorted(rivals.items()):
        different = {one.what.sha256: one for one in files}
        last = [
            one
            for one in different.values()
            if not any(newer(other.handed.order, one.handed.order) for other in different.values())
        ]
        if len(last) > 1:
            reason = (
                f"one of {len(last)} different files for {path}; nothing shows which is the last"
            )
            plan.leftovers += [Leftover(one.handed.file, reason, one.student) for one in last]
        else:
            plan.chosen += last
        plan.spare += [(one, "older") for one in different.values() if one not in last]


def _choose(plan: Plan, rivals: list[Candidate]) -> None:
    """Take one of the files that are the same notebook of the same student."""
    different: dict[str, Candidate] = {}
    for one in rivals:
        same = different.get(one.what.sha256)
        if same is None or newer(one.handed.order, same.handed.order):
            different[one.what.sha256] = one
    best = max(one.what.worth for one in different.values())
    latest: dict[str, float] = {}  # of those that can be compared
    for one in different.values():
        if one.handed.order and one.what.worth == best:
            kind, value = one.handed.order
            latest[kind] = max(value, latest.get(kind, value))
    newest = []
    for one in different.values():
        kind, value = one.handed.order or ("", 0.0)
        last = latest.get(kind, value)
        what = "cannot be read" if one.what.worth is Worth.UNREADABLE else "is as it was released"
        if one.what.worth == best and value >= last:
            newest.append(one)
        elif one.what.worth == best:
            plan.spare.append((one, "older"))
        elif value > last:
            reason = f"the newest {one.notebook} {what}: an older one is taken"
            plan.leftovers.append(Leftover(one.handed.file, reason, one.student))
        else:
            plan.spare.append((one, f"{what}, another one is not"))
    if len(newest) == 1:
        plan.chosen += newest
        return
    notebook = newest[0].notebook
    reason = f"one of {len(newest)} different files for {notebook}; nothing shows which is the last"
    plan.leftovers += [Leftover(one.handed.file, reason, one.student) for one in newest]
