"""Run in the kernel, as source: one pass over fewer images. It holds no secret."""

from __future__ import annotations

from typing import Any

from cs231n_lib.torch_data import BatchLoader, ImageSet


def begin(notebook: dict[str, Any], seconds: float, *, training: int, val: int) -> dict[str, Any]:
    """Loaders of so few images in place of the notebook's; returns what was there before.

    One pass trains for a fixed time, so ``seconds`` limit nothing here. Raises LookupError where
    the notebook has something else there.
    """
    before = {name: notebook.get(name) for name in ("loader_train", "loader_val")}
    few = {}
    for (name, loader), count in zip(before.items(), (training, val), strict=True):
        if not isinstance(loader, BatchLoader) or not isinstance(loader.dataset, ImageSet):
            raise LookupError(f"{name} is no BatchLoader")
        every = loader.dataset
        some = ImageSet(every.X[:count], every.y[:count], every.train)
        options = {"shuffle": loader.shuffle, "augment": loader.augment}
        few[name] = BatchLoader(some, loader.batch_size, **options)
    notebook.update(few)
    return {"before": before, "few": few}


def finish(notebook: dict[str, Any], begun: dict[str, Any], ok: bool) -> bool:
    """Put the notebook's own loaders back."""
    for name, loader in begun["few"].items():
        if not ok or notebook.get(name) is loader:
            notebook[name] = begun["before"][name]
    return False
