"""What a network has made of an image after each of its stages."""

from torch import Tensor, nn


def extract_features(x: Tensor, cnn: nn.Module, last: int | None = None) -> list[Tensor]:
    """Run ``x`` through the stages of ``cnn`` and keep the output of each.

    cnn: a chain, such as ``model.features``: its children are run one after the other, each on
    what the one before returned. ``last`` stops after that stage, which saves the time for the
    others; it counts from 0.
    Shapes: x (N, 3, H, W); returns a list, its item i the output of child i, (N, C_i, H_i, W_i).
    Raises ValueError when there is no stage ``last``.
    """
    stages = list(cnn.children())
    if last is not None:
        if not 0 <= last < len(stages):
            raise ValueError(f"last is {last}; the stages are 0 to {len(stages) - 1}")
        stages = stages[: last + 1]
    features = []
    for stage in stages:
        x = stage(x)
        features.append(x)
    return features


def like_parameters(x: Tensor, module: nn.Module) -> Tensor:
    """``x`` on the device and with the floating-point type of the module's parameters."""
    reference = next(module.parameters(), None)
    return x if reference is None else x.to(device=reference.device, dtype=reference.dtype)
