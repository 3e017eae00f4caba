"""Right in another style: a three-axis reshape, einsum, dictionaries, a plain 0 for the cell."""

import numpy as np


# %% start from solutions
# %% definitions of lstm-step-forward
def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    N, H = prev_h.shape
    blocks = (x.dot(Wx) + prev_h.dot(Wh) + b).reshape(N, 4, H)
    gates = 0.5 * (1 + np.tanh(0.5 * blocks[:, :3]))  # the sigmoid, written with tanh
    candidate = np.tanh(blocks[:, 3])
    next_c = gates[:, 1] * prev_c + gates[:, 0] * candidate
    next_h = gates[:, 2] * np.tanh(next_c)
    kept = dict(x=x, h=prev_h, c=prev_c, Wx=Wx, Wh=Wh, gates=gates, g=candidate, new=next_c)
    return next_h, next_c, kept


# %% definitions of lstm-step-backward
def lstm_step_backward(dnext_h, dnext_c, cache):
    i, f, o = np.moveaxis(cache["gates"], 1, 0)
    g, squashed = cache["g"], np.tanh(cache["new"])
    dcell = dnext_h * o
    dcell -= dcell * squashed * squashed
    dcell = dcell + dnext_c
    outer = [dcell * g, dcell * cache["c"], dnext_h * squashed, dcell * i]
    slopes = [i - i * i, f - f * f, o - o * o, 1 - g * g]
    da = np.hstack([up * slope for up, slope in zip(outer, slopes, strict=True)])
    return [
        np.einsum("nk,dk->nd", da, cache["Wx"]),
        np.einsum("nk,hk->nh", da, cache["Wh"]),
        f * dcell,
        np.einsum("nd,nk->dk", cache["x"], da),
        np.einsum("nh,nk->hk", cache["h"], da),
        np.einsum("nk->k", da),
    ]


# %% definitions of lstm-forward
def lstm_forward(x, h0, Wx, Wh, b):
    h, c, out, caches = h0, 0.0, [], []
    for word in np.swapaxes(x, 0, 1):
        h, c, kept = lstm_step_forward(word, h, c, Wx, Wh, b)
        out += [h]
        caches += [kept]
    return np.array(out).transpose(1, 0, 2), caches


# %% definitions of lstm-backward
def lstm_backward(dh, cache):
    of_h, of_c, of_x, weights = 0.0, 0.0, [], None
    for t in range(dh.shape[1])[::-1]:
        step = lstm_step_backward(of_h + dh[:, t], of_c, cache[t])
        dx, of_h, of_c, *more = step
        of_x.insert(0, dx)
        weights = more if weights is None else [a + b for a, b in zip(weights, more, strict=True)]
    return (np.stack(of_x, 1), of_h, *weights)


# %% definitions of captioning-lstm
def loss(self, features, captions):
    p, ins, outs = self.params, captions[:, :-1], captions[:, 1:]
    first, to_features = affine_forward(features, p["W_proj"], p["b_proj"])
    vectors, to_words = word_embedding_forward(ins, p["W_embed"])
    hidden, to_steps = lstm_forward(vectors, first, p["Wx"], p["Wh"], p["b"])
    N, T, H = hidden.shape
    rows, to_rows = affine_forward(hidden.reshape(N * T, H), p["W_vocab"], p["b_vocab"])
    total, drows = temporal_softmax_loss(rows.reshape(N, T, -1), outs, outs != self._null)
    back = dict.fromkeys(p)
    drows, back["W_vocab"], back["b_vocab"] = affine_backward(drows.reshape(N * T, -1), to_rows)
    dvectors, dfirst, back["Wx"], back["Wh"], back["b"] = lstm_backward(
        drows.reshape(N, T, H), to_steps
    )
    back["W_embed"] = word_embedding_backward(dvectors, to_words)
    back["W_proj"], back["b_proj"] = affine_backward(dfirst, to_features)[1:]
    return total, back


def sample(self, features, max_length=30):
    p = self.params
    h = affine_forward(features, p["W_proj"], p["b_proj"])[0]
    state, words, columns = (h, np.zeros(h.shape)), np.repeat(self._start, len(features)), []
    while len(columns) < max_length:
        vectors = p["W_embed"][words]
        state = lstm_step_forward(vectors, *state, p["Wx"], p["Wh"], p["b"])[:2]
        words = np.argmax(state[0] @ p["W_vocab"] + p["b_vocab"], axis=-1)
        columns.append(words)
    return np.column_stack(columns)
