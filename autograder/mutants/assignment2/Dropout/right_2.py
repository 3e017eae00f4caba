"""Right in another style: coins from a binomial distribution, chosen places, a recursion."""

import numpy as np


# %% start from solutions
# %% definitions of dropout-forward
def dropout_forward(x, dropout_param):
    if "seed" in dropout_param:
        np.random.seed(dropout_param["seed"])
    if dropout_param["mode"] == "test":
        return np.array(x), {"kept": None}
    keep = dropout_param["p"]
    kept = np.random.binomial(1, keep, size=x.shape).astype(bool)
    out = np.zeros(x.shape, np.float32)
    out[kept] = x[kept].astype(np.float32) / np.float32(keep)
    return out.astype(x.dtype), {"kept": kept, "keep": keep}


# %% definitions of dropout-backward
def dropout_backward(dout, cache):
    if cache["kept"] is None:
        return dout
    return np.where(cache["kept"], np.true_divide(dout, cache["keep"]), 0)


# %% definitions of fully-connected-net
def loss(self, X, y=None):
    p = self.params

    def block(h, layer):
        """Everything that happens in one hidden layer. Returns its output and its way back."""
        a, affine = affine_forward(h, p[f"W{layer}"], p[f"b{layer}"])
        norm = drop = None
        if self.normalization == "batchnorm":
            norm = batchnorm_forward(
                a, p[f"gamma{layer}"], p[f"beta{layer}"], self.bn_params[layer - 1]
            )
        elif self.normalization == "layernorm":
            norm = layernorm_forward(
                a, p[f"gamma{layer}"], p[f"beta{layer}"], self.bn_params[layer - 1]
            )
        out, relu = relu_forward(a if norm is None else norm[0])
        if self.use_dropout:
            out, drop = dropout_forward(out, self.dropout_param)

        def back(dout):
            grads = {}
            d = dout if drop is None else dropout_backward(dout, drop)
            d = relu_backward(d, relu)
            if norm is not None:
                way = (
                    batchnorm_backward if self.normalization == "batchnorm" else layernorm_backward
                )
                d, grads[f"gamma{layer}"], grads[f"beta{layer}"] = way(d, norm[1])
            d, grads[f"W{layer}"], grads[f"b{layer}"] = affine_backward(d, affine)
            grads[f"W{layer}"] = grads[f"W{layer}"] + self.reg * p[f"W{layer}"]
            return d, grads

        return out, back

    def from_layer(h, layer):
        """Scores, loss and gradients of this layer and all behind it, and the gradient for h."""
        half = 0.5 * self.reg * np.sum(p[f"W{layer}"] ** 2)
        if layer == self.num_layers:
            scores, cache = affine_forward(h, p[f"W{layer}"], p[f"b{layer}"])
            if y is None:
                return scores, None, None, None
            loss, dscores = softmax_loss(scores, y)
            dh, dW, db = affine_backward(dscores, cache)
            grads = {f"W{layer}": dW + self.reg * p[f"W{layer}"], f"b{layer}": db}
            return scores, loss + half, grads, dh
        out, back = block(h, layer)
        scores, loss, grads, dout = from_layer(out, layer + 1)
        if y is None:
            return scores, None, None, None
        dh, more = back(dout)
        return scores, loss + half, {**grads, **more}, dh

    mode = "test" if y is None else "train"
    if self.use_dropout:
        self.dropout_param["mode"] = mode
    for bn_param in self.bn_params if self.normalization == "batchnorm" else ():
        bn_param["mode"] = mode
    scores, loss, grads, _ = from_layer(X.astype(self.dtype), 1)
    return scores if y is None else (loss, grads)
