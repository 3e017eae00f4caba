"""Right in another style: the net's dtype within, layers one by one, helpers, other order."""

import numpy as np

from cs231n_lib.solver import Solver


# %% start from solutions
# %% definitions of fully-connected-net
def _names(layer):
    return f"W{layer}", f"b{layer}"


def _backward(net, dscores, caches):
    """Gradients of all layers, from the last to the first, in the dtype of the net."""
    grads, upstream = {}, dscores
    while caches:
        W, b = _names(len(caches))
        affine_cache, relu_cache = caches.pop()
        if relu_cache is not None:
            upstream = relu_backward(upstream, relu_cache)
        upstream, dW, grads[b] = affine_backward(upstream, affine_cache)
        grads[W] = np.add(dW, net.reg * net.params[W], dtype=net.dtype)
    return grads


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
    self.dropout_param, self.bn_params = {}, []
    generator = np.random.default_rng(np.random.randint(2**31))
    self.params, before = {}, input_dim
    for layer, after in enumerate(list(hidden_dims) + [num_classes]):
        drawn = generator.standard_normal((before, after)) * weight_scale
        self.params["W%d" % (layer + 1)] = drawn.astype(dtype)
        self.params["b%d" % (layer + 1)] = np.zeros((after,), dtype)
        before = after


def loss(self, X, y=None):
    signal, caches = np.asarray(X, dtype=self.dtype), []
    for layer in range(1, self.num_layers + 1):
        W, b = (np.asarray(self.params[name], self.dtype) for name in _names(layer))
        signal, affine_cache = affine_forward(signal, W, b)
        relu_cache = None
        if layer != self.num_layers:
            signal, relu_cache = relu_forward(signal)
        caches.append((affine_cache, relu_cache))
    if y is None:
        return signal
    loss, dscores = softmax_loss(signal, y)
    weights = [self.params[_names(layer)[0]] for layer in range(1, self.num_layers + 1)]
    loss = loss + self.reg / 2 * sum(np.vdot(W, W) for W in weights)
    return loss, _backward(self, dscores, caches)


# %% cell overfit-three-layers
settings = dict(weight_scale=5e-2, learning_rate=1e-3)
weight_scale, learning_rate = settings["weight_scale"], settings["learning_rate"]

# %% cell overfit-five-layers
weight_scale = float(np.sqrt(2 / 300))
learning_rate = 10**-2.7


# %% definitions of sgd-momentum
def sgd_momentum(w, dw, config=None):
    config = dict(learning_rate=1e-2, momentum=0.9) | (config or {})
    old = np.asarray(config.get("velocity", 0.0), np.float32)
    step = np.float32(config["learning_rate"]) * dw.astype(np.float32)
    config["velocity"] = np.float32(config["momentum"]) * old - step
    return w.astype(np.float32) + config["velocity"], config


# %% definitions of rmsprop
def rmsprop(w, dw, config=None):
    config = dict(learning_rate=1e-2, decay_rate=0.99, epsilon=1e-8) | (config or {})
    cache = np.array(config.get("cache", np.zeros(w.shape)), copy=True)
    cache += (1.0 - config["decay_rate"]) * (np.square(dw) - cache)
    config["cache"] = cache
    rates = config["learning_rate"] / (cache**0.5 + config["epsilon"])
    return w - np.multiply(rates, dw), config


# %% definitions of adam
def _mean(old, new, beta):
    return beta * old + (1 - beta) * new


def adam(w, dw, config=None):
    given = config or {}
    config = dict(learning_rate=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8, m=0.0, v=0.0, t=0)
    config.update(given)
    b1, b2, t = config["beta1"], config["beta2"], config["t"] + 1
    config.update(m=_mean(config["m"], dw, b1), v=_mean(config["v"], dw**2, b2), t=t)
    # The course's own combined step: epsilon stands elsewhere, by less than anyone can see.
    rate = config["learning_rate"] * np.sqrt(1 - b2**t) / (1 - b1**t)
    return w - rate * config["m"] / (np.sqrt(config["v"]) + config["epsilon"]), config


# %% cell best-model
def attempt(rate, rule=adam, **more):
    net = FullyConnectedNet([100, 100, 100], reg=5e-3, weight_scale=4e-2)
    run = Solver(net, data, update_rule=rule, optim_config={"learning_rate": rate}, **more)
    run.train()
    return max(run.val_acc_history), run.best_params


seed_everything(3)
tried = {}
for own_rule, rates in ((adam, (5e-4, 1e-3)), (rmsprop, (1e-4, 2e-4))):
    for rate in rates:
        tried[own_rule, rate] = attempt(rate, own_rule, num_epochs=8, lr_decay=0.8, verbose=False)
winner = max(tried, key=lambda key: tried[key][0])
best_model = FullyConnectedNet([100, 100, 100])
best_model.params = tried[winner][1]
