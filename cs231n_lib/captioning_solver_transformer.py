"""Train a captioning Transformer written in PyTorch, by Adam, on any device."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from cs231n_lib.seeding import seeded_torch
from cs231n_lib.training import (
    caption_minibatch,
    refuse_unknown,
    require_captions,
    require_module,
    require_positive,
    require_print_every,
    run_steps,
)


class CaptioningSolverTransformer:
    """Trains ``model`` on ``data``, which has the layout that ``load_coco_data`` returns.

    ``model(features, captions)`` returns scores (N, T, V); ``model._null`` is the id of the
    padding. It learns to say each next word: it sees ``captions[:, :-1]`` and is compared with
    ``captions[:, 1:]``, padding left out. Mini-batches go to the device the model is on, so move
    the model before you train it. The keywords:

    - learning_rate: of Adam, over ``model.parameters()``
    - batch_size, num_epochs: an epoch is ``captions // batch_size`` iterations, at least one
    - print_every: iterations between two lines about the loss; ``verbose=False`` prints nothing
    - seed: makes mini-batches and dropout repeatable, and leaves the global generators alone. None
      uses those

    After ``train()``: ``loss_history`` (one value per iteration), and the model is in evaluation
    mode, ready to sample. A second ``train()`` continues for another ``num_epochs``.
    Dimension letters: N captions, T words to predict, V words of the vocabulary.

    Raises TypeError when the model is not a module, ValueError when a keyword is unknown or the
    data do not fit.
    """

    def __init__(
        self,
        model: nn.Module,
        data: Mapping[str, Any],
        idx_to_word: Sequence[str],
        *,
        learning_rate: float = 1e-3,
        batch_size: int = 100,
        num_epochs: int = 10,
        print_every: int = 10,
        verbose: bool = True,
        seed: int | None = None,
        **unknown: object,
    ) -> None:
        refuse_unknown("CaptioningSolverTransformer", unknown)
        require_module("CaptioningSolverTransformer", model)
        require_positive(batch_size=batch_size)
        require_print_every(print_every, verbose=verbose)
        self.model, self.data, self.idx_to_word = model, data, idx_to_word
        self.num_train = require_captions(data)
        self.learning_rate = learning_rate
        self.batch_size, self.num_epochs = batch_size, num_epochs
        self.print_every, self.verbose = print_every, verbose
        self.generator = None if seed is None else np.random.default_rng(seed)
        self._optim = torch.optim.Adam(model.parameters(), learning_rate)
        self.loss_history: list[float] = []

    def train(self) -> None:
        """Run ``num_epochs`` epochs."""
        per_epoch = max(self.num_train // self.batch_size, 1)
        self.model.train()
        with seeded_torch(self.generator):
            run_steps(
                self._step,
                self.loss_history,
                self.num_epochs,
                per_epoch,
                self.print_every,
                verbose=self.verbose,
            )
        self.model.eval()

    def transformer_temporal_softmax_loss(self, x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
        """Return the cross-entropy of the words where ``mask`` is True, divided by N * T.

        The mean is over *all* positions, padding included, where it counts as 0: the loss of
        ``CaptioningRNN`` divides by N alone and is T times as large.
        Shapes: x (N, T, V) scores, y (N, T) ids, mask (N, T); returns a scalar.
        """
        losses = cross_entropy(x.flatten(0, 1), y.flatten(), reduction="none")  # (N*T,)
        return torch.mean(losses * mask.flatten())

    def _step(self) -> float:
        captions, features = caption_minibatch(self.data, self.batch_size, self.generator)
        weight = next(self.model.parameters())
        words = torch.as_tensor(captions, dtype=torch.long, device=weight.device)
        images = torch.as_tensor(features, dtype=weight.dtype, device=weight.device)
        targets = words[:, 1:]
        scores = self.model(images, words[:, :-1])
        counts = targets != cast(int, self.model._null)
        loss = self.transformer_temporal_softmax_loss(scores, targets, counts)
        self._optim.zero_grad()
        loss.backward()
        self._optim.step()
        return loss.item()
