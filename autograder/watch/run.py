"""Watch until somebody ends it."""

from __future__ import annotations

import datetime
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from autograder.batch.standing_workers import StandingWorkers
from autograder.course.config import course_config
from autograder.course.lock import only_one
from autograder.feedback.disclosure import course_zone, parse_time, what_is_shown, zone_name
from autograder.host.memory import default_worker_count
from autograder.judge.registry import ensure_checks
from autograder.notebook.template import notebooks_of
from autograder.settings import settings_of
from autograder.watch.feedback_writer import FeedbackWriter
from autograder.watch.parts import Source
from autograder.watch.sources import Downloads, Exchange
from autograder.watch.watcher import Watcher


@dataclass(frozen=True)
class WatchOptions:
    """``every``: seconds between two looks; ``incoming``: a folder of downloads, if any."""

    attempts: int = 5
    every: float = 5.0
    exchange: bool = False
    incoming: Path | None = None
    until: str = ""
    workers: int | None = None
    isolation: str | None = None


def keep_watching(
    root: Path,
    assignment: str,
    options: WatchOptions,
    say: Callable[[str], object],
    after_round: Callable[[], object],
) -> None:
    """Grade what arrives until Ctrl-C, SIGTERM, or the time given.

    ``after_round`` is called whenever something has been graded. Raises TemplateError, CheckError,
    SettingsError, CourseError, and OSError where the disk is full.
    """
    course = settings_of(root)
    for name in notebooks_of(root, assignment):
        ensure_checks(assignment, name, course)
    config = course_config(root)
    zone, named = course_zone(config), zone_name(config)
    until = parse_time(options.until, config) if options.until else None
    exchange = Exchange(root, assignment) if options.exchange else None
    sources: list[Source] = [exchange] if exchange else []
    if options.incoming:
        sources.append(Downloads(root, assignment, options.incoming))
    release = exchange.release if exchange else None
    lock = root / ".autograder" / "watch" / f"{assignment}.lock"
    with (
        only_one(lock, f"watching {assignment}"),
        ended_by_signals(),
        suppress(KeyboardInterrupt),
        StandingWorkers(options.workers or default_worker_count(), options.isolation) as workers,
        FeedbackWriter(root, assignment, release) as teller,
    ):
        say(f"watching {assignment}: {options.attempts} attempts a day for each student ({named})")
        say(f"feedback: {what_is_shown(root, assignment)}")
        watcher = Watcher(root, assignment, options.attempts, zone, workers, teller, say, sources)
        while until is None or datetime.datetime.now(datetime.UTC) < until:
            if watcher.step(datetime.datetime.now(datetime.UTC)):
                after_round()
            else:
                time.sleep(options.every)
        say(f"it is {options.until}")
    say("ended: everything is on record; the same command goes on from here")


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """SIGTERM, by which services are ended, is like Ctrl-C."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {one: signal.signal(one, interrupt) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
