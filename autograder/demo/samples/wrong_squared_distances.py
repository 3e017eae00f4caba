"""Forgets the square root in the version without loops.

The nearest neighbours stay the same, so the notebook's accuracies do not show it.
Loses: what the values of knn-no-loops are worth. The order, the form, and all other questions are
right.
"""

import numpy as np


# %% notebook knn
# %% start from solutions
# %% definitions of k-nearest-neighbor
def compute_distances_no_loops(self, X):
    test = np.sum(X**2, axis=1)[:, np.newaxis]
    train = np.sum(self.X_train**2, axis=1)
    return test + train - 2 * X.dot(self.X_train.T)


# %% answer knn-question-bright-rows
# The test image differs a lot from all training images.
