"""Chooses the settings by the accuracy on the test set, and stores that as validation accuracy.

Loses: in features-tuning the table, and the choice that follows from it. The classifier it keeps is
a good one; but nobody knows any more how good. Of the SVM only what the search needs is there, and
the net was not begun.
"""

import numpy as np


# %% notebook svm
# %% start from release
# %% definitions of svm-loss-vectorized
def svm_loss_vectorized(W, X, y, reg):
    N = len(X)
    scores = X @ W
    margins = np.maximum(0, scores - scores[np.arange(N), y][:, None] + 1)
    margins[np.arange(N), y] = 0
    counts = (margins > 0).astype(float)
    counts[np.arange(N), y] = -counts.sum(axis=1)
    return margins.sum() / N + reg * (W * W).sum(), X.T @ counts / N + 2 * reg * W


# %% definitions of linear-classifier
def train(self, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False):
    if self.W is None:
        self.W = 0.001 * np.random.randn(X.shape[1], y.max() + 1)
    losses = []
    for _ in range(num_iters):
        batch = np.random.choice(len(X), batch_size)
        loss, gradient = self.loss(X[batch], y[batch], reg)
        self.W -= learning_rate * gradient
        losses.append(loss)
        if verbose and len(losses) % 100 == 0:
            print(len(losses), loss)
    return losses


def predict(self, X):
    return np.argmax(X.dot(self.W), axis=1)


# %% notebook features
# %% start from release
# %% cell tune-svm
learning_rates = [3e-3, 1e-2]
regularization_strengths = [1e-2, 1e-1]

results = {}
best_val = -1
best_svm = None
for lr in learning_rates:
    for reg in regularization_strengths:
        svm = LinearSVM()
        svm.train(X_train_feats, y_train, learning_rate=lr, reg=reg, num_iters=500)
        train_acc = np.mean(svm.predict(X_train_feats) == y_train)
        val_acc = np.mean(svm.predict(X_test_feats) == y_test)
        results[(lr, reg)] = (train_acc, val_acc)
        if val_acc > best_val:
            best_val, best_svm = val_acc, svm

# %% answer features-question-ignore
# Position is ignored within a cell. Cats and dogs.
