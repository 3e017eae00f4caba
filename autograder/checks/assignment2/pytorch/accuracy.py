"""How well the notebook's own networks do on images that nobody has seen.

The images go in as a tensor, normalised as the notebook does it; the scores come back.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from autograder.checks.shared.held_out import held_out_images
from autograder.judge import Student, as_array, expect
from cs231n_lib.torch_data import normalize_images

HELD_OUT = 1000  # an accuracy of 0.4 is measured to within 0.016, one standard error
CLASSES = 10

TENSORS = """
import torch as _torch
_params = [conv_w1, conv_b1, conv_w2, conv_b2, fc_w, fc_b]
with _torch.no_grad():
    _scores = _torch.cat([
        three_layer_convnet(_part.to(conv_w1), _params).cpu() for _part in _x.split(200)
    ])
"""
# A copy is asked, in evaluation mode: the model itself stays as the student left it.
MODEL = """
import copy as _copy
import torch as _torch
_net = _copy.deepcopy({model}).eval()
_like = next(iter(_net.parameters()), _torch.zeros(()))
with _torch.no_grad():
    _scores = _torch.cat([_net(_part.to(_like)).cpu() for _part in _x.split(200)])
"""


def tensors_classify(student: Student, rng: Generator, threshold: float) -> None:
    """The six trained tensors, on images that nobody has seen."""
    _expect_accuracy(student, rng, TENSORS, "the trained net", threshold)


def model_classifies(student: Student, rng: Generator, name: str, threshold: float) -> None:
    """The trained network, on images that nobody has seen."""
    _expect_accuracy(student, rng, MODEL.format(model=name), name, threshold)


def _expect_accuracy(
    student: Student, rng: Generator, source: str, what: str, threshold: float
) -> None:
    images, labels = held_out_images(rng, HELD_OUT)
    x = normalize_images(images.astype(np.float32))
    after = student.rerun(source, {"_x": x}, ("_scores",))
    scores = as_array(after.get("_scores"), f"the scores of {what}")
    # More columns than classes are wasteful, but no mistake: training makes the others small.
    enough = scores.ndim == 2 and len(scores) == HELD_OUT and scores.shape[1] >= CLASSES
    expect(enough, f"the scores of {what} have shape {scores.shape} for {HELD_OUT} images")
    accuracy = float(np.mean(np.argmax(scores, axis=1) == labels))
    expect(
        accuracy >= threshold,
        f"{what} is right on {accuracy:.1%} of {HELD_OUT} new images; at least {threshold:.0%} "
        "were expected. Has it been trained, and well enough? Is it the net that did best?",
    )
