"""Tables as pictures: distances, a hyper-parameter search, a confusion matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cs231n_lib.plotting.axes import RED, new_axes

if TYPE_CHECKING:  # matplotlib takes a second to import: only the functions do
    from matplotlib.axes import Axes


def show_distances(dists: ArrayLike, ax: Axes | None = None) -> Axes:
    """Show a distance matrix (tests, training rows): black is near, white is far."""
    matrix = np.asarray(dists)
    if matrix.ndim != 2:
        raise ValueError(f"dists must have two dimensions, not shape {matrix.shape}")
    ax = ax or new_axes((9, 2.2))
    image = ax.imshow(matrix, cmap="gray", aspect="auto", interpolation="none")
    ax.set(xlabel="training row", ylabel="test row")
    ax.figure.colorbar(image, ax=ax, label="distance")
    return ax


def plot_search(
    results: Mapping[tuple[float, float], tuple[float, float]],
    names: tuple[str, str] = ("learning rate", "regularisation"),
    ax: Axes | None = None,
) -> Axes:
    """Show the validation accuracies of a search over two hyper-parameters as a table.

    ``results`` has ``(learning_rate, reg): (training accuracy, validation accuracy)``. Values that
    were tried are in order, evenly spaced whatever their distance; a combination that was not tried
    is left white. The best cell has a frame.
    Raises ValueError when results is empty or has another form.
    """
    if not results or any(
        np.shape(key) != (2,) or np.shape(results[key]) != (2,) for key in results
    ):
        raise ValueError(
            "results must have at least one entry (learning_rate, reg): (training accuracy, "
            "validation accuracy)"
        )
    columns, rows = (sorted({key[side] for key in results}) for side in (0, 1))
    table = np.full((len(rows), len(columns)), np.nan)
    for (column, row), (_, validation) in results.items():
        table[rows.index(row), columns.index(column)] = validation
    ax = ax or new_axes((1.6 + 0.75 * max(len(columns), 4), 1.3 + 0.5 * max(len(rows), 3)))
    _draw_table(ax, table, lambda value: f"{value:.3f}", "validation accuracy")
    ax.set_xticks(range(len(columns)), [f"{value:.3g}" for value in columns])
    ax.set_yticks(range(len(rows)), [f"{value:.3g}" for value in rows])
    if max(map(len, (label.get_text() for label in ax.get_xticklabels()))) > 6:
        ax.tick_params(axis="x", rotation=45)
    ax.set(xlabel=names[0], ylabel=names[1])
    if not np.isnan(table).all():
        row, column = np.unravel_index(np.nanargmax(table), table.shape)
        _frame(ax, int(row), int(column))
        ax.set_title(f"best: {table[row, column]:.3f} at {columns[column]:.3g}, {rows[row]:.3g}")
    return ax


def plot_confusion(
    y_true: ArrayLike, y_pred: ArrayLike, classes: Sequence[str], ax: Axes | None = None
) -> Axes:
    """Show what each class is taken for: a row a true class, its parts in per cent.

    Shapes: y_true and y_pred (N,), whole numbers below len(classes).
    Raises ValueError when the labels do not fit each other or the classes.
    """
    true, predicted = np.asarray(y_true), np.asarray(y_pred)
    if true.shape != predicted.shape or true.ndim != 1 or len(true) == 0:
        raise ValueError(
            f"y_true has shape {true.shape} and y_pred {predicted.shape}; they must be vectors of "
            "the same length, and not empty"
        )
    labels = np.concatenate([true, predicted])
    if labels.min() < 0 or labels.max() >= len(classes):
        raise ValueError(
            f"the labels go from {labels.min()} to {labels.max()}, but there are {len(classes)} "
            "classes, counted from 0"
        )
    counts = np.zeros((len(classes), len(classes)))
    np.add.at(counts, (true.astype(np.int64), predicted.astype(np.int64)), 1)
    totals = counts.sum(axis=1, keepdims=True)
    table = 100 * np.divide(counts, totals, out=np.full_like(counts, np.nan), where=totals > 0)
    ax = ax or new_axes((2.2 + 0.5 * len(classes), 1.2 + 0.42 * len(classes)))
    _draw_table(ax, table, lambda value: f"{value:.0f}", "% of the true class")
    ax.set_xticks(range(len(classes)), list(classes), rotation=45)
    ax.set_yticks(range(len(classes)), list(classes))
    ax.set(xlabel="predicted", ylabel="true")
    return ax


def _draw_table(
    ax: Axes, table: NDArray[np.float64], text: Callable[[float], str], label: str
) -> None:
    """Colour each cell and write its number in it; NaN stays white and empty."""
    image = ax.imshow(table, cmap="viridis", aspect="auto")
    for (row, column), value in np.ndenumerate(table):
        if not np.isnan(value):
            brightness = float(
                np.dot(image.to_rgba(np.array([value]))[0, :3], (0.299, 0.587, 0.114))
            )
            colour = "black" if brightness > 0.5 else "white"
            ax.text(column, row, text(value), ha="center", va="center", color=colour, fontsize=9)
    ax.tick_params(length=0)
    ax.figure.colorbar(image, ax=ax, label=label)


def _frame(ax: Axes, row: int, column: int) -> None:
    from matplotlib.patches import Rectangle

    corner = (column - 0.5, row - 0.5)
    ax.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=RED, linewidth=3, clip_on=False))
