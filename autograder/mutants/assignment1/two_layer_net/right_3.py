"""Right in another style: the dtype of x within, helper functions, one net chosen by hand.

Each layer computes in the dtype of its input. Loss and gradients of the network go
through layers of its own, defined beside it.
"""

import numpy as np

from cs231n_lib.solver import Solver


# %% start from solutions
# %% definitions of affine-forward
def affine_forward(x, w, b):
    x, w, b = (np.asarray(array, x.dtype) for array in (x, w, b))
    return np.tensordot(x, w.reshape(*x.shape[1:], -1), x.ndim - 1) + b, (x, w)


# %% definitions of affine-backward
def affine_backward(dout, cache):
    x, w = cache
    dout = np.asarray(dout, x.dtype)
    dx = np.tensordot(dout, w.reshape(*x.shape[1:], -1), ([1], [x.ndim - 1]))
    dw = np.tensordot(x, dout, ([0], [0])).reshape(w.shape)
    return dx, dw, np.einsum("nm->m", dout)


# %% definitions of relu-forward
def relu_forward(x):
    return (np.abs(x) + x) / 2, np.sign(x)


# %% definitions of relu-backward
def relu_backward(dout, cache):
    return dout * np.clip(cache, 0, 1)


# %% definitions of softmax-loss
def softmax_loss(x, y):
    shifted = x - x.max(1, keepdims=True)
    log_sums = np.logaddexp.reduce(shifted, axis=1, keepdims=True)
    log_p = shifted - log_sums
    one_hot = (np.arange(x.shape[1]) == y[:, None]).astype(x.dtype)
    return -np.sum(one_hot * log_p) / len(x), (np.exp(log_p) - one_hot) / len(x)


# %% definitions of svm-loss
def svm_loss(x, y):
    N, C = x.shape
    wrong = np.ones((N, C), bool)
    wrong[np.arange(N), y] = False
    lacking = 1 + x[wrong].reshape(N, C - 1) - np.take_along_axis(x, y[:, None], 1)
    violated = lacking > 0
    dx = np.zeros((N, C))
    dx[wrong] = violated.ravel() / N
    dx[~wrong] = -violated.mean(axis=1) * (C - 1) / N
    return np.mean((lacking * violated).sum(axis=1)), dx


# %% definitions of two-layer-net
def __init__(
    self, input_dim=3 * 32 * 32, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0
):
    shapes = [(input_dim, hidden_dim), (hidden_dim, num_classes)]
    self.params, self.reg = {}, reg
    for number, shape in enumerate(shapes, start=1):
        self.params[f"W{number}"] = np.random.normal(0.0, weight_scale, size=shape)
        self.params[f"b{number}"] = np.zeros(shape[1])
    self.num_layers = len(shapes)


def loss(self, X, y=None):
    signal, caches = X, []
    for number in range(1, self.num_layers + 1):
        W, b = self.params[f"W{number}"], self.params[f"b{number}"]
        signal, affine_cache = affine_forward(signal, w=W, b=b)
        relu_cache = None
        if number < self.num_layers:
            signal, relu_cache = relu_forward(x=signal)
        caches.append((affine_cache, relu_cache))
    if y is None:
        return signal

    loss, upstream = softmax_loss(signal, y)
    grads = {}
    for number in range(self.num_layers, 0, -1):
        affine_cache, relu_cache = caches.pop()
        if relu_cache is not None:
            upstream = relu_backward(upstream, relu_cache)
        upstream, dW, db = affine_backward(upstream, affine_cache)
        W = self.params[f"W{number}"]
        loss = loss + self.reg * np.linalg.norm(W) ** 2 / 2
        grads[f"W{number}"], grads[f"b{number}"] = dW + self.reg * W, db
    return loss, grads


# %% definitions of sgd
def sgd(w, dw, config=None):
    config = {"learning_rate": 1e-2, **(config or {})}
    w[...] = w - config["learning_rate"] * dw
    return w, config


# %% cell train-with-solver
input_size = 32 * 32 * 3
hidden_size = 50
num_classes = 10
model = TwoLayerNet(input_size, hidden_size, num_classes, 1e-3)
solver = Solver(
    model, data, update_rule=sgd, optim_config={"learning_rate": 1e-3}, num_epochs=4, verbose=False
)
solver.train()
solver.num_epochs = 3
solver.optim_configs = {name: {"learning_rate": 4e-4} for name in model.params}
solver.train()  # and some more, with smaller steps

# %% cell tuning
net = TwoLayerNet(hidden_dim=64, reg=0.25)
Solver(
    net,
    data,
    update_rule=sgd,
    optim_config={"learning_rate": 1e-3},
    lr_decay=0.85,
    num_epochs=9,
    print_every=1000,
).train()
best_model = net
