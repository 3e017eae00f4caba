"""Hidden checks of the normalisation notebook: what is asked in which cell, and for how much.

The checks themselves are in modules of their own, by layer and network. The oracle is torch's
autograd in float64.
"""

from __future__ import annotations

from autograder.checks.assignment2.batchnormalization import init, layer, net, running
from autograder.checks.assignment2.batchnormalization.oracle import BATCH, LAYER, Norm
from autograder.judge import asker

ask = asker(__name__)

TRAIN, TEST = "bn-train", "bn-test"
ask(TRAIN, "BN-A1", layer.output_is_normalized, BATCH, weight=3)
ask(TRAIN, "BN-A1", layer.variance_and_eps_are_right, BATCH, weight=2)
ask(TRAIN, "BN-A1", layer.gamma_and_beta_belong_to_columns, BATCH)
ask(TRAIN, "BN-A2", running.running_statistics_follow, weight=2)
ask(TRAIN, "BN-A2", running.running_statistics_go_on)
ask(TRAIN, "BN-A9", running.momentum_0_and_1)
ask(TRAIN, "BN-A6", layer.single_row_is_normalized, BATCH)
ask(TRAIN, "BN-A8", layer.float32_stays_finite, BATCH)
ask(TRAIN, "BN-A8", layer.forward_leaves_x, BATCH, condition=True)

ask(TEST, "BN-A3", running.test_mode_uses_running_statistics, weight=3)
ask(TEST, "BN-A3", running.rows_are_independent_in_test_mode)
ask(TEST, "BN-A3", running.what_was_learned_is_used)
ask(TEST, "BN-A3", running.test_mode_learns_nothing, condition=True)


def ask_of_backward(grade_id: str, norm: Norm, name: str, probes: dict[str, str]) -> None:
    """What is asked of every backward function. ``probes``: the curriculum's names."""
    ask(grade_id, probes["gradients"], layer.dx_is_right, norm, name, weight=3)
    ask(grade_id, probes["gradients"], layer.dgamma_is_right, norm, name, weight=2)
    ask(grade_id, probes["gradients"], layer.dbeta_is_right, norm, name)
    ask(grade_id, probes["eps"], layer.gradients_with_eps, norm, name, weight=2)
    ask(grade_id, probes["one row"], layer.gradients_of_a_single_row, norm, name)
    ask(grade_id, probes["gradients"], layer.gradients_after_another_call, norm, name)
    ask(grade_id, "BN-A8", layer.float32_gradients_stay_finite, norm, name)


OF_BATCH = {"gradients": "BN-A4", "eps": "BN-A7", "one row": "BN-A6"}
ask_of_backward("bn-backward", BATCH, "batchnorm_backward", OF_BATCH)
ALT = "bn-backward-alt"
ask_of_backward(ALT, BATCH, "batchnorm_backward_alt", OF_BATCH | {"gradients": "BN-A5"})
ask(ALT, "BN-A5", layer.one_cache_serves_both, BATCH, "batchnorm_backward_alt")

LN = "ln-forward"
ask(LN, "LN-A1", layer.output_is_normalized, LAYER, weight=3)
ask(LN, "LN-A1", layer.variance_and_eps_are_right, LAYER, weight=2)
ask(LN, "LN-A3", layer.eps_is_read_and_other_settings_ignored, LAYER)
ask(LN, "LN-A4", layer.rows_do_not_know_each_other, LAYER)
ask(LN, "LN-A5", layer.gamma_and_beta_belong_to_columns, LAYER)
ask(LN, "LN-A2", layer.single_row_is_normalized, LAYER)
ask(LN, "BN-A8", layer.float32_stays_finite, LAYER)
ask(LN, "BN-A8", layer.forward_leaves_x, LAYER, condition=True)
OF_LAYER = {"gradients": "LN-A2", "eps": "LN-A3", "one row": "LN-A2"}
ask_of_backward("ln-backward", LAYER, "layernorm_backward", OF_LAYER)

INIT, NET = "bn-net-init", "bn-net-loss"
ask(INIT, "FCBN-A1", init.gamma_and_beta_of_hidden_layers, weight=3)
ask(INIT, "FCBN-A1", init.normalization_starts_as_identity, weight=2)
ask(INIT, "FCBN-A1", init.weights_start_as_before)


OF_NET = (
    ("FCBN-A3", net.loss_is_the_composition, 2),
    ("FCBN-A2", net.gradients_are_right, 3),
    ("FCBN-A5", net.gamma_and_beta_are_not_penalized, 1),
)
for normalization in (net.BATCHNORM, net.LAYERNORM):
    for probe, function, weight in OF_NET:
        name = f"{function.__name__}_{normalization}"
        ask(NET, probe, function, normalization, name=name, weight=weight)
ask(NET, "FCBN-A4", net.test_mode_after_training, weight=2)
ask(NET, "FCBN-A3", net.layernorm_needs_no_modes)
ask(NET, "FCBN-A3", net.images_are_accepted)
ask(NET, "FCBN-A3", net.without_normalization_all_is_as_before)
ask(NET, "FCBN-A5", net.loss_leaves_parameters, condition=True)
