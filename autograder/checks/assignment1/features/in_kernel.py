"""Run in the kernel, as source: the student's cells with stand-ins. It holds nothing secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import cs231n_lib.notebooks
import cs231n_lib.solver


def train_nets(
    notebook: Any,
    cell: str,
    best: str,
    new: Callable[..., dict[str, Any]],
    scores: Callable[..., Any],
    learn: Callable[..., tuple[dict[str, Any], list[float]]],
) -> dict[str, Any]:
    """Execute a cell that trains nets, with stand-ins: the parameters of the net in ``best``.

    ``new``, ``scores`` and ``learn`` are the judge's. The parameters are real arrays, so that
    copies of them, and of the nets, work as usual.
    """

    class TwoLayerNet:
        def __init__(
            self,
            input_dim: int = 3 * 32 * 32,
            hidden_dim: int = 100,
            num_classes: int = 10,
            weight_scale: float = 1e-3,
            reg: float = 0.0,
        ) -> None:
            self.params, self.reg = new(input_dim, hidden_dim, num_classes), reg

        def loss(self, X: Any, y: Any = None) -> Any:
            if y is None:
                return scores(self.params, X)
            return 2.3, {name: 0.0 * value for name, value in self.params.items()}

    class Solver:
        def __init__(self, model: Any, data: Any, **settings: Any) -> None:
            self.model, self.data, self.settings = model, data, settings
            self.X_train, self.y_train = data["X_train"], data["y_train"]
            self.X_val, self.y_val = data["X_val"], data["y_val"]
            self.num_epochs, self.epoch = settings.get("num_epochs", 10), 0
            self.loss_history: list[float] = []
            self.train_acc_history: list[float] = []
            self.val_acc_history: list[float] = []
            self.best_val_acc, self.best_params = 0.0, {}

        def train(self) -> None:
            rows = [self.X_train, self.y_train, self.X_val, self.y_val]
            self.model.params, (on_train, on_val) = learn(self.model.params, *rows)
            self.epoch += self.num_epochs
            self.loss_history += [2.3, 2.0, 1.9]
            self.train_acc_history += [0.1, on_train / 2, on_train]
            self.val_acc_history += [0.1, on_val / 2, on_val]
            self.best_val_acc = max(self.best_val_acc, on_val)
            self.best_params = {name: value.copy() for name, value in self.model.params.items()}

        def check_accuracy(
            self, X: Any, y: Any, num_samples: int | None = None, batch_size: int = 100
        ) -> float:
            return float((scores(self.model.params, X).argmax(axis=1) == y).mean())

    earlier = type("two_layer_net", (), {"TwoLayerNet": TwoLayerNet, "sgd": notebook.get("sgd")})
    notebook.update(TwoLayerNet=TwoLayerNet, Solver=Solver, tln=earlier)
    with _where_they_come_from(notebook, earlier, Solver):
        notebook.run(cell)
    kept = notebook.get(best)
    return dict(getattr(kept, "params", None) or {})


@contextmanager
def _where_they_come_from(notebook: Any, earlier: Any, solver: type) -> Iterator[None]:
    """The stand-ins also for a cell that imports or loads the real things once more."""
    load, real = cs231n_lib.notebooks.load, cs231n_lib.solver.Solver

    def load_or_stand_in(name: str, *more: Any) -> Any:
        return earlier if "two_layer_net" in name else load(name, *more)

    notebook["load"] = cs231n_lib.notebooks.load = load_or_stand_in
    cs231n_lib.solver.Solver = solver
    try:
        yield
    finally:
        cs231n_lib.notebooks.load, cs231n_lib.solver.Solver = load, real


def features_of(notebook: Any, pictures: Any) -> Any:
    """The student's own features (N, F), standardised by the student's own numbers, of images."""
    features = notebook["extract_features"](pictures, notebook["feature_fns"])
    return (features - notebook["mean_feat"]) / notebook["std_feat"]


def statistics(notebook: Any) -> tuple[list[Any], Any]:
    """Means of each feature in the three sets, and spreads in the training set."""
    sets = [notebook[f"X_{part}_feats"] for part in ("train", "val", "test")]
    return [np.mean(rows, axis=0) for rows in sets], np.std(sets[0], axis=0)
