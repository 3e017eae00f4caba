"""Pictures for the notebooks. Every function draws on its own new figure, or on the ``ax`` given.

None calls ``show`` or changes a global setting; each returns the Axes (or Figure) to go on with.
Colours are Okabe and Ito's, which colour-blind readers can tell apart.
Dimension letters: N images, H x W pixels, C = 1 or 3 channels.
"""

from cs231n_lib.plotting.axes import BLUE, GREEN, ORANGE, RED
from cs231n_lib.plotting.curves import plot_accuracy, plot_cross_validation, plot_loss
from cs231n_lib.plotting.images import class_montage, show_images, show_templates, visualize_grid
from cs231n_lib.plotting.tables import plot_confusion, plot_search, show_distances

__all__ = [
    "BLUE",
    "GREEN",
    "ORANGE",
    "RED",
    "class_montage",
    "plot_accuracy",
    "plot_confusion",
    "plot_cross_validation",
    "plot_loss",
    "plot_search",
    "show_distances",
    "show_images",
    "show_templates",
    "visualize_grid",
]
