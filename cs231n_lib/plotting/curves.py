"""Curves and points: loss, accuracy, cross-validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from cs231n_lib.plotting.axes import BLUE, CYCLE, ORANGE, RED, new_axes

if TYPE_CHECKING:  # matplotlib takes a second to import: only the functions do
    from matplotlib.axes import Axes


def plot_loss(
    losses: ArrayLike | Mapping[str, ArrayLike], smooth: int = 1, ax: Axes | None = None
) -> Axes:
    """Plot the loss at each iteration: one history, or several by name.

    ``smooth`` > 1 also draws the mean over that many iterations, for noisy mini-batches.
    """
    ax = ax or new_axes()
    histories = losses if isinstance(losses, Mapping) else {"loss": losses}
    for (name, history), colour in zip(histories.items(), _colours(len(histories)), strict=True):
        values = np.asarray(history, np.float64)
        averaged = smooth > 1 and len(values) >= smooth
        ax.plot(values, color=colour, alpha=0.3 if averaged else 1.0, label=name)
        if averaged:
            mean = np.convolve(values, np.full(smooth, 1 / smooth), mode="valid")
            ax.plot(np.arange(smooth - 1, len(values)), mean, color=colour)
    ax.set(xlabel="iteration", ylabel="loss")
    if len(histories) > 1:
        ax.legend()
    return ax


def plot_accuracy(train: ArrayLike, validation: ArrayLike, ax: Axes | None = None) -> Axes:
    """Plot training and validation accuracy (0 to 1), one value per epoch."""
    ax = ax or new_axes()
    ax.plot(np.asarray(train), "o-", color=BLUE, label="training")
    ax.plot(np.asarray(validation), "s--", color=ORANGE, label="validation")
    ax.set(xlabel="epoch", ylabel="accuracy")
    ax.legend()
    return ax


def plot_cross_validation(
    accuracies: Mapping[int, Sequence[float]], name: str = "k", ax: Axes | None = None
) -> Axes:
    """Plot every fold's accuracy against a hyperparameter, and mean with standard deviation.

    Raises ValueError when there is no value, or one without a list of accuracies.
    """
    shapes = [np.shape(folds) for folds in accuracies.values()]
    if not shapes or any(len(shape) != 1 or shape[0] == 0 for shape in shapes):
        raise ValueError(
            "every value of the hyperparameter needs a list of accuracies, one for each fold"
        )
    ax = ax or new_axes()
    values = sorted(accuracies)
    for value in values:
        folds = accuracies[value]
        ax.scatter([value] * len(folds), folds, color=BLUE, alpha=0.5, s=18)
    means = [float(np.mean(accuracies[value])) for value in values]
    spreads = [float(np.std(accuracies[value])) for value in values]
    ax.errorbar(values, means, yerr=spreads, color=RED, capsize=3, label="mean ± std. deviation")
    ax.set(xlabel=name, ylabel="cross-validation accuracy")
    ax.legend()
    return ax


def _colours(count: int) -> list[str]:
    return [CYCLE[number % len(CYCLE)] for number in range(count)]
