"""Hidden checks of the notebook of fully connected nets.

The class is asked over right layers, and the rules alone, so that no mistake counts twice.
"""

from autograder.checks.assignment2.fullyconnectednets import (
    net_init,
    net_loss,
    training,
    update_rules,
)

__all__ = ["net_init", "net_loss", "training", "update_rules"]
