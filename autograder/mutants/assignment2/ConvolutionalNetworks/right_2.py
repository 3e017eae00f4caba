"""Right by other algebra: views and einsum, other caches, layers composed by hand."""

import numpy as np


# %% start from solutions
# %% definitions of conv-forward-naive
def windows_of(x, height, width, stride):
    """All windows as a view: (N, C, H', W', height, width)."""
    seen = np.lib.stride_tricks.sliding_window_view(x, (height, width), axis=(2, 3))
    return seen[:, :, ::stride, ::stride]


def conv_forward_naive(x, w, b, conv_param):
    p = conv_param["pad"]
    frame = ((0, 0), (0, 0), (p, p), (p, p))
    seen = windows_of(np.pad(x, frame), *w.shape[2:], conv_param["stride"])
    out = np.einsum("nchwij,fcij->nfhw", seen, w) + b.reshape(1, -1, 1, 1)
    return out, {"seen": seen, "w": w, "param": conv_param, "shape": x.shape}


# %% definitions of conv-backward-naive
def conv_backward_naive(dout, cache):
    w, stride, p = cache["w"], cache["param"]["stride"], cache["param"]["pad"]
    N, C, H, W = cache["shape"]
    large = np.zeros((N, C, H + 2 * p, W + 2 * p))
    rows, cols = dout.shape[2:]
    for i in range(w.shape[2]):
        for j in range(w.shape[3]):
            part = np.einsum("nfhw,fc->nchw", dout, w[:, :, i, j])
            large[:, :, i : i + stride * rows : stride, j : j + stride * cols : stride] += part
    dw = np.einsum("nfhw,nchwij->fcij", dout, cache["seen"])
    return large[:, :, p : H + p, p : W + p], dw, np.einsum("nfhw->f", dout)


# %% definitions of max-pool-forward-naive
def max_pool_forward_naive(x, pool_param):
    height, width, stride = (pool_param[k] for k in ("pool_height", "pool_width", "stride"))
    seen = np.lib.stride_tricks.sliding_window_view(x, (height, width), axis=(2, 3))
    flat = seen[:, :, ::stride, ::stride].reshape(*seen[:, :, ::stride, ::stride].shape[:4], -1)
    winners = flat.argmax(axis=-1)
    out = np.take_along_axis(flat, winners[..., None], axis=-1)[..., 0]
    return out, [winners, x.shape, width, stride]


# %% definitions of max-pool-backward-naive
def max_pool_backward_naive(dout, cache):
    winners, shape, width, stride = cache
    n, c, i, j = np.indices(dout.shape)
    dx = np.zeros(shape, dtype=dout.dtype)
    place = (n, c, i * stride + winners // width, j * stride + winners % width)
    np.add.at(dx, place, dout)
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
    rng = np.random.default_rng()
    self.reg, self.dtype = reg, dtype
    channels, height, width = input_dim
    flat = num_filters * (height // 2) * (width // 2)
    self.params = {
        "b3": np.zeros(num_classes, dtype),
        "b2": np.zeros(hidden_dim, dtype),
        "b1": np.zeros(num_filters, dtype),
        "W3": rng.normal(scale=weight_scale, size=(hidden_dim, num_classes)).astype(dtype),
        "W2": rng.normal(scale=weight_scale, size=(flat, hidden_dim)).astype(dtype),
    }
    size = (num_filters, channels, filter_size, filter_size)
    self.params["W1"] = rng.normal(scale=weight_scale, size=size).astype(dtype)


def loss(self, X, y=None):
    p = self.params
    half = p["W1"].shape[-1] // 2
    a, conv_cache = conv_forward_naive(X, p["W1"], p["b1"], {"stride": 1, "pad": half})
    r, relu_cache = relu_forward(a)
    pool_param = dict(pool_height=2, pool_width=2, stride=2)
    m, pool_cache = max_pool_forward_naive(r, pool_param)
    flat = m.reshape(len(m), -1)
    hidden = np.maximum(flat.dot(p["W2"]) + p["b2"], 0)
    scores = hidden.dot(p["W3"]) + p["b3"]
    if y is None:
        return scores
    loss, delta = softmax_loss(x=scores, y=y)
    grads = {"W3": hidden.T.dot(delta), "b3": delta.sum(0)}
    delta = delta.dot(p["W3"].T) * (hidden > 0)
    grads["W2"], grads["b2"] = flat.T.dot(delta), delta.sum(0)
    delta = delta.dot(p["W2"].T).reshape(m.shape)
    delta = relu_backward(max_pool_backward_naive(delta, pool_cache), relu_cache)
    _, grads["W1"], grads["b1"] = conv_backward_naive(delta, conv_cache)
    for name in ("W1", "W2", "W3"):
        loss = loss + self.reg / 2 * np.vdot(p[name], p[name])
        grads[name] = grads[name] + self.reg * p[name]
    return loss, grads


# %% definitions of spatial-batchnorm-forward
def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    columns = np.moveaxis(x, 1, -1)
    out, cache = batchnorm_forward(columns.reshape(-1, x.shape[1]), gamma, beta, bn_param)
    return np.moveaxis(out.reshape(columns.shape), -1, 1), [cache]


# %% definitions of spatial-batchnorm-backward
def spatial_batchnorm_backward(dout, cache):
    columns = np.moveaxis(dout, 1, -1)
    dx, *others = batchnorm_backward(columns.reshape(-1, dout.shape[1]), cache[0])
    return np.moveaxis(dx.reshape(columns.shape), -1, 1), *others


# %% definitions of spatial-groupnorm-forward
def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    N, C, H, W = x.shape
    rows = x.reshape(N * G, -1)
    size = rows.shape[1]
    out, cache = layernorm_forward(rows, np.ones(size), np.zeros(size), gn_param)
    out = out.reshape(x.shape)
    return out * gamma + beta, (cache, out, gamma, rows.shape)


# %% definitions of spatial-groupnorm-backward
def spatial_groupnorm_backward(dout, cache):
    inner, normal, gamma, rows = cache
    dx, _, _ = layernorm_backward((dout * gamma).reshape(rows), inner)
    dgamma = np.einsum("nchw,nchw->c", dout, normal).reshape(gamma.shape)
    dbeta = np.einsum("nchw->c", dout).reshape(gamma.shape)
    return dx.reshape(dout.shape), dgamma, dbeta
