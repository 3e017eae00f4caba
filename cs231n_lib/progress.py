"""A progress bar, but only where a person can see it move."""

import os
import sys
import warnings
from typing import Any

# Set by whoever runs a kernel for a person. A kernel started by nbconvert, nbval or a grader has
# none of them, and a bar would only fill the notebook's outputs.
_WATCHED = ("JPY_SESSION_NAME", "COLAB_RELEASE_TAG", "VSCODE_PID")


def is_interactive() -> bool:
    """Whether a bar would be seen: on a terminal, or in Jupyter, Colab and the like."""
    if "ipykernel" in sys.modules:
        return any(os.environ.get(name) for name in _WATCHED)
    return sys.stderr is not None and sys.stderr.isatty()


def progress_bar(total: int | None, unit: str, *, show: bool) -> Any:
    """A tqdm bar of ``total`` steps, drawn if ``show`` is set and someone watches.

    Its ``write`` prints a line to stdout without breaking the bar.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that ipywidgets is missing: then it draws with text
        from tqdm.auto import tqdm
    return tqdm(total=total, unit=unit, disable=not (show and is_interactive()), leave=False)
