"""Right in another style: plain Python sums, dot products, sorting, a Counter, index folds."""

import numpy as np


# %% start from solutions
# %% definitions of k-nearest-neighbor
def compute_distances_two_loops(self, X):
    num_test = X.shape[0]
    num_train = self.X_train.shape[0]
    dists = np.empty((num_test, num_train), order="F")
    for j in range(num_train):
        for i in range(num_test):
            gap = X[i] - self.X_train[j]
            dists[i, j] = gap.dot(gap) ** 0.5
    return dists


def compute_distances_one_loop(self, X):
    columns = []
    for row in self.X_train:
        gap = X - row
        columns.append(np.sqrt((gap * gap).sum(-1)))
    return np.stack(columns, axis=1)


def compute_distances_no_loops(self, X):
    left = np.hstack([-2.0 * X, np.ones((len(X), 1)), np.square(X).sum(1)[:, None]])
    squares = np.square(self.X_train).sum(1)[:, None]
    right = np.hstack([self.X_train, squares, np.ones((len(self.X_train), 1))])
    return np.sqrt(np.clip(left @ right.T, 0.0, None))


def most_common(labels):
    """The label with most votes, the smallest of several."""
    counts = {}
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
    return min(counts, key=lambda label: (-counts[label], label))


def predict_labels(self, dists, k=1):
    order = np.argsort(dists, axis=1, kind="stable")
    return [int(most_common(np.asarray(self.y_train)[row[:k]])) for row in order]


# %% cell cross-validation
num_folds = 5
k_choices = [1, 3, 5, 8, 10, 12, 15, 20, 50, 100]

which_fold = np.arange(len(X_train)) % num_folds
X_train_folds = [X_train[which_fold == f] for f in range(num_folds)]
y_train_folds = [y_train[which_fold == f] for f in range(num_folds)]

k_to_accuracies = dict()
model = KNearestNeighbor()
for f in range(num_folds):
    model.train(X_train[which_fold != f], y_train[which_fold != f])
    table = model.compute_distances_no_loops(X_train_folds[f])
    for k in k_choices:
        right = 0
        for guess, truth in zip(model.predict_labels(table, k), y_train_folds[f], strict=True):
            right += int(guess == truth)
        k_to_accuracies.setdefault(k, []).append(right / len(y_train_folds[f]))

# %% cell best-k
best_k, best_mean = None, -1.0
for k, scores in k_to_accuracies.items():
    if sum(scores) / len(scores) > best_mean:
        best_k, best_mean = k, sum(scores) / len(scores)
