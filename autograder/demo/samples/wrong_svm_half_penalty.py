"""Writes the SVM penalty with the 1/2 of other books, in both losses, and has got no further.

Loses: the penalty's share of svm-naive-loss and svm-vectorized. The gradient belongs to the loss it
was written for, so it keeps its points.
"""

import numpy as np


# %% notebook svm
# %% start from release
# %% definitions of svm-loss-naive
def svm_loss_naive(W, X, y, reg):
    loss = 0.0
    dW = np.zeros(W.shape)
    for i in range(X.shape[0]):
        scores = X[i].dot(W)
        for j in range(W.shape[1]):
            margin = scores[j] - scores[y[i]] + 1
            if j != y[i] and margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss = loss / X.shape[0] + 0.5 * reg * np.sum(W * W)
    dW = dW / X.shape[0] + reg * W
    return loss, dW


# %% definitions of svm-loss-vectorized
def svm_loss_vectorized(W, X, y, reg):
    num_train = X.shape[0]
    scores = X.dot(W)
    correct = scores[np.arange(num_train), y].reshape(-1, 1)
    margins = np.maximum(0, scores - correct + 1)
    margins[np.arange(num_train), y] = 0
    loss = margins.sum() / num_train + 0.5 * reg * np.sum(W * W)
    mask = (margins > 0).astype(float)
    mask[np.arange(num_train), y] = -mask.sum(axis=1)
    dW = X.T.dot(mask) / num_train + reg * W
    return loss, dW


# %% answer svm-question-initial-loss
# Nine classes cost 1 each; 99. It would be 1 more. No.
