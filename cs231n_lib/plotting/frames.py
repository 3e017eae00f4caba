"""A figure that moves: one frame for each value of a quantity, and a slider to go through them.

All frames are drawn at once, as images of one piece of HTML. It needs neither widgets nor a running
kernel nor a network, and is the same in Jupyter, VS Code, Colab and an exported page. Where scripts
are not run (an untrusted notebook, a page of feedback), the frame at the start stays, as a figure.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from cs231n_lib.plotting.alt_text import figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Value = TypeVar("Value")

#: Shows the image whose number the slider has, and says its value.
_MOVE = (
    "const f=this.closest('figure');"
    "f.querySelectorAll('img').forEach((image,i)=>{image.hidden=i!=this.value});"
    "f.querySelector('output').textContent=f.querySelectorAll('img')[this.value].dataset.value"
)


def show_frames(
    draw: Callable[[Value], Figure | Axes],
    values: Sequence[Value],
    *,
    label: str,
    alt: str,
    start: int = 0,
    form: str = "{}",
) -> None:
    """Show ``draw(value)`` for each of ``values``, with a slider named ``label``.

        show_frames(path_of_descent, [0.01, 0.1, 1.0], label="learning rate", alt="...")

    ``draw`` makes a new figure for one value and returns it, or its Axes; let all have one size and
    the same limits, so that only what changes moves. ``alt`` says, for readers who cannot see it,
    how the picture changes over the values. ``start`` is the index of the frame shown first, which
    is the only one where there is no slider; ``form`` formats a value, as in ``"{:.2f}"``.

    Raises ValueError without values or words, IndexError for a start that is not an index,
    TypeError when ``draw`` returns no figure.
    """
    from IPython.display import display
    from matplotlib import pyplot as plt

    words = " ".join(alt.split())
    if not words:
        raise ValueError("the alt text is empty; say in a sentence how the picture changes")
    if not len(values):
        raise ValueError("no values: a frame is drawn for each of them")
    if not 0 <= start < len(values):
        raise IndexError(f"start={start}, but there are {len(values)} values, from index 0")
    frames, widths = [], []
    for value in values:
        figure = figure_of(draw(value))
        frames.append(_png(figure))
        widths.append(int(figure.get_figwidth() * figure.dpi))
        plt.close(figure)
    width = max(widths)
    texts = [form.format(value) for value in values]
    data = {
        "text/plain": words,
        "text/html": _player(frames, texts, label, words, start, width),
        "image/png": frames[start],
    }
    metadata = {"image/png": {"width": width, "alt": words}}
    display(data, metadata=metadata, raw=True)


def _png(figure: Figure) -> str:
    """At twice the figure's resolution, for screens that have it."""
    written = io.BytesIO()
    figure.savefig(written, format="png", dpi=2 * figure.dpi)
    return base64.b64encode(written.getvalue()).decode("ascii")


def _player(
    frames: list[str], texts: list[str], label: str, words: str, start: int, width: int
) -> str:
    images = "".join(
        f'<img src="data:image/png;base64,{frame}" width="{width}" '
        f'alt="{html.escape(f"{label} {text}. {words}")}" data-value="{html.escape(text)}"'
        f"{'' if number == start else ' hidden'}>"
        for number, (frame, text) in enumerate(zip(frames, texts, strict=True))
    )
    return (
        f'<figure style="margin:0">{images}<figcaption><label>{html.escape(label)} '
        f'<input type="range" min="0" max="{len(frames) - 1}" step="1" value="{start}" '
        f'style="vertical-align:middle;width:{width // 2}px" oninput="{_MOVE}"></label> '
        f"<output>{html.escape(texts[start])}</output></figcaption></figure>"
    )
