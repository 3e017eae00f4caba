"""What each sample must earn, question by question, worked out from the weights of the checks.

A cell's score is its points times the share of the weight that passed (``autograder/checks``).
"""

from __future__ import annotations

from collections.abc import Mapping

from autograder.demo.full import FULL

Points = Mapping[str, Mapping[str, float]]
NOTHING: Points = {notebook: dict.fromkeys(cells, 0.0) for notebook, cells in FULL.items()}


def solved(**but: Mapping[str, float]) -> Points:
    """All points of the notebooks named, but for these questions; nothing elsewhere."""
    return {
        notebook: {**FULL[notebook], **but[notebook]} if notebook in but else cells
        for notebook, cells in NOTHING.items()
    }


def begun(**but: Mapping[str, float]) -> Points:
    """No points but these: the rest was handed in as released."""
    return {notebook: {**cells, **but.get(notebook, {})} for notebook, cells in NOTHING.items()}


#: Automatic points of each sample by notebook and grade_id.
EARNED: Mapping[str, Points] = {
    "reference": FULL,
    "alternative": FULL,
    "blank": NOTHING,
    # Weights of knn-no-loops: values 7 + 1 + 2 + 2, nearest neighbour 1, inputs kept 1, no loop 5.
    # Squared distances leave the order and the form right (1 + 1 + 5) and every value wrong.
    "wrong_squared_distances": solved(knn={"knn-no-loops": 4 * 7 / 19}),
    # Every value stands in the wrong place; what remains are conditions, worth nothing alone.
    "wrong_transposed": solved(knn={"knn-two-loops": 0.0}),
    # Weights of knn-predict-labels: majority 3, ties 2, any labels 2, inputs kept 1.
    "wrong_largest_label": solved(knn={"knn-predict-labels": 3 * 6 / 8}),
    # Weights of knn-cross-validation: folds 2, each left out once 2, accuracies 3, uneven folds and
    # another width a half each, where all else is right. The folds are. best_k is the best of the
    # table there is: nobody pays twice for one mistake.
    "wrong_leaky_validation": solved(knn={"knn-cross-validation": 4 * 2 / 8}),
    # Right values. The condition that reads the source has weight 4 of 19. That which measures time
    # makes the test images more, and this loop is over training images.
    "wrong_hidden_loop": solved(knn={"knn-no-loops": 4 * 15 / 19}),
    # Weights of svm-naive-loss: values 6 + 2, penalty 2, one number 1. Of the gradient: values
    # 6 + 2, the slope of the loss 1, penalty 2, inputs kept 3. svm-vectorized: all of these, and
    # no loop 4.
    "wrong_svm_half_penalty": begun(
        svm={
            "svm-naive-loss": 3 * 9 / 11,
            "svm-naive-gradient": 4.0,  # it is the gradient of that loss
            "svm-vectorized": 4 * 27 / 29,
        }
    ),
    "wrong_svm_true_class": begun(
        svm={
            "svm-naive-loss": 3.0,
            "svm-naive-gradient": 4 * 5 / 14,  # the penalty and the inputs are right
            "svm-vectorized": 4 * 20 / 29,
        }
    ),
    # Right are the penalty, the form, and that the gradient is the slope of that sum.
    "wrong_svm_early_sum": solved(
        svm={"svm-naive-loss": 3 * 3 / 11, "svm-naive-gradient": 4 * 6 / 14}
    ),
    # Weights of softmax-naive-loss: values 6 + 2, penalty 2, large scores 2, an unlikely class 1,
    # one number 1. Of the gradient: values 6 + 2, sums 1, the slope 1, penalty 2, large scores 1,
    # inputs kept 3. softmax-vectorized: all of these, and no loop 4.
    "wrong_softmax_overflow": begun(
        softmax={
            "softmax-naive-loss": 3 * 12 / 14,
            "softmax-naive-gradient": 4 * 15 / 16,
            "softmax-vectorized": 4 * 31 / 34,
        }
    ),
    # The net is asked with right layers below it: the mask costs its own question only, and
    # nothing in the next assignment, where the rest is right.
    "wrong_net_relu_mask": begun(
        FullyConnectedNets=FULL["FullyConnectedNets"],
        BatchNormalization=FULL["BatchNormalization"],
        two_layer_net={
            "tln-affine-forward": 2.0,
            "tln-affine-backward": 4.0,
            "tln-relu-forward": 1.0,
            "tln-softmax-loss": 3.0,
            "tln-net-init": 2.0,
            "tln-net-loss": 6.0,
        },
    ),
    # Of the SVM: what the search needs. Weights of features-tuning: new classifiers 2, table 3,
    # the best 2, reproducible 1, new images 2, test set left alone 1. Right are the first and
    # the new images.
    "wrong_features_test_set": begun(
        svm={"svm-vectorized": 4.0, "svm-train": 3.0, "svm-predict": 1.0},
        features={"features-tuning": 5 * 4 / 11},
    ),
    # Weights of fcn-adam: one step 3, five steps 2, and 1 each for what is stored, defaults, zero
    # gradients, other settings, two parameters, float32 and epsilon. Right are what is stored, and
    # that a large epsilon shortens the step.
    "wrong_adam_uncorrected": begun(
        FullyConnectedNets={"fcn-momentum": 2.0, "fcn-rmsprop": 2.0, "fcn-adam": 3 * 2 / 12}
    ),
    # Without any of the notebooks that Dropout loads: they are the instructor's when grading.
    "late_starter": begun(Dropout=FULL["Dropout"]),
    # Weights of caption-sample: words of several captions 3, the first word 3, and 1 each for the
    # words of one caption, captions that end early, and integers. All but the first word are right.
    "wrong_caption_start": solved(RNN_Captioning={"caption-sample": 3 * 6 / 9}),
    "cheat_patched_allclose": NOTHING,
    "cheat_reads_solutions": NOTHING,
    "cheat_exits": NOTHING,
    "cheat_drops_asserts": begun(knn={"knn-two-loops": 2.0}),  # that one it solved
    "cheat_lying_array": NOTHING,
    "cheat_forged_messages": begun(knn={"knn-two-loops": 2.0}),  # solved, and checked before
    "cheat_fork_bomb": NOTHING,
    "cheat_endless_loop": NOTHING,
}

#: Automatic points of each sample in all.
EXPECTED: Mapping[str, float] = {
    name: sum(sum(cells.values()) for cells in notebooks.values())
    for name, notebooks in EARNED.items()
}
