"""A network of the student's class, asked in the kernel, which gets this as source.

``made`` describes the network: the class and its cell, what __init__ is called with, attributes
that the notebook's given text sets, parameters, reg, and which layers change the dictionary that
they are given.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Batch = Sequence[Any]  # (X,) for scores, (X, y) for loss and gradients


def answers(notebook: Any, made: dict, batches: Sequence[Batch]) -> list[Any]:
    """What ``loss`` of one network returns for these batches, one after the other."""
    net = make(notebook, made)
    return [net.loss(*batch) for batch in batches]


def answers_in_float32(notebook: Any, made: dict, X: Any, y: Any) -> tuple[Any, Any]:
    """loss(X) and loss(X, y) of a float32 network."""
    net = make(notebook, made | {"dtype": "float32"})
    net.dtype = np.float32
    net.params = {name: value.astype(np.float32) for name, value in net.params.items()}
    X = X.astype(np.float32)
    return net.loss(X.copy()), net.loss(X, y)


def after_changes(notebook: Any, made: dict, X: Any, y: Any) -> tuple[Any, Any, Any]:
    """Scores, loss for reg = 2 and loss for reg = 0, once all parameters have been halved."""
    net = make(notebook, made)
    net.loss(X)
    net.loss(X, y)
    for name in list(net.params):
        net.params[name] = 0.5 * net.params[name]
    net.reg = 2.0
    scores, (penalized, _) = net.loss(X), net.loss(X, y)
    net.reg = 0.0
    return scores, penalized, net.loss(X, y)[0]


def arguments_afterwards(notebook: Any, made: dict, X: Any, y: Any) -> tuple[Any, Any, dict]:
    """X, y and the parameters after loss(X) and loss(X, y)."""
    net = make(notebook, made)
    net.loss(X)
    net.loss(X, y)
    return X, y, dict(net.params)


def parameters(notebook: Any, name: str, args: list, settings: dict, dtype: str) -> Any:
    """The parameters of a new network of the class ``name``, with a type for its numbers."""
    return notebook[name](*args, **settings, dtype=getattr(np, dtype)).params


def make(notebook: Any, made: dict) -> Any:
    """The network.

    __init__ has a question of its own, so it may fail here. It is called all the same: the class
    may set more in it than the contract asks for.
    """
    for layer in made["updating"]:
        notebook[layer] = _updating(notebook[layer])
    if made["cell"]:
        notebook.run(made["cell"])
    if made["name"] not in notebook:
        raise NameError(f"name {made['name']!r} is not defined in the notebook")
    typed = {"dtype": getattr(np, made["dtype"])} if made["dtype"] else {}
    net = notebook[made["name"]].__new__(notebook[made["name"]])
    with contextlib.suppress(Exception):
        net.__init__(*made["args"], **made["kwargs"], **typed)
    for name, value in {**made["attributes"], **typed}.items():
        if not hasattr(net, name):
            setattr(net, name, value)
    net.params, net.reg = made["params"], made["reg"]
    return net


def _updating(layer: Callable[..., tuple]) -> Callable[..., tuple]:
    """A layer of the judge's whose last answer is what it changes in its dictionary."""

    def forward(x: Any, gamma: Any, beta: Any, bn_param: dict) -> tuple:
        *out, changes = layer(x, gamma, beta, dict(bn_param))
        bn_param.update(changes)
        return tuple(out)

    return forward
