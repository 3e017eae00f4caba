"""The student's functions over a CLIP with known features; the kernel gets this file as source.

Letters: N images, C texts, D numbers of a feature, K classes of points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook
from torch.optim.optimizer import register_optimizer_step_pre_hook

# -- a CLIP whose features are known -----------------------------------------------------------


class KnownCLIP(nn.Module):
    """An image's features are those of its number, a text's those of the text.

    The number is the colour of the image, 10, 20, ...; the texts are tokenised by the notebook's
    `clip.tokenize`. Both tables are parameters, so that a graph is made where none is forbidden.
    """

    def __init__(self, images: Tensor, texts: Tensor, tokens: Tensor) -> None:
        super().__init__()
        self.images, self.texts = nn.Parameter(images.clone()), nn.Parameter(texts.clone())
        self.logit_scale = nn.Parameter(torch.tensor(2.0, dtype=images.dtype))
        self.known = {key(row): number for number, row in enumerate(tokens)}
        self.image_calls: list[int] = []
        self.text_calls: list[int] = []

    def encode_image(self, image: Tensor) -> Tensor:
        if image.ndim != 4 or tuple(image.shape[1:]) != (3, 4, 4):
            found = tuple(image.shape)
            raise RuntimeError(f"encode_image takes preprocessed images (N, 3, h, w), not {found}")
        self.image_calls.append(len(image))
        return self.images[image[:, 0, 0, 0].round().long() - 1]

    def encode_text(self, text: Tensor) -> Tensor:
        if text.ndim != 2:
            raise RuntimeError(f"encode_text takes tokens (N, T), not {tuple(text.shape)}")
        self.text_calls.append(len(text))
        rows = [self.known.get(key(row)) for row in text]
        if None in rows:
            raise ValueError("encode_text: these tokens are of none of the texts that were given")
        return self.texts[rows]

    def forward(self, image: Tensor, text: Tensor) -> tuple[Tensor, Tensor]:
        images, texts = self.encode_image(image), self.encode_text(text)
        images = images / images.norm(dim=1, keepdim=True)
        logits = self.logit_scale.exp() * images @ (texts / texts.norm(dim=1, keepdim=True)).T
        return logits, logits.T


def key(row: Tensor) -> tuple[int, ...]:
    """The tokens of one text, without what fills up."""
    return tuple(int(token) for token in row if int(token) != 0)


class Preprocess:
    """Of a PIL image of any size: (3, 4, 4), full of the image's number."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, image: Any) -> Tensor:
        if not hasattr(image, "convert"):
            raise TypeError(f"clip_preprocess takes a PIL image, not {type(image).__name__}")
        self.calls += 1
        colour = np.array(image.convert("RGB"))[0, 0, 0]
        return torch.full((3, 4, 4), float(colour) / 10)


def prepared(
    notebook: Any, cell: str, ask: Callable[..., Tensor], sizes: Sequence[tuple[int, int]],
    images: Tensor, texts: Tensor, words: Sequence[str],
) -> tuple[KnownCLIP, Preprocess, list[np.ndarray]]:  # fmt: skip
    """The student's cell over the judge's similarity; a model, its preprocessing, its images."""

    def get_similarity_no_loop(text_features: Tensor, image_features: Tensor) -> Tensor:
        return ask(text_features.detach(), image_features.detach())

    notebook["get_similarity_no_loop"] = get_similarity_no_loop
    notebook.run(cell)
    tokens = notebook["clip"].tokenize(list(words))
    pixels = [np.full((*size, 3), 10 * (number + 1), np.uint8) for number, size in enumerate(sizes)]
    return KnownCLIP(images, texts, tokens), Preprocess(), pixels


def classified(
    notebook: Any, cell: str, ask: Any, sizes: Any, images: Tensor, texts: Tensor,
    words: Sequence[str],
) -> dict[str, Any]:  # fmt: skip
    """What the student's classifier says of the images, and of which types the answers are."""
    model, preprocess, pixels = prepared(notebook, cell, ask, sizes, images, texts, words)
    answer = defined(notebook, "clip_zero_shot_classifier")(
        model, preprocess, pixels, list(words), torch.device("cpu")
    )
    names = [str(name) for name in answer]
    return {"type": type(answer).__name__, "names": names, "kinds": kinds(answer)}


def retrieved(
    notebook: Any, cell: str, ask: Any, sizes: Any, images: Tensor, texts: Tensor,
    words: Sequence[str], queries: Sequence[tuple[int, int | None]],
) -> dict[str, Any]:  # fmt: skip
    """What a retriever answers to (number of a text, k or None), and how often it encoded."""
    model, preprocess, pixels = prepared(notebook, cell, ask, sizes, images, texts, words)
    retriever = defined(notebook, "CLIPImageRetriever")(
        model, preprocess, pixels, torch.device("cpu")
    )
    built = sum(model.image_calls), preprocess.calls
    answers, types = [], []
    for number, k in queries:
        found = retriever.retrieve(words[number], **({} if k is None else {"k": k}))
        answers.append([int(index) for index in found])
        types.append([type(found).__name__, *kinds(found)])
    return {
        "answers": answers,
        "types": types,
        "encoded": [built[0], sum(model.image_calls) - built[0]],
        "preprocessed": [built[1], preprocess.calls - built[1]],
        "graphs": graphs(vars(retriever), 0),
    }


def defined(notebook: Any, name: str) -> Any:
    if name not in notebook:
        raise NameError(f"name {name!r} is not defined in the notebook")
    return notebook[name]


def kinds(values: Sequence[Any]) -> list[str]:
    return sorted({type(value).__name__ for value in values})


def graphs(value: Any, depth: int) -> int:
    """How many tensors with a graph are kept in attributes and in containers of them."""
    if isinstance(value, Tensor):
        return int(value.grad_fn is not None)
    if depth < 4 and isinstance(value, dict):
        return sum(graphs(one, depth + 1) for one in value.values())
    if depth < 4 and isinstance(value, (list, tuple)):
        return sum(graphs(one, depth + 1) for one in value)
    return 0


# -- the classifier of patches -------------------------------------------------------------------


def segmented(
    notebook: Any, K: int, X: Tensor, Y: Tensor, tests: Sequence[Tensor],
    seed: int, num_iters: int | None = None, named: bool = True,
) -> list[Any]:  # fmt: skip
    """The classes of several test sets after training; ``named``: inp_dim is passed."""
    torch.manual_seed(seed)
    options = {"inp_dim": X.shape[1]} if named else {}
    model = defined(notebook, "DINOSegmentation")(torch.device("cpu"), K, **options)
    model.train(X, Y, **({} if num_iters is None else {"num_iters": num_iters}))
    return [model.inference(test) for test in tests]


def steps_taken(
    notebook: Any,
    K: int,
    X: Tensor,
    Y: Tensor,
    seed: int,
    num_iters: int | None,
) -> dict[str, Any]:
    """How many steps an optimiser took, and how far from its own gradients it ever stepped.

    A step's gradients should be what backward has brought since the step before. The gap is the
    largest difference, in units of what rounding may do: 0.001 of the number itself.
    """
    torch.manual_seed(seed)
    brought: dict[int, Tensor] = {}
    hooked: dict[int, Tensor] = {}
    seen = {"steps": 0, "gap": 0.0}

    def before(optimizer: Any, args: Any, kwargs: Any) -> None:
        seen["steps"] += 1
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        for p in parameters:
            came = brought.pop(id(p), None)
            if came is not None and p.grad is not None:
                gap = (p.grad - came).abs() / (1e-7 + 1e-3 * came.abs())
                seen["gap"] = max(seen["gap"], float(gap.max()))
            if id(p) not in hooked:
                hooked[id(p)] = p
                p.register_hook(partial(collect, id(p)))

    def collect(number: int, grad: Tensor) -> None:
        brought[number] = grad.detach().clone() + brought.get(number, 0)

    model = defined(notebook, "DINOSegmentation")(torch.device("cpu"), K, inp_dim=X.shape[1])
    handle = register_optimizer_step_pre_hook(before)
    try:
        model.train(X, Y, **({} if num_iters is None else {"num_iters": num_iters}))
    finally:
        handle.remove()
    return seen


def graph_of_inference(notebook: Any, K: int, X: Tensor, Y: Tensor) -> dict[str, Any]:
    """Whether a layer's output carries a graph while `inference` runs."""
    model = defined(notebook, "DINOSegmentation")(torch.device("cpu"), K, inp_dim=X.shape[1])
    model.train(X, Y, num_iters=2)
    found = []

    def after(module: Any, args: Any, output: Any) -> None:
        found.append(isinstance(output, Tensor) and output.requires_grad)

    handle = register_module_forward_hook(after)
    try:
        answer = model.inference(X)
    finally:
        handle.remove()
    answered = isinstance(answer, Tensor) and answer.requires_grad
    return {"graph": bool(answered or any(found))}
