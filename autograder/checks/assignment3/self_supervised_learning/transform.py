"""What is asked of compute_train_transform: six steps in order, their settings, what comes out.

Read off the objects: torchvision's classes and those of cs231n_lib have the same names and
attributes. Images (H, W, 3) of uint8; views (3, 32, 32).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.random import Generator

from autograder.checks.assignment3.self_supervised_learning import in_kernel
from autograder.judge import Failed, Student, check, expect, expect_near, expect_shape, name_slip

QUESTION, CELL = "transform", "train-transform"
ORDER = ("RandomResizedCrop", "RandomHorizontalFlip", "RandomApply", "RandomGrayscale", "ToTensor",
         "Normalize")  # fmt: skip
MEAN = np.array([0.4914, 0.4822, 0.4465])
STD = np.array([0.2023, 0.1994, 0.2010])
IMAGENET = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
JITTER = {
    "brightness": (0.6, 1.4),
    "contrast": (0.6, 1.4),
    "saturation": (0.6, 1.4),
    "hue": (-0.1, 0.1),
}
Step = Mapping[str, Any]


@check(QUESTION, probe="SSL-A1", weight=2)
def steps_are_in_order(student: Student, rng: Generator) -> None:
    """One Compose of the six steps, in the order that the task gives."""
    steps = _steps(student)
    names = [str(step["class"]) for step in steps]
    bare = "ColorJitter" in names and "RandomApply" not in names
    expect(not bare, "ColorJitter is applied to every image: put it into a RandomApply")
    for name in ORDER:
        expect(name in names, f"no step is a {name}; the steps are {', '.join(names)}")
    for name in names:
        expect(name in ORDER, f"{name} is not among the steps that the task lists")
    expect(len(names) == len(ORDER), f"a step comes twice: {', '.join(names)}")
    order = f"the steps are in another order than in the task: {', '.join(names)}"
    expect(tuple(names) == ORDER, order)


@check(QUESTION, probe="SSL-A1", weight=2)
def crop_and_flip_are_set(student: Student, rng: Generator) -> None:
    """The size of the crop, its share of the image and its shape; how often an image is flipped."""
    steps = _steps(student)
    crop = _only(steps, "RandomResizedCrop")
    # A single number is a square.
    _expect_setting(crop, "size", (32, 32))
    _expect_setting(crop, "scale", (0.08, 1.0))
    _expect_setting(crop, "ratio", (3 / 4, 4 / 3))
    _expect_setting(_only(steps, "RandomHorizontalFlip"), "p", 0.5)


@check(QUESTION, probe="SSL-A1", weight=2)
def colours_are_set(student: Student, rng: Generator) -> None:
    """How strongly and how often colours are changed, and how often they are taken out."""
    steps = _steps(student)
    apply = _only(steps, "RandomApply")
    inner = list(_flat(apply))
    names = ", ".join(str(step["class"]) for step in inner)
    jitters = [step for step in inner if step["class"] == "ColorJitter"]
    expect(len(jitters) == len(inner) == 1, f"RandomApply applies {names or 'nothing'}")
    for name, bounds in JITTER.items():
        _expect_setting(jitters[0], name, bounds)
    _expect_setting(apply, "p", 0.8)
    _expect_setting(_only(steps, "RandomGrayscale"), "p", 0.2)


@check(QUESTION, probe="SSL-A1", weight=2)
def views_are_normalised_tensors(student: Student, rng: Generator) -> None:
    """What comes out: (3, 32, 32), and black and white on the normalised scale.

    Black stays black whatever is done to colours. White becomes grey where the brightness falls,
    and stays white in at least half of the draws: of 40, one at least.
    """
    colours = []
    for level, times in ((None, 1), (0, 2), (255, 40)):
        pixels = (
            rng.integers(256, size=(32, 32, 3)) if level is None else np.full((32, 32, 3), level)
        )
        seed = int(rng.integers(1 << 31))
        found = student.apply(in_kernel.views, pixels.astype(np.uint8), times, seed, cells=(CELL,))
        views = [expect_shape(view, (3, 32, 32), "a view") for view in found]
        kind = views[0].dtype
        expect(kind.kind == "f", f"a view holds numbers of type {kind}, not floats")
        expect(np.isfinite(views[0]).all(), "a view holds numbers that are nan or infinite")
        colours.append(np.max(views, axis=0).astype(np.float64))
    got = np.stack([colour.max(axis=(1, 2)) for colour in colours[1:]])  # (2, 3)
    flat = [np.ptp(colour, axis=(1, 2)).max() < 0.1 for colour in colours[1:]]
    expect(all(flat), "the views of an image of one colour have several colours")
    raw = np.array([[0.0], [1.0]])
    want = (raw - MEAN) / STD
    slips = {
        "are not normalised": np.broadcast_to(raw, (2, 3)),
        "are normalised with 0.5 and 0.5": np.broadcast_to((raw - 0.5) / 0.5, (2, 3)),
        "are normalised with ImageNet's numbers": (raw - IMAGENET[0]) / IMAGENET[1],
        "are normalised with mean and standard deviation exchanged": (raw - STD) / MEAN,
        "have the mean subtracted, but are not divided by the standard deviation": raw - MEAN,
        "go from 0 to 255": np.broadcast_to(255 * raw, (2, 3)),
    }
    named = {f"black and white {what}": wrong for what, wrong in slips.items()}
    name_slip(got, want, named, atol=1e-5)
    what = "black and white, channel by channel"
    expect_near(got, want, what=what, precision="float32")


# -- reading the steps ----------------------------------------------------------------------------


def _steps(student: Student) -> list[Step]:
    """The steps of the Compose; one inside another is taken apart."""
    whole = student.apply(in_kernel.steps, cells=(CELL,))
    name = whole["class"]
    found = "None" if name == "NoneType" else f"an object of type {name}"
    known = whole["steps"] is not None and name != "RandomApply"
    expect(known, f"compute_train_transform returns {found}, which is not a Compose of steps")
    return list(_flat(whole))


def _flat(step: Step) -> Iterator[Step]:
    for inner in step["steps"] or ():
        if inner["class"] in ("Compose", "Sequential"):
            yield from _flat(inner)
        else:
            yield inner


def _only(steps: list[Step], name: str) -> Step:
    for step in steps:
        if step["class"] == name:
            return step
    raise Failed(f"no step is a {name}")


def _expect_setting(step: Step, name: str, want: Any) -> None:
    value = step["settings"].get(name)
    label = f"{step['class']}: {name}"
    expect(value is not None, f"{label} is not set")
    numbers = np.asarray(value, dtype=np.float64)
    if numbers.ndim == 0 and np.ndim(want):
        numbers = np.repeat(numbers, 2)
    same = numbers.shape == np.shape(want) and np.allclose(numbers, want, rtol=1e-3, atol=1e-6)
    shown = ", ".join(f"{number:g}" for number in np.ravel(np.asarray(value, dtype=np.float64)))
    expect(same, f"{label} is {shown}, which is not what the task says")
