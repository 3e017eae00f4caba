"""What the solvers ask of a model, an update rule and the data, and what they say otherwise."""

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]
UpdateRule = Callable[[Array, Array, dict[str, Any]], tuple[Array, dict[str, Any]]]


class Model(Protocol):
    """What the solver asks of a model."""

    params: dict[str, Array]

    def loss(self, X: Array, y: Array | None = None) -> Any: ...


def examples(data: Mapping[str, ArrayLike], split: str) -> tuple[Array, Array]:
    """``X_<split>`` and ``y_<split>``, checked: there are rows, and a whole-number label each.

    Shapes: X (N, d_1, ..., d_k) with k > 0; y (N,). Raises ValueError on anything else.
    """
    x_name, y_name = f"X_{split}", f"y_{split}"
    if missing := [name for name in (x_name, y_name) if name not in data]:
        raise ValueError(
            f"the data have no {' and no '.join(missing)}; they have {', '.join(data) or 'nothing'}"
        )
    X, y = np.asarray(data[x_name]), np.asarray(data[y_name])
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
        raise ValueError(
            f"{y_name} must be a vector of whole numbers (classes), not {y.dtype} of shape "
            f"{y.shape}"
        )
    if X.ndim < 2 or len(X) != len(y) or len(X) == 0:
        raise ValueError(
            f"{x_name} has shape {X.shape} and {y_name} has shape {y.shape}; they need one row for "
            "each example, and at least one"
        )
    return X, y


def find_rule(rule: str | UpdateRule, model: object) -> UpdateRule:
    """Look a name up in the notebook, then in the module of the model's class (``load``-ed).

    Raises ValueError when neither has a function of that name.
    """
    if not isinstance(rule, str):
        if not callable(rule):
            raise ValueError(f"update_rule must be a function or a name, not {rule!r}")
        return rule
    places = [sys.modules.get("__main__"), sys.modules.get(type(model).__module__)]
    for place in places:
        found = getattr(place, rule, None) if isinstance(place, ModuleType) else None
        if callable(found):
            return cast(UpdateRule, found)
    raise ValueError(
        f"no update rule {rule!r}: this notebook defines no function of that name. Run the cell "
        f"that defines {rule}, or pass the function itself: update_rule=the_function."
    )


def require_gradients(grads: object, params: Mapping[str, Array]) -> None:
    """Raise ValueError unless ``grads`` are those of the parameters, each of its shape."""
    if not isinstance(grads, Mapping) or set(grads) != set(params):
        found = (
            sorted(grads, key=str) if isinstance(grads, Mapping) else f"a {type(grads).__name__}"
        )
        raise ValueError(
            f"model.loss must return a gradient for each of {sorted(params)}; it returned {found}"
        )
    for name, w in params.items():
        if np.shape(grads[name]) != np.shape(w):
            raise ValueError(
                f"the gradient of {name} has shape {np.shape(grads[name])}, but {name} has shape "
                f"{np.shape(w)}"
            )


def require_update(updated: object, w: Array, name: str) -> tuple[Array, dict[str, Any]]:
    """Check what an update rule returned for the parameter ``name``, whose value was ``w``.

    Raises TypeError when it is not a pair of an array and a dict, ValueError when the shape
    changed.
    """
    if not isinstance(updated, tuple) or len(updated) != 2 or not isinstance(updated[1], dict):
        raise TypeError(
            f"the update rule must return (w, config), an array and a dict; for {name} it "
            f"returned a {type(updated).__name__}"
        )
    if np.shape(updated[0]) != np.shape(w):
        raise ValueError(
            f"the update rule turned {name} of shape {np.shape(w)} into {np.shape(updated[0])}"
        )
    return updated


def update_parameters(
    params: dict[str, Array],
    grads: Mapping[str, Array],
    rule: UpdateRule,
    configs: dict[str, dict[str, Any]],
) -> None:
    """Update every parameter once, in ``params``; its config in ``configs`` follows.

    Raises ValueError or TypeError when a gradient or an update is not what it should be.
    """
    require_gradients(grads, params)
    for name, w in params.items():
        updated = rule(w, grads[name], configs[name])
        params[name], configs[name] = require_update(updated, w, name)


def decay_learning_rates(configs: Mapping[str, dict[str, Any]], factor: float) -> None:
    """Multiply every learning rate by ``factor``. Raises ValueError when a config has none."""
    if factor == 1:
        return
    for config in configs.values():
        if "learning_rate" not in config:
            raise ValueError(
                f"lr_decay is {factor}, but the update rule's config has no 'learning_rate' to "
                "decay; set one in optim_config"
            )
        config["learning_rate"] *= factor
