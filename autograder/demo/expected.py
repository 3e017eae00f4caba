"""What each sample must earn, question by question, worked out from the weights of the checks.

A cell's score is its points times the share of the weight that passed (``autograder/checks``).
"""

from __future__ import annotations

from collections.abc import Mapping

FULL = {
    "knn-two-loops": 2.0,
    "knn-one-loop": 2.0,
    "knn-no-loops": 4.0,
    "knn-predict-labels": 3.0,
    "knn-cross-validation": 4.0,
    "knn-best-k": 1.0,
}
NOTHING = dict.fromkeys(FULL, 0.0)

#: Automatic points of each sample by grade_id.
EARNED: Mapping[str, Mapping[str, float]] = {
    "reference": FULL,
    "alternative": FULL,
    "blank": NOTHING,
    # Weights of knn-no-loops: values 4 + 1 + 1 + 2, nearest neighbour 1, inputs kept 1, no loop 4.
    # Squared distances leave the order and the form right (1 + 1 + 4) and every value wrong.
    "wrong_squared_distances": FULL | {"knn-no-loops": 4 * 6 / 14},
    # Every value stands in the wrong place; what remains are conditions, worth nothing alone.
    "wrong_transposed": FULL | {"knn-two-loops": 0.0},
    # Weights of knn-predict-labels: majority 3, ties 2, any labels 2, inputs kept 1.
    "wrong_largest_label": FULL | {"knn-predict-labels": 3 * 6 / 8},
    # Weights of knn-cross-validation: folds 2, each left out once 2, accuracies 4. The folds are
    # right. best_k is the best of the table there is: nobody pays twice for one mistake.
    "wrong_leaky_validation": FULL | {"knn-cross-validation": 4 * 2 / 8},
    # Right values, but the condition of no loop has weight 4 of 14.
    "wrong_hidden_loop": FULL | {"knn-no-loops": 4 * 10 / 14},
    "cheat_patched_allclose": NOTHING,
    "cheat_reads_solutions": NOTHING,
    "cheat_exits": NOTHING,
    "cheat_drops_asserts": NOTHING | {"knn-two-loops": 2.0},  # that one it solved
    "cheat_lying_array": NOTHING,
    "cheat_forged_messages": NOTHING | {"knn-two-loops": 2.0},  # solved, and checked before
    "cheat_fork_bomb": NOTHING,
    "cheat_endless_loop": NOTHING,
}

#: Automatic points of each sample, of 16.
EXPECTED: Mapping[str, float] = {name: sum(cells.values()) for name, cells in EARNED.items()}
