"""Right over helpers in cells of its own, a loop for each word, captions that end at <END>."""

import numpy as np


# %% start from solutions
# %% new cell after how-we-check
def weighted(x, h, Wx, Wh, b):
    return np.matmul(x, Wx) + np.matmul(h, Wh) + b


# %% new cell after rnn-step-backward
def run_steps(x, h, weights):
    for t in range(x.shape[1]):
        h, cache = rnn_step_forward(x[:, t, :], h, *weights)
        yield h, cache


# %% definitions of rnn-step-forward
def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(weighted(x, prev_h, Wx, Wh, b))
    return next_h, (next_h, x, prev_h, Wx, Wh, b)


# %% definitions of rnn-step-backward
def rnn_step_backward(dnext_h, cache):
    next_h, x, prev_h, Wx, Wh, b = cache
    dsum = dnext_h - dnext_h * next_h * next_h
    return (
        np.matmul(dsum, np.transpose(Wx)),
        np.matmul(dsum, np.transpose(Wh)),
        np.matmul(np.transpose(x), dsum),
        np.matmul(np.transpose(prev_h), dsum),
        np.sum(dsum, 0),
    )


# %% definitions of rnn-forward
def rnn_forward(x, h0, Wx, Wh, b):
    states, caches = zip(*run_steps(x, h0, (Wx, Wh, b)), strict=True)
    return np.stack(states, axis=1), caches


# %% definitions of rnn-backward
def rnn_backward(dh, cache):
    T = dh.shape[1]
    dx, dh0, dWx, dWh, db = rnn_step_backward(dh[:, T - 1], cache[T - 1])
    dxs = [dx]
    for t in range(T - 2, -1, -1):
        dx, dh0, *more = rnn_step_backward(dh[:, t] + dh0, cache[t])
        dxs.insert(0, dx)
        dWx, dWh, db = dWx + more[0], dWh + more[1], db + more[2]
    return np.swapaxes(np.array(dxs), 0, 1), dh0, dWx, dWh, db


# %% definitions of word-embedding-forward
def word_embedding_forward(x, W):
    return W[x, :], {"words": np.copy(x), "W": W}


# %% definitions of word-embedding-backward
def word_embedding_backward(dout, cache):
    words, W = cache["words"], cache["W"]
    dW = np.zeros_like(W)
    for v in np.unique(words):
        dW[v] = dout[words == v].sum(axis=0)
    return dW


# %% definitions of captioning-rnn
def sample(self, features, max_length=30):
    names = ("Wx", "Wh", "b")
    captions = np.full((len(features), max_length), self._null)
    h, _ = affine_forward(features, self.params["W_proj"], self.params["b_proj"])
    word = np.full(len(features), self._start)
    running = np.ones(len(features), dtype=bool)  # captions that have not come to <END>
    for t in range(max_length):
        vectors, _ = word_embedding_forward(word, self.params["W_embed"])
        h, _ = rnn_step_forward(vectors, h, *(self.params[name] for name in names))
        scores, _ = affine_forward(h, self.params["W_vocab"], self.params["b_vocab"])
        word = scores.argmax(axis=1)
        captions[running, t] = word[running]
        running &= word != self._end
        if not running.any():
            break
    return captions
