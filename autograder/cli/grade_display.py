"""What a TA sees while a class is graded: a bar for each notebook, or plain lines.

Below the bars stands what is being graded, and for how long. What will be tried again is said in a
line of its own when it is known.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console, RenderableType
from rich.progress import Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from autograder.batch.engine import Event
from autograder.cli.progress import bar_columns
from autograder.judge.results import GradedNotebook

BESIDE_BAR = 76  # columns of a terminal for the longest name and the numbers of a bar
MAX_NAMED = 4  # notebooks under way in the line below the bars


class Display:
    """Context manager; ``show`` takes every event of the engine."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._bars: dict[str, TaskID] = {}
        self._done: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._graded: Counter[str] = Counter()
        self._under_way: dict[tuple[str, str], float] = {}  # since when
        self._over = False
        self._progress = _Bars(self)
        self._started = time.monotonic()

    @property
    def console(self) -> Console:
        return self._console

    def __enter__(self) -> Display:
        if not self._quiet and self._console.is_terminal:
            self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._under_way.clear()
        self._over = True
        self._progress.stop()

    def show(self, event: Event) -> None:
        key = event.student, event.notebook
        if event.later and not self._quiet:
            self._print(f"{event.student}/{event.notebook} {event.later}")
        if event.graded is None:
            self._under_way.pop(key, None)
            if not event.later:
                self._under_way[key] = time.monotonic()
            return
        self._under_way.pop(key, None)
        name = event.notebook
        if not event.amended:
            self._done[name] += 1
            self._graded[name] += not event.reused
            self._failures[name] += bool(event.graded.outcome)
        if self._quiet:
            return
        if not self._console.is_terminal:
            self._print(_line(event, event.graded))
            return
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=event.of_notebook, note="")
        self._progress.update(self._bars[name], completed=self._done[name], note=self._note(name))

    def waiting(self) -> str:
        """What is under way: those first that have been so for longest."""
        now = time.monotonic()
        told = [
            f"{student}/{notebook} {now - since:.0f} s"
            for (student, notebook), since in list(self._under_way.items())
        ]
        if not told:
            return "waiting for the gradebook" if self._done and not self._over else ""
        more = f" and {len(told) - MAX_NAMED} more" if len(told) > MAX_NAMED else ""
        return f"waiting for {', '.join(told[:MAX_NAMED])}{more}"

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, soft_wrap=True, markup=False, emoji=False)

    def _note(self, name: str) -> str:
        """Throughput, and what went wrong so far."""
        minutes = (time.monotonic() - self._started) / 60
        parts = [f"{self._graded[name] / minutes:.0f}/min"]
        if self._failures[name]:
            parts.append(f"{self._failures[name]} unfinished")
        return ", ".join(parts)


class _Bars(Progress):
    """Bars with a line below them, in which names are wrapped and not cut."""

    def __init__(self, display: Display) -> None:
        self._display = display
        room = display.console.width - BESIDE_BAR
        columns = bar_columns(max(3, min(40, room)))
        note = TextColumn("{task.fields[note]}", style="dim")
        super().__init__(*columns, TimeRemainingColumn(), note, console=display.console)

    def get_renderables(self) -> Iterator[RenderableType]:
        yield from super().get_renderables()
        if waiting := self._display.waiting():
            yield Text(waiting, style="dim")


def _line(event: Event, graded: GradedNotebook) -> str:
    known = " (unchanged)" if event.reused else ""
    why = f": {graded.needs_human}" if graded.needs_human else ""
    score = f"{graded.score:g}/{graded.max_score:g}"
    return f"[{event.done}/{event.total}] {graded.student}/{graded.notebook} {score}{known}{why}"


@contextmanager
def explaining_interruption(console: Console) -> Iterator[None]:
    """Say what is kept when a TA presses Ctrl-C."""
    try:
        yield
    except KeyboardInterrupt:
        console.print("stopped: what is graded is kept; run the same command again to continue")
        raise
