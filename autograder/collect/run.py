"""Collect: unpack the downloads, decide what goes where, carry it out."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.collect import CollectError
from autograder.collect.place import REFUSED, Placer, Row


@dataclass(frozen=True)
class Collected:
    """What became of every file, and how many were not looked at: as released, of the system."""

    rows: tuple[Row, ...]
    ignored: int
    kept: str  # the folder of what is unattributed, in which it has its path in the download

    @property
    def needs_human(self) -> bool:
        return any(row.human for row in self.rows)


def collect(
    root: Path,
    assignment: str,
    paths: Sequence[Path],
    *,
    source: str | None = None,
    roster: Path | None = None,
    attempt: int | None = None,
    force: bool = False,
    dry_run: bool = False,
) -> Collected:
    """Bring downloads into ``root/submitted/``; the rest into ``root/downloaded/``.

    ``source``: one of the formats, by default as in nbgrader_config.py, or found out. ``attempt``:
    which of each student's, from 1; by default the latest of each notebook. ``force`` replaces
    what is in submitted/ although nothing shows that it is older. Raises CollectError, and
    TemplateError where the assignment is not released.
    """
    from autograder.collect.plugins import LmsCollector, LmsExtractor
    from autograder.course.gradebook import course_config

    for path in paths:
        if not path.is_dir() and path.suffix.casefold() != ".zip":
            raise CollectError(f"{path} is neither a zip nor a folder: give the folder it is in")
    config = course_config(root)
    collector = LmsCollector(config=config)
    if source:
        collector.source = source
    if roster:
        collector.roster = str(roster.absolute())
    place = None if dry_run else root
    with tempfile.TemporaryDirectory(prefix=".collect-", dir=place) as folder:
        downloads, unpacker = LmsExtractor(config=config).unpack(paths, Path(folder))
        plan = collector.plan(root, assignment, downloads, attempt)
        placer = Placer(root, assignment, Path(folder), dry_run=dry_run)
        try:
            rows = list(placer.carry_out(plan, force=force))
        except OSError as error:
            raise CollectError(
                f"{error}. What was written is whole; run the same command again for the rest"
            ) from None
    rows += [Row("", "", REFUSED, one.where, one.reason, human=True) for one in unpacker.refused]
    if not rows:
        raise CollectError(f"there is no file in {', '.join(map(str, paths))}")
    kept = f"downloaded/{assignment}/unattributed/"
    return Collected(tuple(rows), plan.ignored + unpacker.ignored, kept)
