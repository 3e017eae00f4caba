"""Features with known cosines, what should come of them, and what typical slips make of them.

Dimension letters: N images, C texts, D numbers of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.random import Generator
from torch import Tensor

from autograder.checks.assignment4.clip_dino import in_kernel
from autograder.judge import Student

D = 8
# Of the notebook's own vocabulary; each has tokens of its own.
WORDS = ("a red ball", "two dogs", "a blue car", "three boats", "a cat", "an apple", "a bed",
         "four trees", "a kite")  # fmt: skip
MARGIN = 0.05  # between the two best cosines: no rounding turns them round


def cosines(text_features: Tensor, image_features: Tensor) -> Tensor:
    """(C, D), (N, D) -> (C, N), in the type that the features have."""
    texts, images = (x.double() for x in (text_features, image_features))
    table = texts @ images.T / (texts.norm(dim=1)[:, None] * images.norm(dim=1)[None, :])
    return table.to(text_features.dtype)


@dataclass(frozen=True)
class Case:
    """Images and texts with features of very different lengths."""

    images: Tensor  # (N, D)
    texts: Tensor  # (C, D)
    words: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]

    def table(self) -> np.ndarray:
        """Cosines (C, N)."""
        return cosines(self.texts, self.images).numpy()

    def dots(self) -> np.ndarray:
        return (self.texts.double() @ self.images.double().T).numpy()

    def ask(self, student: Student, function: Any, cell: str, *more: Any) -> Any:
        """What ``function`` of `in_kernel` says of the student's cell."""
        similarity = student.stand_in(cosines)
        cell = student.cell_defining(cell) or cell
        return student.apply(
            function, cell, similarity, [list(size) for size in self.sizes], self.images,
            self.texts, list(self.words), *more, cells=(cell,),
        )  # fmt: skip


def draw(rng: Generator, N: int, C: int, spread: float = 1.0, **wanted: Any) -> Case:
    """A case in which the order of cosines is clear, and the slips' answers differ from it.

    ``spread``: lengths go from exp(-spread) to exp(spread). ``wanted(case)``: a condition more.
    """
    accept = wanted.get("accept", lambda case: True)
    while True:
        images, texts = (torch.from_numpy(rng.normal(size=(n, D))).float() for n in (N, C))
        for features in (images, texts):
            lengths = np.exp(rng.permutation(np.linspace(-spread, spread, len(features))))
            features *= torch.from_numpy(lengths).float()[:, None]
        words = tuple(WORDS[i] for i in rng.permutation(len(WORDS))[:C])
        sizes = tuple((int(h), int(w)) for h, w in rng.integers(3, 9, size=(N, 2)))
        case = Case(images, texts, words, sizes)
        table = case.table()
        clear = all(_is_clear(line) for line in (*table, *table.T))
        if clear and accept(case):
            return case


def _is_clear(values: Sequence[float]) -> bool:
    ordered = np.sort(np.asarray(values))
    return len(ordered) < 2 or bool(np.diff(ordered).min() > MARGIN / len(ordered))


__all__ = ["WORDS", "Case", "D", "cosines", "draw", "in_kernel"]
