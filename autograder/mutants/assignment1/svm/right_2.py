"""Right in a terse style: fancy indexing, masks, steps in place, a running best, random pairs."""

import numpy as np


# %% start from solutions
# %% definitions of svm-loss-naive
def svm_loss_naive(W, X, y, reg):
    dW = np.zeros_like(W)
    num_classes, num_train, loss = W.shape[1], X.shape[0], 0.0
    for i in range(num_train):
        scores = X[i].dot(W)
        correct = scores[y[i]]
        violations = 0
        for j in range(num_classes):
            if j == y[i]:
                continue
            margin = scores[j] - correct + 1
            if margin > 0:
                loss += margin
                violations += 1
                dW[:, j] += X[i, :]
        dW[:, y[i]] -= violations * X[i, :]
    loss /= num_train
    dW /= num_train
    loss += reg * np.sum(W * W)
    dW += reg * 2 * W
    return loss, dW


# %% definitions of svm-loss-vectorized
def svm_loss_vectorized(W, X, y, reg):
    N = X.shape[0]
    S = X.dot(W)
    M = np.maximum(0, S - S[range(N), y].reshape(-1, 1) + 1.0)
    M[range(N), y] = 0
    loss = M.sum(axis=1).mean() + reg * (W**2).sum()
    mask = np.zeros(M.shape)
    mask[M > 0] = 1
    mask[range(N), y] -= mask.sum(axis=1)
    dW = X.T.dot(mask)
    dW /= N
    dW += 2 * reg * W
    return loss, dW


# %% definitions of linear-classifier
def train(self, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False):
    num_train, dim = X.shape
    num_classes = np.max(y) + 1
    if self.W is None:
        self.W = 0.001 * np.random.randn(dim, num_classes)
    loss_history = []
    for it in range(num_iters):
        idx = np.random.randint(num_train, size=batch_size)
        loss, grad = self.loss(X.take(idx, axis=0), y.take(idx), reg)
        loss_history += [loss]
        self.W += -learning_rate * grad
        if verbose and it % 100 == 0:
            print("iteration %d / %d: loss %f" % (it, num_iters, loss))
    return loss_history


def predict(self, X):
    y_pred = np.zeros(X.shape[0])
    y_pred[:] = np.argmax(X.dot(self.W), 1)
    return y_pred


# %% cell tune-svm
import copy

results = {}
best_val = -1
best_svm = None
settings = {(10 ** np.random.uniform(-7.2, -6.8), 10 ** np.random.uniform(4.2, 4.7)) for _ in "abc"}
for lr, rg in settings:
    svm = LinearSVM()
    loss_hist = svm.train(X_train, y_train, learning_rate=lr, reg=rg, num_iters=1000, verbose=False)
    val = np.mean(y_val == np.argmax(X_val.dot(svm.W), axis=1))
    results[lr, rg] = [np.mean(y_train == svm.predict(X_train)), val]
    if val >= best_val:
        best_val = val
        best_svm = copy.deepcopy(svm)
for lr, reg in sorted(results):
    print("lr %e reg %e train %f val %f" % (lr, reg, *results[(lr, reg)]))
print("best validation accuracy", best_val)
