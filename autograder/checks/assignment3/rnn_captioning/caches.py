"""Functions that share a cache, and small arguments to try them on.

Shapes: x (N, D) at a step, (N, T, D) in a sequence; h (N, H); Wx (D, H), Wh (H, H), b (H,); words
(N, T), W (V, D).
"""

import numpy as np

from autograder.judge import shares_cache

rng = np.random.default_rng(0)
x, h = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3))
weights = rng.normal(size=(4, 3)), rng.normal(size=(3, 3)), rng.normal(size=3)
words, W = np.array([[0, 2, 1], [1, 1, 3]]), rng.normal(size=(4, 2))

shares_cache(__name__, "rnn_step_forward", "rnn_step_backward", arguments=(x[:, 0], h, *weights))
shares_cache(__name__, "rnn_forward", "rnn_backward", arguments=(x, h, *weights))
shares_cache(
    __name__, "word_embedding_forward", "word_embedding_backward", arguments=(words, W), wrt=1
)
