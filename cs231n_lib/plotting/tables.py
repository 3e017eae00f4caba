"""Tables as pictures: distances, a hyperparameter search, a confusion matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cs231n_lib.plotting.axes import RED, new_axes

if TYPE_CHECKING:  # matplotlib takes a second to import: only the functions do
    from matplotlib.axes import Axes


def show_distances(dists: ArrayLike, ax: Axes | None = None) -> Axes:
    """Show a distance matrix: black is near, white is far.

    Shapes: dists (M, N), a row for each test row, a column for each training row.
    Raises ValueError when dists has another number of dimensions.
    """
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
    """Show the validation accuracies of a search over two hyperparameters, the best framed.

    ``results`` has ``(learning_rate, reg): (training accuracy, validation accuracy)``. A grid
    becomes a table, its values in order, white where a combination was not tried. Where less than
    half of the table would be filled (a random search), points on logarithmic axes take its place.
    Raises ValueError when results is empty or has another form.
    """
    if not results or any(np.shape(pair) != (2,) for item in results.items() for pair in item):
        raise ValueError(
            "results must have at least one entry (learning_rate, reg): (training accuracy, "
            "validation accuracy)"
        )
    columns, rows = (sorted({key[side] for key in results}) for side in (0, 1))
    draw = _draw_grid if 2 * len(results) >= len(columns) * len(rows) else _draw_points
    accuracies = {key: float(validation) for key, (_, validation) in results.items()}
    best = max(accuracies, key=lambda key: np.nan_to_num(accuracies[key], nan=-1))
    ax = draw(accuracies, best, columns, rows, ax)
    ax.set(xlabel=names[0], ylabel=names[1])
    ax.set_title(f"best: {accuracies[best]:.3f} at {best[0]:.3g}, {best[1]:.3g}")
    return ax


def plot_confusion(
    y_true: ArrayLike, y_pred: ArrayLike, classes: Sequence[str], ax: Axes | None = None
) -> Axes:
    """Show what each class is taken for: a row for each correct class, in per cent.

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
    # Whole numbers may come as floats: np.zeros(N) is how many begin their predictions.
    if not np.issubdtype(labels.dtype, np.number) or np.any(labels != np.floor(labels)):
        raise ValueError("the labels must be whole numbers, counted from 0: indices into `classes`")
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
    _draw_table(ax, table, lambda value: f"{value:.0f}", "% of the correct class")
    ax.set_xticks(range(len(classes)), list(classes))
    _slant(ax)
    ax.set_yticks(range(len(classes)), list(classes))
    ax.set(xlabel="predicted class", ylabel="correct class")
    return ax


def _draw_table(
    ax: Axes, table: NDArray[np.float64], text: Callable[[float], str], label: str
) -> None:
    """Colour each cell and write its number in it; NaN stays white and empty."""
    image = ax.imshow(table, cmap="viridis", aspect="auto")
    for (row, column), value in np.ndenumerate(table):
        if not np.isnan(value):
            colour = _legible_on(image.to_rgba(np.array([value]))[0, :3])
            ax.text(column, row, text(value), ha="center", va="center", color=colour, fontsize=9)
    ax.tick_params(length=0)
    ax.figure.colorbar(image, ax=ax, label=label)


def _legible_on(background: NDArray[np.float64]) -> str:
    """Black or white, whichever has the larger contrast with a colour (R, G, B), 0 to 1.

    It is at least 4.5 (WCAG 2): at a relative luminance of 0.179 both have 4.6.
    """
    linear = np.where(
        background <= 0.04045, background / 12.92, ((background + 0.055) / 1.055) ** 2.4
    )
    return "black" if np.dot(linear, (0.2126, 0.7152, 0.0722)) > 0.179 else "white"


def _draw_grid(
    accuracies: Mapping[tuple[float, float], float],
    best: tuple[float, float],
    columns: Sequence[float],
    rows: Sequence[float],
    ax: Axes | None,
) -> Axes:
    from matplotlib.patches import Rectangle

    table = np.full((len(rows), len(columns)), np.nan)
    for (column, row), accuracy in accuracies.items():
        table[rows.index(row), columns.index(column)] = accuracy
    ax = ax or new_axes((1.6 + 0.75 * max(len(columns), 4), 1.3 + 0.5 * max(len(rows), 3)))
    _draw_table(ax, table, lambda value: f"{value:.3f}", "validation accuracy")
    names = [f"{value:.3g}" for value in columns]
    ax.set_xticks(range(len(columns)), names)
    if max(map(len, names)) > 7:
        _slant(ax)
    ax.set_yticks(range(len(rows)), [f"{value:.3g}" for value in rows])
    corner = (columns.index(best[0]) - 0.5, rows.index(best[1]) - 0.5)
    ax.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=RED, linewidth=3, clip_on=False))
    return ax


def _draw_points(
    accuracies: Mapping[tuple[float, float], float],
    best: tuple[float, float],
    columns: Sequence[float],
    rows: Sequence[float],
    ax: Axes | None,
) -> Axes:
    ax = ax or new_axes()
    x, y = np.array(list(accuracies)).T
    points = ax.scatter(x, y, c=list(accuracies.values()), cmap="viridis", s=90)
    ax.scatter(*best, s=220, facecolors="none", edgecolors=RED, linewidths=3)
    for place, accuracy in accuracies.items():
        ax.annotate(
            f"{accuracy:.3f}", place, (0, 9), textcoords="offset points", ha="center", fontsize=9
        )
    # A value of 0 (no regularisation) has no logarithm: such an axis stays linear.
    ax.set_xscale("log" if columns[0] > 0 else "linear")
    ax.set_yscale("log" if rows[0] > 0 else "linear")
    ax.margins(0.1)
    ax.figure.colorbar(points, ax=ax, label="validation accuracy")
    return ax


def _slant(ax: Axes) -> None:
    for label in ax.get_xticklabels():
        label.set(rotation=45, ha="right", rotation_mode="anchor")
