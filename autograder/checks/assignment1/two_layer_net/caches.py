"""Functions that share a cache, and small arguments to try them on.

Shapes: x (N, D), w (D, M), b (M,).
"""

import numpy as np

from autograder.judge import shares_cache

rng = np.random.default_rng(0)
x, w, b = rng.normal(size=(2, 3)), rng.normal(size=(3, 4)), rng.normal(size=4)

shares_cache(__name__, "affine_forward", "affine_backward", arguments=(x, w, b))
shares_cache(__name__, "relu_forward", "relu_backward", arguments=(x,))
