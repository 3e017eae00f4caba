"""Train a captioning model written in NumPy, with an update rule of the reader's own."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from cs231n_lib.protocols import (
    Array,
    UpdateRule,
    decay_learning_rates,
    find_rule,
    update_parameters,
)
from cs231n_lib.training import (
    caption_minibatch,
    refuse_unknown,
    require_captions,
    require_positive,
    require_print_every,
    run_steps,
)


class CaptioningModel(Protocol):
    """What the solver asks of a model. Features (N, F), captions (N, T) of word ids."""

    params: dict[str, Array]

    def loss(self, features: Array, captions: Array) -> tuple[float, dict[str, Array]]: ...


class CaptioningSolver:
    """Trains ``model`` on ``data``, which has the layout that ``load_coco_data`` returns.

    The model has ``params``, a dict of arrays, and ``loss(features, captions)``, which returns
    ``(loss, grads)`` with a gradient for each parameter under the same key. The keywords:

    - update_rule: a function, or the name of one in the notebook (or in the model's module)
    - optim_config: what the rule is given to start with, such as ``{"learning_rate": 1e-3}``;
      every parameter gets a copy of its own
    - lr_decay: multiplies the learning rates at the end of each epoch
    - batch_size, num_epochs: an epoch is ``captions // batch_size`` iterations, at least one
    - print_every: iterations between two lines about the loss; ``verbose=False`` prints nothing
    - seed: makes the choice of mini-batches repeatable. None draws from NumPy's global generator,
      which ``np.random.seed`` makes repeatable

    After ``train()``: ``loss_history`` (one value per iteration), ``epoch`` and ``optim_configs``.
    A second ``train()`` continues for another ``num_epochs``. There is no accuracy to select by:
    sentences are compared by BLEU, which takes many sampled captions; do that afterwards.

    Raises ValueError when a keyword is unknown, the rule cannot be found, or the data do not fit.
    """

    def __init__(
        self,
        model: CaptioningModel,
        data: Mapping[str, Any],
        *,
        update_rule: str | UpdateRule = "sgd",
        optim_config: Mapping[str, Any] | None = None,
        lr_decay: float = 1.0,
        batch_size: int = 100,
        num_epochs: int = 10,
        print_every: int = 10,
        verbose: bool = True,
        seed: int | None = None,
        **unknown: object,
    ) -> None:
        refuse_unknown("CaptioningSolver", unknown)
        require_positive(batch_size=batch_size)
        require_print_every(print_every, verbose=verbose)
        self.model, self.data = model, data
        self.num_train = require_captions(data)
        self.update_rule = find_rule(update_rule, model)
        self.optim_config = dict(optim_config or {})
        self.lr_decay = lr_decay
        self.batch_size, self.num_epochs = batch_size, num_epochs
        self.print_every, self.verbose = print_every, verbose
        self.generator = None if seed is None else np.random.default_rng(seed)
        self.epoch = 0
        self.loss_history: list[float] = []
        self.optim_configs = {name: dict(self.optim_config) for name in model.params}

    def train(self) -> None:
        """Run ``num_epochs`` epochs."""
        per_epoch = max(self.num_train // self.batch_size, 1)
        run_steps(
            self._step,
            self.loss_history,
            self.num_epochs,
            per_epoch,
            self.print_every,
            verbose=self.verbose,
            end_epoch=self._end_epoch,
        )

    def _step(self) -> float:
        captions, features = caption_minibatch(self.data, self.batch_size, self.generator)
        loss, grads = self.model.loss(features, captions)
        update_parameters(self.model.params, grads, self.update_rule, self.optim_configs)
        return float(loss)

    def _end_epoch(self) -> None:
        self.epoch += 1
        decay_learning_rates(self.optim_configs, self.lr_decay)
