"""`cs231n check` and `cs231n submit`: what they do, in words and in an exit status."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from cs231n_lib.errors import WrongUse
from cs231n_lib.hand_in.folder import Folder, look_into
from cs231n_lib.hand_in.notebook import Notebook, is_of_a_course, read
from cs231n_lib.hand_in.pack import pack
from cs231n_lib.hand_in.report import Report, make_report
from cs231n_lib.hand_in.table import NO_MARK, table, wrapped

READY, OPEN = 0, 1


def check(paths: Sequence[Path], *, with_run: bool, seconds: float | None = None) -> int:
    """Check notebooks, by default those of the folder one is in. Returns the exit status.

    Raises WrongUse and CourseError.
    """
    chosen: list[Path] = []
    faults: list[str] = []
    for path in paths or [Path()]:
        if path.is_dir():
            folder = look_into(path)
            faults += folder.faults
            chosen += folder.notebooks.values()
            if not folder.notebooks and not folder.faults:
                raise WrongUse(_nothing_in(path))
        elif path.is_file():
            chosen.append(path)
        else:
            raise WrongUse(f"{path}: there is no such file or folder.")
    for fault in faults:
        print(f"! {fault}")
    notebooks = [read(path) for path in chosen]
    for notebook in notebooks:
        if not is_of_a_course(notebook.document):
            raise WrongUse(f"{notebook.path}: a notebook of your own, not one of a course.")
    reports = [_checked(one, with_run=with_run, seconds=seconds) for one in notebooks]
    _say_in_short(reports)
    return READY if not faults and all(report.ready for report in reports) else OPEN


def submit(
    what: str,
    *,
    to: Path,
    with_run: bool,
    seconds: float | None = None,
) -> int:
    """Check and pack an assignment. Returns the exit status. Raises WrongUse and CourseError."""
    folder, assignment = find_assignment(what)
    notebooks = folder.of(assignment)
    reports = [
        _checked(read(path), with_run=with_run, seconds=seconds) for path in notebooks.values()
    ]
    expected = {name for report in reports for name in report.notebook.note.notebooks}
    missing = sorted(expected - set(notebooks))
    lines = [
        *folder.faults,
        *(f"{name}.ipynb is missing." for name in missing),
        *(line for report in reports for line in _open_lines(report)),
        *(f"Left out: {line}" for line in folder.left_out),
    ]
    if not with_run:
        lines.append("The notebooks were not run.")
    _say_in_short(reports)
    now = datetime.now().astimezone()
    packed = pack(to, assignment, notebooks, folder.beside, lines, now=now)
    print()
    if lines:
        print("Missing or open:")
        for line in lines:
            print("\n".join(wrapped(f"! {line}", hang=2)))
        print()
    unfinished = bool(folder.faults or missing or not all(report.ready for report in reports))
    word = "as it is, NOT COMPLETE: see above" if unfinished else "with nothing known to be open"
    print(f"{packed.path}: {len(packed.files)} files, {word}.")
    print(f"  {', '.join(packed.files)}")
    print(f"  SHA-256 {packed.sha256}")
    print(f"  Receipt: {packed.receipt}")
    print(f"Now upload {packed.path.name} where your course collects work. It is not sent by this.")
    return OPEN if unfinished else READY


def find_assignment(what: str) -> tuple[Folder, str]:
    """The folder with an assignment's notebooks, and its name. Raises WrongUse.

    ``what`` is a folder, or the name of an assignment: then its folder is looked for here, beside
    this one, and under release/.
    """
    name = Path(what).name
    for place in _places(what):
        folder = look_into(place)
        if name in folder.assignments:
            return folder, name
    if Path(what).is_dir():
        folder = look_into(Path(what))
        if len(folder.assignments) == 1:
            return folder, folder.assignments[0]
        if folder.assignments:
            several = " and ".join(folder.assignments)
            raise WrongUse(f"{what} holds notebooks of {several}: say which, by its name.")
        raise WrongUse(_nothing_in(Path(what)))
    here = look_into(Path()).assignments
    found = f"Here are notebooks of {', '.join(here)}." if here else "Name its folder."
    raise WrongUse(f"no notebooks of {what!r} here, beside this folder, or under release/. {found}")


def _places(what: str) -> Iterable[Path]:
    beside = Path.cwd().parent / what
    return [path for path in (Path(what), Path(), beside, Path("release", what)) if path.is_dir()]


def _nothing_in(folder: Path) -> str:
    return (
        f"{folder.resolve()}: no notebook of a course is in this folder. Go where your notebooks "
        "are, or name one."
    )


def _checked(notebook: Notebook, *, with_run: bool, seconds: float | None) -> Report:
    name = notebook.path.name

    def tell(done: int, of: int) -> None:
        if sys.stderr.isatty():
            end = "\r" if done < of else "\r\033[K"
            sys.stderr.write(f"{name}: cell {done + 1} of {of} ...\033[K{end}")
            sys.stderr.flush()
        elif done == 0:
            print(f"{name}: running {of} cells ...", file=sys.stderr, flush=True)

    report = make_report(notebook, with_run=with_run, seconds=seconds, tell=tell)
    for line in table(report):
        print(line)
    print(flush=True)
    return report


def _say_in_short(reports: Sequence[Report]) -> None:
    ready = sum(report.ready for report in reports)
    if len(reports) > 1:
        print(f"{ready} of {len(reports)} notebooks have nothing known to be open.")
    print(NO_MARK, flush=True)


def _open_lines(report: Report) -> list[str]:
    name = report.notebook.path.name
    open_ = [one for one in report.questions if one.open]
    told = ", ".join(f"{one.name} ({one.points:g}, {one.state})" for one in open_)
    lines = [f"{name}: {told}"] if told else []
    if report.stubs:
        lines.append(f"{name}: to be written: {', '.join(report.stubs)}")
    return [*lines, *(f"{name}: {remark.text}" for remark in report.remarks if remark.open)]
