"""Checks of TwoLayerNet.loss, over right layers."""

from __future__ import annotations

from typing import Any

from autograder.checks.shared.fully_connected import Case
from autograder.checks.shared.net_loss import declare_net_loss_checks
from autograder.checks.shared.stand_ins import LAYERS
from autograder.checks.shared.student_net import StudentNet


def _settings(case: Case) -> dict[str, Any]:
    D, H, C = case.sizes
    return {"kwargs": {"input_dim": D, "hidden_dim": H, "num_classes": C}}


declare_net_loss_checks(
    __name__,
    "tln-net-loss",
    StudentNet("TwoLayerNet", _settings, LAYERS),
    depths=((5,), (7,)),
    probes={
        "scores": "TLN-A2",
        "loss": "TLN-A3",
        "penalty": "TLN-A3",
        "gradients": "TLN-A4",
        "shape": "TLN-A5",
        "reg": "TLN-A6",
        "params": "TLN-A7",
        "arguments": "TLN-A6",
    },
)
