"""Hidden checks of the normalisation notebook, by what they ask for."""

from autograder.checks.assignment2.batchnormalization import backward, forward, init, net, running

__all__ = ["backward", "forward", "init", "net", "running"]
