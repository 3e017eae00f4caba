"""What a TA sees while a class is compared: a bar, then what was found and where it is."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from autograder.cli.progress import progress_bar
from autograder.similar.run import ComparisonOptions, find_similar


def compare_with_progress(
    root: Path, assignment: str, folder: Path, options: ComparisonOptions
) -> bool:
    """Compare and say what was found; True when there is nothing to look at."""
    console = Console()
    with progress_bar(console) as progress:
        bar = progress.add_task(assignment, total=None)

        def tick(what: str, done: int, of: int) -> None:
            progress.update(bar, description=what, completed=done, total=of)

        findings = find_similar(root, assignment, folder, options, tick)
        progress.update(bar, description=assignment)
    for notebook in findings.notebooks:
        missing = len(notebook.not_compared)
        console.print(
            f"{notebook.name}: {notebook.texts} compared, {missing} not, {notebook.pairs} pairs, "
            f"{sum(map(len, notebook.identical))} identical files",
            markup=False,
        )
    console.print(f"a list to look at, not grades: {folder / 'index.html'}", markup=False)
    return not (findings.pairs or findings.identical or findings.unread)
