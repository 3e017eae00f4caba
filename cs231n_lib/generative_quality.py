"""How good are generated images? Three questions that looking at a few of them does not answer.

Are they copies of training images? ``nearest_training_images``. Is every kind of image made, or
only some (mode collapse)? ``class_histogram``. Are they, as a whole, like the real ones?
``frechet_distance`` between features, which ``features_at`` takes out of a network.

Arguments are tensors on any device, or arrays; answers are NumPy's, to be printed and drawn.
Dimension letters: N generated images, M real ones, D numbers of each (pixels or features), C
classes.
"""

from typing import cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

__all__ = ["class_histogram", "features_at", "frechet_distance", "nearest_training_images"]

Numbers = ArrayLike | Tensor
ROWS_AT_ONCE = 64  # of samples: their distances to 60,000 images take 15 MB


def nearest_training_images(
    samples: Numbers, training: Numbers
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """For each sample the index of the training image nearest to it (N,), and how far it is (N,).

    The distance is the Euclidean one of pixels, 0 for a copy. What is small, only a comparison
    tells: with the distances of real images that were not trained on.
    Shapes: samples (N, ...) and training (M, ...) with the same number of values each, in the same
    range; it is computed on the device of ``samples``. The first of several equally near is taken.
    Raises ValueError when the shapes do not fit, there is no image, or a value is NaN or infinite.
    """
    rows = _rows("samples", samples)
    others = _rows("training", training).to(device=rows.device, dtype=rows.dtype)
    _require_same_length("samples", rows, "training", others)
    indices, distances = [], []
    for chunk in rows.split(ROWS_AT_ONCE):
        # Differences first: |a|^2 - 2ab + |b|^2 would not give 0 for a copy in float32.
        apart = torch.cdist(chunk, others, compute_mode="donot_use_mm_for_euclid_dist")
        nearest = apart.min(dim=1)
        indices.append(nearest.indices.cpu())
        distances.append(nearest.values.cpu())
    return torch.cat(indices).numpy(), torch.cat(distances).double().numpy()


def class_histogram(predicted: Numbers, num_classes: int = 10) -> NDArray[np.int64]:
    """How many samples a classifier puts into each class: counts (C,).

    A generator that has lost modes leaves classes empty, or nearly so. Shapes: predicted (N,),
    labels from 0 to C - 1, or (N, C), scores of which the largest counts.
    Raises ValueError when a label is not a class, or the shape is another one.
    """
    given = _array(predicted)
    if given.ndim == 2 and given.shape[1] == num_classes:
        given = given.argmax(axis=1)
    if given.ndim != 1 or not (given.size == 0 or np.issubdtype(given.dtype, np.integer)):
        raise ValueError(
            f"predicted is {given.dtype} of shape {given.shape}; give whole numbers (N,), or "
            f"scores (N, {num_classes})"
        )
    labels = given.astype(np.int64)
    if labels.size and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(
            f"labels go from {labels.min()} to {labels.max()}; num_classes={num_classes} allows 0 "
            f"to {num_classes - 1}"
        )
    return np.bincount(labels, minlength=num_classes)


def frechet_distance(features_a: Numbers, features_b: Numbers) -> float:
    """Return the Fréchet distance of the normal distributions that fit two sets of features.

    |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)) with means m and covariances C (Heusel et al.
    2017, equation 6, who call it FID for the features of an Inception network). The root's trace
    is that of (S C_b S)^(1/2) with S the root of C_a, which is symmetric: no complex numbers, and
    no covariance need be invertible. Computed in float64.

    0 for the same distribution, but not for two samples of it: few samples make it too large (Chong
    and Forsyth, 2020), so compare distances of equally many, and with that of two halves of the
    real images. Have several times as many samples as features.
    Shapes: features_a (N, D) and features_b (M, D), N and M at least 2, rows flattened.
    Raises ValueError when the shapes do not fit, or a value is NaN or infinite.
    """
    a, b = (
        _rows(name, features).cpu().double()
        for name, features in (("features_a", features_a), ("features_b", features_b))
    )
    _require_same_length("features_a", a, "features_b", b)
    for name, rows in (("features_a", a), ("features_b", b)):
        if len(rows) < 2:
            raise ValueError(f"{name} has a single row; a covariance needs at least two")
    covariance_a, covariance_b = (_covariance(rows) for rows in (a, b))
    root = _root(covariance_a)
    product = root @ covariance_b @ root
    trace = torch.linalg.eigvalsh(product).clamp(min=0).sqrt().sum()
    means = (a.mean(0) - b.mean(0)).square().sum()
    distance = means + covariance_a.trace() + covariance_b.trace() - 2 * trace
    return max(distance.item(), 0.0)  # rounding can make it a little less than nothing


@torch.no_grad()
def features_at(
    model: nn.Module, layer: nn.Module, images: Tensor, batch_size: int = 500
) -> Tensor:
    """What ``layer``, a module within ``model``, returns for each image: (N, D), on their device.

    ``features_at(classifier, classifier[7], images)`` are the numbers that the next layer decides
    by. The model is put into evaluation mode meanwhile; images go to its device and dtype in
    batches. Shapes: images (N, ...), as the model takes them.
    Raises ValueError when the layer is not in the model, or there is no image; RuntimeError when
    the model does not use the layer.
    """
    if not any(module is layer for module in model.modules()):
        raise ValueError(
            f"{type(layer).__name__} is not a part of the model; pass one of its own layers, "
            "model[3] or model.hidden, say"
        )
    if len(images) == 0:
        raise ValueError("there are no images to take features of")
    kept: list[Tensor] = []
    modes = [(module, module.training) for module in model.modules()]
    weight = next(model.parameters(), images)
    handle = layer.register_forward_hook(lambda _m, _x, out: kept.append(cast(Tensor, out)))
    model.eval()
    try:
        for batch in images.split(batch_size):
            before = len(kept)
            model(batch.to(device=weight.device, dtype=weight.dtype))
            if len(kept) == before:
                raise RuntimeError(
                    f"the model did not use the layer {type(layer).__name__} for these images"
                )
            kept[before:] = [kept[-1].flatten(1).to(images.device)]  # used twice: the last time
    finally:
        handle.remove()
        for module, training in modes:
            module.training = training
    return torch.cat(kept)


def _array(values: Numbers) -> NDArray[np.generic]:
    return values.detach().cpu().numpy() if isinstance(values, Tensor) else np.asarray(values)


def _rows(name: str, values: Numbers) -> Tensor:
    """Floating-point rows (N, D) without a gradient. Raises ValueError when there are none."""
    given = values.detach() if isinstance(values, Tensor) else torch.from_numpy(np.array(values))
    if given.ndim < 2 or given.numel() == 0:
        raise ValueError(f"{name} has shape {tuple(given.shape)}; it needs a row for each image")
    rows = given.flatten(1)
    rows = rows if rows.is_floating_point() else rows.float()
    if not bool(rows.isfinite().all()):
        raise ValueError(f"{name} holds NaN or infinite values; the network has diverged")
    return rows


def _require_same_length(name: str, rows: Tensor, other_name: str, others: Tensor) -> None:
    if rows.shape[1] != others.shape[1]:
        raise ValueError(
            f"{name} have {rows.shape[1]} values each, {other_name} {others.shape[1]}; they are "
            "compared value by value"
        )


def _covariance(rows: Tensor) -> Tensor:
    centred = rows - rows.mean(0)
    return centred.T @ centred / (len(rows) - 1)


def _root(covariance: Tensor) -> Tensor:
    """The symmetric square root of a symmetric matrix without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(covariance)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T
