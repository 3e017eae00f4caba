"""The progress bar of every command: what, a bar, how many of how many, for how long."""

from __future__ import annotations

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)


def progress_bar(console: Console, *more: ProgressColumn) -> Progress:
    """A bar on ``console``, with ``more`` columns at its end. Use it as a context manager."""
    return Progress(*bar_columns(), *more, console=console)


def bar_columns(width: int = 40) -> tuple[ProgressColumn, ...]:
    """What each of these bars shows; ``width``: of the bar itself."""
    bar = BarColumn(bar_width=width)
    return (TextColumn("{task.description}"), bar, MofNCompleteColumn(), TimeElapsedColumn())
