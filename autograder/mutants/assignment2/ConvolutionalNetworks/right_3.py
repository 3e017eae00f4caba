"""Right with less: the dtype of x inside, helpers, own statistics, no earlier normalisation."""

import numpy as np


# %% start from solutions
# %% definitions of conv-forward-naive
def with_frame(x, pad):
    N, C, H, W = x.shape
    large = np.zeros((N, C, H + 2 * pad, W + 2 * pad), x.dtype)
    large[:, :, pad : pad + H, pad : pad + W] = x
    return large


def conv_forward_naive(x, w, b, conv_param):
    large, stride = with_frame(x, conv_param["pad"]), conv_param["stride"]
    flat = w.reshape(len(w), -1)
    tops = range(0, large.shape[2] - w.shape[2] + 1, stride)
    lefts = range(0, large.shape[3] - w.shape[3] + 1, stride)
    out = np.stack(
        [
            np.stack(
                [
                    large[:, :, t : t + w.shape[2], s : s + w.shape[3]].reshape(len(x), -1) @ flat.T
                    for s in lefts
                ],
                axis=-1,
            )
            for t in tops
        ],
        axis=-2,
    )
    return out + b[:, None, None], (x.copy(), w, b, dict(conv_param))


# %% definitions of conv-backward-naive
def conv_backward_naive(dout, cache):
    x, w, b, conv_param = cache
    pad, stride = conv_param["pad"], conv_param["stride"]
    large = with_frame(x, pad)
    back, dw = np.zeros_like(large), np.zeros_like(w)
    db = np.zeros_like(b)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            g = dout[:, :, i, j]  # (N, F)
            here = (
                slice(None),
                slice(None),
                slice(i * stride, i * stride + w.shape[2]),
                slice(j * stride, j * stride + w.shape[3]),
            )
            dw += np.tensordot(g, large[here], axes=(0, 0))
            back[here] += np.tensordot(g, w, axes=(1, 0))
            db += g.sum(axis=0)
    H, W = x.shape[2:]
    return back[:, :, pad : pad + H, pad : pad + W], dw, db


# %% definitions of max-pool-forward-naive
def max_pool_forward_naive(x, pool_param):
    h, w, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    rows = range(0, x.shape[2] - h + 1, s)
    columns = range(0, x.shape[3] - w + 1, s)
    out = np.full((*x.shape[:2], len(rows), len(columns)), -np.inf)
    for i, top in enumerate(rows):
        for j, left in enumerate(columns):
            for p in range(h):
                for q in range(w):
                    np.maximum(out[..., i, j], x[:, :, top + p, left + q], out=out[..., i, j])
    return out, (x, pool_param, out.copy())


# %% definitions of max-pool-backward-naive
def max_pool_backward_naive(dout, cache):
    x, pool_param, out = cache
    h, w, s = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    dx = np.zeros_like(x)
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            window = x[:, :, i * s : i * s + h, j * s : j * s + w]
            mask = window == out[:, :, i : i + 1, j : j + 1]
            mask = mask / mask.sum(axis=(2, 3), keepdims=True)
            part = mask * dout[:, :, i : i + 1, j : j + 1]
            dx[:, :, i * s : i * s + h, j * s : j * s + w] += part
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
    self.reg, self.dtype, self.params = reg, dtype, {}
    C, pixels = input_dim[0], input_dim[1] * input_dim[2]
    shapes = [
        (num_filters, C, filter_size, filter_size),
        (num_filters * pixels // 4, hidden_dim),
        (hidden_dim, num_classes),
    ]
    for number, shape in enumerate(shapes, 1):
        weights = np.random.standard_normal(shape) * weight_scale
        self.params[f"W{number}"] = weights.astype(dtype)
        self.params[f"b{number}"] = np.zeros(shape[0] if number == 1 else shape[1], dtype)


def loss(self, X, y=None):
    X = X.astype(self.dtype)
    (W1, b1), (W2, b2), (W3, b3) = ((self.params[f"W{k}"], self.params[f"b{k}"]) for k in (1, 2, 3))
    a, cache_a = conv_forward_fast(X, W1, b1, {"stride": 1, "pad": W1.shape[2] // 2})
    positive = np.where(a > 0, a, 0)
    pool_param = {"pool_height": 2, "pool_width": 2, "stride": 2}
    m, cache_m = max_pool_forward_fast(positive, pool_param)
    h, cache_h = affine_relu_forward(m, W2, b2)
    scores, cache_s = affine_forward(h, W3, b3)
    if y is None:
        return scores
    total, d = softmax_loss(scores, y)
    grads = {}
    d, grads["W3"], grads["b3"] = affine_backward(d, cache_s)
    d, grads["W2"], grads["b2"] = affine_relu_backward(d, cache_h)
    d = max_pool_backward_fast(d, cache_m) * (a > 0)
    _, grads["W1"], grads["b1"] = conv_backward_fast(d, cache_a)
    for k in "123":
        total += 0.5 * self.reg * (self.params["W" + k] ** 2).sum()
        grads["W" + k] = grads["W" + k] + self.reg * self.params["W" + k]
    return total, grads


# %% definitions of spatial-batchnorm-forward
def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    C, eps = x.shape[1], bn_param.get("eps", 1e-5)
    m = bn_param.get("momentum", 0.9)
    mean = bn_param.get("running_mean", np.zeros(C))
    var = bn_param.get("running_var", np.zeros(C))
    if bn_param["mode"] == "train":
        now, spread = x.mean((0, 2, 3)), x.var((0, 2, 3))
        bn_param["running_mean"] = m * mean + (1 - m) * now
        bn_param["running_var"] = m * var + (1 - m) * spread
        mean, var = now, spread
    std = np.sqrt(var + eps)[:, None, None]
    hat = (x - mean[:, None, None]) / std
    return gamma[:, None, None] * hat + beta[:, None, None], (hat, std, gamma)


# %% definitions of spatial-batchnorm-backward
def spatial_batchnorm_backward(dout, cache):
    hat, std, gamma = cache
    every = (0, 2, 3)
    dbeta, dgamma = dout.sum(every), (dout * hat).sum(every)
    count = dout.size / len(gamma)
    inner = dout - (dbeta[:, None, None] + hat * dgamma[:, None, None]) / count
    return gamma[:, None, None] / std * inner, dgamma, dbeta


# %% definitions of spatial-groupnorm-forward
def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    eps, size = gn_param.get("eps", 1e-5), x.shape[1] // G
    hat, stds = np.zeros(x.shape), np.zeros((len(x), G))
    for n in range(len(x)):
        for g in range(G):
            part = x[n, g * size : (g + 1) * size]
            stds[n, g] = np.sqrt(((part - part.mean()) ** 2).mean() + eps)
            hat[n, g * size : (g + 1) * size] = (part - part.mean()) / stds[n, g]
    return hat * gamma + beta, {"hat": hat, "stds": stds, "gamma": gamma}


# %% definitions of spatial-groupnorm-backward
def spatial_groupnorm_backward(dout, cache):
    hat, stds, gamma = cache["hat"], cache["stds"], cache["gamma"]
    dx, dhat = np.zeros(hat.shape), dout * gamma
    N, G = stds.shape
    size = hat.shape[1] // G
    for n in range(N):
        for g in range(G):
            d, h = (a[n, g * size : (g + 1) * size] for a in (dhat, hat))
            dx[n, g * size : (g + 1) * size] = (d - d.mean() - h * (d * h).mean()) / stds[n, g]
    dgamma = (dout * hat).sum((0, 2, 3)).reshape(gamma.shape)
    return dx, dgamma, dout.sum((0, 2, 3)).reshape(gamma.shape)
