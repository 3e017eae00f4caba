"""Right in the style of people who write out what happens: masks, einsum, loops."""

import torch
import torch.nn.functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


# %% start from solutions
# %% definitions of encoder-code
def encoder_forward(tokens, embedding, gru, pad):
    lengths = tokens.ne(pad).sum(1)
    order = lengths.argsort(descending=True)
    packed = pack_padded_sequence(embedding(tokens[order]), lengths[order].cpu(), batch_first=True)
    out, h = gru(packed)
    out = pad_packed_sequence(out, batch_first=True)[0]
    if out.shape[1] < tokens.shape[1]:
        out = F.pad(out, (0, 0, 0, tokens.shape[1] - out.shape[1]))
    back = order.argsort()
    return out[back], h.transpose(0, 1).reshape(len(tokens), -1)[back]


# %% definitions of decoder-code
def decoder_step(y, s, context, embedding, cell, output):
    new = cell(torch.hstack((embedding(y), context)), s)
    return output(torch.hstack((new, context))), new


# %% definitions of teacher-code
def teacher_forcing(step, s, target):
    N, T = target.shape
    rows = None
    for t in range(T - 1):
        logits, s = step(target[:, t], s)
        rows = logits[:, None] if rows is None else torch.cat([rows, logits[:, None]], 1)
    return rows


# %% definitions of loss-code
def sequence_loss(logits, targets, pad):
    log_p = torch.log_softmax(logits, dim=-1)
    picked = log_p.gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    words = (targets != pad).to(logits.dtype)
    return -(picked * words).sum() / words.sum()


# %% definitions of training-step-code
def training_step(translator, optimizer, source, target):
    optimizer.zero_grad()
    memory, s = translator.encode(source)

    def step(y, s):
        return translator.step(memory, y, s)

    loss = sequence_loss(teacher_forcing(step, s, target), target[:, 1:], PAD)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(translator.parameters(), max_norm=1)
    optimizer.step()
    return float(loss.detach())


# %% definitions of greedy-code
@torch.no_grad()
def greedy_decode(step, s, start, end, max_length):
    y = torch.tensor([start] * len(s), device=s.device)
    done = torch.zeros(len(s), dtype=torch.bool, device=s.device)
    columns = []
    while len(columns) < max_length and not done.all():
        scores, s = step(y, s)
        y = scores.max(dim=1).indices
        columns.append(y)
        done |= y == end
    sentences = []
    for row in torch.stack(columns, 1).tolist():
        if end in row:
            row = row[: row.index(end)]
        sentences.append(row)
    return sentences


# %% definitions of scores-code
def additive_scores(query, keys, v):
    return torch.einsum("a,nsa->ns", v, torch.tanh(query.unsqueeze(1) + keys))


def scaled_dot_product_scores(query, keys):
    return torch.einsum("na,nsa->ns", query, keys) / query.shape[-1] ** 0.5


# %% definitions of context-code
def attention_context(scores, mask, states):
    scores = scores.masked_fill(~mask, float("-inf"))
    top = scores.max(dim=1, keepdim=True).values
    top = torch.where(torch.isinf(top), torch.zeros_like(top), top)
    powers = torch.exp(scores - top.detach())
    total = powers.sum(dim=1, keepdim=True)
    weights = powers / torch.where(total > 0, total, torch.ones_like(total))
    return torch.einsum("ns,nsd->nd", weights, states), weights


# %% definitions of attention-translator-code
def context(self, memory, s):
    q = self.query(s)
    scores = {
        "additive": lambda: additive_scores(q, memory.keys, self.v),
        "dot": lambda: scaled_dot_product_scores(q, memory.keys),
    }[self.kind]()
    return attention_context(scores, memory.mask, memory.states)


# %% definitions of beam-code
@torch.no_grad()
def beam_search(step, s, start, end, max_length, k, alpha=1.0):
    beams = [([], 0.0, s)]
    finished = []
    for _ in range(max_length):
        y = torch.tensor([b[0][-1] if b[0] else start for b in beams], device=s.device)
        logits, states = step(y, torch.cat([b[2] for b in beams]))
        log_p = F.log_softmax(logits, dim=-1)
        candidates = []
        for i, (words, total, _) in enumerate(beams):
            values, tokens = log_p[i].sort(descending=True)
            for value, token in zip(values[:k].tolist(), tokens[:k].tolist(), strict=True):
                candidates.append((words + [token], total + value, states[i : i + 1]))
        candidates.sort(key=lambda c: c[1], reverse=True)
        candidates = candidates[: k - len(finished)]
        finished += [c for c in candidates if c[0][-1] == end]
        beams = [c for c in candidates if c[0][-1] != end]
        if not beams:
            break
    ranked = [(total / len(words) ** alpha, words) for words, total, _ in finished + beams]
    score, words = max(ranked)
    if words and words[-1] == end:
        words = words[:-1]
    return words, score
