"""Hidden checks of the dropout notebook: what is asked in which cell, and for how much.

The checks themselves are in modules beside this one, by layer and network.
"""

from __future__ import annotations

from autograder.checks.assignment2.dropout import backward, forward, net
from autograder.judge import advice, asker

ask = asker(__name__)

FORWARD, BACKWARD = "do-forward", "do-backward"
ask(FORWARD, "DO-A1", forward.the_right_share_is_kept, weight=2)
ask(FORWARD, "DO-A1", forward.what_is_kept_is_scaled, weight=2)
ask(FORWARD, "DO-A1", forward.the_mean_is_preserved)
ask(FORWARD, "DO-A1", forward.everything_is_kept_for_p_1)
ask(FORWARD, "DO-A2", forward.test_mode_changes_nothing, weight=2)
ask(FORWARD, "DO-A3", forward.masks_differ_from_call_to_call)
ask(FORWARD, "DO-A3", forward.a_seed_makes_a_mask_repeatable)
ask(FORWARD, "DO-A6", forward.any_shape_is_accepted)
ask(FORWARD, "DO-A6", forward.the_dtype_is_kept)
ask(FORWARD, "DO-A7", forward.each_number_is_dropped_by_itself, weight=2)
ask(FORWARD, "", forward.x_is_left_alone, declare=advice)

ask(BACKWARD, "DO-A4", backward.the_gradient_passes_the_same_mask, weight=3)
ask(BACKWARD, "DO-A4", backward.the_gradient_needs_no_x)
ask(BACKWARD, "DO-A4", backward.each_gradient_has_its_own_mask)
ask(BACKWARD, "DO-A5", backward.all_of_the_gradient_passes_in_test_mode)

NET = "do-net"
ask(NET, "FCDO-A2", net.training_loss_is_right, weight=3)
ask(NET, "FCDO-A2", net.training_loss_is_right_with_normalization)
ask(NET, "FCDO-A2", net.a_seed_makes_the_loss_repeatable)
ask(NET, "FCDO-A1", net.gradients_are_right, weight=4)
ask(NET, "FCDO-A1", net.gradients_are_right_with_normalization, weight=2)
ask(NET, "FCDO-A3", net.scores_do_not_drop, weight=2)
ask(NET, "FCDO-A3", net.scores_do_not_drop_with_normalization)
ask(NET, "FCDO-A3", net.training_and_scores_take_turns)
ask(NET, "FCDO-A3", net.a_ratio_of_1_means_no_dropout)
ask(NET, "FCDO-A1", net.penalty_is_as_before)
ask(NET, "FCDO-A1", net.parameters_are_as_before)
