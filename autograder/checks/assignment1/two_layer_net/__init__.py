"""Hidden checks of the two-layer net notebook. The oracle is torch's autograd in float64."""

from autograder.checks.assignment1.two_layer_net import (
    affine,
    caches,
    losses,
    net_init,
    net_loss,
    relu,
    sgd,
    training,
)

__all__ = ["affine", "caches", "losses", "net_init", "net_loss", "relu", "sgd", "training"]
