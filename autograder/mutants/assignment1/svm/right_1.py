"""Right in another style: columns of W one by one, one-hot matrices, epochs, a sorted list."""

import numpy as np


# %% start from solutions
# %% definitions of svm-loss-naive
def hinge_of_row(W, x, label):
    """Cost of one row, and the classes that are too close."""
    own = sum(x[d] * W[d, label] for d in range(len(x)))
    cost, close = 0.0, []
    for j in range(W.shape[1]):
        lack = np.dot(W[:, j], x) - own + 1.0
        if j != label and lack > 0:
            cost, close = cost + lack, [*close, j]
    return cost, close


def svm_loss_naive(W, X, y, reg):
    total = 0.0
    gradient = 2.0 * reg * W
    for x, label in zip(X, y, strict=True):
        cost, close = hinge_of_row(W, x, label)
        total += cost
        for j in close:
            gradient[:, j] = gradient[:, j] + x / X.shape[0]
            gradient[:, label] = gradient[:, label] - x / X.shape[0]
    return total / X.shape[0] + reg * np.linalg.norm(W) ** 2, gradient


# %% definitions of svm-loss-vectorized
def svm_loss_vectorized(W, X, y, reg):
    own = np.eye(W.shape[1])[y]  # (N, C)
    scores = np.tensordot(X, W, axes=1)
    lack = scores - np.sum(scores * own, axis=1, keepdims=True) + 1 - own
    close = np.heaviside(lack, 0.0) * (1 - own)
    loss = np.einsum("nc,nc->", close, lack) / X.shape[0] + reg * np.einsum("dc,dc", W, W)
    switches = close - own * close.sum(axis=1, keepdims=True)
    return loss, np.tensordot(X.T, switches, axes=1) / X.shape[0] + (reg + reg) * W


# %% definitions of linear-classifier
def train(self, X, y, learning_rate=1e-3, reg=1e-5, num_iters=100, batch_size=200, verbose=False):
    generator = np.random.default_rng()
    if self.W is None:
        self.W = generator.normal(scale=0.001, size=(X.shape[1], int(y.max()) + 1))
    losses = np.zeros(num_iters)
    order = np.array([], dtype=int)
    for step in range(num_iters):
        if len(order) < batch_size:  # a new epoch: all rows in a new order
            order = generator.permutation(X.shape[0])
        batch, order = order[:batch_size], order[batch_size:]
        losses[step], slope = self.loss(X[batch], y[batch], reg)
        self.W -= learning_rate * slope
        if verbose:
            print(step, losses[step])
    return losses


def predict(self, X):
    scores = self.W.T.dot(X.T)  # (C, N)
    return scores.argmax(axis=0)


# %% cell tune-svm
import itertools

pairs = list(itertools.product([8e-8, 1.5e-7], [1.5e4, 3e4]))
tried = []
for lr, reg in pairs:
    candidate = LinearSVM()
    candidate.train(X_train, y_train, lr, reg, 900)
    share_val = (candidate.predict(X_val) == y_val).sum() / len(y_val)
    share_train = (candidate.predict(X_train) == y_train).sum() / y_train.size
    tried.append((share_val, share_train, candidate))
results = {
    pair: (share_train, share_val)
    for pair, (share_val, share_train, _) in zip(pairs, tried, strict=True)
}
tried.sort(key=lambda entry: entry[0])
best_val, _, best_svm = tried[-1]
