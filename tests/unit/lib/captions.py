"""Small captions in the layout of ``load_coco_data``, and models that can learn them."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

NULL, START, END = 0, 1, 2
WORDS = ["<NULL>", "<START>", "<END>", "<UNK>", "red", "green", "blue", "ball", "cube", "disc"]
T = 4  # words to predict


def caption_data(images: int = 12) -> dict[str, Any]:
    """Two captions an image, COLOUR SHAPE, which depend on features (images, 5) of the image."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(images, 5)).astype(np.float32)
    colour = 4 + features[:, :3].argmax(axis=1)
    shape = 7 + (features[:, 3] > 0)
    rows = np.full((images, T + 1), NULL, np.int32)
    rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3] = START, colour, shape, END
    return {
        "train_captions": np.repeat(rows, 2, axis=0),
        "train_image_idxs": np.repeat(np.arange(images, dtype=np.int32), 2),
        "train_features": features,
        "val_captions": rows[:2],
        "val_image_idxs": np.arange(2, dtype=np.int32),
        "val_features": features[:2],
        "idx_to_word": WORDS,
        "word_to_idx": {word: number for number, word in enumerate(WORDS)},
        "train_urls": np.array([f"scene://train/{i}" for i in range(images)]),
        "val_urls": np.array(["scene://val/0", "scene://val/1"]),
    }


class Bigrams:
    """Scores of the next word: features @ W, and a row of E for the word before. Sum over T / N."""

    def __init__(self) -> None:
        self.params = {"W": np.zeros((5, len(WORDS))), "E": np.zeros((len(WORDS), len(WORDS)))}
        self.batches: list[tuple[np.ndarray, np.ndarray]] = []

    def loss(self, features: np.ndarray, captions: np.ndarray) -> Any:
        self.batches.append((features.copy(), captions.copy()))
        seen, said = captions[:, :-1], captions[:, 1:]
        scores = (features @ self.params["W"])[:, None] + self.params["E"][seen]
        mask = said != NULL
        p = np.exp(scores - scores.max(axis=2, keepdims=True))
        p /= p.sum(axis=2, keepdims=True)
        right = np.take_along_axis(p, said[..., None], axis=2)[..., 0]
        loss = -np.sum(np.log(right) * mask) / len(captions)
        dscores = (p - np.eye(len(WORDS))[said]) * mask[..., None] / len(captions)
        dE = np.zeros_like(self.params["E"])
        np.add.at(dE, seen, dscores)
        return loss, {"W": features.T @ dscores.sum(axis=1), "E": dE}


class TorchBigrams(nn.Module):
    """The same in PyTorch, with dropout on the features."""

    _null = NULL

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.features = nn.Linear(5, len(WORDS))
        self.words = nn.Embedding(len(WORDS), len(WORDS))
        self.dropout = nn.Dropout(dropout)
        self.seen: list[Any] = []

    def forward(self, features: Tensor, captions: Tensor) -> Tensor:
        self.seen.append(SimpleNamespace(features=features, captions=captions, mode=self.training))
        return self.features(self.dropout(features))[:, None] + self.words(captions)
