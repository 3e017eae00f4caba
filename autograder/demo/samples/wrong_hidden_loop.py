"""A list comprehension in the version without loops: right numbers, one row at a time.

Loses: the condition of knn-no-loops. Every value is right.
"""

import numpy as np


# %% start from solutions
# %% methods of k-nearest-neighbor
def compute_distances_no_loops(self, X):
    return np.array([np.sqrt(np.sum((self.X_train - row) ** 2, axis=1)) for row in X])


# %% answer knn-question-bright-rows
# Outliers among the test images (rows) and among the training images (columns).
# %% answer knn-question-l1-preprocessing
# 1 and 2 shift both images, 3 scales all distances. 4 and 5 change the order.
# %% answer knn-question-true-statements
# Only 2 and 4.
