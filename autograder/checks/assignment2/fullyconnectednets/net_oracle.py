"""Code in strings with a FullyConnectedNet; goes when all ask through student_net.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from autograder.checks.shared.fully_connected import (
    CLASS,
    EPS,
    Case,
    draw_case,
    right_loss,
    right_scores,
)
from autograder.checks.shared.net_case import Net
from autograder.checks.shared.stand_ins import LAYERS, cell_of_class
from autograder.judge import Student

__all__ = ["CLASS", "EPS", "Case", "draw_case", "right_loss", "right_scores"]

# __init__ has a question of its own, so it may fail here. It is called all the same, for it may set
# more than the contract asks for; what the class's given text sets is then made up for.
# `_keep` goes by position: its keyword has changed over the years.
MAKE = """
import numpy as _np
_net = FullyConnectedNet.__new__(FullyConnectedNet)
try:
    _net.__init__(_hidden, _D, _C, _keep, normalization=_normalization, dtype=_np.float64,
                  seed=_seed)
except Exception:
    pass
for _name, _value in dict(
    normalization=_normalization, use_dropout=_keep != 1, num_layers=len(_hidden) + 1,
    dtype=_np.float64, bn_params=_bn_params,
    dropout_param={} if _keep == 1 else {"mode": "train", "p": _keep, "seed": _seed},
).items():
    if not hasattr(_net, _name):
        setattr(_net, _name, _value)
_net.params, _net.reg = _params, _reg
"""


def run(
    student: Student,
    case: Case,
    source: str,
    *names: str,
    more_layers: Mapping[str, Callable[..., Any]] | None = None,
    prelude: str = "",
) -> dict[str, Any]:
    """Execute ``source`` with ``_net``, a network of the student's, and ``_X`` and ``_y``.

    ``more_layers``: further layers by name, each with the judge's function that answers for it.
    ``prelude`` is executed before the student's cell: there, layers can be defined that have to
    change an argument, as no answer of the judge's can. Returns the values of ``names`` afterwards.
    """
    answering = LAYERS | dict(more_layers or {})
    D, *hidden, C = case.sizes
    entry = {"mode": "train"} if case.normalization == "batchnorm" else {}
    bindings: dict[str, Any] = {n: student.stand_in(function) for n, function in answering.items()}
    bindings |= {
        "_params": {name: value.copy() for name, value in case.params.items()},
        "_reg": case.reg,
        "_D": D,
        "_hidden": hidden,
        "_C": C,
        "_keep": case.keep,
        "_normalization": case.normalization,
        "_seed": 0 if case.keep != 1 else None,
        "_bn_params": [dict(entry) for _ in hidden] if case.normalization else [],
        "_X": case.X.copy(),
        "_y": case.y.copy(),
    }
    parts = (prelude, cell_of_class(student, CLASS), MAKE, source)
    return student.rerun("\n".join(parts), bindings, names)


NET = Net(run)
scores_of, loss_of, gradients_of = NET.scores_of, NET.loss_of, NET.gradients_of
