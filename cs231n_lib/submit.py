"""Check and pack from a cell: ``from cs231n_lib import submit``, then ``submit.check()``.

Both do what the commands ``cs231n check`` and ``cs231n submit`` do, in a process of their own, with
what was *saved* last. Where a notebook is graded, or is being checked, they only say so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from cs231n_lib.errors import CourseError
from cs231n_lib.hand_in.run import RUNNING

GRADING = "CS231N_GRADING"  # in the environment where a notebook is graded
SECONDS_TO_END = 10


def check(notebook: str | Path | None = None, *, run: bool = True) -> None:
    """Check a notebook: by default this one, or all in its folder where its name is not known.

    With ``run=False`` it is only looked at. Save it first.
    """
    if _quiet("submit.check"):
        return
    chosen = notebook or _this_notebook()
    _command("check", *([str(chosen)] if chosen else []), *([] if run else ["--no-run"]))


def submit(
    assignment: str | Path | None = None, *, run: bool = True, to: str | Path | None = None
) -> None:
    """Check and pack an assignment, by default the one of this folder. Save everything first.

    The zip and its receipt are written into the folder ``to``, by default this one.
    """
    if _quiet("submit.submit"):
        return
    options = [*([] if run else ["--no-run"]), *(["--to", str(to)] if to else [])]
    _command("submit", str(assignment or Path.cwd()), *options)


def _quiet(name: str) -> bool:
    """Say that nothing happens, where nothing must."""
    if os.environ.get(GRADING):
        print(f"{name} does nothing where the notebook is graded.")
    elif os.environ.get(RUNNING):
        print(f"{name} does nothing while the notebook is checked.")
    else:
        return False
    return True


def _this_notebook() -> Path | None:
    """The notebook that this kernel belongs to, where Jupyter or VS Code says which."""
    main = vars(sys.modules["__main__"])
    name = main.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME") or ""
    path = Path.cwd() / Path(str(name)).name
    return path if path.suffix == ".ipynb" and path.is_file() else None


def _command(*arguments: str) -> None:
    """Run the command and print what it prints, line by line."""
    environment = os.environ | {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "cs231n_lib.cli", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise CourseError(
            f"no other process can be started here ({error.strerror or error}): run "
            f"`cs231n {' '.join(arguments)}` in a terminal."
        ) from error
    with process:
        try:
            for line in process.stdout or ():
                print(line, end="")
        except BaseException:  # interrupted, and so is the process: it has a kernel to end
            with suppress(subprocess.TimeoutExpired):
                process.wait(SECONDS_TO_END)
            process.terminate()
            raise
