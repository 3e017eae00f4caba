"""What the notebook on reinforcement learning needs besides the reader's own code.

A small world with two kinds of ends, episodes of CartPole played side by side, and pictures. The
worlds are gymnasium's, or keep to its interface; gymnasium draws them with pygame, we with
matplotlib.
"""

from cs231n_lib.reinforcement.episodes import (
    OBSERVATION_UNITS,
    Batch,
    Episode,
    make_network,
    play_episodes,
    stacked,
)
from cs231n_lib.reinforcement.pictures import draw_band, draw_map, film_strip, show_table
from cs231n_lib.reinforcement.worlds import Corridor

__all__ = [
    "OBSERVATION_UNITS", "Batch", "Corridor", "Episode", "draw_band", "draw_map", "film_strip",
    "make_network", "play_episodes", "show_table", "stacked",
]  # fmt: skip
