"""A correct solution in another style: einsum, partitions, one-hot votes, shuffled folds.

Earns: full marks. A check that takes a point here tests our solution, not the contract.
"""

import numpy as np


# %% notebook knn
# %% start from release
# %% definitions of k-nearest-neighbor
def compute_distances_two_loops(self, X):
    rows = []
    for a in X:
        row = []
        for b in self.X_train:
            difference = a - b
            row.append(difference.dot(difference) ** 0.5)
        rows.append(row)
    return np.array(rows)


def compute_distances_one_loop(self, X):
    dists = np.empty((X.shape[0], self.X_train.shape[0]))
    for i in range(X.shape[0]):
        difference = self.X_train - X[i]
        dists[i] = np.sqrt(np.einsum("nd,nd->n", difference, difference))
    return dists


def compute_distances_no_loops(self, X):
    squares = np.add.outer(
        np.einsum("md,md->m", X, X), np.einsum("nd,nd->n", self.X_train, self.X_train)
    )
    squares -= 2 * np.matmul(X, self.X_train.T)
    return np.sqrt(squares.clip(min=0))


def predict_labels(self, dists, k=1):
    labels, columns = np.unique(self.y_train, return_inverse=True)
    nearest = np.argpartition(dists, k - 1, axis=1)[:, :k]
    one_hot = np.eye(len(labels), dtype=int)[columns[nearest]]  # (M, k, labels)
    return labels[one_hot.sum(axis=1).argmax(axis=1)]


# %% cell cross-validation
num_folds = 5
k_choices = [1, 3, 5, 8, 10, 12, 15, 20, 50, 100]

order = np.random.default_rng(231).permutation(len(X_train))
parts = np.array_split(order, num_folds)
X_train_folds = [X_train[part] for part in parts]
y_train_folds = [y_train[part] for part in parts]

accuracies = np.zeros((num_folds, len(k_choices)))
for f, part in enumerate(parts):
    rest = np.ones(len(X_train), dtype=bool)
    rest[part] = False
    classifier = KNearestNeighbor()
    classifier.train(X_train[rest], y_train[rest])
    distances = classifier.compute_distances_no_loops(X_train[part])
    for c, k in enumerate(k_choices):
        accuracies[f, c] = (classifier.predict_labels(distances, k) == y_train[part]).mean()
k_to_accuracies = {k: accuracies[:, c].tolist() for c, k in enumerate(k_choices)}

# %% cell best-k
best_k = k_choices[int(np.argmax([np.mean(k_to_accuracies[k]) for k in k_choices]))]

# %% answer knn-question-bright-rows
# The rows of test images that look like nothing in the training set, say a very dark
# background. Columns: the same, for a training image that is far from all test images.
# %% answer knn-question-true-statements
# 1 no, 2 yes (it finds itself), 3 no, 4 yes (one distance for each training image).
