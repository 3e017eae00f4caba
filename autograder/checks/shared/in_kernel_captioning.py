"""A small captioning network of the student's class, asked in the kernel.

The kernel gets this module as source.

``made`` describes the network: its cell, what __init__ is called with, the parameters that take
the place of the random ones, and the numbers of the special words.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np

CLASS = "CaptioningRNN"


def losses(notebook: Any, made: dict, batches: Sequence[tuple[Any, Any]]) -> list[Any]:
    """What ``loss`` of one network returns for each (features, captions), one after the other."""
    model = make(notebook, made)
    return [model.loss(features, captions) for features, captions in batches]


def samples(notebook: Any, made: dict, features: Any, lengths: Sequence[int]) -> list[Any]:
    """What ``sample`` of one network returns for each max_length, one after the other."""
    model = make(notebook, made)
    return [model.sample(features.copy(), length) for length in lengths]


def afterwards(notebook: Any, made: dict, features: Any, captions: Any) -> tuple[Any, Any, dict]:
    """features, captions and the parameters after ``loss``."""
    model = make(notebook, made)
    model.loss(features, captions)
    return features, captions, dict(model.params)


def make(notebook: Any, made: dict) -> Any:
    """The network, in float64.

    Where ``made["strict"]`` is not set, an __init__ that fails is of another question: what it
    should have set is set here.
    """
    if made["cell"]:
        notebook.run(made["cell"])
    if CLASS not in notebook:
        raise NameError(f"name {CLASS!r} is not defined in the notebook")
    model = notebook[CLASS].__new__(notebook[CLASS])
    settings = {**made["settings"], "dtype": np.float64}
    if made["strict"]:
        model.__init__(made["word_to_idx"], **settings)
    else:
        with contextlib.suppress(Exception):
            model.__init__(made["word_to_idx"], **settings)
    for name, value in {**made["attributes"], "dtype": np.float64}.items():
        if not hasattr(model, name):
            setattr(model, name, value)
    model.params = made["params"]
    return model
