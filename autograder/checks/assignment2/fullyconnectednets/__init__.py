"""Hidden checks of the notebook of fully connected nets: what is asked where, and for how much.

The class is asked over right layers, and the rules alone, so that no mistake counts twice.
"""

from __future__ import annotations

from autograder.checks.assignment2.fullyconnectednets import init, loss, training
from autograder.checks.assignment2.fullyconnectednets import update_rules as optim
from autograder.checks.assignment2.fullyconnectednets.update_rules_oracle import (
    ADAM,
    MOMENTUM,
    RMSPROP,
    Rule,
)
from autograder.judge import advice, asker

ask = asker(__name__)

INIT, LOSS = "fcn-init", "fcn-loss"
ask(INIT, "FCN-A1", init.parameters_have_their_shapes, weight=2)
ask(INIT, "FCN-A1", init.weights_have_the_asked_spread, weight=2)
ask(INIT, "FCN-A1", init.weights_are_normal_around_zero)
ask(INIT, "FCN-A1", init.biases_start_at_zero)
ask(INIT, "FCN-A6", init.parameters_have_the_asked_type)
ask(INIT, "FCN-A7", init.other_sizes_are_accepted)
ask(INIT, "FCN-B1", init.no_hidden_layer_starts, declare=advice)
ask(LOSS, "FCN-A2", loss.scores_are_right, weight=2)
ask(LOSS, "FCN-A2", loss.loss_is_right, weight=2)
ask(LOSS, "FCN-A3", loss.penalty_has_one_half, weight=2)
ask(LOSS, "FCN-A4", loss.gradients_are_right, weight=4)
ask(LOSS, "FCN-A4", loss.penalty_gradients_fit_the_loss, weight=2)
ask(LOSS, "FCN-A5", loss.images_and_single_examples_are_accepted)
ask(LOSS, "FCN-A5", loss.scores_do_not_depend_on_reg)
ask(LOSS, "FCN-A6", loss.loss_of_a_float32_net_is_finite)
ask(LOSS, "FCN-A7", loss.parameters_are_read_when_called)
ask(LOSS, "FCN-A5", loss.loss_leaves_everything, condition=True)
ask(LOSS, "FCN-B1", loss.no_hidden_layer_computes, declare=advice)

ask("fcn-three-layers", "FCN-C1", training.settings_learn_few_images, "overfit-three-layers",
    [100, 100])  # fmt: skip
ask("fcn-five-layers", "FCN-C1", training.settings_learn_few_images, "overfit-five-layers",
    [100] * 4)  # fmt: skip


def ask_of_rule(grade_id: str, rule: Rule) -> None:
    """What is asked of all three update rules."""
    ask(grade_id, "OPT-A1", optim.one_step_from_a_given_state, rule, weight=3)
    ask(grade_id, "OPT-A2", optim.five_steps_feed_back_their_config, rule, weight=2)
    ask(grade_id, "OPT-A3", optim.missing_settings_have_defaults, rule)
    ask(grade_id, "OPT-A4", optim.zero_gradients_are_safe, rule)
    ask(grade_id, "OPT-A5", optim.other_settings_count, rule)
    ask(grade_id, "OPT-A6", optim.two_parameters_are_independent, rule)
    ask(grade_id, "OPT-A7", optim.float32_and_images_are_accepted, rule)
    if "epsilon" in rule.defaults:
        ask(grade_id, "OPT-A5", optim.a_large_epsilon_shortens_the_step, rule)
        ask(grade_id, "OPT-B1", optim.epsilon_is_added_to_the_root, rule, declare=advice)


ask_of_rule("fcn-momentum", MOMENTUM)
ask_of_rule("fcn-rmsprop", RMSPROP)
ask_of_rule("fcn-adam", ADAM)

# A thousand new images measure an accuracy to within 1.6 points, one standard error. So whoever
# passes the visible test, with 44 or 50 % in validation, is on the safe side of 38.
BEST, CELL = "fcn-best-model", "best-model"
ask(BEST, "FCN-C2", training.search_trains_on_training_images, CELL)
ask(BEST, "FCN-C2", training.search_keeps_the_best, CELL, weight=2)
ask(BEST, "FCN-C2", training.search_leaves_the_test_set, CELL, condition=True)
ask(BEST, "FCN-C2", training.best_model_classifies, 0.38, weight=2)
