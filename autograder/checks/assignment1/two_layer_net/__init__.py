"""Hidden checks of the two-layer net notebook: what is asked in which cell, and for how much.

The checks themselves are in modules of their own, since later notebooks ask for the same layers.
The oracle is torch's autograd in float64.
"""

from __future__ import annotations

from autograder.checks.assignment1.two_layer_net import layers as layer
from autograder.checks.assignment1.two_layer_net import losses as loss
from autograder.checks.assignment1.two_layer_net import net_init, net_loss, training
from autograder.checks.assignment1.two_layer_net import sgd as rule
from autograder.checks.assignment1.two_layer_net.losses import SOFTMAX, SVM, LossLayer
from autograder.judge import advice, asker

__all__ = ["net_init", "net_loss"]
ask = asker(__name__)

AFFINE, AFFINE_BACK = "tln-affine-forward", "tln-affine-backward"
ask(AFFINE, "AFF-A1", layer.affine_of_rows_and_images, weight=3)
ask(AFFINE, "AFF-A3", layer.affine_of_single_things)
ask(AFFINE, "AFF-A3", layer.affine_of_turned_axes)
ask(AFFINE, "AFF-A1", layer.affine_leaves_its_arguments, condition=True)
ask(AFFINE_BACK, "AFF-A2", layer.dx_of_affine, weight=2)
ask(AFFINE_BACK, "AFF-A2", layer.dw_of_affine, weight=2)
ask(AFFINE_BACK, "AFF-A2", layer.db_of_affine, weight=2)
ask(AFFINE_BACK, "AFF-A3", layer.affine_gradients_of_single_things)
ask(AFFINE_BACK, "AFF-A3", layer.affine_gradients_of_turned_axes)
ask(AFFINE_BACK, "AFF-A2", layer.affine_gradients_after_another_call)

RELU, RELU_BACK = "tln-relu-forward", "tln-relu-backward"
ask(RELU, "RELU-A1", layer.relu_of_any_shape, weight=2)
ask(RELU, "RELU-A1", layer.relu_of_zero)
ask(RELU, "RELU-A2", layer.relu_leaves_its_argument, condition=True)
ask(RELU_BACK, "RELU-A2", layer.relu_gates_the_gradient, weight=3)
ask(RELU_BACK, "RELU-A2", layer.relu_gates_by_sign_alone)
ask(RELU_BACK, "RELU-A2", layer.relu_backward_leaves_x, condition=True)


def ask_of_loss(grade_id: str, layer: LossLayer, probe: str) -> None:
    """What is asked of both losses. ``probe`` is the curriculum's name for the values."""
    ask(grade_id, probe, loss.value_is_right, layer, weight=3)
    ask(grade_id, probe, loss.gradient_is_right, layer, weight=3)
    ask(grade_id, "LOSS-A3", loss.one_example, layer)
    ask(grade_id, "LOSS-A3", loss.equal_scores, layer)
    ask(grade_id, "LOSS-A6", loss.repetition_changes_nothing, layer)
    ask(grade_id, "LOSS-A4", loss.scores_stay, layer, condition=True)


ask_of_loss("tln-softmax-loss", SOFTMAX, "LOSS-A1")
ask("tln-softmax-loss", "LOSS-A2", loss.common_offset_changes_nothing, SOFTMAX, weight=2)
ask("tln-softmax-loss", "SMX-B1", loss.offsets_of_rows_change_nothing, SOFTMAX, declare=advice)
ask("tln-softmax-loss", "SMX-B2", loss.hopeless_scores_stay_finite, SOFTMAX, declare=advice)
ask_of_loss("tln-svm-loss", SVM, "LOSS-A5")
ask("tln-svm-loss", "LOSS-A5", loss.margins_all_kept_or_none, SVM, weight=2)

ask("tln-sgd", "SGD-A1", rule.sgd_goes_against_the_gradient, weight=2)
ask("tln-sgd", "SGD-A1", rule.sgd_has_a_default_rate)
ask("tln-sgd", "SGD-A1", rule.sgd_returns_its_config)

# A thousand new images measure an accuracy to within 1.6 points, one standard error. So whoever
# passes the visible test, with 36 or 42 % in validation, is on the safe side of 30 and 36.
SOLVER, TUNING = "tln-solver", "tln-tuning"
ask(SOLVER, "TLN-C1", training.solver_trains_the_model)
ask(SOLVER, "TLN-C1", training.solver_learned)
ask(SOLVER, "TLN-C1", training.solver_model_classifies, 0.30, weight=2)
ask(TUNING, "TLN-C2", training.tuning_trains_on_training_images)
ask(TUNING, "TLN-C2", training.tuning_keeps_the_best, weight=2)
ask(TUNING, "TLN-C2", training.tuning_leaves_the_test_set, condition=True)
ask(TUNING, "TLN-C2", training.best_model_classifies, 0.36, weight=2)
