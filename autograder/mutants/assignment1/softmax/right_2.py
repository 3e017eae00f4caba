"""Right in a terse style: masks, steps in place, one maximum for the whole batch, random pairs."""

import numpy as np


# %% start from solutions
# %% definitions of softmax-loss-naive
def softmax_loss_naive(W, X, y, reg):
    loss = 0.0
    dW = np.zeros_like(W)
    N = X.shape[0]
    for i in range(N):
        f = X[i].dot(W)
        f -= np.max(f)
        p = np.exp(f) / np.sum(np.exp(f))
        loss += -np.log(p[y[i]])
        p[y[i]] -= 1
        dW += np.outer(X[i], p)
    loss /= N
    dW /= N
    loss += reg * np.sum(W * W)
    dW += 2 * reg * W
    return loss, dW


# %% definitions of softmax-loss-vectorized
def softmax_loss_vectorized(W, X, y, reg):
    N = X.shape[0]
    S = X.dot(W)
    S -= S.max()
    E = np.exp(S)
    P = E / E.sum(axis=1).reshape(-1, 1)
    loss = np.sum(-np.log(P[range(N), y])) / N
    loss += reg * np.sum(np.square(W))
    dS = P.copy()
    dS[range(N), y] -= 1.0
    dS /= N
    dW = X.T.dot(dS)
    dW += reg * 2 * W
    return loss, dW


# %% cell tune-softmax
import copy

results = {}
best_val = -1
best_softmax = None
settings = {(10 ** np.random.uniform(-6.5, -5.8), 10 ** np.random.uniform(3, 4)) for _ in "abc"}
for lr, rg in settings:
    model = Softmax()
    model.train(X_train, y_train, learning_rate=lr, reg=rg, num_iters=1000, verbose=False)
    val = np.mean(y_val == np.argmax(X_val.dot(model.W), axis=1))
    results[lr, rg] = [np.mean(y_train == model.predict(X_train)), val]
    if val >= best_val:
        best_val = val
        best_softmax = copy.deepcopy(model)
for lr, reg in sorted(results):
    print("lr %e reg %e train %f val %f" % (lr, reg, *results[(lr, reg)]))
print("best validation accuracy", best_val)
