"""Our small CLIP with the functions of OpenAI's package ``clip``: ``load``, ``tokenize``.

    model, preprocess = clip.load("tiny", device=device)
    model.encode_text(clip.tokenize(["a picture of a dog"]).to(device))
    model.encode_image(preprocess(Image.fromarray(pixels))[None].to(device))

It knows the 130 words of the course's captions and has learned from 5,000 scenes. WEIGHTS.md,
beside the file of weights, says how it was made, docs/pretraining.md what it can do.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cs231n_lib.clip_dino.model import IMAGE_SIZE, TinyCLIP
from cs231n_lib.data.scene_captions import COLUMNS, END, START, UNK, vocabulary, word_ids
from cs231n_lib.models import EFFICIENTNET_LITE, load_pretrained
from cs231n_lib.models.weights import WeightFile, read_weights, shipped

NAME = "tiny"
CONTEXT_LENGTH = COLUMNS
FOLDER = Path(__file__).parent
WEIGHTS = shipped(
    "tiny_clip.pt",
    sha256="52ece8854b0a5e7da99a7bbbba1029a75b1d5fbc7a9b58fbca5e067c619a72b5",
)

Preprocess = Callable[[Image.Image], Tensor]


def available_models() -> list[str]:
    return [NAME]


def load(name: str = NAME, device: str | torch.device = "cpu") -> tuple[TinyCLIP, Preprocess]:
    """The model, in evaluation mode, and what turns a PIL image into its input.

    Draws no random number, downloads nothing. Raises ValueError when there is no such model,
    DataError when weights are missing (those of the ImageNet network under it come with the extra
    ``vision``) or damaged.
    """
    if name != NAME:
        raise ValueError(
            f"no model {name!r}: this small package has {NAME!r} alone. OpenAI's models are in "
            "OpenAI's package: see openai_clip in cs231n_lib.clip_dino"
        )
    state = read_weights(FOLDER / WEIGHTS.name, WEIGHTS)
    features = load_pretrained("efficientnet-lite0").features
    with torch.device("meta"):  # no random weights that would be overwritten at once
        model = TinyCLIP(features, len(vocabulary()))
    whole = {key: value.float() for key, value in state.items()}
    model.load_state_dict(whole, strict=False, assign=True)
    return model.to(device).eval(), preprocess


def preprocess(image: Image.Image) -> Tensor:
    """The middle square of an image, 112x112, normalised: (3, 112, 112) float32."""
    image = image.convert("RGB")
    scale = IMAGE_SIZE / min(image.size)
    width, height = (max(IMAGE_SIZE, round(side * scale)) for side in image.size)
    image = image.resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - IMAGE_SIZE) // 2, (height - IMAGE_SIZE) // 2
    image = image.crop((left, top, left + IMAGE_SIZE, top + IMAGE_SIZE))
    pixels = torch.from_numpy(np.array(image, np.float32) / 255).permute(2, 0, 1)
    mean, std = (
        torch.tensor(numbers)[:, None, None]
        for numbers in (EFFICIENTNET_LITE.mean, EFFICIENTNET_LITE.std)
    )
    return (pixels - mean) / std


def tokenize(
    texts: str | list[str], context_length: int = CONTEXT_LENGTH, truncate: bool = False
) -> Tensor:
    """Texts as numbers of words: <START>, words, <END>, filled up with 0: (N, T) int32.

    Capitals and punctuation do not count. Words outside the vocabulary all become <UNK>.
    Raises RuntimeError when a text is too long, unless it may be truncated.
    """
    texts = [texts] if isinstance(texts, str) else list(texts)
    ids = word_ids()
    tokens = torch.zeros(len(texts), context_length, dtype=torch.int32)
    for row, text in zip(tokens, texts, strict=True):
        words = [ids.get(word, UNK) for word in re.findall(r"[^\W_]+", text.lower())]
        if len(words) > context_length - 2:
            if not truncate:
                raise RuntimeError(
                    f"{text!r} has {len(words)} words; {context_length - 2} fit. Shorten it, or "
                    "pass truncate=True"
                )
            words = words[: context_length - 2]
        row[: len(words) + 2] = torch.tensor([START, *words, END], dtype=torch.int32)
    return tokens


def weights() -> Iterator[tuple[Path, WeightFile]]:
    """Where the weights are that ``load()`` reads, and what they should be."""
    yield FOLDER / WEIGHTS.name, WEIGHTS
