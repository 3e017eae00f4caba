"""Pictures for the notebooks. Every function draws on its own new figure, or on the ``ax`` given.

``use_course_style()`` gives a notebook its look; ``with_alt_text(figure, "...")`` describes a
figure for those who cannot see it. Nothing else here changes a global setting, nothing calls
``show``; what draws returns the Axes (or Figure) to go on with.
Colours are Okabe and Ito's, which colour-blind readers can tell apart; ``axes`` says what each
stands for.
Dimension letters: N images, H x W pixels, C = 1 or 3 channels.
"""

from cs231n_lib.plotting.alt_text import alt_text, with_alt_text
from cs231n_lib.plotting.axes import BLACK, BLUE, CYCLE, GREEN, ORANGE, PURPLE, RED, SKY
from cs231n_lib.plotting.curves import plot_accuracy, plot_cross_validation, plot_loss
from cs231n_lib.plotting.frames import show_frames
from cs231n_lib.plotting.images import class_montage, show_images, show_templates, visualize_grid
from cs231n_lib.plotting.lessons import plot_lessons
from cs231n_lib.plotting.style import use_course_style
from cs231n_lib.plotting.tables import plot_confusion, plot_search, show_distances

__all__ = [
    "BLACK",
    "BLUE",
    "CYCLE",
    "GREEN",
    "ORANGE",
    "PURPLE",
    "RED",
    "SKY",
    "alt_text",
    "class_montage",
    "plot_accuracy",
    "plot_confusion",
    "plot_cross_validation",
    "plot_lessons",
    "plot_loss",
    "plot_search",
    "show_distances",
    "show_frames",
    "show_images",
    "show_templates",
    "use_course_style",
    "visualize_grid",
    "with_alt_text",
]
