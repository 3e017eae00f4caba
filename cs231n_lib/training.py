"""The loop that the solvers of captions and of the Vision Transformer share, and what it shows."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from cs231n_lib.progress import progress_bar

#: Draws one step's mini-batch, updates the parameters once, and returns the loss.
Step = Callable[[], float]


def run_steps(
    step: Step,
    losses: list[float],
    num_epochs: int,
    per_epoch: int,
    print_every: int,
    *,
    verbose: bool,
    end_epoch: Callable[[], str | None] = lambda: None,
) -> None:
    """Call ``step`` for ``num_epochs`` epochs of ``per_epoch`` and add each loss to ``losses``.

    ``end_epoch`` is called after each epoch; what it returns is printed. ``verbose`` shows a
    progress bar where someone watches, a line every ``print_every`` iterations, and at the end the
    seconds it took.
    Raises FloatingPointError as soon as a loss is NaN or infinite: what follows teaches nothing.
    """
    total, begin = num_epochs * per_epoch, time.perf_counter()
    with progress_bar(total, "it", show=verbose) as bar:
        for done in range(total):
            loss = step()
            losses.append(loss)
            if not np.isfinite(loss):
                raise FloatingPointError(
                    f"the loss is {loss} in iteration {done + 1}. Is the learning rate too large? "
                    "Or does the loss divide by zero, or take the logarithm of zero?"
                )
            if verbose and done % print_every == 0:
                bar.write(f"(iteration {done + 1} / {total}) loss: {loss:f}")
            if (done + 1) % per_epoch == 0:
                line = end_epoch()
                if line and verbose:
                    bar.write(line)
            bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
            bar.update()
    if verbose:
        print(f"{total} iterations took {time.perf_counter() - begin:.1f} s")


def require_positive(**values: float) -> None:
    """Raise ValueError unless each value is at least 1, naming the first that is not."""
    for name, value in values.items():
        if value < 1:
            raise ValueError(f"{name} is {value}; it must be at least 1")


def require_print_every(print_every: float | None, *, verbose: bool) -> None:
    """Raise ValueError where lines are to be printed, and not said after how many iterations.

    A solver that prints nothing takes what it is given, and -2 is every second one, as in the
    course's own solvers.
    """
    if verbose and not print_every:
        raise ValueError(
            f"print_every is {print_every}; it must be at least 1. verbose=False prints nothing"
        )


def refuse_unknown(solver: str, unknown: Mapping[str, object]) -> None:
    """Raise ValueError when a solver was given keywords it does not have."""
    if unknown:
        names = ", ".join(sorted(unknown))
        raise ValueError(f"{solver} has no keyword {names}; help({solver}) lists those it has")


def require_module(solver: str, model: object) -> None:
    """Raise TypeError unless the model is one of PyTorch's modules."""
    if not hasattr(model, "parameters"):
        raise TypeError(
            f"{solver} trains a torch.nn.Module; model is a {type(model).__name__}. Make the model "
            "before its solver"
        )


def require_captions(data: Mapping[str, Any]) -> int:
    """Return how many training captions ``data`` has, in the layout of ``load_coco_data``.

    Raises ValueError when a key is missing, or no caption is there to learn from.
    """
    needed = ("train_captions", "train_image_idxs", "train_features")
    if missing := [name for name in needed if name not in data]:
        raise ValueError(
            f"the data have no {' and no '.join(missing)}; load_coco_data() returns what is needed"
        )
    captions, images = (np.shape(data[name]) for name in needed[:2])
    if len(captions) != 2 or captions[0] == 0 or captions[1] < 2 or images != captions[:1]:
        raise ValueError(
            f"train_captions has shape {captions} and train_image_idxs {images}; they need a row "
            "of at least two words and an image for each caption, and at least one caption"
        )
    return captions[0]


def caption_minibatch(
    data: Mapping[str, Any], batch_size: int, rng: np.random.Generator | None
) -> tuple[np.ndarray, np.ndarray]:
    """Draw training captions (B, T) with the features (B, F) of their images."""
    from cs231n_lib.data import sample_coco_minibatch  # here: Solver does without

    captions, features, _ = sample_coco_minibatch(dict(data), batch_size, split="train", rng=rng)
    return captions, features
