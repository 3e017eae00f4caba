"""Lets gradients through ReLU where the gradient is positive, not where the input was.

Loses: tln-relu-backward. The net's own question is asked with right layers below it, so it pays
nothing for the mask. The SVM's loss, SGD and what needs them are as handed out. Two notebooks of
the next assignment are right, and earn everything: nobody pays twice.
"""

import numpy as np


# %% notebook two_layer_net
# %% start from release
# %% definitions of affine-forward
def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    cache = (x, w, b)
    return out, cache


# %% definitions of affine-backward
def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db


# %% definitions of relu-forward
def relu_forward(x):
    out = np.maximum(0, x)
    cache = x
    return out, cache


# %% definitions of relu-backward
def relu_backward(dout, cache):
    dx = np.maximum(0, dout)
    return dx


# %% definitions of softmax-loss
def softmax_loss(x, y):
    truth = np.eye(x.shape[1])[y]
    shifted = x - x.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -(truth * log_p).sum() / len(x), (np.exp(log_p) - truth) / len(x)


# %% definitions of two-layer-net
def __init__(
    self, input_dim=3 * 32 * 32, hidden_dim=100, num_classes=10, weight_scale=1e-3, reg=0.0
):
    self.params = {}
    self.reg = reg
    self.params["W1"] = weight_scale * np.random.randn(input_dim, hidden_dim)
    self.params["b1"] = np.zeros(hidden_dim)
    self.params["W2"] = weight_scale * np.random.randn(hidden_dim, num_classes)
    self.params["b2"] = np.zeros(num_classes)


def loss(self, X, y=None):
    hidden, cache1 = affine_relu_forward(X, self.params["W1"], self.params["b1"])
    scores, cache2 = affine_forward(hidden, self.params["W2"], self.params["b2"])
    if y is None:
        return scores
    loss, dscores = softmax_loss(scores, y)
    grads = {}
    dhidden, grads["W2"], grads["b2"] = affine_backward(dscores, cache2)
    _, grads["W1"], grads["b1"] = affine_relu_backward(dhidden, cache1)
    for name in ("W1", "W2"):
        loss += 0.5 * self.reg * np.sum(self.params[name] ** 2)
        grads[name] += self.reg * self.params[name]
    return loss, grads


# %% answer tln-question-activations
# The sigmoid, where it is flat at both ends.

# %% notebook FullyConnectedNets
# %% start from solutions
# %% notebook BatchNormalization
# %% start from solutions
