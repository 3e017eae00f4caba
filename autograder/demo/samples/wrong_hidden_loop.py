"""A list comprehension in the version without loops: right numbers, but a Python loop.

Loses: the condition of knn-no-loops. Every value is right.
"""

import numpy as np


# %% notebook knn
# %% start from solutions
# %% definitions of k-nearest-neighbor
def compute_distances_no_loops(self, X):
    test_squares = np.sum(X**2, axis=1, keepdims=True)
    train_squares = np.array([row @ row for row in self.X_train])
    squared = test_squares - 2 * X @ self.X_train.T + train_squares
    return np.sqrt(np.maximum(squared, 0))


# %% answer knn-question-bright-rows
# Outliers among the test images (rows) and among the training images (columns).
# %% answer knn-question-l1-preprocessing
# 1 and 2 shift both images, 3 scales all distances. 4 and 5 change the order.
# %% answer knn-question-true-statements
# Only 2 and 4.
