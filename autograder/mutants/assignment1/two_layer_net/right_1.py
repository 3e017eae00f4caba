"""Right in another style: updates in place, masks, the rule by its name, a grid and its maximum."""

import numpy as np

from cs231n_lib.solver import Solver


# %% start from solutions
# %% definitions of affine-forward
def affine_forward(x, w, b):
    out = None
    num = x.shape[0]
    rows = np.reshape(x, (num, np.prod(x.shape[1:])))
    out = np.dot(rows, w)
    out += b
    cache = (x, w, b)
    return out, cache


# %% definitions of affine-backward
def affine_backward(dout, cache):
    x, w, b = cache
    dx, dw, db = None, None, None
    num = x.shape[0]
    rows = x.reshape(num, -1)
    dw = np.dot(rows.T, dout)
    dx = np.reshape(np.dot(dout, w.T), x.shape)
    db = np.dot(np.ones(num), dout)
    return dx, dw, db


# %% definitions of relu-forward
def relu_forward(x):
    out = x.copy()
    out[out < 0] = 0
    return out, x


# %% definitions of relu-backward
def relu_backward(dout, cache):
    dx, x = dout, cache
    dx[x <= 0] = 0  # dout itself is changed, which nobody forbids
    return dx


# %% definitions of softmax-loss
def softmax_loss(x, y):
    num = x.shape[0]
    e = np.exp(x - np.max(x, axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.log(p[range(num), y]).sum() / num
    dx = p.copy()
    dx[range(num), y] -= 1
    dx /= num
    return loss, dx


# %% definitions of svm-loss
def svm_loss(x, y):
    num = x.shape[0]
    right = x[np.arange(num), y]
    slack = np.maximum(0, x - right.reshape(-1, 1) + 1.0)
    slack[np.arange(num), y] = 0
    loss = slack.sum() / num
    dx = np.zeros_like(x)
    dx[slack > 0] = 1
    dx[np.arange(num), y] -= (slack > 0).sum(axis=1)
    dx /= num
    return loss, dx


# %% definitions of two-layer-net
def __init__(
    self, input_dim=3 * 32 * 32, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0
):
    self.params = {}
    self.reg = reg
    self.params["W1"] = weight_scale * np.random.randn(input_dim, hidden_dim)
    self.params["b1"] = np.zeros(hidden_dim)
    self.params["W2"] = weight_scale * np.random.randn(hidden_dim, num_classes)
    self.params["b2"] = np.zeros((num_classes,))


def loss(self, X, y=None):
    hidden, cache1 = affine_relu_forward(X, self.params["W1"], self.params["b1"])
    scores, cache2 = affine_forward(hidden, self.params["W2"], self.params["b2"])
    if y is None:
        return scores
    loss, grads = 0, {}
    loss, dout = softmax_loss(scores, y)
    for name in ("W1", "W2"):
        loss += 0.5 * self.reg * np.sum(self.params[name] * self.params[name])
    dout, grads["W2"], grads["b2"] = affine_backward(dout, cache2)
    dout, grads["W1"], grads["b1"] = affine_relu_backward(dout, cache1)
    grads["W1"] += self.reg * self.params["W1"]
    grads["W2"] += self.reg * self.params["W2"]
    return loss, grads


# %% definitions of sgd
def sgd(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    w -= config["learning_rate"] * dw
    return w, config


# %% cell train-with-solver
input_size = 32 * 32 * 3
hidden_size = 50
num_classes = 10
np.random.seed(231)
model = TwoLayerNet(input_size, hidden_size, num_classes)
solver = None

solver = Solver(
    model,
    data,
    update_rule="sgd",
    optim_config={"learning_rate": 1e-3},
    lr_decay=0.95,
    num_epochs=8,
    batch_size=100,
    print_every=100,
)
solver.train()

# %% cell tuning
best_model = None
np.random.seed(0)
best = -1
for lr in [7e-4, 1e-3]:
    for reg in [0.1, 1.0]:
        model = TwoLayerNet(input_size, hidden_size, num_classes, reg=reg)
        solver = Solver(
            model,
            data,
            update_rule="sgd",
            optim_config={"learning_rate": lr},
            lr_decay=0.95,
            num_epochs=7,
            batch_size=100,
            verbose=False,
        )
        solver.train()
        results[(lr, reg)] = solver.train_acc_history[-1], solver.best_val_acc
        print(lr, reg, solver.best_val_acc)
        if solver.best_val_acc > best:
            best = solver.best_val_acc
            best_model = model
