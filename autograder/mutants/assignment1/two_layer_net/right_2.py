"""Right in another style: einsum, loops, caches as dictionaries, a network of plain NumPy.

The network calls no layer at all. The search draws its settings at random, measures accuracies
itself and keeps copies of the parameters.
"""

import numpy as np

from cs231n_lib.solver import Solver


# %% start from solutions
# %% definitions of affine-forward
def flat(x):
    return np.array([np.ravel(example) for example in x])


def affine_forward(x, w, b):
    rows = flat(x)
    return np.einsum("nd,dm->nm", rows, w) + b[None, :], {"rows": rows, "w": w, "shape": x.shape}


# %% definitions of affine-backward
def affine_backward(dout, cache):
    dw = np.zeros(cache["w"].shape)
    db = np.zeros(cache["w"].shape[1])
    dx = []
    for row, upstream in zip(cache["rows"], dout, strict=True):
        dw += np.outer(row, upstream)
        db += upstream
        dx.append(cache["w"] @ upstream)
    return [np.array(dx).reshape(cache["shape"]), dw, db]


# %% definitions of relu-forward
def relu_forward(x):
    open_gate = x > 0
    return np.where(open_gate, x, 0.0), open_gate


# %% definitions of relu-backward
def relu_backward(dout, cache):
    return np.where(cache, dout, 0.0)


# %% definitions of softmax-loss
def softmax_loss(x, y):
    total, dx = 0.0, np.zeros(x.shape)
    for i, (row, label) in enumerate(zip(x, y, strict=True)):
        top = max(row)
        log_sum = top + np.log(sum(np.exp(score - top) for score in row))
        total += log_sum - row[label]
        for j, score in enumerate(row):
            dx[i, j] = (np.exp(score - log_sum) - (j == label)) / len(x)
    return total / len(x), dx


# %% definitions of svm-loss
def svm_loss(x, y):
    total, dx = 0.0, np.zeros(x.shape)
    for i in range(len(x)):
        for j in range(x.shape[1]):
            margin = x[i, j] - x[i, y[i]] + 1
            if j != y[i] and margin > 0:
                total += margin
                dx[i, j] += 1 / len(x)
                dx[i, y[i]] -= 1 / len(x)
    return total / len(x), dx


# %% definitions of two-layer-net
def __init__(
    self, input_dim=3 * 32 * 32, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0
):
    rng = np.random.default_rng()
    self.reg = reg
    self.hidden_dim = hidden_dim
    self.params = dict(
        b2=np.zeros(num_classes),
        W2=rng.normal(scale=weight_scale, size=(hidden_dim, num_classes)),
        b1=np.zeros(hidden_dim),
        W1=rng.normal(scale=weight_scale, size=(input_dim, hidden_dim)),
    )


def loss(self, X, y=None):
    p = self.params
    rows = X.reshape(X.shape[0], -1)
    before = rows.dot(p["W1"]) + p["b1"]
    hidden = before * (before > 0)
    scores = hidden.dot(p["W2"]) + p["b2"]
    if y is None:
        return scores
    one_hot = np.eye(scores.shape[1])[y]
    exps = np.exp(scores - scores.max(1)[:, None])
    probabilities = exps / exps.sum(1)[:, None]
    penalty = sum((p[name] ** 2).sum() for name in p if name.startswith("W")) * self.reg / 2
    delta = (probabilities - one_hot) / X.shape[0]
    grads = {"b2": delta.sum(0), "W2": hidden.T.dot(delta) + self.reg * p["W2"]}
    delta = delta.dot(p["W2"].T) * (before > 0)
    grads["b1"] = delta.sum(0)
    grads["W1"] = rows.T.dot(delta) + self.reg * p["W1"]
    return penalty - (np.log(probabilities) * one_hot).sum() / X.shape[0], grads


# %% definitions of sgd
def sgd(w, dw, config=None):
    config = dict(config or {})
    rate = config.get("learning_rate")
    if rate is None:
        rate = config["learning_rate"] = 0.01
    return np.subtract(w, np.multiply(rate, dw)), config


# %% cell train-with-solver
hidden_size = 50
num_classes = 10
net = TwoLayerNet(hidden_dim=hidden_size, num_classes=num_classes, reg=0.2, weight_scale=2e-3)
settings = dict(update_rule=sgd, optim_config=dict(learning_rate=8e-4), batch_size=50)
solver = Solver(net, data, num_epochs=5, lr_decay=0.9, verbose=False, seed=3, **settings)
solver.train()

# %% cell tuning
import copy

generator = np.random.default_rng(5)
tried = []
for number in range(3):
    rate, strength = 10 ** generator.uniform(-3.2, -2.9), 10 ** generator.uniform(-1, 0.3)
    candidate = TwoLayerNet(hidden_dim=60, reg=strength)
    trainer = Solver(
        candidate,
        {name: array for name, array in data.items() if "test" not in name},
        update_rule=sgd,
        optim_config={"learning_rate": rate},
        lr_decay=0.9,
        num_epochs=7,
        print_every=10**6,
    )
    trainer.train()
    hits = np.argmax(candidate.loss(data["X_val"]), axis=1) == data["y_val"]
    tried.append((np.mean(hits), number, copy.deepcopy(candidate)))
best_model = max(tried)[2]
