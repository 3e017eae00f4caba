"""The captioners of ``data_ladder.py --captions``, and how well each describes the validation set.

The networks are small and trained quickly, to compare what can be learned from the features; they
are not those of the notebooks.

Dimension letters: n captions of T columns, M images, D features, W word features, H hidden units,
V words in the vocabulary.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (its usual name)

from cs231n_lib.bleu import corpus_bleu
from cs231n_lib.data import decode_captions

NULL, START, END = 0, 1, 2
Texts = list[str]


@dataclass(frozen=True)
class CaptionData:
    """What ``load_coco_data`` returns, as tensors; ``references[i]`` are the texts of image i."""

    captions: Tensor  # (n, T) of the training split
    owners: Tensor  # (n,)
    features: Tensor  # (M, D)
    val_features: Tensor
    references: list[Texts]
    train_texts: list[Texts]
    words: list[str]

    @property
    def columns(self) -> int:
        return self.captions.shape[1]


@dataclass(frozen=True)
class Fit:
    """How a captioner is trained: AdamW, one cycle of learning rates, seed 0."""

    epochs: int
    rate: float
    batch: int = 128


def prepare(data: dict[str, Any]) -> CaptionData:
    """Turn the arrays of ``load_coco_data`` into tensors and texts."""
    words = data["idx_to_word"]
    return CaptionData(
        torch.from_numpy(data["train_captions"]).long(),
        torch.from_numpy(data["train_image_idxs"]).long(),
        torch.from_numpy(data["train_features"]),
        torch.from_numpy(data["val_features"]),
        _by_image(data, "val", words),
        _by_image(data, "train", words),
        words,
    )


def _by_image(data: dict[str, Any], split: str, words: list[str]) -> list[Texts]:
    texts: list[Texts] = [[] for _ in data[f"{split}_features"]]
    for row, image in zip(data[f"{split}_captions"], data[f"{split}_image_idxs"], strict=True):
        texts[image].append(clean(decode_captions(row, words)))
    return texts


def clean(text: str | list[str]) -> str:
    """A caption without <START> and <END>."""
    return " ".join(word for word in str(text).split() if word not in ("<START>", "<END>"))


def score(candidates: Texts, references: list[Texts]) -> tuple[float, float]:
    """BLEU-1 and BLEU-4."""
    return corpus_bleu(candidates, references, 1), corpus_bleu(candidates, references, 4)


# --- Without a network ----------------------------------------------------------------------------


def one_against_four(data: CaptionData) -> tuple[float, float]:
    """The first reference of each image, scored by the others: what a person would get."""
    return score([texts[0] for texts in data.references], [texts[1:] for texts in data.references])


def random_caption(data: CaptionData) -> tuple[float, float]:
    """For each validation image a caption of some training image."""
    rng = np.random.default_rng(0)
    chosen = rng.integers(len(data.train_texts), size=len(data.references))
    return score([data.train_texts[image][0] for image in chosen], data.references)


def nearest_caption(data: CaptionData) -> tuple[float, float]:
    """The first caption of the training image whose features are most alike (cosine)."""
    likeness = F.normalize(data.val_features) @ F.normalize(data.features).T
    nearest = likeness.argmax(1).tolist()
    return score([data.train_texts[image][0] for image in nearest], data.references)


# --- Networks -------------------------------------------------------------------------------------


class RecurrentCaptioner(nn.Module):
    """h0 = W f + b; then a vanilla RNN or an LSTM over the words. (n, D), (n, T) -> (n, T, V)."""

    def __init__(self, features: int, words: int, cell: type[nn.RNNBase], wide: int = 128) -> None:
        super().__init__()
        hidden = 2 * wide
        self.embed, self.project = nn.Embedding(words, wide), nn.Linear(features, hidden)
        self.recurrent = cell(wide, hidden, batch_first=True)  # pyright: ignore
        self.scores, self.drop = nn.Linear(hidden, words), nn.Dropout(0.3)

    def forward(self, features: Tensor, captions: Tensor) -> Tensor:
        first = self.project(self.drop(features))[None]
        is_lstm = isinstance(self.recurrent, nn.LSTM)
        state = (first, torch.zeros_like(first)) if is_lstm else torch.tanh(first)
        out, _ = self.recurrent(self.embed(captions), state)
        return self.scores(self.drop(out))


class TransformerCaptioner(nn.Module):
    """Two decoder layers that look at the features as four tokens. (n, D), (n, T) -> (n, T, V)."""

    def __init__(self, features: int, words: int, columns: int, wide: int = 128) -> None:
        super().__init__()
        self.embed, self.project = nn.Embedding(words, wide), nn.Linear(features, 4 * wide)
        self.places = nn.Parameter(torch.randn(columns, wide) * 0.02)
        layer = nn.TransformerDecoderLayer(wide, 4, 256, 0.1, batch_first=True, norm_first=True)
        self.decoder, self.scores = nn.TransformerDecoder(layer, 2), nn.Linear(wide, words)

    def forward(self, features: Tensor, captions: Tensor) -> Tensor:
        length = captions.shape[1]
        mask = torch.ones(length, length, dtype=torch.bool).triu(1)
        memory = self.project(features).view(len(features), 4, -1)
        words = self.embed(captions) + self.places[:length]
        return self.scores(self.decoder(words, memory, tgt_mask=mask))


def rnn(data: CaptionData) -> nn.Module:
    return RecurrentCaptioner(data.features.shape[1], len(data.words), nn.RNN)


def lstm(data: CaptionData) -> nn.Module:
    return RecurrentCaptioner(data.features.shape[1], len(data.words), nn.LSTM)


def transformer(data: CaptionData) -> nn.Module:
    return TransformerCaptioner(data.features.shape[1], len(data.words), data.columns)


def network(
    make: Callable[[CaptionData], nn.Module], fit: Fit, blind: bool = False
) -> Callable[[CaptionData], tuple[float, float]]:
    """A rung that trains a captioner and scores its greedy captions; blind: features are zero."""

    def run(data: CaptionData) -> tuple[float, float]:
        torch.manual_seed(0)
        shown = torch.zeros_like(data.features) if blind else data.features
        val_shown = torch.zeros_like(data.val_features) if blind else data.val_features
        model = make(data)
        _train(model, shown, data, fit)
        captions = greedy(model, val_shown, data.columns)
        texts = [clean(decode_captions(row, data.words)) for row in captions.numpy()]
        return score(texts, data.references)

    return run


def _train(model: nn.Module, features: Tensor, data: CaptionData, fit: Fit) -> None:
    count = len(data.captions)
    batches = -(-count // fit.batch)
    optimizer = torch.optim.AdamW(model.parameters(), fit.rate, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, fit.rate, total_steps=fit.epochs * batches, pct_start=0.1
    )
    model.train()
    for _ in range(fit.epochs):
        for rows in torch.randperm(count).split(fit.batch):
            captions = data.captions[rows]
            scores = model(features[data.owners[rows]], captions[:, :-1])
            loss = F.cross_entropy(
                scores.flatten(0, 1), captions[:, 1:].flatten(), ignore_index=NULL
            )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5)
            optimizer.step()
            schedule.step()


@torch.no_grad()
def greedy(model: nn.Module, features: Tensor, columns: int) -> Tensor:
    """The likeliest next word, again and again: (M, columns) with <START> in front."""
    model.eval()
    captions = torch.full((len(features), 1), START)
    for _ in range(columns - 1):
        following = model(features, captions)[:, -1].argmax(-1, keepdim=True)
        captions = torch.cat([captions, following], 1)
    return captions
