"""Forgets that the score of the true class is part of every hinge: its column gets no gradient.

Loses: what the gradients of svm-naive-gradient and svm-vectorized are worth. The losses are right,
and the gradient of the penalty is. It got no further.
"""

import numpy as np


# %% notebook svm
# %% start from release
# %% definitions of svm-loss-naive
def svm_loss_naive(W, X, y, reg):
    loss, dW = 0.0, np.zeros_like(W)
    for i in range(len(X)):
        scores = X[i] @ W
        for j, score in enumerate(scores):
            margin = score - scores[y[i]] + 1
            if j != y[i] and margin > 0:
                loss += margin
                dW[:, j] += X[i]
    return loss / len(X) + reg * np.sum(W**2), dW / len(X) + 2 * reg * W


# %% definitions of svm-loss-vectorized
def svm_loss_vectorized(W, X, y, reg):
    scores = X @ W
    margins = np.maximum(0, scores - np.choose(y, scores.T)[:, None] + 1)
    margins[np.arange(len(y)), y] = 0
    loss = margins.sum() / len(X) + reg * np.sum(W**2)
    dW = X.T @ (margins > 0) / len(X) + 2 * reg * W
    return loss, dW


# %% answer svm-question-kinks
# At a kink the slope is not defined.
