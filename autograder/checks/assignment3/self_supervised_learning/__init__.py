"""Hidden checks of the notebook on contrastive learning (SimCLR).

No network is trained here. The losses are asked over similarities that the judge computes, and
`train` over the judge's loss: a mistake in an earlier question costs nothing in a later one.
"""

from autograder.checks.assignment3.self_supervised_learning import (
    loss,
    pairs,
    similarities,
    training,
    transform,
)

__all__ = ["loss", "pairs", "similarities", "training", "transform"]
