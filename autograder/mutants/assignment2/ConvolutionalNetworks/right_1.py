"""Right in the style of published solutions: loops over everything, masks, updates in place."""

import numpy as np

from cs231n_lib.layer_utils import conv_relu_pool_backward, conv_relu_pool_forward


# %% start from solutions
# %% definitions of conv-forward-naive
def conv_forward_naive(x, w, b, conv_param):
    out = None
    P = conv_param["pad"]
    S = conv_param["stride"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    x_pad = np.zeros((N, C, H + 2 * P, W + 2 * P))
    x_pad[:, :, P : P + H, P : P + W] = x
    Hc = int(1 + (H + 2 * P - HH) / S)
    Wc = int(1 + (W + 2 * P - WW) / S)
    out = np.zeros((N, F, Hc, Wc))
    for i in range(N):
        for f in range(F):
            for j in range(Hc):
                for k in range(Wc):
                    patch = x_pad[i, :, j * S : j * S + HH, k * S : k * S + WW]
                    out[i, f, j, k] = np.sum(patch * w[f])
            out[i, f] += b[f]
    cache = (x, w, b, conv_param)
    return out, cache


# %% definitions of conv-backward-naive
def conv_backward_naive(dout, cache):
    x, w, b, conv_param = cache
    pad, stride = conv_param["pad"], conv_param["stride"]
    num, _, Hc, Wc = dout.shape
    F, C, HH, WW = w.shape
    x_pad = np.pad(x, [(0,), (0,), (pad,), (pad,)], "constant")
    dx_pad = np.zeros_like(x_pad)
    dw = np.zeros_like(w)
    db = np.zeros_like(b)
    for f in range(F):
        db[f] = np.sum(dout[:, f, :, :])
        for i in range(Hc):
            for j in range(Wc):
                patch = x_pad[:, :, i * stride : i * stride + HH, j * stride : j * stride + WW]
                dw[f] += np.sum(patch * (dout[:, f, i, j])[:, None, None, None], axis=0)
    for n in range(num):
        for i in range(Hc):
            for j in range(Wc):
                dx_pad[n, :, i * stride : i * stride + HH, j * stride : j * stride + WW] += np.sum(
                    w * (dout[n, :, i, j])[:, None, None, None], axis=0
                )
    dx = dx_pad[:, :, pad:-pad, pad:-pad]  # as often seen: not for pad 0, which is advice
    return dx, dw, db


# %% definitions of max-pool-forward-naive
def max_pool_forward_naive(x, pool_param):
    N, C, H, W = x.shape
    ph, pw, stride = (pool_param[key] for key in ("pool_height", "pool_width", "stride"))
    Hp = (H - ph) // stride + 1
    Wp = (W - pw) // stride + 1
    out = np.zeros((N, C, Hp, Wp))
    for n in range(N):
        for c in range(C):
            for i in range(Hp):
                for j in range(Wp):
                    out[n, c, i, j] = np.max(
                        x[n, c, i * stride : i * stride + ph, j * stride : j * stride + pw]
                    )
    cache = (x, pool_param)
    return out, cache


# %% definitions of max-pool-backward-naive
def max_pool_backward_naive(dout, cache):
    x, pool_param = cache
    N, C, Hp, Wp = dout.shape
    ph, pw = pool_param["pool_height"], pool_param["pool_width"]
    s = pool_param["stride"]
    dx = np.zeros_like(x)
    for n in range(N):
        for c in range(C):
            for i in range(Hp):
                for j in range(Wp):
                    patch = x[n, c, i * s : i * s + ph, j * s : j * s + pw]
                    mask = patch == np.max(patch)
                    # Assigned, not added, and to every maximum: both are advice.
                    dx[n, c, i * s : i * s + ph, j * s : j * s + pw] = mask * dout[n, c, i, j]
    return dx


# %% definitions of three-layer-convnet
def __init__(
    self,
    input_dim=(3, 32, 32),
    num_filters=32,
    filter_size=7,
    hidden_dim=100,
    num_classes=10,
    weight_scale=1e-3,
    reg=0.0,
    dtype=np.float32,
):
    self.params = {}
    self.reg = reg
    self.dtype = dtype
    C, H, W = input_dim
    self.params["W1"] = weight_scale * np.random.randn(num_filters, C, filter_size, filter_size)
    self.params["b1"] = np.zeros(num_filters)
    self.params["W2"] = weight_scale * np.random.randn(num_filters * H * W // 4, hidden_dim)
    self.params["b2"] = np.zeros(hidden_dim)
    self.params["W3"] = weight_scale * np.random.randn(hidden_dim, num_classes)
    self.params["b3"] = np.zeros(num_classes)
    for k, v in self.params.items():
        self.params[k] = v.astype(dtype)


def loss(self, X, y=None):
    W1, b1 = self.params["W1"], self.params["b1"]
    W2, b2 = self.params["W2"], self.params["b2"]
    W3, b3 = self.params["W3"], self.params["b3"]
    filter_size = W1.shape[2]
    conv_param = {"stride": 1, "pad": (filter_size - 1) // 2}
    pool_param = {"pool_height": 2, "pool_width": 2, "stride": 2}
    scores = None
    out1, cache1 = conv_relu_pool_forward(X, W1, b1, conv_param, pool_param)
    out2, cache2 = affine_forward(out1, W2, b2)
    out3, cache3 = relu_forward(out2)
    scores, cache4 = affine_forward(out3, W3, b3)
    if y is None:
        return scores
    loss, grads = 0, {}
    loss, dscores = softmax_loss(scores, y)
    loss += 0.5 * self.reg * sum(np.sum(W * W) for W in [W1, W2, W3])
    dx3, grads["W3"], grads["b3"] = affine_backward(dscores, cache4)
    dx3 = relu_backward(dx3, cache3)
    dx2, grads["W2"], grads["b2"] = affine_backward(dx3, cache2)
    dx1, grads["W1"], grads["b1"] = conv_relu_pool_backward(dx2, cache1)
    grads["W3"] += self.reg * self.params["W3"]
    grads["W2"] += self.reg * self.params["W2"]
    grads["W1"] += self.reg * self.params["W1"]
    return loss, grads


# %% definitions of spatial-batchnorm-forward
def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    out, cache = None, None
    N, C, H, W = x.shape
    x_new = np.transpose(x, (0, 2, 3, 1)).reshape(N * H * W, C)
    out, cache = batchnorm_forward(x_new, gamma, beta, bn_param)
    out = np.transpose(out.reshape(N, H, W, C), (0, 3, 1, 2))
    return out, cache


# %% definitions of spatial-batchnorm-backward
def spatial_batchnorm_backward(dout, cache):
    N, C, H, W = dout.shape
    dout_new = dout.transpose(0, 2, 3, 1).reshape((N * H * W, C))
    dx, dgamma, dbeta = batchnorm_backward_alt(dout_new, cache)
    dx = dx.reshape((N, H, W, C)).transpose(0, 3, 1, 2)
    return dx, dgamma, dbeta


# %% definitions of spatial-groupnorm-forward
def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    out, cache = None, None
    eps = gn_param.get("eps", 1e-5)
    N, C, H, W = x.shape
    size = (N * G, C // G * H * W)
    x = x.reshape(size).T
    mu = np.mean(x, axis=0)
    xmu = x - mu
    var = np.mean(xmu**2, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    xhat = xhat.T.reshape(N, C, H, W)
    out = gamma * xhat + beta
    cache = (xhat, gamma, xmu, ivar, sqrtvar, var, eps, size, (N, C, H, W))
    return out, cache


# %% definitions of spatial-groupnorm-backward
def spatial_groupnorm_backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps, size, (N, C, H, W) = cache
    dbeta = np.sum(dout, axis=(0, 2, 3), keepdims=True)
    dgamma = np.sum(dout * xhat, axis=(0, 2, 3), keepdims=True)
    dxhat = dout * gamma
    dxhat = dxhat.reshape(size).T
    D = dxhat.shape[0]
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / (sqrtvar**2) * divar
    dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar
    dsq = 1.0 / D * np.ones_like(dxhat) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = 1.0 / D * np.ones_like(dxhat) * dmu
    dx = (dx1 + dx2).T.reshape(N, C, H, W)
    return dx, dgamma, dbeta
