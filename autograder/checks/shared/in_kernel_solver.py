"""Cells that train networks, run with stand-ins that learn nothing. The kernel gets it as source.

The judge gives each training a number. It is kept in the biases b2, where copies of the parameters
take it along; by it the judge answers for the network's scores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def chosen_solver(notebook: Any, cell: str) -> tuple[bool, Any, list[int]]:
    """Of the variable ``solver``: is there one, its training's number, its network's sizes."""
    run(notebook, cell)
    solver = notebook.get("solver")
    sizes = getattr(getattr(solver, "model", None), "_sizes", ())
    return solver is not None, getattr(solver, "_number", None), list(sizes)


def chosen_model(notebook: Any, cell: str) -> float | None:
    """The number of the training of ``best_model``; None where it is no network."""
    run(notebook, cell)
    best = notebook.get("best_model")
    return float(best.params["b2"][0]) if hasattr(best, "params") else None


def chosen_settings(notebook: Any, cell: str, names: list[str]) -> dict[str, Any]:
    """Variables that a cell sets, which may train by the notebook's own ``learn_few``."""

    def learn_few(hidden_dims: Any, weight_scale: Any, learning_rate: Any, seed: int = 0) -> Any:
        net = notebook["FullyConnectedNet"](hidden_dims, weight_scale=weight_scale)
        rate = {"learning_rate": learning_rate}
        solver = notebook["Solver"](net, notebook["few"], optim_config=rate, num_epochs=20)
        solver.train()
        return solver

    notebook["learn_few"] = learn_few
    run(notebook, cell)
    return {name: notebook.get(name) for name in names}


def histories(notebook: Any) -> tuple[list[float], list[float], list[float], float]:
    """Losses, training and validation accuracies, and the best of these, of the own ``solver``."""
    solver = notebook["solver"]
    names = ("loss_history", "train_acc_history", "val_acc_history")
    losses, train, val = ([float(x) for x in getattr(solver, name)] for name in names)
    return losses, train, val, float(solver.best_val_acc)


def own_scores(notebook: Any, name: str, X: Any) -> Any:
    """What the notebook's own network, such as "solver.model", makes of images."""
    net = notebook
    for number, part in enumerate(name.split(".")):
        net = getattr(net, part) if number else net[part]
    return net.loss(X)


def run(notebook: Any, cell: str) -> None:
    """Execute the cell where the names of the classes stand for the stand-ins."""
    notebook.update(stand_ins(notebook["_train"], notebook["_answer"]))
    notebook.run(cell)


def stand_ins(train_in_judge: Callable, answer_in_judge: Callable) -> dict[str, type]:
    """TwoLayerNet, FullyConnectedNet and Solver, whose trainings and scores are the judge's."""

    class FullyConnectedNet:
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
            self.reg, self.dtype, self._scale = reg, dtype, weight_scale
            self._sizes = tuple(int(size) for size in (input_dim, *hidden_dims, num_classes))
            self.num_layers = len(self._sizes) - 1
            self.params: dict[str, Any] = {"b2": np.zeros(1)}
            for layer in range(1, self.num_layers + 1):
                self.params[f"W{layer}"] = np.zeros(self._sizes[layer - 1 : layer + 1], dtype)
                self.params[f"b{layer}"] = np.zeros(self._sizes[layer], dtype)

        def loss(self, X, y=None):
            if y is None:
                return answer_in_judge(float(self.params["b2"][0]), X)
            return 2.3, {name: 0.0 * value for name, value in self.params.items()}

    class TwoLayerNet(FullyConnectedNet):
        def __init__(
            self,
            input_dim=3 * 32 * 32,
            hidden_dim=100,
            num_classes=10,
            weight_scale=1e-3,
            reg=0.0,
        ):
            scale = {"weight_scale": weight_scale, "dtype": np.float64}
            super().__init__([hidden_dim], input_dim, num_classes, reg=reg, **scale)

    class Solver:
        def __init__(
            self,
            model,
            data,
            *,
            update_rule="sgd",
            optim_config=None,
            lr_decay=1.0,
            batch_size=100,
            num_epochs=10,
            num_train_samples=1000,
            num_val_samples=None,
            checkpoint_name=None,
            print_every=10,
            verbose=True,
            seed=None,
        ):
            self.model, self.update_rule, self.num_epochs = model, update_rule, num_epochs
            self.lr_decay, self.batch_size, self.verbose = lr_decay, batch_size, verbose
            self.optim_config = dict(optim_config or {})
            self.X_train, self.y_train = data["X_train"], data["y_train"]
            self.X_val, self.y_val = data["X_val"], data["y_val"]
            self.epoch, self.best_val_acc, self.best_params, self._number = 0, 0.0, {}, 0
            self.loss_history, self.train_acc_history, self.val_acc_history = [], [], []
            self.optim_configs = {name: dict(self.optim_config) for name in model.params}

        def train(self):
            net, rule = self.model, getattr(self.update_rule, "__name__", self.update_rule)
            settings = (net._sizes, net.reg, net._scale, str(rule), self.num_epochs)
            settings += (self.batch_size, self.lr_decay, sorted(self.optim_config.items()))
            self._number, train, val = train_in_judge(
                float(net.params["b2"][0]),
                list(net._sizes),
                int(self.num_epochs),
                repr(settings),
                self.X_train,
                self.y_train,
                self.X_val,
                self.y_val,
            )
            self.epoch, self.best_val_acc = self.num_epochs, val
            self.train_acc_history = [0.1] + [train] * max(self.num_epochs, 1)
            self.val_acc_history = [0.1] + [val] * max(self.num_epochs, 1)
            self.loss_history = list(np.linspace(2.3, 1.0, 20))
            net.params["b2"] = net.params["b2"] + 0.0
            net.params["b2"][:] = self._number
            self.best_params = {name: value.copy() for name, value in net.params.items()}

        def check_accuracy(self, X, y, num_samples=None, batch_size=100):
            return float(np.mean(np.argmax(self.model.loss(np.asarray(X)), axis=1) == y))

    return {
        "FullyConnectedNet": FullyConnectedNet,
        "TwoLayerNet": TwoLayerNet,
        "Solver": Solver,
    }
