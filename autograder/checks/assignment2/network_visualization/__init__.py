"""Hidden checks of the notebook on looking into a network.

Every network is a small one, made in the kernel from a plain description; the large pretrained one
is never needed. The oracle is torch's autograd in float64, in the judge.
"""

from autograder.checks.assignment2.network_visualization import class_step, fooling, saliency

__all__ = ["class_step", "fooling", "saliency"]
