"""What a TA sees while a class is graded: a bar for each notebook, or plain lines."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import TaskID, TextColumn, TimeRemainingColumn

from autograder.batch.engine import Event
from autograder.cli.progress import progress_bar
from autograder.judge.results import GradedNotebook


class Display:
    """Context manager; ``show`` takes every event of the engine."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._progress = progress_bar(
            console, TimeRemainingColumn(), TextColumn("{task.fields[note]}", style="dim")
        )
        self._bars: dict[str, TaskID] = {}
        self._done: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._graded: Counter[str] = Counter()
        self._started = time.monotonic()

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
        self._progress.stop()

    def show(self, event: Event) -> None:
        if event.graded is None:
            return
        name = event.notebook
        if not event.amended:
            self._done[name] += 1
            self._graded[name] += not event.reused
            self._failures[name] += bool(event.graded.outcome)
        if self._quiet:
            return
        if not self._console.is_terminal:
            line = _line(event, event.graded)
            self._console.print(line, highlight=False, soft_wrap=True, markup=False, emoji=False)
            return
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=event.of_notebook, note="")
        self._progress.update(self._bars[name], completed=self._done[name], note=self._note(name))

    def _note(self, name: str) -> str:
        """Throughput, and what went wrong so far."""
        minutes = (time.monotonic() - self._started) / 60
        parts = [f"{self._graded[name] / minutes:.0f} a minute"]
        if self._failures[name]:
            parts.append(f"{self._failures[name]} not graded to the end")
        return ", ".join(parts)


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
