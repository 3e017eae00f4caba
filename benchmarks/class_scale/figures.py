"""From what was measured to the tables: what each tool took, the goals, and where seconds are."""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.measure import Figures

OTTER = "Otter, one after the other"
NBGRADER, BY_HAND = "stock nbgrader", "stock nbgrader, two processes by hand"
HEAVY, LIGHT = "kNN", "light"


@dataclass(frozen=True)
class Took:
    """What ``count`` submissions took, start-up included, and what one more of them takes."""

    count: int
    wall: float
    cpu: float
    each: float

    @classmethod
    def evenly(cls, count: int, wall: float, cpu: float, start: float = 0.0) -> Took:
        """Of a tool that begins with the first submission after ``start`` seconds."""
        return cls(count, wall, cpu, (wall - start) / count)

    def of(self, count: int) -> float:
        """Seconds of a class of this size: computed, where another size was measured."""
        return self.wall + (count - self.count) * self.each

    @property
    def processors(self) -> float:
        """How many it kept busy, on average."""
        return self.cpu / self.wall


@dataclass(frozen=True)
class Stages:
    """Seconds of a run of ours, or of the limit, which starts nothing and writes nothing."""

    cells: float  # of a submission, on average
    checks: float
    rest: float = 0.0  # of a submission: its kernel starts and ends, its verdict is written
    first_kernel: float = 0.0  # of the run: until the first kernel runs its first cell
    first_verdict: float = 0.0
    tail: float = 0.0  # from the last verdict to the end


@dataclass
class Measured:
    """All that was measured: ``took`` and ``stages`` by notebook and who graded it.

    ``sizes``: the class of each notebook that is spoken of. ``mixed``: the class in which some
    hang, by who graded it. ``problems``: grades that were not as they must be.
    """

    sizes: dict[str, int]
    took: dict[tuple[str, str], Took] = field(default_factory=dict)
    stages: dict[tuple[str, str], Stages] = field(default_factory=dict)
    mixed: dict[str, Took] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def of(self, notebook: str, who: str, count: int = 0) -> float | None:
        """Seconds for the class of this notebook, or for ``count`` submissions of it."""
        took = self.took.get((notebook, who))
        return took and took.of(count or self.sizes[notebook])


def ours(workers: int) -> str:
    """How our run with so many workers is called in the tables."""
    return f"ours, {workers} worker{'s' * (workers > 1)}"


def limit(workers: int) -> str:
    """How the limit with so many at a time is called in the tables."""
    return f"limit, {workers} at a time"


def speed(measured: Measured) -> Figures:
    """The table: who takes how long for which notebook, the slowest first."""
    names = list(dict.fromkeys(who for _, who in measured.took))
    names.sort(key=lambda who: -(measured.of(HEAVY, who) or 0))
    heads, units = [""], ("measured on", "s for {}", "s each", "processors")
    for notebook, size in measured.sizes.items():
        heads += [f"{notebook}: {unit.format(size)}" for unit in units]
    rows = []
    for who in names:
        row = [who]
        for notebook, size in measured.sizes.items():
            took = measured.took.get((notebook, who))
            if not took:
                row += ["", "", "", ""]
                continue
            whole = f"{'≈ ' * (took.count != size)}{took.of(size):.1f}"
            each = f"{took.of(size) / size:.3f}"
            row += [str(took.count), whole, each, f"{took.processors:.2f}"]
        rows.append(row)
    return Figures("Who takes how long (≈: computed from fewer or more)", heads, rows)


@dataclass(frozen=True)
class Goal:
    """A line of the second table. ``least``: whether a larger number is a better one.

    ``limits``: the same number of the limit, which nobody can better; None where it has none.
    """

    name: str
    reached: float | None
    limits: float | None = None
    goal: float = 0.0
    least: bool = True
    digits: int = 2

    def row(self) -> list[str]:
        def number(value: float | None) -> str:
            return "" if value is None else f"{value:.{self.digits}f}"

        goal = f"{'≥' if self.least else '≤'} {self.goal:.{self.digits}f}" if self.goal else ""
        return [self.name, goal, number(self.limits), number(self.reached), self.verdict()]

    def verdict(self) -> str:
        if not self.goal or self.reached is None:
            return ""
        if self._good(self.reached):
            return "met"
        possible = self.limits is None or self._good(self.limits)
        return "not met" if possible else "out of reach: the limit forbids it"

    def _good(self, value: float) -> bool:
        """As the table shows it: what reads 0.95 is no less than 0.95."""
        shown = round(value, self.digits)
        goal = round(self.goal, self.digits)
        return shown >= goal if self.least else shown <= goal


def goals(measured: Measured) -> Figures:
    """The second table: what is to be reached, what the limit allows, what is reached."""
    heads = ("", "goal", "the limit's own", "ours", "")
    found = [*_over_others(measured), *_of_the_limit(measured), *_seconds(measured)]
    rows = [goal.row() for goal in found if goal.reached is not None]
    return Figures("Goals, and what the limit allows", heads, rows)


def _ratio(slow: float | None, fast: float | None) -> float | None:
    return slow / fast if slow and fast else None


def _over_others(measured: Measured) -> list[Goal]:
    """Ours with two workers over another tool; the limit with two at a time over the same."""
    found = []
    for notebook, size in measured.sizes.items():
        for who in (NBGRADER, BY_HAND, OTTER):
            theirs = measured.of(notebook, who)
            allowed = _ratio(theirs, measured.of(notebook, limit(2)))
            goal = 0.0
            if who == NBGRADER:
                goal = 8.0 if notebook == LIGHT else 0.9 * (allowed or 0)
            name = f"{notebook}, {size}: {ours(2)}, over {who}"
            mine = _ratio(theirs, measured.of(notebook, ours(2)))
            found.append(Goal(name, mine, allowed, goal))
    return found


def _of_the_limit(measured: Measured) -> list[Goal]:
    size = measured.sizes[HEAVY]
    found = []
    for workers, goal in ((1, 0.95), (2, 0.9), (16, 0.0)):
        took = measured.took.get((HEAVY, ours(workers)))
        count = took.count if took else size
        share = _ratio(
            measured.of(HEAVY, limit(workers), count), measured.of(HEAVY, ours(workers), count)
        )
        found.append(Goal(f"{HEAVY}, {count}: {ours(workers)}, of the limit", share, 1.0, goal))
    hang = _ratio(_wall(measured.mixed.get(limit(2))), _wall(measured.mixed.get(ours(2))))
    mixed = next(iter(measured.mixed.values())).count if measured.mixed else 0
    name = f"{HEAVY}, {mixed} of whom some hang or crash: {ours(2)}, of the limit"
    found.append(Goal(name, hang, 1.0))
    for workers, goal in ((2, 1.8), (16, 13.0)):
        took = measured.took.get((HEAVY, ours(workers)))
        count = took.count if took else size
        pairs = [
            (measured.of(HEAVY, kind(1), count), measured.of(HEAVY, kind(workers), count))
            for kind in (ours, limit)
        ]
        mine, allowed = (_ratio(*pair) for pair in pairs)
        name = f"{HEAVY}, {count}: {workers} workers over 1"
        found.append(Goal(name, mine, allowed, goal))
    return found


def _wall(took: Took | None) -> float | None:
    return took and took.wall


def _seconds(measured: Measured) -> list[Goal]:
    size = measured.sizes[LIGHT]
    each, allowed = measured.of(LIGHT, ours(2)), measured.of(LIGHT, limit(2))
    name = f"{LIGHT}, {size}: {ours(2)}, seconds each"
    found = [
        Goal(name, each and each / size, allowed and allowed / size, 0.1, least=False, digits=3)
    ]
    for workers in (1, 2, 16):
        stages = measured.stages.get((HEAVY, ours(workers)))
        least = measured.stages.get((HEAVY, limit(workers)))
        first = stages and stages.first_kernel
        name = f"{HEAVY}: {ours(workers)}, seconds until the first kernel runs a cell"
        found.append(Goal(name, first, None, 2.5, least=False, digits=1))
        own = least and least.cells + least.checks
        name = f"{HEAVY}: {ours(workers)}, seconds until the first verdict"
        found.append(Goal(name, stages and stages.first_verdict, own, digits=1))
    return found


def profile(measured: Measured) -> Figures:
    """The third table: where the seconds between ours and the limit are."""
    keys = list(measured.stages)
    rows = [
        ("cells, a submission", "cells"),
        ("checks, a submission", "checks"),
        ("kernel's start and end, a submission", "rest"),
        ("until the first kernel runs a cell", "first_kernel"),
        ("until the first verdict", "first_verdict"),
        ("from the last verdict to the end", "tail"),
    ]
    lines = []
    for name, attribute in rows:
        values = [getattr(measured.stages[key], attribute) for key in keys]
        lines.append([name, *(f"{value:.3f}" if value else "" for value in values)])
    one_more = [measured.took[key].each for key in keys]
    lines.insert(3, ["one submission more", *(f"{seconds:.3f}" for seconds in one_more)])
    heads = ["", *(f"{notebook}: {who}" for notebook, who in keys)]
    return Figures("Where the seconds are", heads, lines)
