"""Pretrained networks: for looking inside, for style transfer, for features."""

from cs231n_lib.models.efficientnet_lite import EfficientNetLite0
from cs231n_lib.models.pretrained import EFFICIENTNET_LITE, Pretrained, load_pretrained
from cs231n_lib.models.stages import extract_features

__all__ = [
    "EFFICIENTNET_LITE", "EfficientNetLite0", "Pretrained", "extract_features", "load_pretrained",
]  # fmt: skip
