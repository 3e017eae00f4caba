"""What is asked of a cell that searches for ``best_model``, and of a network that was trained.

Shapes: images (N, 32, 32, 3) in the judge, (N, 3, 32, 32) in the notebook; scores (N, C).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.random import Generator

from autograder.checks.shared import in_kernel_solver
from autograder.checks.shared.held_out import held_out_images
from autograder.checks.shared.small import search_on_small_images
from autograder.checks.shared.solver_runs import Run, expect_trainings, run_cell
from autograder.judge import Student, as_array, check, expect, expect_shape
from cs231n_lib.data import find_cifar10, load_cifar10, spritecifar

HELD_OUT = 1000  # an accuracy of 0.4 is measured to within 0.016, one standard error
GIVEN = {"input_size": 3072, "hidden_size": 50, "num_classes": 10}
SPLIT = "give the Solver training images to learn from and validation images to choose by"


def declare_search_checks(
    module: str,
    grade_id: str,
    *,
    cell: str,
    probe: str,
    threshold: float,
    data: tuple[str, ...] = ("data",),
) -> None:
    """Declare them for a notebook's ``module``; the search is in ``cell``.

    ``data``: names of the dicts that it may learn from.

    ``threshold``: of the accuracy. A thousand new images measure it to within 1.6 points, one
    standard error: whoever passes the visible test, six points above, is on the safe side.
    """

    search_on_small_images(module, cell, *data)

    def search(student: Student, rng: Generator, *, rising: bool = True) -> Run:
        more = GIVEN | {"best_model": None, "results": {}}
        return run_cell(student, rng, in_kernel_solver.chosen_model, cell, more, rising=rising)

    @check(grade_id, probe=probe, module=module)
    def search_trains_on_training_images(student: Student, rng: Generator) -> None:
        """Networks are made and trained in this cell, each new, on training images alone."""
        run = search(student, rng)
        expect_trainings(run)
        expect_training_images(run)
        fresh = not any(training.again for training in run.trainings)
        trained_on = "a network that had been trained before was trained on"
        expect(fresh, f"{trained_on}: make a new one each time")

    @check(grade_id, probe=probe, weight=2, module=module)
    def search_keeps_the_best(student: Student, rng: Generator) -> None:
        """best_model is the network that did best in validation, the first, the last or another."""
        for rising in (True, False):
            _expect_best(search(student, rng, rising=rising))

    @check(grade_id, probe=probe, condition=True, module=module)
    def search_leaves_the_test_set(student: Student, rng: Generator) -> None:
        """No network is asked about a test image during the search."""
        asked = search(student, rng).asked_test
        expect(not asked, "the search uses the test set: leave it alone")

    @check(grade_id, probe=probe, weight=2, module=module)
    def best_model_classifies(student: Student, rng: Generator) -> None:
        """The notebook's own best_model on images that nobody has seen."""
        expect_accuracy(student, rng, "best_model", threshold)


def _expect_best(run: Run) -> None:
    expect_trainings(run)
    expect(run.after is not None, "best_model is None, or not a network")
    chosen = int(as_array(run.after, "best_model"))
    known = 0 < chosen <= len(run.trainings)
    expect(known, "best_model is a network that was not trained in this cell")
    # Only equally long runs on as many images can be told apart: after short ones to find the
    # settings, or some on a part of the images, a long one may be taken without looking back.
    rivals = [
        rival
        for rival, training in enumerate(run.trainings, 1)
        if training.epochs == run.trainings[chosen - 1].epochs
        and training.images >= run.trainings[chosen - 1].images
    ]
    expect(
        run.right("val", chosen) == max(run.right("val", rival) for rival in rivals),
        "a network that was trained as long as best_model has a higher validation accuracy",
    )


def expect_training_images(run: Run) -> None:
    """Every training learned from the training images and chose by the validation images."""
    on = {training.on for training in run.trainings}
    expect(on == {"train, val"}, f"a network was trained on other images, or labels: {SPLIT}")


def expect_accuracy(student: Student, rng: Generator, model: str, threshold: float) -> None:
    """The notebook's own network, such as "solver.model", on new images."""
    images, labels = student.once("held-out images", lambda: held_out_images(rng, HELD_OUT))
    X = (images - _mean_image(_rows(student))).transpose(0, 3, 1, 2)
    answer = student.apply(in_kernel_solver.own_scores, model, np.ascontiguousarray(X))
    scores = expect_shape(answer, (HELD_OUT, 10), f"{model}.loss(X)")
    accuracy = float(np.mean(np.argmax(scores, axis=1) == labels))
    expect(
        accuracy >= threshold,
        f"{model} classifies {accuracy:.1%} of {HELD_OUT} new images correctly; at least "
        f"{threshold:.0%} were expected",
        "Are all layers right? Are the settings within a useful range?",
    )


def _rows(student: Student) -> int:
    """How many training images the notebook uses."""
    rows = as_array(student.get("num_training"), "num_training")
    sensible = rows.shape == () and 1000 <= rows <= 49_000
    expect(sensible, "num_training has been changed to something that is not a number of images")
    return int(rows)


@lru_cache(maxsize=2)
def _mean_image(rows: int) -> np.ndarray:
    """The mean of the first training images (32, 32, 3), which the notebook's data lack."""
    if find_cifar10() is None:
        images, _ = spritecifar.load("train", rows)  # load_cifar10 would announce the stand-in
    else:
        images, *_ = load_cifar10(num_train=rows, num_test=1, dtype=np.uint8)
    return images.mean(axis=0, dtype=np.float64)
