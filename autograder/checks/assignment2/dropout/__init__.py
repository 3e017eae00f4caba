"""Hidden checks of the dropout notebook, by what they ask for."""

from autograder.checks.assignment2.dropout import (
    backward,
    caches,
    forward,
    net_loss,
)

__all__ = ["backward", "caches", "forward", "net_loss"]
