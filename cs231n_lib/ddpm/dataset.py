"""The emoji: 217 pictures with a text each, 9 of them held out of the training.

EMOJI.md says whose drawings they are. Letters: N pictures, S pixels at each side.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate
from torch.utils.data import Dataset

from cs231n_lib.ddpm.words import embed_text

FILE = Path(__file__).with_name("emoji.npz")


class TextEncoder(Protocol):
    """What ``embed_new_text`` takes in place of the dataset's own: CLIP behind this, say."""

    def embed(self, text: str) -> Tensor: ...


class EmojiDataset(Dataset[tuple[Tensor, dict[str, Any]]]):
    """Pictures with their texts: an item is (image (3, S, S) in [0, 1], {"text_emb", "text"}).

    ``text_emb`` is (512,). ``split``: ``train``, ``held_out`` (combinations of a colour and an
    object of which each occurs in the training, but not together) or ``all``. ``embed`` turns a
    text into numbers; a text encoder with weights can take its place.
    After the constructor: ``images`` (N, 3, S, S), ``texts`` (list), ``text_embs`` (N, 512).
    Raises ValueError for an unknown split.
    """

    def __init__(
        self,
        image_size: int = 32,
        split: Literal["train", "held_out", "all"] = "train",
        *,
        embed: Callable[[str], Tensor] = embed_text,
    ) -> None:
        if split not in ("train", "held_out", "all"):
            raise ValueError(f"unknown split {split!r}: choose train, held_out or all")
        with np.load(FILE) as stored:
            pixels, texts, held_out = stored["images"], stored["texts"], stored["held_out"]
        kept = np.full(len(texts), True) if split == "all" else held_out == (split == "held_out")
        images = torch.from_numpy(pixels[kept]).permute(0, 3, 1, 2).float() / 255
        if image_size != images.shape[-1]:
            images = interpolate(images, (image_size, image_size), mode="area")
        self.embed = embed
        self.images = images.contiguous()
        self.texts: list[str] = texts[kept].tolist()
        self.text_embs = torch.stack([embed(text) for text in self.texts])

    def __len__(self) -> int:
        return len(self.texts)

    def __getitem__(self, index: int) -> tuple[Tensor, dict[str, Any]]:
        about = {"text_emb": self.text_embs[index], "text": self.texts[index]}
        return self.images[index], about

    def random_model_kwargs(self, n: int) -> dict[str, Any]:
        """Texts of ``n`` pictures, drawn with PyTorch's global generator: text_emb (n, 512)."""
        chosen = torch.randint(len(self), (n,))
        return {
            "text_emb": self.text_embs[chosen],
            "text": [self.texts[index] for index in chosen.tolist()],
        }

    def embed_new_text(self, text: str, clip_embed: TextEncoder | None = None) -> Tensor:
        """Any text as (512,): by the dataset's ``embed``, or by the encoder that is passed."""
        return self.embed(text) if clip_embed is None else clip_embed.embed(text)

    def find(self, text: str) -> int:
        """The number of the picture with this text. Raises ValueError when there is none."""
        if text not in self.texts:
            raise ValueError(f"no emoji is called {text!r}: `texts` lists them all")
        return self.texts.index(text)
