"""Train a model by mini-batch gradient descent, with an update rule of the reader's own.

The solver knows neither the model nor the rule. A model has ``params``, a dict of arrays, and
``loss``: ``loss(X)`` returns scores (N, C), and ``loss(X, y)`` returns ``(loss, grads)`` with a
gradient for each parameter under the same key. A rule is ``rule(w, dw, config) -> (w, config)``.
Dimension letters: N examples, C classes.
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cs231n_lib import checkpoints
from cs231n_lib.progress import progress_bar
from cs231n_lib.protocols import (
    Array,
    Model,
    UpdateRule,
    decay_learning_rates,
    examples,
    find_rule,
    update_parameters,
)
from cs231n_lib.training import refuse_unknown, require_positive, require_print_every

# What a checkpoint holds: how the solver was set up, for people to read, and what training changes.
_SETTINGS = ("lr_decay", "optim_config", "batch_size", "num_train_samples", "num_val_samples")
_PROGRESS = (
    "epoch", "loss_history", "train_acc_history", "val_acc_history", "best_val_acc", "best_params",
    "optim_configs",
)  # fmt: skip


class Solver:
    """Trains ``model`` on ``data`` and keeps the parameters that did best in validation.

    ``data`` has X_train (N, ...), y_train (N,), X_val and y_val. The keywords:

    - update_rule: a function, or the name of one in the notebook (or in the model's module)
    - optim_config: what the rule is given to start with, such as ``{"learning_rate": 1e-3}``;
      every parameter gets a copy of its own
    - lr_decay: multiplies the learning rates at the end of each epoch
    - batch_size, num_epochs
    - num_train_samples, num_val_samples: rows drawn to measure accuracies (None: all)
    - checkpoint_name: if set, ``<checkpoint_name>_epoch_<n>.pkl`` is written whenever accuracies
      are measured; ``resume`` reads it
    - print_every: iterations between two lines about the loss; ``verbose=False`` prints nothing
    - seed: makes the choice of mini-batches repeatable. None draws from NumPy's global generator,
      which ``np.random.seed`` makes repeatable

    After ``train()``: ``loss_history`` (one value per iteration), ``train_acc_history`` and
    ``val_acc_history`` (after the first iteration, each epoch, and the last iteration),
    ``best_val_acc``, ``best_params``, ``epoch``, ``optim_configs``; and ``model.params`` are the
    best ones. A second ``train()`` continues for another ``num_epochs``.

    Raises ValueError when a keyword is unknown, the rule cannot be found, or the data do not fit.
    """

    def __init__(
        self,
        model: Model,
        data: Mapping[str, ArrayLike],
        *,
        update_rule: str | UpdateRule = "sgd",
        optim_config: Mapping[str, Any] | None = None,
        lr_decay: float = 1.0,
        batch_size: int = 100,
        num_epochs: int = 10,
        num_train_samples: int | None = 1000,
        num_val_samples: int | None = None,
        checkpoint_name: str | Path | None = None,
        print_every: int = 10,
        verbose: bool = True,
        seed: int | None = None,
        **unknown: object,
    ) -> None:
        refuse_unknown("Solver", unknown)
        require_positive(batch_size=batch_size)
        require_print_every(print_every, verbose=verbose)
        self.model = model
        self.X_train, self.y_train = examples(data, "train")
        self.X_val, self.y_val = examples(data, "val")
        self.update_rule = find_rule(update_rule, model)
        self.optim_config = dict(optim_config or {})
        self.lr_decay = lr_decay
        self.batch_size = batch_size
        self.num_epochs = num_epochs
        self.num_train_samples = num_train_samples
        self.num_val_samples = num_val_samples
        self.checkpoint_name = checkpoint_name
        self.print_every = print_every
        self.verbose = verbose
        self.generator = None if seed is None else np.random.default_rng(seed)
        self._reset()

    def train(self) -> None:
        """Run ``num_epochs`` epochs (after ``resume``, those that are left)."""
        per_epoch = max(len(self.X_train) // self.batch_size, 1)
        total = self.num_epochs * per_epoch
        with progress_bar(total, "it", show=self.verbose) as bar:
            bar.update(self._iteration)
            while self._iteration < total:
                self._step()
                done = self._iteration = self._iteration + 1
                if self.verbose and (done - 1) % self.print_every == 0:
                    bar.write(f"(iteration {done} / {total}) loss: {self.loss_history[-1]:f}")
                if epoch_ends := done % per_epoch == 0:
                    self.epoch += 1
                    decay_learning_rates(self.optim_configs, self.lr_decay)
                if done == 1 or epoch_ends:  # the last iteration ends an epoch
                    self._measure()
                    if self.verbose:
                        bar.write(
                            f"(epoch {self.epoch} / {self.num_epochs}) "
                            f"train acc: {self.train_acc_history[-1]:.3f}; "
                            f"val acc: {self.val_acc_history[-1]:.3f}"
                        )
                bar.update()
        self._iteration = 0
        if self.best_params:
            # Copies: a rule that works in place must not spoil the best ones in another train().
            self.model.params = {name: w.copy() for name, w in self.best_params.items()}

    def check_accuracy(
        self, X: ArrayLike, y: ArrayLike, num_samples: int | None = None, batch_size: int = 100
    ) -> float:
        """Return the share of X that the model classifies as y, from 0 to 1.

        ``num_samples`` draws that many rows if there are more; ``batch_size`` bounds the memory.
        Shapes: X (N, ...), y (N,).
        """
        images, labels = np.asarray(X), np.asarray(y)
        if num_samples is not None and len(images) > num_samples:
            rows = self._draw(len(images), num_samples)
            images, labels = images[rows], labels[rows]
        starts = range(0, len(images), batch_size)
        scores = (self.model.loss(images[start : start + batch_size]) for start in starts)
        predicted = np.concatenate([np.argmax(batch, axis=1) for batch in scores])
        return float(np.mean(predicted == labels))

    def resume(self, path: str | Path) -> None:
        """Go back to the state in a checkpoint: the next ``train()`` runs the remaining epochs.

        With a ``seed`` the run ends exactly as it would have without the break. No code in the
        file is run. Raises ValueError when it is not a checkpoint or is one of another model.
        """
        self._restore(checkpoints.read(path, (*_PROGRESS, "params", "iteration", "generator")))

    def _reset(self) -> None:
        """Forget all training, but leave the model's parameters as they are."""
        self.epoch = 0
        self.best_val_acc = 0.0
        self.best_params: dict[str, Array] = {}
        self.loss_history: list[float] = []
        self.train_acc_history: list[float] = []
        self.val_acc_history: list[float] = []
        self.optim_configs = {name: dict(self.optim_config) for name in self.model.params}
        self._iteration = 0  # of the current train()

    def _step(self) -> None:
        """Update every parameter once, from one mini-batch drawn with replacement."""
        rows = self._draw(len(self.X_train), self.batch_size)
        loss, grads = self.model.loss(self.X_train[rows], self.y_train[rows])
        self.loss_history.append(float(loss))
        update_parameters(self.model.params, grads, self.update_rule, self.optim_configs)

    def _measure(self) -> None:
        """Measure both accuracies, remember the best parameters, write a checkpoint."""
        self.train_acc_history.append(
            self.check_accuracy(self.X_train, self.y_train, self.num_train_samples)
        )
        self.val_acc_history.append(
            self.check_accuracy(self.X_val, self.y_val, self.num_val_samples)
        )
        if not self.best_params or self.val_acc_history[-1] > self.best_val_acc:
            self.best_val_acc = self.val_acc_history[-1]
            self.best_params = {name: np.copy(w) for name, w in self.model.params.items()}
        self._save_checkpoint()

    def _save_checkpoint(self) -> None:
        if self.checkpoint_name is not None:
            checkpoints.write(self._state(), f"{self.checkpoint_name}_epoch_{self.epoch}.pkl")

    def _state(self) -> dict[str, Any]:
        """What a checkpoint holds: plain values and arrays."""
        return {name: getattr(self, name) for name in (*_SETTINGS, *_PROGRESS)} | {
            "params": self.model.params,
            "update_rule": getattr(self.update_rule, "__name__", repr(self.update_rule)),
            "iteration": self._iteration,
            "generator": None if self.generator is None else self.generator.bit_generator.state,
        }

    def _restore(self, state: Mapping[str, Any]) -> None:
        """Take over a checkpoint's state. Raises ValueError when it is of another model."""
        shapes = {name: np.shape(w) for name, w in self.model.params.items()}
        saved = {name: np.shape(w) for name, w in state["params"].items()}
        if shapes != saved:
            raise ValueError(
                f"the checkpoint has parameters of shapes {saved}, but the model has {shapes}; "
                "make the model with the sizes it had when the checkpoint was written"
            )
        state = copy.deepcopy(state)
        for name in _PROGRESS:
            setattr(self, name, state[name])
        self.model.params = state["params"]
        self._iteration = state["iteration"]
        if self.generator is not None and state["generator"] is not None:
            self.generator.bit_generator.state = state["generator"]

    def _draw(self, count: int, size: int) -> NDArray[np.int64]:
        if self.generator is None:
            return np.random.choice(count, size)  # noqa: NPY002 (np.random.seed is to work)
        return self.generator.integers(count, size=size)
