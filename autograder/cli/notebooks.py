"""What an instructor sees of ``python -m autograder notebooks``: bars, a table, the red cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import TextColumn
from rich.table import Table
from rich.text import Text

from autograder.authoring.claims import false_claims
from autograder.authoring.regression import (
    Cell,
    NotebookRun,
    code_cells,
    ensure_nbval,
    find_notebooks,
    name_of,
    parallel_jobs,
    run_notebooks,
)
from autograder.authoring.source import read_source
from autograder.cli.progress import progress_bar

NOTEBOOK_SECONDS = 60
MAX_LINES = 12  # lines of an error or a difference
NEXT = {
    "raised": "correct the solution or the cell",
    "raised nothing": "correct the cell, or remove its tag raises-exception",
    "output differs": "correct the solution; if the new output is right: "
    "python -m autograder refresh {path}",
    "timed out": "the cell is too slow or hangs; the cells after it were not run",
    "broke off": "the kernel died or never answered; the cells after it were not run",
}


def run_with_summary(root: Path, wanted: Sequence[str], jobs: int | None = None) -> bool:
    """Run notebooks with progress, print the summary; True when all are green.

    Raises CourseError when one does not exist or cannot be run, NoNbvalError without nbval.
    """
    ensure_nbval()
    paths = find_notebooks(root, wanted)
    order = {path: code_cells(path) for path in paths}
    console = Console()
    parallel = parallel_jobs(len(paths), jobs)
    with progress_bar(console, TextColumn("{task.fields[cell]}", style="dim")) as progress:
        bars = {
            path: progress.add_task(name_of(path), total=len(ids), start=False, cell="")
            for path, ids in order.items()
        }

        def show(path: Path, cell: Cell | None) -> None:
            if cell is None:
                progress.update(bars[path], cell="")
                progress.stop_task(bars[path])
                if not console.is_terminal:
                    console.print(f"{name_of(path)} done")
                return
            progress.start_task(bars[path])
            after = order[path][order[path].index(cell.id) + 1 :]
            progress.update(bars[path], advance=1, cell=after[0] if after else "")

        runs = run_notebooks(paths, jobs=jobs, on_cell=show)
    print_summary(console, runs, {name_of(path): len(ids) for path, ids in order.items()})
    console.print(f"{parallel} at a time, with one BLAS thread each", style="dim")
    return print_false_claims(console, paths) and all(run.green for run in runs)


def print_false_claims(console: Console, paths: Sequence[Path]) -> bool:
    """Every marked sentence that reports what its cell does not print; True when there is none."""
    wrong = {path: false_claims(read_source(path)) for path in paths}
    for path, reasons in wrong.items():
        for reason in reasons:
            console.print(Text(f"\n{name_of(path)}: the prose and the output differ", "bold red"))
            console.print(f"    {reason}", markup=False, highlight=False, soft_wrap=True)
    return not any(wrong.values())


def print_summary(console: Console, runs: Sequence[NotebookRun], cells: dict[str, int]) -> None:
    """The table, then every red cell. ``cells``: code cells of each notebook."""
    table = Table(title="notebooks", title_justify="left")
    table.add_column("notebook", overflow="fold")
    for heading in ("cells run", "seconds"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("result", overflow="fold")
    for run in runs:
        table.add_row(
            run.name,
            f"{len(run.cells)} of {cells[run.name]}",
            f"{run.seconds:.1f}",
            Text(_result(run), style="green" if run.green else "bold red"),
        )
    console.print(table)
    for run in runs:
        for line in _details(run):
            console.print(line, markup=False, highlight=False, soft_wrap=True)


def _result(run: NotebookRun) -> str:
    if run.trouble:
        result = "not run to its end"
    else:
        result = f"{len(run.failed)} red" if run.failed else "green"
    slow = run.seconds > NOTEBOOK_SECONDS
    return f"{result}, over {NOTEBOOK_SECONDS} s" if slow else result


def _details(run: NotebookRun) -> Iterator[Text]:
    """What is red and what to do next; then, when over the limit, where the time goes."""
    for number, cell in enumerate(run.failed):
        yield Text(f"\n{run.name}, cell {cell.id}: {cell.kind}", style="bold red")
        lines = cell.lines[:MAX_LINES]
        yield from (Text(f"    {line}") for line in lines)
        if len(cell.lines) > MAX_LINES:
            yield Text(f"    ... and {len(cell.lines) - MAX_LINES} lines more")
        after = " (begin with the first red cell: others may follow from it)" if number else ""
        yield Text(f"  -> {NEXT[cell.kind].format(path=_short(run.path))}{after}")
    if run.trouble:
        yield Text(f"\n{run.name}: {run.trouble}", style="bold red")
    if run.seconds > NOTEBOOK_SECONDS:
        slowest = sorted(run.cells, key=lambda cell: -cell.seconds)[:3]
        where = ", ".join(f"{cell.id} {cell.seconds:.1f} s" for cell in slowest)
        yield Text(f"\n{run.name} takes {run.seconds:.0f} s; slowest: {where}", style="yellow")


def _short(path: Path) -> Path:
    """As one would type it."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
