"""Hidden checks of the PyTorch notebook.

The oracle is torch in the judge, in float64, written with other functions than the notebook's.
Cells that train are executed again with training replaced by a note of what it was given; how well
the notebook's own networks do is measured on images that are in no file.
"""

from autograder.checks.assignment2.pytorch import cells, functional, modules, opened, trained

__all__ = ["cells", "functional", "modules", "opened", "trained"]
