"""Right in another style: the whole class anew, updates in place, rules by their names."""

import numpy as np

from cs231n_lib.solver import Solver


# %% start from solutions
# %% cell fully-connected-net
class FullyConnectedNet(object):
    def __init__(
        self,
        hidden_dims,
        input_dim=3 * 32 * 32,
        num_classes=10,
        dropout=1,
        normalization=None,
        reg=0.0,
        weight_scale=1e-2,
        dtype=np.float32,
        seed=None,
    ):
        self.normalization = normalization
        self.use_dropout = dropout != 1
        self.reg = reg
        self.num_layers = 1 + len(hidden_dims)
        self.dtype = dtype
        self.params = {}

        dims = np.hstack((input_dim, hidden_dims, num_classes))
        for i in range(self.num_layers):
            self.params["W" + str(i + 1)] = weight_scale * np.random.randn(dims[i], dims[i + 1])
            self.params["b" + str(i + 1)] = np.zeros(dims[i + 1])

        self.dropout_param = {}
        if self.use_dropout:
            self.dropout_param = {"mode": "train", "p": dropout}
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
        scores = None
        x, cache = X, {}
        for i in range(1, self.num_layers):
            w, b = self.params["W" + str(i)], self.params["b" + str(i)]
            x, cache[i] = affine_relu_forward(x, w, b)
        i = self.num_layers
        scores, cache[i] = affine_forward(x, self.params["W" + str(i)], self.params["b" + str(i)])
        if mode == "test":
            return scores

        loss, grads = 0.0, {}
        loss, dout = softmax_loss(scores, y)
        for i in range(self.num_layers, 0, -1):
            w = self.params["W" + str(i)]
            loss += 0.5 * self.reg * np.sum(w * w)
            backward = affine_backward if i == self.num_layers else affine_relu_backward
            dout, grads["W" + str(i)], grads["b" + str(i)] = backward(dout, cache[i])
            grads["W" + str(i)] += self.reg * w
        return loss, grads


# %% cell overfit-three-layers
weight_scale = 2e-2
learning_rate = 3e-3
model = FullyConnectedNet([100, 100], weight_scale=weight_scale, dtype=np.float64)
small_data = {
    "X_train": data["X_train"][:50],
    "y_train": data["y_train"][:50],
    "X_val": data["X_val"],
    "y_val": data["y_val"],
}
solver = Solver(
    model,
    small_data,
    print_every=10,
    num_epochs=20,
    batch_size=25,
    update_rule="sgd",
    optim_config={"learning_rate": learning_rate},
)
solver.train()
plt.plot(solver.loss_history)
plt.show()

# %% cell overfit-five-layers
learning_rate = 1e-3
weight_scale = 1e-1


# %% definitions of sgd-momentum
def sgd_momentum(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("momentum", 0.9)
    v = config.get("velocity", np.zeros_like(w))
    next_w = None
    v = config["momentum"] * v - config["learning_rate"] * dw
    next_w = w + v
    config["velocity"] = v
    return next_w, config


# %% definitions of rmsprop
def rmsprop(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-2)
    config.setdefault("decay_rate", 0.99)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("cache", np.zeros_like(w))
    config["cache"] *= config["decay_rate"]
    config["cache"] += (1 - config["decay_rate"]) * dw**2
    w += -config["learning_rate"] * dw / (np.sqrt(config["cache"]) + config["epsilon"])
    return w, config


# %% definitions of adam
def adam(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault("learning_rate", 1e-3)
    config.setdefault("beta1", 0.9)
    config.setdefault("beta2", 0.999)
    config.setdefault("epsilon", 1e-8)
    config.setdefault("m", np.zeros_like(w))
    config.setdefault("v", np.zeros_like(w))
    config.setdefault("t", 0)
    config["t"] += 1
    config["m"] = config["beta1"] * config["m"] + (1 - config["beta1"]) * dw
    config["v"] = config["beta2"] * config["v"] + (1 - config["beta2"]) * (dw * dw)
    mb = config["m"] / (1 - config["beta1"] ** config["t"])
    vb = config["v"] / (1 - config["beta2"] ** config["t"])
    next_w = w - config["learning_rate"] * mb / (np.sqrt(vb) + config["epsilon"])
    return next_w, config


# %% cell best-model
best_model = None
best_val = -1
np.random.seed(231)
for lr in [5e-4, 1e-3]:
    for ws in [2e-2, 4e-2]:
        model = FullyConnectedNet([100, 100], weight_scale=ws, reg=1e-2)
        solver = Solver(
            model,
            data,
            num_epochs=8,
            batch_size=100,
            update_rule="adam",
            optim_config={"learning_rate": lr},
            lr_decay=0.8,
            verbose=False,
        )
        solver.train()
        print(lr, ws, solver.best_val_acc)
        if solver.best_val_acc > best_val:
            best_val = solver.best_val_acc
            best_model = model
