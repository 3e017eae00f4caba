"""Hidden checks of the notebook on CLIP and DINO.

No network of ours is run here. Classifier and retriever are asked over a CLIP whose features are
known, and over the judge's similarities; the segmentation with points that lie in groups.
"""

from autograder.checks.assignment4.clip_dino import (
    retrieval,
    segmentation,
    similarity,
    zero_shot,
)

__all__ = ["retrieval", "segmentation", "similarity", "zero_shot"]
