"""Hidden checks of the GAN notebook.

Networks are judged by what they compute, with parameters of the judge's; losses by their closed
form and by the direction of their gradients; the optimiser by its steps. Nothing is trained.
"""

from autograder.checks.assignment3.generative_adversarial_networks import (
    losses,
    networks,
    noise,
    optimizer,
)

__all__ = ["losses", "networks", "noise", "optimizer"]
