"""Hidden checks of the PyTorch notebook: what is asked in which cell, and for how much.

The oracle is torch in the judge, in float64, written with other functions than the notebook's.
Cells that train are run again with training replaced by a note of what it was given; how well the
notebook's own networks do is measured on images that are in no file.
"""

from __future__ import annotations

from autograder.checks.assignment2.pytorch import accuracy, functional, modules, opened, training
from autograder.judge import advice, asker

ask = asker(__name__)

FUNCTIONAL, BAREBONES = "pt-functional", "pt-barebones"
ask(FUNCTIONAL, "PT-A1", functional.scores_are_right, weight=3)
ask(FUNCTIONAL, "PT-A1", functional.any_number_of_filters)
ask(FUNCTIONAL, "PT-A2", functional.gradients_reach_all_parameters, weight=3)
ask(FUNCTIONAL, "PT-A1", functional.arguments_stay, condition=True)

MODULE, TRAINING = "pt-module", "pt-module-training"
ask(MODULE, "PT-A3", modules.parameters_have_their_shapes, weight=2)
ask(MODULE, "PT-A3", modules.weights_have_kaimings_scale, weight=2)
ask(MODULE, "PT-A3", modules.weights_are_normal)
ask(MODULE, "PT-A3", modules.forward_is_right, weight=3)
ask(MODULE, "PT-A3", modules.single_images_and_other_channels)
ask(MODULE, "PT-A3", modules.every_parameter_learns)

ask(BAREBONES, "PT-A4", training.tensors_have_their_shapes, weight=2)
ask(BAREBONES, "PT-A4", training.tensors_are_leaves_that_learn, weight=2)
ask(BAREBONES, "PT-A4", training.tensors_start_as_asked)
ask(BAREBONES, "PT-A4", training.all_six_are_trained)
ask(TRAINING, "PT-A6", training.module_is_made_for_cifar, weight=2)
ask(TRAINING, "PT-A6", training.module_has_plain_sgd, weight=2)

SEQUENTIAL, OPEN = "pt-sequential", "pt-open"
ask(SEQUENTIAL, "PT-A5", training.sequential_has_its_layers, weight=2)
ask(SEQUENTIAL, "PT-A5", training.sequential_computes_the_convnet, weight=2)
ask(SEQUENTIAL, "PT-A5", training.sequential_has_nesterov_momentum, weight=2)

# The visible tests ask for 30, 30, 34 and 55 % of the validation images. On held-out images nets do
# as well, give or take 2 points (two accuracies of 1000 images each); 5 points are left for chance.
ask(BAREBONES, "PT-A6", accuracy.tensors_classify, 0.25, weight=2)
ask(TRAINING, "PT-A6", accuracy.model_classifies, "model", 0.25, weight=2)
ask(SEQUENTIAL, "PT-A6", accuracy.model_classifies, "model", 0.29, weight=2)
ask(OPEN, "PT-A6", accuracy.model_classifies, "best_model", 0.50, weight=4)
ask(OPEN, "PT-A6", opened.model_is_trained_by_its_optimizer, weight=2)
ask(OPEN, "PT-A6", opened.test_images_are_left_alone, condition=True)
ask(OPEN, "PT-B1", opened.scores_do_not_depend_on_chance, declare=advice)
ask(OPEN, "PT-B1", opened.images_do_not_depend_on_their_batch, declare=advice)
