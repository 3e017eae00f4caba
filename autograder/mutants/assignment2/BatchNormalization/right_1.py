"""Right as published solutions are: every node cached, the paper's formulas, sandwich helpers."""

import numpy as np


# %% start from solutions
# %% definitions of batchnorm-forward
def batchnorm_forward(x, gamma, beta, bn_param):
    mode = bn_param["mode"]
    eps = bn_param.get("eps", 1e-5)
    momentum = bn_param.get("momentum", 0.9)
    N, D = x.shape
    running_mean = bn_param.get("running_mean", np.zeros(D, dtype=x.dtype))
    running_var = bn_param.get("running_var", np.zeros(D, dtype=x.dtype))
    out, cache = None, None
    if mode == "train":
        mu = 1.0 / N * np.sum(x, axis=0)
        xmu = x - mu
        sq = xmu**2
        var = 1.0 / N * np.sum(sq, axis=0)
        sqrtvar = np.sqrt(var + eps)
        ivar = 1.0 / sqrtvar
        xhat = xmu * ivar
        out = gamma * xhat + beta
        cache = (xhat, gamma, xmu, ivar, sqrtvar, var, eps)
        running_mean = momentum * running_mean + (1 - momentum) * mu
        running_var = momentum * running_var + (1 - momentum) * var
    elif mode == "test":
        xhat = (x - running_mean) / np.sqrt(running_var + eps)
        out = xhat * gamma + beta
    else:
        raise ValueError('Invalid forward batchnorm mode "%s"' % mode)
    bn_param["running_mean"] = running_mean
    bn_param["running_var"] = running_var
    return out, cache


# %% definitions of batchnorm-backward
def batchnorm_backward(dout, cache):
    dx, dgamma, dbeta = None, None, None
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape
    dbeta = np.sum(dout, axis=0)
    dgamma = np.sum(dout * xhat, axis=0)
    dxhat = dout * gamma
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / (sqrtvar**2) * divar
    dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar
    dsq = 1.0 / N * np.ones((N, D)) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = 1.0 / N * np.ones((N, D)) * dmu
    dx = dx1 + dx2
    return dx, dgamma, dbeta


# %% definitions of batchnorm-backward-alt
def batchnorm_backward_alt(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N = dout.shape[0]
    dbeta = dout.sum(axis=0)
    dgamma = (dout * xhat).sum(axis=0)
    dxhat = dout * gamma
    dx = 1.0 / N * ivar * (N * dxhat - np.sum(dxhat, axis=0) - xhat * np.sum(dxhat * xhat, axis=0))
    return dx, dgamma, dbeta


# %% definitions of layernorm-forward
def layernorm_forward(x, gamma, beta, ln_param):
    eps = ln_param.get("eps", 1e-5)
    xt = x.T  # batch normalisation of the transposed matrix
    mean = np.mean(xt, axis=0)
    var = np.var(xt, axis=0)
    xhat = ((xt - mean) / np.sqrt(var + eps)).T
    out = gamma * xhat + beta
    cache = (x, xhat, gamma, mean, var, eps)
    return out, cache


# %% definitions of layernorm-backward
def layernorm_backward(dout, cache):
    x, xhat, gamma, mean, var, eps = cache
    dgamma = np.sum(dout * xhat, axis=0)
    dbeta = np.sum(dout, axis=0)
    dxhat = (dout * gamma).T
    xt = x.T
    N = xt.shape[0]
    dvar = np.sum(dxhat * (xt - mean) * -0.5 * (var + eps) ** -1.5, axis=0)
    dmean = np.sum(-dxhat / np.sqrt(var + eps), axis=0) + dvar * np.mean(-2 * (xt - mean), axis=0)
    dx = dxhat / np.sqrt(var + eps) + dvar * 2 * (xt - mean) / N + dmean / N
    return dx.T, dgamma, dbeta


# %% definitions of fully-connected-net
def affine_norm_relu_forward(x, w, b, gamma, beta, normalization, bn_param):
    norm_cache = None
    a, fc_cache = affine_forward(x, w, b)
    if normalization == "batchnorm":
        a, norm_cache = batchnorm_forward(a, gamma, beta, bn_param)
    elif normalization == "layernorm":
        a, norm_cache = layernorm_forward(a, gamma, beta, bn_param)
    out, relu_cache = relu_forward(a)
    return out, (fc_cache, norm_cache, relu_cache)


def affine_norm_relu_backward(dout, cache, normalization):
    fc_cache, norm_cache, relu_cache = cache
    da = relu_backward(dout, relu_cache)
    dgamma, dbeta = None, None
    if normalization == "batchnorm":
        da, dgamma, dbeta = batchnorm_backward(da, norm_cache)
    elif normalization == "layernorm":
        da, dgamma, dbeta = layernorm_backward(da, norm_cache)
    dx, dw, db = affine_backward(da, fc_cache)
    return dx, dw, db, dgamma, dbeta


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
    dims = np.hstack([input_dim, hidden_dims, num_classes])
    for i in range(self.num_layers):
        self.params["W%d" % (i + 1)] = weight_scale * np.random.randn(dims[i], dims[i + 1])
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
    scores = None
    caches = {}
    x = X
    for i in range(1, self.num_layers):
        keys = ["W%d" % i, "b%d" % i, "gamma%d" % i, "beta%d" % i]
        w, b, gamma, beta = [self.params.get(k) for k in keys]
        bn_param = self.bn_params[i - 1] if self.normalization else None
        x, caches[i] = affine_norm_relu_forward(x, w, b, gamma, beta, self.normalization, bn_param)
    L = self.num_layers
    scores, caches[L] = affine_forward(x, self.params["W%d" % L], self.params["b%d" % L])
    if mode == "test":
        return scores
    loss, grads = 0.0, {}
    loss, dscores = softmax_loss(scores, y)
    for i in range(L):
        loss += 0.5 * self.reg * np.sum(np.square(self.params["W%d" % (i + 1)]))
    dx, dw, db = affine_backward(dscores, caches[L])
    grads["W%d" % L] = dw + self.reg * self.params["W%d" % L]
    grads["b%d" % L] = db
    for i in range(L - 1, 0, -1):
        dx, dw, db, dgamma, dbeta = affine_norm_relu_backward(dx, caches[i], self.normalization)
        grads["W%d" % i] = dw + self.reg * self.params["W%d" % i]
        grads["b%d" % i] = db
        if self.normalization is not None:
            grads["gamma%d" % i] = dgamma
            grads["beta%d" % i] = dbeta
    return loss, grads
