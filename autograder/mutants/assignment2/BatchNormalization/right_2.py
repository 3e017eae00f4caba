"""Right in another style: loops, einsum, dictionaries, a network of closures."""

import numpy as np


# %% start from solutions
# %% definitions of batchnorm-forward
def batchnorm_forward(x, gamma, beta, bn_param):
    eps, share = bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    if bn_param["mode"] == "test":
        zeros = np.zeros(x.shape[1])
        mean, var = bn_param.get("running_mean", zeros), bn_param.get("running_var", zeros)
        return gamma * (x - mean) * (var + eps) ** -0.5 + beta, None
    if bn_param["mode"] != "train":
        raise ValueError(bn_param["mode"])
    out, columns = np.empty(x.shape), []
    means, variances = [], []
    for j in range(x.shape[1]):
        column = x[:, j].astype(np.float64)
        mean = sum(column) / len(column)
        var = sum((number - mean) ** 2 for number in column) / len(column)
        inverse = 1 / np.sqrt(var + eps)
        hat = (column - mean) * inverse
        out[:, j] = gamma[j] * hat + beta[j]
        columns.append((hat, inverse))
        means.append(mean)
        variances.append(var)
    for name, new in (("running_mean", means), ("running_var", variances)):
        old = bn_param.get(name, 0.0)
        bn_param[name] = old + (1 - share) * (np.array(new) - old)
    return out, {"columns": columns, "gamma": np.array(gamma)}


# %% definitions of batchnorm-backward
def batchnorm_backward(dout, cache):
    dx, dgamma, dbeta = np.empty(dout.shape), [], []
    N = len(dout)
    for j, (hat, inverse) in enumerate(cache["columns"]):
        # The matrix of all slopes d hat_j / d x_i, as it was measured in the notebook.
        slopes = inverse * (np.eye(N) - 1 / N - np.outer(hat, hat) / N)
        dx[:, j] = slopes.T @ (cache["gamma"][j] * dout[:, j])
        dgamma.append(dout[:, j] @ hat)
        dbeta.append(sum(dout[:, j]))
    return dx, np.array(dgamma), np.array(dbeta)


# %% definitions of batchnorm-backward-alt
def batchnorm_backward_alt(dout, cache):
    hat = np.stack([hat for hat, _ in cache["columns"]], axis=1)
    inverse = np.array([inverse for _, inverse in cache["columns"]])
    N = dout.shape[0]
    dgamma = np.einsum("nd,nd->d", dout, hat)
    dbeta = np.einsum("nd->d", dout)
    # gamma is the same for a whole column, so it may as well come last.
    dx = cache["gamma"] * inverse * (dout - (dbeta + hat * dgamma) / N)
    return [dx, dgamma, dbeta]


# %% definitions of layernorm-forward
def layernorm_forward(x, gamma, beta, ln_param):
    eps = ln_param.get("eps", 1e-5)
    centred = x - x.mean(axis=1)[:, None]
    var = np.einsum("nd,nd->n", centred, centred)[:, None] / x.shape[1]
    inverse = 1 / np.sqrt(var + eps)
    hat = centred * inverse
    return hat * gamma + beta, dict(hat=hat, inverse=inverse, gamma=gamma)


# %% definitions of layernorm-backward
def layernorm_backward(dout, cache):
    rows = []
    for row, hat, inverse in zip(dout, cache["hat"], cache["inverse"], strict=True):
        g = row * cache["gamma"]
        rows.append((g - np.mean(g) - hat * (g @ hat) / len(g)) * inverse)
    return np.array(rows), (dout * cache["hat"]).sum(0), dout.sum(0)


# %% definitions of fully-connected-net
def hidden_layer(x, params, layer, kind, bn_param):
    """The output of one hidden layer, and its way back: a function from dout to (dx, grads)."""
    x, first = affine_forward(x, params[f"W{layer}"], params[f"b{layer}"])
    middle = None
    if kind is not None:
        normalise = {"batchnorm": batchnorm_forward, "layernorm": layernorm_forward}[kind]
        x, middle = normalise(x, params[f"gamma{layer}"], params[f"beta{layer}"], bn_param)
    x, last = relu_forward(x)

    def back(dout):
        grads = {}
        dout = relu_backward(dout, last)
        if kind is not None:
            way = {"batchnorm": batchnorm_backward, "layernorm": layernorm_backward}[kind]
            dout, grads[f"gamma{layer}"], grads[f"beta{layer}"] = way(dout, middle)
        dout, grads[f"W{layer}"], grads[f"b{layer}"] = affine_backward(dout, first)
        return dout, grads

    return x, back


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
    self.normalization, self.reg, self.dtype = normalization, reg, dtype
    self.use_dropout = dropout_keep_ratio != 1
    self.num_layers = len(hidden_dims) + 1
    self.bn_params = [{"mode": "train"} for _ in hidden_dims] if normalization else []
    self.dropout_param = {}
    rng = np.random.default_rng()
    widths = [input_dim] + list(hidden_dims) + [num_classes]
    self.params = {}
    for layer, (fan_in, fan_out) in enumerate(zip(widths[:-1], widths[1:], strict=True), 1):
        new = {
            "W": rng.normal(scale=weight_scale, size=(fan_in, fan_out)),
            "b": np.zeros(fan_out),
            "gamma": np.ones(fan_out),
            "beta": np.zeros(fan_out),
        }
        normalised = normalization is not None and layer <= len(hidden_dims)
        for name in ("W", "b", "gamma", "beta")[: 4 if normalised else 2]:
            self.params[f"{name}{layer}"] = new[name].astype(dtype)


def loss(self, X, y=None):
    for bn_param in self.bn_params:
        bn_param["mode"] = "test" if y is None else "train"
    x, ways_back = X.astype(self.dtype), []
    for number in range(self.num_layers - 1):
        bn_param = self.bn_params[number] if self.normalization else None
        x, back = hidden_layer(x, self.params, number + 1, self.normalization, bn_param)
        ways_back.append(back)
    L = self.num_layers
    scores, cache = affine_forward(x, self.params[f"W{L}"], self.params[f"b{L}"])
    if y is None:
        return scores
    total, delta = softmax_loss(scores, y)
    grads = {}
    delta, grads[f"W{L}"], grads[f"b{L}"] = affine_backward(delta, cache)
    for back in ways_back[::-1]:
        delta, more = back(delta)
        grads.update(more)
    for name, value in self.params.items():
        if name[0] == "W":
            total = total + self.reg / 2 * np.sum(value * value)
            grads[name] = grads[name] + self.reg * value
    return total, grads
