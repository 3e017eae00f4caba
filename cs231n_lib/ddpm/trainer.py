"""A training loop for diffusion models, with checkpoints."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cs231n_lib.errors import DataError
from cs231n_lib.progress import is_interactive, progress_bar

LARGEST_GRADIENT = 1.0  # its norm


class Trainer:
    """Minimises ``diffusion_model.p_losses(images, model_kwargs)`` with Adam.

    The data set gives (image, {"text_emb": numbers, ...}); images in [0, 1]. The model is moved to
    ``device``. The keywords:

    - train_batch_size, train_lr, weight_decay, adam_betas: as their names say
    - train_num_steps: after so many steps ``train`` stops
    - sample_every: after so many steps ``on_sample(step)``, if you set it, is called
    - save_every, results_folder: after so many steps ``save`` writes ``model-<n>.pt`` there, the
      n-th time with n; None writes nothing

    ``loss_history`` holds the loss of each step. Batches and everything else that is random come
    from PyTorch's global generator.
    """

    def __init__(
        self,
        diffusion_model: nn.Module,
        dataset: Dataset[Any],
        device: str | torch.device,
        *,
        train_batch_size: int = 256,
        train_lr: float = 1e-3,
        weight_decay: float = 0.0,
        train_num_steps: int = 100_000,
        adam_betas: tuple[float, float] = (0.9, 0.99),
        sample_every: int = 1000,
        save_every: int = 10_000,
        results_folder: str | Path | None = None,
    ) -> None:
        self.model, self.device = diffusion_model.to(device), torch.device(device)
        self.loader = DataLoader(dataset, train_batch_size, shuffle=True)
        self.train_num_steps = train_num_steps
        self.sample_every, self.save_every = sample_every, save_every
        self.results_folder = None if results_folder is None else Path(results_folder)
        self.on_sample: Any = None
        self.opt = torch.optim.AdamW(
            diffusion_model.parameters(), train_lr, betas=adam_betas, weight_decay=weight_decay
        )
        self.step = 0
        self.loss_history: list[float] = []

    def train(self) -> list[float]:
        """Train up to ``train_num_steps``; returns the losses, and leaves the model evaluating."""
        self.model.train()
        left = self.train_num_steps - self.step
        with progress_bar(left, "step", show=is_interactive()) as bar:
            while self.step < self.train_num_steps:
                for images, about in self.loader:
                    self.loss_history.append(self._one_step(images, about))
                    self.step += 1
                    bar.update(1)
                    self._now_and_then()
                    if self.step >= self.train_num_steps:
                        break
        self.model.eval()
        return self.loss_history

    def save(self, n: int) -> Path:
        """Write ``model-<n>.pt``: step, model and optimiser. Raises ValueError without a folder."""
        path = self._checkpoint(n)
        path.parent.mkdir(parents=True, exist_ok=True)
        state = {"step": self.step, "model": self.model.state_dict(), "opt": self.opt.state_dict()}
        unfinished = path.with_suffix(".part")
        torch.save(state, unfinished)
        unfinished.replace(path)  # a file that is there is a whole one
        return path

    def load(self, n: int) -> None:
        """Go on from ``model-<n>.pt``. Raises DataError when it is missing."""
        path = self._checkpoint(n)
        if not path.is_file():
            raise DataError(f"{path} is missing: save({n}) writes it")
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.opt.load_state_dict(state["opt"])
        self.step = state["step"]

    def _one_step(self, images: Tensor, about: dict[str, Any]) -> float:
        model_kwargs = {**about, "text_emb": about["text_emb"].to(self.device)}
        loss = self.model.p_losses(images.to(self.device), model_kwargs)  # pyright: ignore
        self.opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT)
        self.opt.step()
        return loss.item()

    def _now_and_then(self) -> None:
        if self.on_sample is not None and self.step % self.sample_every == 0:
            self.model.eval()
            self.on_sample(self.step)
            self.model.train()
        if self.results_folder is not None and self.step % self.save_every == 0:
            self.save(self.step // self.save_every)

    def _checkpoint(self, n: int) -> Path:
        if self.results_folder is None:
            raise ValueError("pass results_folder to Trainer: it says where checkpoints are")
        return self.results_folder / f"model-{n}.pt"
