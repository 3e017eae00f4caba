"""Hidden checks of the diffusion notebook.

Coefficients and the U-Net are computed anew in the judge, in float64. Networks are stand-ins that
note what they are given, so that a mistake in one method is paid once; nothing is trained.
"""

from autograder.checks.assignment4.ddpm import guidance, losses, noising, parts, step_back, unet

__all__ = ["guidance", "losses", "noising", "parts", "step_back", "unet"]
