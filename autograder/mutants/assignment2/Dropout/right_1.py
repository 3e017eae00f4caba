"""Right in another style: scaled masks, names built for every layer, one cache for each kind."""

import numpy as np


# %% start from solutions
# %% definitions of dropout-forward
def dropout_forward(x, dropout_param):
    p, mode = dropout_param["p"], dropout_param["mode"]
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])
    mask = None
    out = None
    if mode == "train":
        mask = (np.random.rand(*x.shape) < p) / p
        out = x * mask
    elif mode == "test":
        out = x
    cache = (dropout_param, mask)
    out = out.astype(x.dtype, copy=False)
    return out, cache


# %% definitions of dropout-backward
def dropout_backward(dout, cache):
    dropout_param, mask = cache
    mode = dropout_param["mode"]
    dx = None
    if mode == "train":
        dx = dout * mask
    elif mode == "test":
        dx = dout
    return dx


# %% definitions of fully-connected-net
def __init__(
    self,
    hidden_dims,
    input_dim=3 * 32 * 32,
    num_classes=10,
    dropout_keep_ratio=1,
    normalization=None,
    reg=0.0,
    weight_scale=1e-2,
    dtype=np.float32,
    seed=None,
):
    self.normalization = normalization
    self.use_dropout = dropout_keep_ratio != 1
    self.reg = reg
    self.num_layers = 1 + len(hidden_dims)
    self.dtype = dtype
    self.params = {}
    dims = np.hstack((input_dim, hidden_dims, num_classes))
    for i in range(self.num_layers):
        self.params["W%d" % (i + 1)] = np.random.randn(dims[i], dims[i + 1]) * weight_scale
        self.params["b%d" % (i + 1)] = np.zeros(dims[i + 1])
    if self.normalization is not None:
        for i in range(self.num_layers - 1):
            self.params["gamma%d" % (i + 1)] = np.ones(dims[i + 1])
            self.params["beta%d" % (i + 1)] = np.zeros(dims[i + 1])
    self.dropout_param = {}
    if self.use_dropout:
        self.dropout_param = {"mode": "train", "p": dropout_keep_ratio}
        if seed is not None:
            self.dropout_param["seed"] = seed
    self.bn_params = []
    if self.normalization == "batchnorm":
        self.bn_params = [{"mode": "train"} for i in range(self.num_layers - 1)]
    if self.normalization == "layernorm":
        self.bn_params = [{} for i in range(self.num_layers - 1)]
    for k, v in self.params.items():
        self.params[k] = v.astype(dtype)


def loss(self, X, y=None):
    X = X.astype(self.dtype)
    mode = "test" if y is None else "train"
    if self.use_dropout:
        self.dropout_param["mode"] = mode
    if self.normalization == "batchnorm":
        for bn_param in self.bn_params:
            bn_param["mode"] = mode
    fc_cache, norm_cache, relu_cache, dropout_cache = {}, {}, {}, {}
    out = X
    for i in range(1, self.num_layers):
        out, fc_cache[i] = affine_forward(out, self.params["W%d" % i], self.params["b%d" % i])
        if self.normalization == "batchnorm":
            out, norm_cache[i] = batchnorm_forward(
                out, self.params["gamma%d" % i], self.params["beta%d" % i], self.bn_params[i - 1]
            )
        elif self.normalization == "layernorm":
            out, norm_cache[i] = layernorm_forward(
                out, self.params["gamma%d" % i], self.params["beta%d" % i], self.bn_params[i - 1]
            )
        out, relu_cache[i] = relu_forward(out)
        if self.use_dropout:
            out, dropout_cache[i] = dropout_forward(out, self.dropout_param)
    n = self.num_layers
    scores, fc_cache[n] = affine_forward(out, self.params["W%d" % n], self.params["b%d" % n])
    if mode == "test":
        return scores
    grads = {}
    loss, dout = softmax_loss(scores, y)
    for i in range(n, 0, -1):
        w = self.params["W%d" % i]
        loss += 0.5 * self.reg * np.sum(w * w)
        if i < n:
            if self.use_dropout:
                dout = dropout_backward(dout, dropout_cache[i])
            dout = relu_backward(dout, relu_cache[i])
            if self.normalization == "batchnorm":
                dout, grads["gamma%d" % i], grads["beta%d" % i] = batchnorm_backward(
                    dout, norm_cache[i]
                )
            elif self.normalization == "layernorm":
                dout, grads["gamma%d" % i], grads["beta%d" % i] = layernorm_backward(
                    dout, norm_cache[i]
                )
        dout, dw, db = affine_backward(dout, fc_cache[i])
        grads["W%d" % i] = dw + self.reg * w
        grads["b%d" % i] = db
    return loss, grads
