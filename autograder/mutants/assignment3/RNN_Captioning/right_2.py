"""Right without the step functions: one product for all words, loops of its own, no layers."""

import numpy as np


# %% start from solutions
# %% definitions of rnn-step-forward
def rnn_step_forward(x, prev_h, Wx, Wh, b):
    both = np.concatenate([x, prev_h], axis=1)
    weights = np.concatenate([Wx, Wh])
    next_h = np.tanh(np.einsum("nd,dh->nh", both, weights) + b[None])
    return next_h, [both, weights, len(Wx), next_h]


# %% definitions of rnn-step-backward
def rnn_step_backward(dnext_h, cache):
    both, weights, D, next_h = cache
    dsum = dnext_h * (1 + next_h) * (1 - next_h)
    dboth, dweights = dsum @ weights.T, both.T @ dsum
    return dboth[:, :D], dboth[:, D:], dweights[:D], dweights[D:], np.einsum("nh->h", dsum)


# %% definitions of rnn-forward
def rnn_forward(x, h0, Wx, Wh, b):
    from_words = x @ Wx + b  # of all steps at once
    states = [h0]
    for t in range(x.shape[1]):
        states.append(np.tanh(from_words[:, t] + states[-1] @ Wh))
    return np.stack(states[1:], axis=1), (x, np.stack(states, axis=1), Wx, Wh)


# %% definitions of rnn-backward
def rnn_backward(dh, cache):
    x, states, Wx, Wh = cache
    N, T, H = dh.shape
    dsums = np.empty_like(dh)
    later = np.zeros_like(dh[:, 0])
    for t in range(T - 1, -1, -1):
        dsums[:, t] = (dh[:, t] + later) * (1 - states[:, t + 1] ** 2)
        later = dsums[:, t] @ Wh.T
    flat = dsums.reshape(N * T, H)
    dWx = x.reshape(N * T, -1).T @ flat
    dWh = states[:, :-1].reshape(N * T, H).T @ flat
    return dsums @ Wx.T, later, dWx, dWh, flat.sum(axis=0)


# %% definitions of word-embedding-forward
def word_embedding_forward(x, W):
    one_hot = np.eye(len(W), dtype=W.dtype)[x]
    return one_hot @ W, one_hot


# %% definitions of word-embedding-backward
def word_embedding_backward(dout, cache):
    return np.einsum("ntv,ntd->vd", cache, dout)


# %% definitions of captioning-rnn
def loss(self, features, captions):
    p, given, wanted = self.params, captions[:, :-1], captions[:, 1:]
    N, T = given.shape
    h0 = features @ p["W_proj"] + p["b_proj"]
    vectors, words_cache = word_embedding_forward(given, p["W_embed"])
    h, h_cache = rnn_forward(vectors, h0, p["Wx"], p["Wh"], p["b"])
    scores = h @ p["W_vocab"] + p["b_vocab"]
    scores = scores - scores.max(axis=2, keepdims=True)
    log_probabilities = scores - np.log(np.exp(scores).sum(axis=2, keepdims=True))
    rows, columns = np.nonzero(wanted != self._null)
    words = wanted[rows, columns]
    loss = -log_probabilities[rows, columns, words].sum() / N

    dscores = np.zeros_like(scores)
    dscores[rows, columns] = np.exp(log_probabilities[rows, columns]) / N
    dscores[rows, columns, words] -= 1 / N
    grads = {"W_vocab": np.einsum("nth,ntv->hv", h, dscores), "b_vocab": dscores.sum(axis=(0, 1))}
    found = rnn_backward(dscores @ p["W_vocab"].T, h_cache)
    dvectors, dh0, grads["Wx"], grads["Wh"], grads["b"] = found
    grads["W_embed"] = word_embedding_backward(dvectors, words_cache)
    grads["W_proj"], grads["b_proj"] = features.T @ dh0, dh0.sum(axis=0)
    return loss, grads


def sample(self, features, max_length=30):
    p, N = self.params, len(features)
    h = features @ p["W_proj"] + p["b_proj"]
    captions = np.full((N, max_length + 1), self._start)
    for t in range(max_length):
        vectors, _ = word_embedding_forward(captions[:, t : t + 1], p["W_embed"])
        states, _ = rnn_forward(vectors, h, p["Wx"], p["Wh"], p["b"])
        scores, _ = temporal_affine_forward(states, p["W_vocab"], p["b_vocab"])
        captions[:, t + 1] = np.argmax(scores[:, 0], axis=1)
        h = states[:, -1]
    return captions[:, 1:]
