"""The student's functions over modules and networks of the judge's; the kernel gets this file.

Letters: N sentences, S English and T French positions, E, H, D, A numbers, V words, K hypotheses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

Notebook = dict[str, Any]
State = Mapping[str, Tensor]


class Writer:
    """A small recurrent network that writes: step(y (K,), s (K, H)) -> logits (K, V), new s.

    It notes what it is fed, and of how many rows its batches are.
    """

    def __init__(self, parameters: Mapping[str, Tensor]) -> None:
        self.p = {name: value.clone().requires_grad_() for name, value in parameters.items()}
        self.fed: list[list[int]] = []

    def step(self, y: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        H, V = self.p["words"].shape[1], len(self.p["words"])
        if y.dim() != 1 or tuple(s.shape) != (len(y), H):
            shapes = f"{tuple(y.shape)} and {tuple(s.shape)}"
            raise ValueError(f"step takes y (rows,) and s (rows, {H}), not {shapes}")
        if y.is_floating_point() or bool((y < 0).any()) or bool((y >= V).any()):
            raise ValueError(f"step takes word numbers from 0 to {V - 1}")
        self.fed.append(y.tolist())
        p = {name: value.to(s.device) for name, value in self.p.items()}
        s = torch.tanh(s @ p["over"] + p["words"][y])
        return s @ p["out"] + p["bias"], s


def _plain(value: Any) -> Any:
    return value.detach() if torch.is_tensor(value) else value


# -- encoder and decoder -----------------------------------------------------------------------


def encoded(
    notebook: Notebook, embedding: Tensor, gru: State, calls: Sequence[Tensor], pad: int
) -> list[Any]:
    """What encoder_forward returns for each call, as [states, sentence]."""
    H = gru["weight_hh_l0"].shape[1]
    words = nn.Embedding.from_pretrained(embedding, freeze=False)
    network = nn.GRU(embedding.shape[1], H, batch_first=True, bidirectional=True)
    network.load_state_dict(dict(gru))
    found = []
    for tokens in calls:
        where = tokens.device
        answer = notebook["encoder_forward"](tokens, words.to(where), network.to(where), pad)
        found.append([_plain(one) for one in answer])
    return found


def reached_by_encoder(
    notebook: Notebook, embedding: Tensor, gru: State, tokens: Tensor
) -> dict[str, bool]:
    """Which parameters get a gradient from the states and from the sentence vector."""
    words = nn.Embedding.from_pretrained(embedding, freeze=False)
    network = nn.GRU(
        embedding.shape[1], gru["weight_hh_l0"].shape[1], batch_first=True, bidirectional=True
    )
    network.load_state_dict(dict(gru))
    words, network = words.to(tokens.device), network.to(tokens.device)
    found = {}
    for part, name in enumerate(("states", "sentence")):
        value = notebook["encoder_forward"](tokens, words, network, 0)[part]
        parameters = [words.weight, network.weight_ih_l0]
        if not (torch.is_tensor(value) and value.requires_grad):
            found[name] = False
            continue
        grads = torch.autograd.grad(value.sum(), parameters, allow_unused=True)
        found[name] = all(grad is not None for grad in grads)
    return found


def decoded(
    notebook: Notebook, state: State, y: Tensor, s: Tensor, context: Tensor
) -> dict[str, Any]:
    """What decoder_step returns; whether gradients reach its arguments."""
    E, H = state["words"].shape[1], s.shape[1]
    words = nn.Embedding.from_pretrained(state["words"], freeze=False)
    D, V = context.shape[1], len(state["words"])
    cell, output = nn.GRUCell(E + D, H), nn.Linear(H + D, V)
    cell.load_state_dict({name[5:]: value for name, value in state.items() if name[:5] == "cell."})
    output.load_state_dict({name[4:]: value for name, value in state.items() if name[:4] == "out."})
    words, cell, output = words.to(s.device), cell.to(s.device), output.to(s.device)
    s, context = s.clone().requires_grad_(), context.clone().requires_grad_()
    answer = notebook["decoder_step"](y, s, context, words, cell, output)
    logits, after = answer
    flows = False
    if torch.is_tensor(logits) and logits.requires_grad:
        grads = torch.autograd.grad(
            logits.sum(), [s, context, words.weight], allow_unused=True, retain_graph=True
        )
        flows = all(grad is not None for grad in grads)
    return {"logits": _plain(logits), "s": _plain(after), "flows": flows}


# -- teacher forcing and decoding ----------------------------------------------------------------


def forced(notebook: Notebook, parameters: State, s: Tensor, target: Tensor) -> dict[str, Any]:
    """Logits of teacher_forcing, what was fed, and whether a gradient comes back through it all."""
    writer = Writer(parameters)
    start = s.clone().requires_grad_()
    logits = notebook["teacher_forcing"](writer.step, start, target)
    flows = False
    if torch.is_tensor(logits) and logits.requires_grad and logits.dim() == 3:
        (grad,) = torch.autograd.grad(logits[:, -1].sum(), [start], allow_unused=True)
        flows = grad is not None and bool(grad.any())  # zeros come through the other positions
    return {"logits": _plain(logits), "fed": writer.fed, "flows": flows}


def greedy(
    notebook: Notebook, parameters: State, s: Tensor, start: int, end: int, max_length: int
) -> dict[str, Any]:
    """What greedy_decode writes, of which types, and what it fed."""
    writer = Writer(parameters)
    found = notebook["greedy_decode"](writer.step, s, start, end, max_length)
    rows = [list(row) for row in found]
    kinds = sorted({type(word).__name__ for row in rows for word in row})
    lists = type(found).__name__, *sorted({type(row).__name__ for row in found})
    return {
        "words": [[int(word) for word in row] for row in rows],
        "kinds": kinds,
        "lists": sorted(set(lists)),
        "fed": writer.fed,
    }


def beams(
    notebook: Notebook,
    parameters: State,
    s: Tensor,
    start: int,
    end: int,
    max_length: int,
    k: int,
    alpha: float | None,
) -> dict[str, Any]:
    """What beam_search finds, of which types, and of how many rows its batches were."""
    writer = Writer(parameters)
    options = {} if alpha is None else {"alpha": alpha}
    words, score = notebook["beam_search"](writer.step, s, start, end, max_length, k, **options)
    return {
        "words": [int(word) for word in words],
        "score": _plain(score),
        "kinds": sorted({type(words).__name__, *(type(word).__name__ for word in words)}),
        "score_kind": type(score).__name__,
        "rows": [len(row) for row in writer.fed],
    }


# -- attention -----------------------------------------------------------------------------------


def pooled(notebook: Notebook, scores: Tensor, mask: Tensor, states: Tensor) -> dict[str, Any]:
    """What attention_context returns, and the gradients of both with respect to the scores."""
    scores = scores.clone().requires_grad_()
    context, weights = notebook["attention_context"](scores, mask, states)
    gradient = None
    if torch.is_tensor(context) and context.requires_grad:
        (gradient,) = torch.autograd.grad(context.sum(), [scores], allow_unused=True)
    return {"context": _plain(context), "weights": _plain(weights), "gradient": gradient}


def attended(
    notebook: Any, cell: str, kind: str, state: State, sizes: Sequence[int],
    states: Tensor, mask: Tensor, s: Tensor,
) -> Any:  # fmt: skip
    """The context of an AttentionTranslator with known layers, over answers of the judge's."""
    from cs231n_lib.translation import Memory

    notebook.run(cell)
    E, H = sizes
    translator = notebook["AttentionTranslator"](9, 8, E=E, H=H, kind=kind)
    for name, value in state.items():
        owner, _, last = name.rpartition(".")
        holder = translator.get_submodule(owner)
        getattr(holder, last).data = value.to(s.device)
    translator = translator.to(s.device).eval()
    with torch.no_grad():
        keys = translator.key(states)
        memory = Memory(states, mask, states.mean(dim=1), keys)
        context, weights = translator.context(memory, s)
    return [_plain(context), _plain(weights)]


def reached_by_context(
    notebook: Any,
    cell: str,
    kind: str,
    sizes: Sequence[int],
    states: Tensor,
    mask: Tensor,
    s: Tensor,
) -> dict[str, bool]:
    """What gets a gradient from the context of an AttentionTranslator, over simple formulas."""
    from cs231n_lib.translation import Memory

    def scores(query: Tensor, keys: Tensor, *v: Tensor) -> Tensor:
        return query.sum(dim=1, keepdim=True) + keys.sum(dim=2)

    def attention_context(scores: Tensor, mask: Tensor, states: Tensor) -> tuple[Tensor, Tensor]:
        return scores.sum(dim=1, keepdim=True) + states.sum(dim=1), scores

    notebook["additive_scores"] = notebook["scaled_dot_product_scores"] = scores
    notebook["attention_context"] = attention_context
    notebook.run(cell)
    E, H = sizes
    translator = notebook["AttentionTranslator"](9, 8, E=E, H=H, kind=kind).to(s.device)
    states, s = states.clone().requires_grad_(), s.clone().requires_grad_()
    keys = translator.key(states).detach().requires_grad_()
    context, _ = translator.context(Memory(states, mask, states.mean(dim=1), keys), s)
    sources = {"the states": states, "the keys": keys, "s": s, "query": translator.query.weight}
    if not (torch.is_tensor(context) and context.requires_grad):
        return dict.fromkeys(sources, False)
    grads = torch.autograd.grad(context.sum(), list(sources.values()), allow_unused=True)
    return {name: grad is not None for name, grad in zip(sources, grads, strict=True)}


# -- training ------------------------------------------------------------------------------------


class Known(nn.Module):
    """A translator whose encoding and steps are simple formulas, and which notes its calls."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight.clone())
        self.shift = nn.Parameter(torch.zeros((), dtype=weight.dtype))
        self.idle = nn.Parameter(torch.ones(2, dtype=weight.dtype))
        self.seen: list[Tensor] = []

    def encode(self, source: Tensor) -> tuple[str, Tensor]:
        self.seen.append(source.detach().clone())
        first = self.weight.sum() + len(self.weight) * self.shift
        return "the memory", first + 0 * source[:, :1].to(self.weight)

    def step(self, memory: Any, y: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        if not (isinstance(memory, str) and memory == "the memory"):
            raise ValueError("step takes the memory that encode returned as its first argument")
        return self.weight[y] + s, s


def trained_steps(
    notebook: Any, cell: str, weight: Tensor, batches: Sequence[tuple[Tensor, Tensor]], rate: float,
    large: float,
) -> dict[str, Any]:  # fmt: skip
    """What training_step does on some batches, over a loss that is a simple formula.

    The stand-in for teacher_forcing asks ``step`` once for each column; that for the loss adds up
    logits of the targets, times ``large``.
    """
    asked: list[dict[str, Any]] = []

    def teacher_forcing(step: Any, s: Tensor, target: Tensor) -> Tensor:
        asked.append({"target": target.detach().clone()})
        columns = [step(target[:, t], s)[0] for t in range(target.shape[1] - 1)]
        return torch.stack(columns, dim=1)

    def sequence_loss(logits: Tensor, targets: Tensor, pad: int) -> Tensor:
        asked[-1].update(
            {"targets": targets.detach().clone(), "pad": pad, "shape": list(logits.shape)}
        )
        if tuple(logits.shape[:2]) != tuple(targets.shape):
            shapes = f"{tuple(logits.shape)} and {tuple(targets.shape)}"
            raise ValueError(f"sequence_loss is given logits and targets of shapes {shapes}")
        return large * logits.gather(2, targets[:, :, None]).sum()

    notebook["teacher_forcing"], notebook["sequence_loss"] = teacher_forcing, sequence_loss
    notebook.run(cell)
    translator = Known(weight).to(weight.device)
    optimizer = torch.optim.SGD(translator.parameters(), lr=rate)
    losses, weights = [], []
    for source, target in batches:
        losses.append(notebook["training_step"](translator, optimizer, source, target))
        weights.append(translator.weight.detach().clone())
    kinds = sorted({type(loss).__name__ for loss in losses})
    return {
        "losses": [_plain(loss) for loss in losses],
        "kinds": kinds,
        "weights": weights,
        "asked": asked,
        "sources": translator.seen,
    }


def translations(
    notebook: Notebook, sentences: Sequence[Sequence[str]], max_length: int
) -> list[list[str]]:
    """The notebook's translator on English sentences, greedily, as French tokens."""
    english, french = notebook["english"], notebook["french"]
    translator = notebook["translator"].eval()
    where = next(translator.parameters()).device
    rows = [english.encode(sentence) for sentence in sentences]
    longest = max(map(len, rows))
    padded = [[*row, *[english.pad] * (longest - len(row))] for row in rows]
    with torch.no_grad():
        memory, s = translator.encode(torch.tensor(padded, device=where))
        y = torch.full((len(rows),), french.start, device=where)
        written: list[Tensor] = []
        for _ in range(max_length):
            logits, s = translator.step(memory, y, s)
            y = logits.argmax(dim=1)
            written.append(y)
            if bool((torch.stack(written) == french.end).any(dim=0).all()):
                break
    return [list(french.decode(row)) for row in torch.stack(written, dim=1).tolist()]
