"""Functions that share a cache, and small arguments to try them on.

Shapes: x (N, D), gamma and beta (D,).
"""

import numpy as np

from autograder.judge import shares_cache

rng = np.random.default_rng(0)
x, gamma, beta = rng.normal(size=(4, 3)), rng.uniform(0.5, 2, size=3), rng.normal(size=3)

shares_cache(
    __name__,
    "batchnorm_forward",
    "batchnorm_backward",
    "batchnorm_backward_alt",
    arguments=(x, gamma, beta, {"mode": "train"}),
)
shares_cache(__name__, "layernorm_forward", "layernorm_backward", arguments=(x, gamma, beta, {}))
