"""Run an edited source notebook and write it back: canonical, with the outputs nbval compares."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbformat import NotebookNode

from autograder.authoring import scratch
from autograder.authoring.cell_ids import rename_cells
from autograder.authoring.source import ReleaseError, canonical, read_source, without_hooks
from autograder.files import write_text


def refresh(path: Path) -> dict[str, str]:
    """Run a source notebook and write it back: canonical, with today's outputs where compared.

    Cells with names of JupyterLab's get better ones; returns those by the old ones. Raises
    ReleaseError when it cannot be read or a cell fails; the file is then as it was.
    """
    nb = read_source(path)
    for cell, done in zip(nb.cells, executed(path).cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs = _joined(done.outputs)
    renamed = rename_cells(nb.cells)
    write_text(path, nbformat.writes(canonical(nb)) + "\n")
    return renamed


def executed(path: Path, *, last: str | None = None) -> NotebookNode:
    """A source notebook with all its outputs, up to the cell whose id is ``last``.

    It runs as in the regression run: beside copies of its siblings, on the embedded data.
    Raises ReleaseError when it cannot be read, a cell fails, or no cell has that id.
    """
    nb = without_hooks(read_source(path))
    if last is not None:
        ids = [cell.id for cell in nb.cells]
        if last not in ids:
            raise ReleaseError(f"{path}: no cell has the id {last!r}")
        nb.cells = nb.cells[: ids.index(last) + 1]
    with tempfile.TemporaryDirectory(prefix="authoring-") as folder:
        here = scratch.copy_beside_siblings(path, Path(folder, "copy")).parent
        environment = scratch.kernel_environment(Path(folder), scratch.course_of(path))
        client = NotebookClient(nb, resources={"metadata": {"path": str(here)}})
        try:
            # What the kernel itself says on stderr is about how it was started.
            return client.execute(env=environment, stderr=subprocess.DEVNULL)
        except DeadKernelError:
            raise ReleaseError(f"{path}: its kernel died, so nothing was written") from None
        except CellExecutionError as error:
            raise ReleaseError(f"{path}: a cell failed, so nothing was written: {error}") from None


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Put together what one stream said in several messages: where it is cut is chance."""
    joined: list[NotebookNode] = []
    for output in outputs:
        stream = output.get("name")  # None for what is no stream
        if joined and stream and joined[-1].get("name") == stream:
            joined[-1].text += output.text
        else:
            joined.append(output)
    return joined
