"""The class that `make demo` grades: one student of each kind, in four notebooks.

All samples, in all notebooks, are graded by ``tests/grading/test_demo.py``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DemoClass:
    """Who hands in what: samples by name, the notebooks of the course, and what to look at."""

    students: tuple[str, ...]
    notebooks: tuple[str, ...]
    student_page: tuple[str, str]  # assignment, student
    feedback_page: tuple[str, str, str]  # assignment, student, notebook


#: FullyConnectedNets loads two_layer_net, so that an early mistake shows in a later assignment;
#: RNN_Captioning loads both.
SMALL = DemoClass(
    students=(
        "reference",
        "blank",
        "wrong_squared_distances",
        "wrong_net_relu_mask",  # an early mistake, paid once
        "wrong_adam_uncorrected",  # a mistake in assignment 2
        "wrong_caption_start",  # a mistake in assignment 3, where nothing else is wrong
        "cheat_forged_messages",  # tampers with what the judge reads
        "cheat_endless_loop",  # is stopped, and needs a human
    ),
    notebooks=("knn", "two_layer_net", "FullyConnectedNets", "RNN_Captioning"),
    student_page=("assignment2", "wrong_net_relu_mask"),
    feedback_page=("assignment1", "wrong_squared_distances", "knn"),
)
