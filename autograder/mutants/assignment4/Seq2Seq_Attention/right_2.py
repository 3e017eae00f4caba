"""Right in other ways: the encoder in two halves, dot products, scores computed by modules."""

import math

import torch
import torch.nn.functional as F


# %% start from solutions
# %% definitions of encoder-code
def encoder_forward(tokens, embedding, gru, pad):
    rows = []
    finals = []
    for row in tokens:
        words = row[row != pad]
        out, h = gru(embedding(words)[None])
        empty = out.new_zeros(1, tokens.shape[1] - len(words), out.shape[2])
        rows.append(torch.cat([out, empty], dim=1))
        finals.append(torch.cat([h[0], h[1]], dim=1))
    return torch.cat(rows), torch.cat(finals)


# %% definitions of decoder-code
def decoder_step(y, s, context, embedding, cell, output):
    x = torch.cat((embedding(y), context), -1)
    s = cell(x, s)
    W, b = output.weight, output.bias
    H = s.shape[1]
    logits = s @ W[:, :H].T + context @ W[:, H:].T + b
    return logits, s


# %% definitions of teacher-code
def teacher_forcing(step, s, target):
    outputs = []
    for y in target.T[:-1]:
        out, s = step(y, s)
        outputs += [out]
    return torch.stack(outputs).transpose(0, 1)


# %% definitions of loss-code
def sequence_loss(logits, targets, pad):
    real = targets != pad
    return F.cross_entropy(logits[real], targets[real])


# %% definitions of training-step-code
def training_step(translator, optimizer, source, target):
    for parameter in translator.parameters():
        parameter.grad = None
    memory, state = translator.encode(source)
    scores = teacher_forcing(lambda y, s: translator.step(memory, y, s), state, target)
    loss = sequence_loss(scores, target[:, 1:], pad=PAD)
    loss.backward()
    grads = [p.grad for p in translator.parameters() if p.grad is not None]
    norm = torch.sqrt(sum((g**2).sum() for g in grads))
    if norm > 1:
        for g in grads:
            g /= norm
    optimizer.step()
    return loss.item()


# %% definitions of greedy-code
@torch.no_grad()
def greedy_decode(step, s, start, end, max_length):
    N = s.size(0)
    sentences = [[] for _ in range(N)]
    finished = set()
    y = torch.full((N,), start, dtype=torch.long, device=s.device)
    for _ in range(max_length):
        logits, s = step(y, s)
        y = torch.argmax(logits, -1)
        for i in range(N):
            if i in finished:
                continue
            if y[i].item() == end:
                finished.add(i)
            else:
                sentences[i].append(y[i].item())
        if len(finished) == N:
            return sentences
    return sentences


# %% definitions of scores-code
def additive_scores(query, keys, v):
    N, S, A = keys.shape
    total = query.reshape(N, 1, A).expand(N, S, A) + keys
    return (total.tanh() * v).sum(-1)


def scaled_dot_product_scores(query, keys):
    return torch.bmm(keys, (query / math.sqrt(query.size(1))).unsqueeze(-1)).squeeze(-1)


# %% definitions of context-code
def attention_context(scores, mask, states):
    blind = ~mask.any(dim=1, keepdim=True)
    weights = F.softmax(scores.masked_fill(~mask & ~blind, -torch.inf), dim=-1)
    weights = weights.masked_fill(~mask, 0.0)
    return (weights.unsqueeze(-1) * states).sum(dim=1), weights


# %% definitions of attention-translator-code
def context(self, memory, s):
    if self.kind == "additive":
        scores = additive_scores(self.query(s), memory.keys, self.v)
    else:
        scores = scaled_dot_product_scores(self.query(s), memory.keys)
    context, weights = attention_context(scores, memory.mask, memory.states)
    return context, weights


# %% cell training-code
learning_rate = 8e-3
batch_size = 64
epochs = 2
seed_everything(1)
translator = AttentionTranslator(len(english), len(french), kind="dot")

translator = translator.to(device)
losses = train(translator, corpus.train, epochs, learning_rate, batch_size)


# %% definitions of beam-code
@torch.no_grad()
def beam_search(step, s, start, end, max_length, k, alpha=1.0):
    tokens = torch.zeros(1, 0, dtype=torch.long, device=s.device)
    sums = torch.zeros(1, dtype=s.dtype, device=s.device)
    last = torch.tensor([start], device=s.device)
    best = (-math.inf, [])
    places = k
    for t in range(max_length):
        logits, s = step(last, s)
        total = sums.unsqueeze(1) + F.log_softmax(logits, -1)
        V = total.size(1)
        order = total.reshape(-1).argsort(descending=True)[:places]
        rows = torch.div(order, V, rounding_mode="floor")
        last = order % V
        sums = total.reshape(-1)[order]
        tokens = torch.cat([tokens[rows], last[:, None]], dim=1)
        s = s[rows]
        for i in range(len(order)):
            if last[i] == end:
                best = max(best, (sums[i].item() / (t + 1) ** alpha, tokens[i, :-1].tolist()))
                places -= 1
        going = last != end
        tokens, sums, last, s = tokens[going], sums[going], last[going], s[going]
        if len(tokens) == 0:
            break
    for row, total in zip(tokens.tolist(), sums.tolist(), strict=True):
        best = max(best, (total / max_length**alpha, row))
    return best[1], best[0]
