"""Right in another style: loops over single numbers, and layers put together in another cell."""

import numpy as np


# %% start from solutions
# %% definitions of dropout-forward
def dropout_forward(x, dropout_param):
    p, mode = dropout_param["p"], dropout_param["mode"]
    seed = dropout_param.get("seed")
    if seed is not None:
        np.random.seed(seed)
    factors = np.ones(x.size)
    if mode == "train":
        for place, coin in enumerate(np.random.uniform(0.0, 1.0, size=x.size)):
            factors[place] = 0.0 if coin > p else 1.0 / p
    factors = factors.reshape(x.shape)
    return (factors * x).astype(x.dtype), factors


# %% definitions of dropout-backward
def dropout_backward(dout, cache):
    return np.einsum("...,...->...", dout, cache)


# %% new cell after load-earlier
def hidden_forward(x, w, b, norm, dropout_param):
    """affine, [normalisation], ReLU, [dropout].

    norm: None, or (forward, backward, gamma, beta, settings).
    """
    caches = []
    out, cache = affine_forward(x, w, b)
    caches.append((affine_backward, cache))
    if norm is not None:
        forward, backward, gamma, beta, param = norm
        out, cache = forward(out, gamma, beta, param)
        caches.append((backward, cache))
    out, cache = relu_forward(out)
    caches.append((relu_backward, cache))
    if dropout_param:
        out, cache = dropout_forward(out, dropout_param)
        caches.append((dropout_backward, cache))
    return out, caches


def hidden_backward(dout, caches):
    """Gradients of the input, of w and b, and of gamma and beta where there are any."""
    more = ()
    for backward, cache in reversed(caches):
        answer = backward(dout, cache)
        dout, *others = answer if isinstance(answer, tuple) else (answer,)
        more = (*others, *more)
    return dout, more


# %% definitions of fully-connected-net
def loss(self, X, y=None):
    h = X.astype(self.dtype)
    mode = "test" if y is None else "train"
    if self.use_dropout:
        self.dropout_param["mode"] = mode
    if self.normalization == "batchnorm":
        for bn_param in self.bn_params:
            bn_param["mode"] = mode
    stack, grads = [], {}
    for layer in range(1, self.num_layers):
        names = [f"W{layer}", f"b{layer}"]
        norm = None
        if self.normalization is not None:
            names += [f"gamma{layer}", f"beta{layer}"]
            ways = (batchnorm_forward, batchnorm_backward)
            if self.normalization == "layernorm":
                ways = (layernorm_forward, layernorm_backward)
            norm = (*ways, *(self.params[n] for n in names[2:]), self.bn_params[layer - 1])
        w, b = (self.params[n] for n in names[:2])
        h, caches = hidden_forward(h, w, b, norm, self.dropout_param if self.use_dropout else None)
        stack.append((names, caches))
    top = self.num_layers
    scores, cache = affine_forward(h, self.params[f"W{top}"], self.params[f"b{top}"])
    if mode == "test":
        return scores
    value, dscores = softmax_loss(scores, y)
    dh, grads[f"W{top}"], grads[f"b{top}"] = affine_backward(dscores, cache)
    while stack:
        names, caches = stack.pop()
        dh, found = hidden_backward(dh, caches)
        grads.update(zip(names, found, strict=True))
    weights = [name for name in self.params if name.startswith("W")]
    for name in weights:
        grads[name] = grads[name] + self.reg * self.params[name]
    return value + self.reg / 2 * sum(float((self.params[n] ** 2).sum()) for n in weights), grads
