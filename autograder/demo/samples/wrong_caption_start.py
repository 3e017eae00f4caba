"""Writes <START> into the first place of each caption, as some published solutions do.

Earns: all of RNN_Captioning but a third of the question about captions, each of which is one word
short. The layers, the loss and its gradients are right.
"""

import numpy as np


# %% notebook RNN_Captioning
# %% start from solutions
# %% definitions of captioning-rnn
def sample(self, features, max_length=30):
    N = features.shape[0]
    captions = self._null * np.ones((N, max_length), dtype=np.int32)
    p = self.params
    h = features @ p["W_proj"] + p["b_proj"]
    captions[:, 0] = self._start
    for t in range(1, max_length):
        x, _ = word_embedding_forward(captions[:, t - 1], p["W_embed"])
        h, _ = rnn_step_forward(x, h, p["Wx"], p["Wh"], p["b"])
        captions[:, t] = np.argmax(h @ p["W_vocab"] + p["b_vocab"], axis=1)
    return captions
