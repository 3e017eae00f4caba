"""Right as published solutions are: caches taken apart, the whole class with both kinds of cell."""

import numpy as np


# %% start from solutions
# %% definitions of rnn-step-forward
def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h, cache = None, None
    affine = np.dot(prev_h, Wh) + np.dot(x, Wx) + b
    next_h = np.tanh(affine)
    cache = {"x": x, "prev_h": prev_h, "Wx": Wx, "Wh": Wh, "affine": affine}
    return next_h, cache


# %% definitions of rnn-step-backward
def rnn_step_backward(dnext_h, cache):
    dx, dprev_h, dWx, dWh, db = None, None, None, None, None
    grad_tanh = (1 - np.square(np.tanh(cache["affine"]))) * dnext_h
    dx = np.dot(grad_tanh, cache["Wx"].T)
    dprev_h = np.dot(grad_tanh, cache["Wh"].T)
    dWx = np.dot(cache["x"].T, grad_tanh)
    dWh = np.dot(cache["prev_h"].T, grad_tanh)
    db = np.sum(grad_tanh, axis=0)
    return dx, dprev_h, dWx, dWh, db


# %% definitions of rnn-forward
def rnn_forward(x, h0, Wx, Wh, b):
    h, cache = None, None
    N, T, H = x.shape[0], x.shape[1], h0.shape[1]
    h = np.zeros((T, N, H), dtype=x.dtype)
    cache = []
    prev_h = h0
    for t, step in enumerate(x.transpose(1, 0, 2)):
        h[t], step_cache = rnn_step_forward(x=step, prev_h=prev_h, Wx=Wx, Wh=Wh, b=b)
        prev_h = h[t]
        cache.append(step_cache)
    return h.transpose(1, 0, 2), cache


# %% definitions of rnn-backward
def rnn_backward(dh, cache):
    dx, dh0, dWx, dWh, db = None, None, None, None, None
    N, T, H = dh.shape
    D = cache[0]["x"].shape[1]
    dx = np.zeros((N, T, D), dtype=dh.dtype)
    dWx = np.zeros((D, H), dtype=dh.dtype)
    dWh = np.zeros((H, H), dtype=dh.dtype)
    db = np.zeros(H, dtype=dh.dtype)
    dh_prev = np.zeros((N, H), dtype=dh.dtype)
    for t in range(T - 1, -1, -1):
        dh_current = dh[:, t, :] + dh_prev
        dx[:, t, :], dh_prev, dWx_t, dWh_t, db_t = rnn_step_backward(dh_current, cache[t])
        dWx += dWx_t
        dWh += dWh_t
        db += db_t
    dh0 = dh_prev
    return dx, dh0, dWx, dWh, db


# %% definitions of word-embedding-forward
def word_embedding_forward(x, W):
    out = np.take(W, x, axis=0)
    cache = W.shape, W.dtype, x
    return out, cache


# %% definitions of word-embedding-backward
def word_embedding_backward(dout, cache):
    dW = None
    shape, dtype, x = cache
    dW = np.zeros(shape, dtype=dtype)
    N, T = x.shape
    for n in range(N):
        for t in range(T):
            dW[x[n, t], :] += dout[n, t, :]
    return dW


# %% cell captioning-rnn
class CaptioningRNN(object):
    def __init__(
        self,
        word_to_idx,
        input_dim=512,
        wordvec_dim=128,
        hidden_dim=128,
        cell_type="rnn",
        dtype=np.float32,
    ):
        if cell_type not in {"rnn", "lstm"}:
            raise ValueError('Invalid cell_type "%s"' % cell_type)
        self.cell_type = cell_type
        self.dtype = dtype
        self.word_to_idx = word_to_idx
        self.idx_to_word = {i: w for w, i in word_to_idx.items()}
        self.params = {}
        vocab_size = len(word_to_idx)
        self._null = word_to_idx["<NULL>"]
        self._start = word_to_idx.get("<START>", None)
        self._end = word_to_idx.get("<END>", None)

        dim_mul = 4 if cell_type == "lstm" else 1
        self.params["W_embed"] = np.random.randn(vocab_size, wordvec_dim) / 100
        self.params["W_proj"] = np.random.randn(input_dim, hidden_dim) / np.sqrt(input_dim)
        self.params["b_proj"] = np.zeros(hidden_dim)
        self.params["Wx"] = np.random.randn(wordvec_dim, dim_mul * hidden_dim)
        self.params["Wx"] /= np.sqrt(wordvec_dim)
        self.params["Wh"] = np.random.randn(hidden_dim, dim_mul * hidden_dim) / np.sqrt(hidden_dim)
        self.params["b"] = np.zeros(dim_mul * hidden_dim)
        self.params["W_vocab"] = np.random.randn(hidden_dim, vocab_size) / np.sqrt(hidden_dim)
        self.params["b_vocab"] = np.zeros(vocab_size)
        for k, v in self.params.items():
            self.params[k] = v.astype(self.dtype)

    def loss(self, features, captions):
        captions_in = captions[:, :-1]
        captions_out = captions[:, 1:]
        mask = captions_out != self._null
        W_proj, b_proj = self.params["W_proj"], self.params["b_proj"]
        W_embed = self.params["W_embed"]
        Wx, Wh, b = self.params["Wx"], self.params["Wh"], self.params["b"]
        W_vocab, b_vocab = self.params["W_vocab"], self.params["b_vocab"]
        loss, grads = 0.0, {}

        h0 = np.dot(features, W_proj) + b_proj
        embeddings, cache_embed = word_embedding_forward(captions_in, W_embed)
        if self.cell_type == "rnn":
            hidden, cache_hidden = rnn_forward(embeddings, h0, Wx, Wh, b)
        elif self.cell_type == "lstm":
            hidden, cache_hidden = lstm_forward(embeddings, h0, Wx, Wh, b)
        scores, cache_scores = temporal_affine_forward(hidden, W_vocab, b_vocab)
        loss, dscores = temporal_softmax_loss(scores, captions_out, mask, verbose=False)

        dhidden, dW_vocab, db_vocab = temporal_affine_backward(dscores, cache_scores)
        if self.cell_type == "rnn":
            dembeddings, dh0, dWx, dWh, db = rnn_backward(dhidden, cache_hidden)
        elif self.cell_type == "lstm":
            dembeddings, dh0, dWx, dWh, db = lstm_backward(dhidden, cache_hidden)
        dW_embed = word_embedding_backward(dembeddings, cache_embed)
        dW_proj = np.dot(features.T, dh0)
        db_proj = np.sum(dh0, axis=0)
        grads = {
            "W_vocab": dW_vocab,
            "b_vocab": db_vocab,
            "Wx": dWx,
            "Wh": dWh,
            "b": db,
            "W_embed": dW_embed,
            "W_proj": dW_proj,
            "b_proj": db_proj,
        }
        return loss, grads

    def sample(self, features, max_length=30):
        N = features.shape[0]
        captions = self._null * np.ones((N, max_length), dtype=np.int32)
        W_proj, b_proj = self.params["W_proj"], self.params["b_proj"]
        W_embed = self.params["W_embed"]
        Wx, Wh, b = self.params["Wx"], self.params["Wh"], self.params["b"]
        W_vocab, b_vocab = self.params["W_vocab"], self.params["b_vocab"]

        hidden = np.dot(features, W_proj) + b_proj
        cell = np.zeros(hidden.shape)
        current = np.repeat(self._start, N)
        for t in range(max_length):
            word_vectors = W_embed[current]
            if self.cell_type == "rnn":
                hidden, _ = rnn_step_forward(word_vectors, hidden, Wx, Wh, b)
            else:
                hidden, cell, _ = lstm_step_forward(word_vectors, hidden, cell, Wx, Wh, b)
            scores = np.dot(hidden, W_vocab) + b_vocab
            captions[:, t] = np.argmax(scores, axis=1)
            current = captions[:, t]
        return captions
