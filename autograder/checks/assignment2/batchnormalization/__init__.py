"""Hidden checks of the normalisation notebook, by what they ask for."""

from autograder.checks.assignment2.batchnormalization import (
    backward,
    caches,
    forward,
    net_init,
    net_loss,
    running,
)

__all__ = ["backward", "caches", "forward", "net_init", "net_loss", "running"]
