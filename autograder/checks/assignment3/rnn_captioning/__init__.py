"""Hidden checks of the RNN captioning notebook, by what they ask for."""

from autograder.checks.assignment3.rnn_captioning import (
    caches,
    embedding,
    forward,
    gradients,
    loss,
    sample,
)

__all__ = ["caches", "embedding", "forward", "gradients", "loss", "sample"]
