"""Functions that share a cache, and small arguments to try them on.

Shapes: x (N, D) at a step, (N, T, D) in a sequence; h and c (N, H); Wx (D, 4H), Wh (H, 4H), b (4H,)
"""

import numpy as np

from autograder.judge import shares_cache

rng = np.random.default_rng(0)
x, h, c = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
weights = rng.normal(size=(4, 12)), rng.normal(size=(3, 12)), rng.normal(size=12)

shares_cache(
    __name__, "lstm_step_forward", "lstm_step_backward", arguments=(x[:, 0], h, c, *weights)
)
shares_cache(__name__, "lstm_forward", "lstm_backward", arguments=(x, h, *weights))
