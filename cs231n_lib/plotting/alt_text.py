"""Words for a figure, for readers who cannot see it.

Jupyter and nbconvert show a figure's PNG as an image without a description, and neither asks the
output's metadata for one. Both do show HTML, and prefer it: so a figure with words is displayed as
``<img alt="...">`` too. The PNG itself stays beside it, for what knows no HTML (LaTeX, say).
"""

from __future__ import annotations

import base64
import html
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:  # matplotlib takes a second to import: only the functions do
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def with_alt_text(figure: Figure | Axes | np.ndarray, text: str) -> None:
    """Describe a figure for readers who cannot see it; call it last in the cell that draws.

    ``figure`` may also be Axes, or the array of Axes of ``plt.subplots``. ``text`` says in a
    sentence or two what there is to see, not what it looks like: "The loss falls from 4.6 to 0.3
    within 200 iterations and then stays", rather than "A blue line". It reaches screen readers in
    Jupyter and in exported HTML, and replaces ``<Figure size ...>`` where there is only text.

    Raises TypeError when there is no figure in ``figure``, ValueError when the text is empty or
    the figure has been shown already, as ``plt.show()`` does.
    """
    from matplotlib import pyplot as plt

    found = figure_of(figure)
    words = " ".join(text.split())
    if not words:
        raise ValueError("the alt text is empty; say in a sentence what the figure shows")
    number = getattr(found, "number", None)  # only pyplot's figures have one
    if number is not None and not plt.fignum_exists(number):
        raise ValueError(
            "the figure has been shown already, without its alt text; call with_alt_text in the "
            "cell that draws it, and before any plt.show()"
        )
    # IPython asks an object for this method before it looks for another way to show it.
    cast(Any, found)._ipython_display_ = partial(_display, found, words)


def alt_text(figure: Figure | Axes | np.ndarray) -> str | None:
    """The words given to a figure, or None."""
    display = getattr(figure_of(figure), "_ipython_display_", None)
    return display.args[1] if isinstance(display, partial) else None


def figure_of(given: Any) -> Figure:
    """The figure of what a function that draws returned. Raises TypeError without one."""
    from matplotlib.figure import Figure

    if isinstance(given, np.ndarray) and given.size:  # of Axes
        given = given.flat[0]
    figure = getattr(given, "figure", None)  # a figure is its own, a subfigure is in another one
    figure = getattr(figure, "figure", figure)
    if not isinstance(figure, Figure):
        raise TypeError(f"a figure or its Axes are needed, not a {type(given).__name__}")
    return figure


def _display(figure: Figure, words: str) -> None:
    """Show a figure with its words, drawn as this notebook's settings want it."""
    from IPython.core.getipython import get_ipython
    from IPython.display import display

    data, metadata = {"text/plain": words}, {}
    shell = cast(Any, get_ipython())
    drawn = shell.display_formatter.formatters["image/png"](figure)
    if drawn is not None:  # None: no figures in this shell, which is a terminal, say
        png, size = drawn if isinstance(drawn, tuple) else (drawn, {})
        if isinstance(png, bytes):
            png = base64.b64encode(png).decode("ascii")
        width = f' width="{size["width"]}"' if "width" in size else ""
        image = f'<img src="data:image/png;base64,{png}" alt="{html.escape(words)}"{width}>'
        data |= {"text/html": image, "image/png": png}
        metadata = {"image/png": {**size, "alt": words}}
    display(data, metadata=metadata, raw=True)
