"""The solver's state on disk: a pickled dict of arrays and plain values.

The model itself is not in it, only its parameters: the file can be read where the notebook's
classes are not defined, and after they have changed. What the state consists of is the solver's.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cs231n_lib.data.cache import write_atomically


def write(state: Mapping[str, Any], path: str | Path) -> None:
    """Write a solver's state; a file that is there already is replaced in one step.

    Raises ValueError when the model's parameters or the rule's settings hold anything but arrays,
    numbers, text and containers of them: ``read`` would refuse the file.
    """
    content = pickle.dumps(dict(state))
    try:
        _StateUnpickler(io.BytesIO(content)).load()
    except _ForbiddenError as error:
        raise ValueError(
            f"a checkpoint holds arrays and plain values, but the solver's state needs `{error}`: "
            "keep such objects out of model.params and optim_config"
        ) from None
    write_atomically(Path(path), lambda file: file.write(content))


def read(path: str | Path, expected: Iterable[str]) -> dict[str, Any]:
    """Read a checkpoint: arrays and plain values. No code in the file is run.

    Raises ValueError when the file is not a checkpoint: a dict with at least the ``expected`` keys.
    """
    remedy = "Choose a file <checkpoint_name>_epoch_<n>.pkl that a Solver has written."
    with Path(path).open("rb") as file:
        try:
            state = _StateUnpickler(file).load()
        except _ForbiddenError as error:
            raise ValueError(
                f"{path}: refused, since it asks to load `{error}`, which no checkpoint needs and "
                f"which could run code on your machine. {remedy}"
            ) from None
        except Exception as error:  # damaged pickles raise almost anything
            raise ValueError(f"{path}: cannot be unpickled ({error}). {remedy}") from error
    if not isinstance(state, dict) or not set(expected) <= set(state):
        raise ValueError(f"{path}: not a checkpoint. {remedy}")
    return state


class _ForbiddenError(Exception):
    """The pickle names a global that is not on the list; the message is that name."""


class _StateUnpickler(pickle.Unpickler):
    """Knows what arrays and NumPy's numbers are made of, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        match module, name:
            case "numpy", "ndarray":
                return np.ndarray
            case "numpy", "dtype":
                return _dtype_of_numbers
            case (
                ("numpy.core.multiarray" | "numpy._core.multiarray"),
                ("_reconstruct" | "scalar"),
            ):
                return super().find_class(module, name)
            case (("numpy.core.numeric" | "numpy._core.numeric"), "_frombuffer"):
                return super().find_class(module, name)
        raise _ForbiddenError(f"{module}.{name}")


def _dtype_of_numbers(code: Any, *flags: Any) -> np.dtype[Any]:
    """A new dtype, as pickles make them. Arrays of objects are not for checkpoints."""
    dtype = np.dtype(code, *flags)
    if dtype.kind not in "biufcU":
        raise _ForbiddenError(f"an array of {dtype}")
    return dtype
