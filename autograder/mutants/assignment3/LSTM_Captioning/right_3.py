"""Right in a third style: sequences unrolled without steps, one caption after the other."""

import numpy as np


# %% start from solutions
# %% definitions of lstm-step-forward
def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_c.shape[1]
    a = np.concatenate([x, prev_h], axis=1) @ np.concatenate([Wx, Wh], axis=0) + b
    a[:, : 3 * H], a[:, 3 * H :] = sigmoid(a[:, : 3 * H]), np.tanh(a[:, 3 * H :])
    c = a[:, H : 2 * H] * prev_c + a[:, :H] * a[:, 3 * H :]
    return a[:, 2 * H : 3 * H] * np.tanh(c), c, (x, prev_h, prev_c, c, a, Wx, Wh)


# %% definitions of lstm-step-backward
def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, c, a, Wx, Wh = cache
    H, D = c.shape[1], x.shape[1]
    i, f, o, g = a[:, :H], a[:, H : 2 * H], a[:, 2 * H : 3 * H], a[:, 3 * H :]
    t = np.tanh(c)
    dc = dnext_c + (1 - t**2) * o * dnext_h
    da = a * (1 - a)
    da[:, 3 * H :] = 1 - g**2
    da *= np.concatenate([dc * g, dc * prev_c, dnext_h * t, dc * i], axis=1)
    both = da @ np.concatenate([Wx, Wh], axis=0).T
    weights = np.concatenate([x, prev_h], axis=1).T @ da
    return both[:, :D], both[:, D:], f * dc, weights[:D], weights[D:], np.ones(len(da)) @ da


# %% definitions of lstm-forward
def lstm_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    H = h0.shape[1]
    given = (x.reshape(N * T, D) @ Wx + b).reshape(N, T, 4 * H)  # all words in one product
    gates, h, c = np.empty((N, T, 4 * H)), np.empty((N, T + 1, H)), np.zeros((N, T + 1, H))
    h[:, 0] = h0
    for t in range(T):
        a = given[:, t] + h[:, t] @ Wh
        gates[:, t] = np.concatenate([sigmoid(a[:, : 3 * H]), np.tanh(a[:, 3 * H :])], axis=1)
        i, f, o, g = np.split(gates[:, t], 4, axis=1)
        c[:, t + 1] = f * c[:, t] + i * g
        h[:, t + 1] = o * np.tanh(c[:, t + 1])
    return h[:, 1:].copy(), (x, h, c, gates, Wx, Wh)


# %% definitions of lstm-backward
def lstm_backward(dh, cache):
    x, h, c, gates, Wx, Wh = cache
    N, T, H = dh.shape
    da, dnext_h, dnext_c = np.empty((N, T, 4 * H)), np.zeros((N, H)), np.zeros((N, H))
    for t in reversed(range(T)):
        i, f, o, g = np.split(gates[:, t], 4, axis=1)
        squashed, dnow = np.tanh(c[:, t + 1]), dh[:, t] + dnext_h
        dc = dnext_c + dnow * o * (1 - squashed**2)
        outer = np.concatenate([dc * g, dc * c[:, t], dnow * squashed, dc * i], axis=1)
        slopes = gates[:, t] * (1 - gates[:, t])
        slopes[:, 3 * H :] = 1 - g**2
        da[:, t] = outer * slopes
        dnext_h, dnext_c = da[:, t] @ Wh.T, dc * f
    dWx = np.einsum("ntd,ntk->dk", x, da)
    dWh = np.einsum("nth,ntk->hk", h[:, :-1], da)
    return da @ Wx.T, dnext_h, dWx, dWh, da.sum(axis=(0, 1))


# %% definitions of captioning-lstm
def loss(self, features, captions):
    mask = captions[:, 1:] != self._null
    p = self.params
    h0, cache_0 = affine_forward(features, p["W_proj"], p["b_proj"])
    x, cache_1 = word_embedding_forward(captions[:, :-1], p["W_embed"])
    forward, backward = {
        "rnn": (rnn_forward, rnn_backward),
        "lstm": (lstm_forward, lstm_backward),
    }[self.cell_type]
    h, cache_2 = forward(x, h0, p["Wx"], p["Wh"], p["b"])
    scores, cache_3 = temporal_affine_forward(h, p["W_vocab"], p["b_vocab"])
    value, dscores = temporal_softmax_loss(scores, captions[:, 1:], mask)
    dh, dW_vocab, db_vocab = temporal_affine_backward(dscores, cache_3)
    dx, dh0, dWx, dWh, db = backward(dh, cache_2)
    dW_embed = word_embedding_backward(dx, cache_1)
    dfeatures, dW_proj, db_proj = affine_backward(dh0, cache_0)
    names = ("W_vocab", "b_vocab", "Wx", "Wh", "b", "W_embed", "W_proj", "b_proj")
    values = (dW_vocab, db_vocab, dWx, dWh, db, dW_embed, dW_proj, db_proj)
    return value, dict(zip(names, values, strict=True))


def sample(self, features, max_length=30):
    N = len(features)
    captions = np.zeros((N, max_length), dtype=int)
    for n in range(N):  # one image after the other, until <END>
        h, _ = affine_forward(features[n : n + 1], self.params["W_proj"], self.params["b_proj"])
        c, word = np.zeros_like(h), self._start
        captions[n] = self._null
        for t in range(max_length):
            x, _ = word_embedding_forward(np.array([word]), self.params["W_embed"])
            Wx, Wh, b = self.params["Wx"], self.params["Wh"], self.params["b"]
            if self.cell_type == "lstm":
                h, c, _ = lstm_step_forward(x, h, c, Wx, Wh, b)
            else:
                h, _ = rnn_step_forward(x, h, Wx, Wh, b)
            scores, _ = affine_forward(h, self.params["W_vocab"], self.params["b_vocab"])
            word = int(np.argmax(scores))
            captions[n, t] = word
            if word == self._end:
                break
    return captions
