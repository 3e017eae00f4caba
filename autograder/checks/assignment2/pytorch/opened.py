"""What is asked of the open challenge, besides its accuracy: a sound training, and two modes.

The student's cell is executed again on a handful of random images, with a training loop of ours;
nothing useful is learned there. What can be seen is which parameters an optimiser has changed, and
whether anybody looks at the test images.
"""

from __future__ import annotations

from typing import Any

from numpy.random import Generator

from autograder.checks.assignment2.pytorch.cells import few_images
from autograder.checks.assignment2.pytorch.in_kernel import cells
from autograder.checks.shared import in_kernel_trained
from autograder.judge import Student, StudentError, advice, as_array, check, expect

QUESTION, CELL = "pt-open", "open-challenge"
SECONDS = 60.0


@check(QUESTION, probe="PT-A6", weight=2)
def model_is_trained_by_its_optimizer(student: Student, rng: Generator) -> None:
    """The cell trains best_model: an optimiser changes all of its parameters."""
    after = _few_images(student, rng)
    shapes = [tuple(shape) for shape in after["shapes"]]
    expect(shapes, "best_model (or else model) is no module with parameters")
    trained_ones = [tuple(shape) for shape in after["trained"]]
    left = [shape for shape in set(shapes) if trained_ones.count(shape) < shapes.count(shape)]
    expect(
        not left,
        f"no optimiser changes the parameters of shape {sorted(left)[:4]} of best_model",
        "Is it trained in this cell, and does the optimiser have its parameters?",
    )


@check(QUESTION, probe="PT-A6", condition=True)
def test_images_are_left_alone(student: Student, rng: Generator) -> None:
    """Nothing is trained on the test images, and nothing is chosen by them."""
    looks = _few_images(student, rng)["looks"]
    expect(looks == 0, "the cell uses the test images: leave them for section 12")


@advice(QUESTION, probe="PT-B1")
def scores_do_not_depend_on_chance(student: Student, rng: Generator) -> None:
    """In evaluation mode, the same images get the same scores twice."""
    after = _repeated_and_alone(student, rng)
    first, again = (as_array(after[name], "the scores") for name in ("first", "again"))
    same = first.shape == again.shape and abs(first - again).max() < 1e-3
    expect(
        same,
        "the scores differ from call to call after eval()",
        "If it is dropout: nn.Dropout, or F.dropout(x, training=self.training), follows the mode",
    )


@advice(QUESTION, probe="PT-B1")
def images_do_not_depend_on_their_batch(student: Student, rng: Generator) -> None:
    """In evaluation mode, an image alone gets the scores it has in a batch."""
    after = _repeated_and_alone(student, rng)
    first, alone = (as_array(after[name], "the scores") for name in ("first", "alone"))
    same = first.shape == alone.shape and abs(first - alone).max() < 1e-2
    expect(same, "the scores of an image depend on the other images of its batch, after eval()")


def _few_images(student: Student, rng: Generator) -> dict[str, Any]:
    def run() -> dict[str, Any]:
        images = few_images(rng, 32)
        try:
            return student.apply(
                cells.open_challenge, CELL, *images, cells=(CELL,), seconds=SECONDS
            )
        except StudentError:
            # It may need more than a handful of images: then what it left has to do.
            return student.apply(cells.as_it_was_left)

    return student.once("the open challenge on a few images", run)


def _repeated_and_alone(student: Student, rng: Generator) -> dict[str, Any]:
    x, _ = few_images(rng, 4)
    return student.apply(in_kernel_trained.scores_repeated_and_alone, "best_model", x)
