"""Takes exponentials of the scores as they are; large ones overflow, and the loss is NaN.

Loses: in softmax-naive-loss, softmax-naive-gradient and softmax-vectorized what large scores are
worth. Everything else in them is right; the search was not begun.
"""

import numpy as np


# %% notebook softmax
# %% start from release
# %% definitions of softmax-loss-naive
def softmax_loss_naive(W, X, y, reg):
    loss = 0.0
    dW = np.zeros_like(W)
    num_train = X.shape[0]
    for i in range(num_train):
        exp_scores = np.exp(X[i].dot(W))
        probs = exp_scores / exp_scores.sum()
        loss += -np.log(probs[y[i]])
        for j in range(W.shape[1]):
            dW[:, j] += probs[j] * X[i]
        dW[:, y[i]] -= X[i]
    return loss / num_train + reg * np.sum(W * W), dW / num_train + 2 * reg * W


# %% definitions of softmax-loss-vectorized
def softmax_loss_vectorized(W, X, y, reg):
    num_train = X.shape[0]
    exp_scores = np.exp(X.dot(W))
    probs = exp_scores / exp_scores.sum(axis=1, keepdims=True)
    loss = -np.log(probs[np.arange(num_train), y]).mean() + reg * np.sum(W * W)
    probs[np.arange(num_train), y] -= 1
    dW = X.T.dot(probs) / num_train + 2 * reg * W
    return loss, dW


# %% answer softmax-question-initial-loss
# ln 10, since all ten classes are equally likely at first.
