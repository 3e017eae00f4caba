"""Words as directions: what stands in for a text encoder, and needs no weights.

Every word has one random direction of its own, which follows from its letters; a text is the sum
of its words', of unit length. Texts that share a word are therefore alike ("red car", "red apple"),
and nothing else about the words is known: "crimson" is as far from "red" as "car" is.
"""

import re
import zlib
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

DIM = 512  # as CLIP's ViT-B/32 has


@cache
def _direction(word: str) -> NDArray[np.float64]:
    """The unit vector of a word, drawn with its checksum as the seed."""
    drawn = np.random.default_rng(zlib.crc32(word.encode())).normal(size=DIM)
    return drawn / np.linalg.norm(drawn)


def embed_text(text: str) -> Tensor:
    """A text as a unit vector (512,), float32; letters may be large or small.

    Raises ValueError when there is no word in it.
    """
    words = re.findall(r"[a-z0-9]+", text.lower())
    if not words:
        raise ValueError(f"the text {text!r} holds no word: write one like 'red car'")
    total = sum(_direction(word) for word in words)
    return torch.from_numpy((total / np.linalg.norm(total)).astype(np.float32))
