"""Functions that share a cache, and small arguments to try them on.

Shapes: x (N, C, H, W), w (F, C, HH, WW), b (F,); gamma and beta (C,), of groups (1, C, 1, 1).
"""

import numpy as np

from autograder.judge import shares_cache

rng = np.random.default_rng(0)
x, w, b = rng.normal(size=(2, 2, 4, 4)), rng.normal(size=(2, 2, 3, 3)), rng.normal(size=2)
gamma, beta = rng.uniform(0.5, 2, size=2), rng.normal(size=2)
like_images = (1, 2, 1, 1)

shares_cache(
    __name__,
    "conv_forward_naive",
    "conv_backward_naive",
    arguments=(x, w, b, {"stride": 1, "pad": 1}),
)
shares_cache(
    __name__,
    "max_pool_forward_naive",
    "max_pool_backward_naive",
    arguments=(x, {"pool_height": 2, "pool_width": 2, "stride": 2}),
)
shares_cache(
    __name__,
    "spatial_batchnorm_forward",
    "spatial_batchnorm_backward",
    arguments=(x, gamma, beta, {"mode": "train"}),
)
shares_cache(
    __name__,
    "spatial_groupnorm_forward",
    "spatial_groupnorm_backward",
    arguments=(x, gamma.reshape(like_images), beta.reshape(like_images), 2, {}),
)
