"""Train an image classifier written in PyTorch, such as a Vision Transformer, by Adam."""

from collections.abc import Iterator, Sized
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, Dataset

from cs231n_lib.seeding import seeded_torch
from cs231n_lib.torch_data import BatchLoader, ImageSet
from cs231n_lib.training import (
    refuse_unknown,
    require_module,
    require_positive,
    require_print_every,
    run_steps,
)

Batches = Iterator[tuple[Tensor, Tensor]]


class ClassificationSolverViT:
    """Trains ``model`` on ``train_data`` and measures it on ``test_data`` after each epoch.

    Both are data sets of (image, label): an ``ImageSet`` of ``torch_data``, or any data set of
    torch or torchvision. ``model(x)`` returns scores. The keywords:

    - learning_rate, weight_decay: of Adam, over ``model.parameters()``
    - batch_size, num_epochs: an epoch shows every training image once
    - print_every: iterations between two lines about the loss; ``verbose=False`` prints nothing
    - seed: makes the order of the images and dropout repeatable, and leaves the global generators
      alone. None uses those

    After ``train()``: ``results`` has the lists ``train_loss``, ``train_acc@1``, ``test_loss`` and
    ``test_acc@1`` with one value per epoch, and ``best_test_acc`` (0 to 1); those of training are
    means while the model learned, dropout included. ``loss_history`` has one value per iteration.
    The model is in evaluation mode. A second ``train()`` continues for another ``num_epochs``.
    Shapes: x (B, C, H, W) and labels (B,) in a batch of B; scores (B, K) of K classes.

    Raises TypeError when the model is not a module, ValueError when a keyword is unknown or a data
    set is empty.
    """

    def __init__(
        self,
        train_data: Dataset[Any] | ImageSet,
        test_data: Dataset[Any] | ImageSet,
        model: nn.Module,
        *,
        learning_rate: float = 1e-4,
        weight_decay: float = 0.0,
        batch_size: int = 64,
        num_epochs: int = 2,
        print_every: int = 100,
        verbose: bool = True,
        seed: int | None = None,
        **unknown: object,
    ) -> None:
        refuse_unknown("ClassificationSolverViT", unknown)
        require_module("ClassificationSolverViT", model)
        require_positive(batch_size=batch_size)
        require_print_every(print_every, verbose=verbose)
        for name, images in (("train_data", train_data), ("test_data", test_data)):
            if len(cast(Sized, images)) == 0:
                raise ValueError(f"{name} has no image")
        self.train_data, self.test_data, self.model = train_data, test_data, model
        self.batch_size, self.num_epochs = batch_size, num_epochs
        self.print_every, self.verbose = print_every, verbose
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.generator = None if seed is None else np.random.default_rng(seed)
        self.loss_history: list[float] = []
        self.results: dict[str, Any] = {
            "train_loss": [],
            "train_acc@1": [],
            "test_loss": [],
            "test_acc@1": [],
            "best_test_acc": 0.0,
        }
        self._optim = torch.optim.Adam(model.parameters(), learning_rate, weight_decay=weight_decay)

    def train(self, device: str | torch.device = "cpu") -> None:
        """Run ``num_epochs`` epochs on ``device``, to which the model is moved."""
        self.model.to(device)
        self._seen: list[tuple[float, int, int]] = []  # of this epoch: loss, right, images
        loader = self._loader(self.train_data, shuffle=True)
        batches = self._forever(loader)
        self.model.train()
        with seeded_torch(self.generator):
            run_steps(
                lambda: self._step(*next(batches), device),
                self.loss_history,
                self.num_epochs,
                len(loader),
                self.print_every,
                verbose=self.verbose,
                end_epoch=lambda: self._end_epoch(device),
            )
        self.model.eval()

    @property
    def best_test_acc(self) -> float:
        """The highest accuracy on ``test_data`` after any epoch."""
        return self.results["best_test_acc"]

    def _step(self, x: Tensor, y: Tensor, device: str | torch.device) -> float:
        loss, right = self._loss(x, y, device)
        self._optim.zero_grad()
        loss.backward()
        self._optim.step()
        self._seen.append((loss.item(), right, len(x)))
        return loss.item()

    def _end_epoch(self, device: str | torch.device) -> str:
        """Measure the model; returns a line that says how well it did."""
        self.model.eval()
        with torch.no_grad():
            tested = []
            for x, y in self._loader(self.test_data, shuffle=False):
                loss, right = self._loss(x, y, device)
                tested.append((loss.item(), right, len(x)))
        self.model.train()
        for split, counted in (("train", self._seen), ("test", tested)):
            images = sum(size for _, _, size in counted)
            mean = sum(loss * size for loss, _, size in counted) / images
            self.results[f"{split}_loss"].append(mean)
            self.results[f"{split}_acc@1"].append(sum(right for _, right, _ in counted) / images)
        self._seen = []
        accuracy = self.results["test_acc@1"][-1]
        self.results["best_test_acc"] = max(self.results["best_test_acc"], accuracy)
        return (
            f"(epoch {len(self.results['test_acc@1'])}) "
            f"train acc: {self.results['train_acc@1'][-1]:.3f}; test acc: {accuracy:.3f}"
        )

    def _loss(self, x: Tensor, y: Tensor, device: str | torch.device) -> tuple[Tensor, int]:
        """The mean cross-entropy of a batch, and how many of its images are classified right."""
        labels = torch.as_tensor(y, device=device)
        scores = self.model(x.to(device))
        return cross_entropy(scores, labels), int((scores.argmax(dim=1) == labels).sum())

    def _loader(self, data: Dataset[Any] | ImageSet, *, shuffle: bool) -> Any:
        if isinstance(data, ImageSet):
            return BatchLoader(data, self.batch_size, shuffle=shuffle)
        return DataLoader(data, self.batch_size, shuffle=shuffle)

    def _forever(self, loader: Any) -> Batches:
        while True:
            yield from loader
