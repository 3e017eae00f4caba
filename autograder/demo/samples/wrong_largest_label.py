"""Gives a tied vote to the largest label instead of the smallest.

Loses: the check of ties in knn-predict-labels. Majorities without a tie are right.
"""

import numpy as np


# %% notebook knn
# %% start from solutions
# %% definitions of k-nearest-neighbor
def predict_labels(self, dists, k=1):
    y_pred = np.zeros(len(dists), dtype=int)
    for i in range(len(dists)):
        closest_y = self.y_train[np.argpartition(dists[i], k - 1)[:k]]
        counts = np.bincount(closest_y)
        y_pred[i] = np.flatnonzero(counts == counts.max())[-1]
    return y_pred


# %% answer knn-question-true-statements
# 1. No. 2. Yes, every point is its own neighbour. 3. No. 4. Yes.
