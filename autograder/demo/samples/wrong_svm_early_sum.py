"""Sums over the images instead of averaging in the naive SVM loss; all that follows is right.

Loses: all values of svm-naive-loss and svm-naive-gradient. Everything later is graded on its own:
nobody pays twice for one mistake.
"""

import numpy as np


# %% notebook svm
# %% start from solutions
# %% definitions of svm-loss-naive
def svm_loss_naive(W, X, y, reg):
    loss = 0.0
    dW = np.zeros(W.shape)
    for i in range(X.shape[0]):
        scores = X[i] @ W
        for j in range(W.shape[1]):
            if j == y[i]:
                continue
            margin = scores[j] - scores[y[i]] + 1
            if margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    return loss + reg * np.sum(W * W), dW + 2 * reg * W


# %% cell tune-svm
results = {}
best_val, best_svm = -1, None
for lr in (2e-7, 4e-7):
    svm = LinearSVM()
    svm.train(X_train, y_train, learning_rate=lr, reg=2e4, num_iters=600)
    train_acc = (svm.predict(X_train) == y_train).mean()
    val_acc = (svm.predict(X_val) == y_val).mean()
    results[(lr, 2e4)] = (train_acc, val_acc)
    if val_acc > best_val:
        best_val, best_svm = val_acc, svm

# %% answer svm-question-templates
# Blurred pictures of the classes; two directions of one object cannot both fit.
