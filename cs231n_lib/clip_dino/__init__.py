"""What the notebook on CLIP and DINO needs: a small CLIP, patch features, videos with masks.

``clip`` is our module with the functions of OpenAI's package; ``openai_clip()`` is that package,
``dino_patches()`` and ``DavisDataset`` the official network and videos, where they are there.
"""

from cs231n_lib.clip_dino import clip
from cs231n_lib.clip_dino.drop_ins import DavisDataset, dino_patches, openai_clip
from cs231n_lib.clip_dino.model import TinyCLIP
from cs231n_lib.clip_dino.patches import (
    DinoPatches,
    ImageNetPatches,
    PatchNetwork,
    process_frames,
    process_masks,
)
from cs231n_lib.clip_dino.segmentation import (
    MASK_COLOURS,
    compute_iou,
    create_segmentation_overlay,
    ious,
    mask_frame_overlay,
)
from cs231n_lib.clip_dino.video import SpriteVideos

__all__ = [
    "MASK_COLOURS", "DavisDataset", "DinoPatches", "ImageNetPatches", "PatchNetwork",
    "SpriteVideos", "TinyCLIP", "clip", "compute_iou", "create_segmentation_overlay",
    "dino_patches", "ious", "mask_frame_overlay", "openai_clip", "process_frames",
    "process_masks",
]  # fmt: skip
