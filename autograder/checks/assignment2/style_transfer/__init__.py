"""Hidden checks of the notebook on style transfer.

Features and images are small random tensors; the pretrained network is never needed. The oracle is
torch in float64, in the judge.

Weights: the image is found by following gradients. A loss from which none flows back is of no use,
however right its value, and costs nearly half. A gradient that is wrong only by the factor by which
the value is wrong costs nothing more.
"""

from autograder.checks.assignment2.style_transfer import content, gram, style, tv

__all__ = ["content", "gram", "style", "tv"]
