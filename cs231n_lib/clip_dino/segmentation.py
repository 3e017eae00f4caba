"""Masks over pictures, and how well two masks agree.

Dimension letters: H x W pixels, G x G patches.
"""

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from cs231n_lib.plotting import BLUE, GREEN, ORANGE, PURPLE, RED, SKY

# Of classes 1, 2, ...; the background keeps its own.
MASK_COLOURS = (ORANGE, BLUE, PURPLE, GREEN, SKY, RED)
_RGB = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in MASK_COLOURS], np.float64)


def mask_frame_overlay(
    processed_mask: ArrayLike | torch.Tensor, frame: NDArray[np.uint8], alpha: float = 0.5
) -> NDArray[np.uint8]:
    """A mask of patches over its frame: (G*G,) or (G, G), (H, W, 3) uint8 -> (H, W, 3) uint8.

    Raises ValueError when the mask is no square.
    """
    mask = processed_mask.cpu() if isinstance(processed_mask, torch.Tensor) else processed_mask
    classes = np.asarray(mask).ravel()
    grid = round(len(classes) ** 0.5)
    if grid * grid != len(classes):
        raise ValueError(f"the mask has {len(classes)} patches, which make no square")
    height, width = frame.shape[:2]
    rows = (np.arange(height) * grid) // height
    columns = (np.arange(width) * grid) // width
    whole = classes.reshape(grid, grid)[rows[:, None], columns[None, :]]
    return create_segmentation_overlay(whole, frame, alpha)


def create_segmentation_overlay(
    segmentation_mask: ArrayLike, image: NDArray[np.uint8], alpha: float = 0.5
) -> NDArray[np.uint8]:
    """Classes in colour over a picture: (H, W), (H, W, 3) uint8 -> (H, W, 3) uint8.

    Class 0 stays as it is; the others are covered to ``alpha``. Colours repeat after the sixth.
    Raises ValueError when mask and picture have different sizes.
    """
    mask = np.asarray(segmentation_mask)
    if mask.shape != image.shape[:2]:
        raise ValueError(f"the mask has shape {mask.shape}, the picture {image.shape[:2]}")
    covered = (mask > 0)[..., None]
    colours = _RGB[(mask.astype(np.int64) - 1) % len(_RGB)]
    mixed = np.where(covered, (1 - alpha) * image + alpha * colours, image)
    return np.clip(mixed + 0.5, 0, 255).astype(np.uint8)


def compute_iou(pred: torch.Tensor, gt: torch.Tensor, num_classes: int) -> float:
    """Mean over the classes of intersection over union; 1 where both masks are the same.

    A class that neither mask has counts as 0, as in the official notebook: leaving the picture
    costs, whatever is predicted. ``ious`` gives the classes one by one.
    """
    each = np.nan_to_num(ious(pred, gt, num_classes), nan=0.0)
    return float(each.mean())


def ious(pred: torch.Tensor, gt: torch.Tensor, num_classes: int) -> NDArray[np.float64]:
    """Intersection over union of each class (num_classes,); NaN for one that neither mask has.

    Raises ValueError when the masks have different shapes.
    """
    if pred.shape != gt.shape:
        raise ValueError(f"pred has shape {tuple(pred.shape)}, gt {tuple(gt.shape)}")
    found = np.full(num_classes, np.nan)
    for number in range(num_classes):
        in_pred, in_gt = pred == number, gt == number
        union = int((in_pred | in_gt).sum())
        if union:
            found[number] = int((in_pred & in_gt).sum()) / (union + 1e-8)
    return found
