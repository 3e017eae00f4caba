"""Hidden checks of the notebook on style transfer: what is asked where.

Features and images are small random tensors; the pretrained network is never needed. The oracle is
torch in float64, in the judge.
"""

from autograder.checks.assignment2.style_transfer import (
    content_checks,
    gram_checks,
    style_checks,
    tv_checks,
)

__all__ = ["content_checks", "gram_checks", "style_checks", "tv_checks"]
