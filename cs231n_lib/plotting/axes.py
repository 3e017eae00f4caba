"""What the pictures share: colours and what they mean, and a new figure.

The colours are those of Okabe and Ito (2008), which colour-blind readers can tell apart. In all
notebooks one colour has one meaning; whatever has none takes the colours in the order of CYCLE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # matplotlib takes a second to import: only the functions do
    from matplotlib.axes import Axes

BLUE = "#0072B2"  # training; the method that the notebook is about
ORANGE = "#E69F00"  # validation; the method it is compared with
GREEN = "#009E73"  # test; a reference, such as a numerical gradient or a known answer
RED = "#D55E00"  # where to look: a mean, a limit, a mistake
PURPLE, SKY, BLACK = "#CC79A7", "#56B4E9", "#000000"

#: In this order matplotlib gives colours to lines. Yellow is left out: too pale on white.
CYCLE = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BLACK)


def new_axes(size: tuple[float, float] = (6.4, 4.0)) -> Axes:
    """The only axes of a new figure, ``size`` inches wide and high."""
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=size, layout="constrained")[1]
