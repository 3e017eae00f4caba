"""Checks of the PyTorch notebook: right answers of every style pass, wrong ones lose."""

from contextlib import AbstractContextManager

import numpy as np
import pytest
import torch

from autograder.checks.shared import in_kernel_trained as in_kernel
from autograder.checks.shared.trained import expect_accuracy
from autograder.judge.expect import Failed
from autograder.judge.registry import checks_for
from autograder.judge.results import CellVerdict
from autograder.judge.score import NO_ANSWER
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
from trial_notebook import TrialNotebook

NOTEBOOK = ("assignment2", "PyTorch")
TRIAL = TrialNotebook(*NOTEBOOK)
solved, verdict = TRIAL.solved, TRIAL.verdict
DEFINITIONS = (
    "setup",
    "two-layer-fc",  # flatten
    "three-layer-convnet",
    "weights",
    "three-layer-module",
    "flatten-module",
    "conv-block",
    "residual-block",
    "flip-and-crop",
)
FUNCTIONS = ("pt-functional", "pt-module")
CELLS = ("pt-barebones", "pt-module-training", "pt-sequential", "pt-open")
# These look at what the notebook has trained; here nothing is.
IN_PLACE = {
    "tensors_classify",
    "model_classifies",
    "best_model_classifies",
    "scores_do_not_depend_on_chance",
    "images_do_not_depend_on_their_batch",
}


def student_with(
    zygote: Zygote, sources: dict[str, str], more: str = ""
) -> AbstractContextManager[Student]:
    """A student whose notebook has the definitions, ``more``, and no data."""
    first = "x_batch = __import__('torch').zeros(4, 3, 32, 32)"
    run = (first, *(sources[cell] for cell in DEFINITIONS), more)
    return TRIAL.student(zygote, sources, run)


def failed(found: CellVerdict) -> dict[str, str]:
    """Message by name of the checks that failed, but for those that need a trained notebook."""
    return {
        c.name: c.message
        for c in found.checks
        if not c.passed and c.name not in IN_PLACE and c.message != NO_ANSWER
    }


def changed(cell: str, find: str, put: str) -> dict[str, str]:
    """Our solution with one thing replaced."""
    return TRIAL.changed(cell, (find, put))


# -- right answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRIAL.right, ids=lambda path: path.stem if path else "reference")
def test_right_solutions_pass_whatever_the_seed(zygote, path) -> None:
    with student_with(zygote, solved(path)) as student:
        for number in rounds(10):
            for grade_id in FUNCTIONS:
                assert failed(verdict(student, grade_id, number)) == {}, (number, grade_id)
        for grade_id in CELLS:  # what they are asked depends but little on the seed
            assert failed(verdict(student, grade_id)) == {}, grade_id


def test_same_padding_is_right(zygote) -> None:
    """As in some published solutions: with kernels of 5 x 5 and 3 x 3 it is the same."""
    sources = changed("three-layer-convnet", "padding=2", "padding='same'")
    source = sources["three-layer-convnet"].replace("padding=1", "padding='same'")
    with student_with(zygote, sources | {"three-layer-convnet": source}) as student:
        assert failed(verdict(student, "pt-functional")) == {}


# -- wrong functions: the message names the slip --------------------------------------------------

FUNCTION, MODULE = "three-layer-convnet", "three-layer-module"
SLIPS = {
    (FUNCTION, "return flatten(hidden).mm(fc_w) + fc_b", "return flatten(hidden).mm(fc_w)"): (
        "pt-functional",
        "fc_b is not used",
    ),
    (FUNCTION, "mm(fc_w) + fc_b", "mm(fc_w).add(fc_b).softmax(dim=1)"): (
        "pt-functional",
        "there is one softmax too many",
    ),
    (FUNCTION, "F.relu(F.conv2d(hidden, conv_w2, conv_b2, padding=1))", "F.conv2d(hidden, "
     "conv_w2, conv_b2, padding=1)"): (
        "pt-functional",
        "the ReLU after the second convolution is missing",
    ),
    (FUNCTION, "F.conv2d(hidden, conv_w2", "F.conv2d(hidden.detach(), conv_w2"): (
        "pt-functional",
        "no gradient reaches conv_w1, conv_b1. Is the graph cut",
    ),
    (MODULE, "F.relu(self.conv1(x))", "self.conv1(x)"): (
        "pt-module",
        "the ReLU after the first convolution is missing",
    ),
    (MODULE, "nn.init.kaiming_normal_(self.conv2.weight)", "pass"): (
        "pt-module",
        "not sqrt(2 / fan in)",
    ),
    (MODULE, "self.conv2(hidden)", "self.conv2(hidden.detach())"): (
        "pt-module",
        "no gradient reaches the parameter of shape (3, 2, 5, 5). Is the graph cut",
    ),
}  # fmt: skip


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: slip[2])
def test_a_slip_is_named(zygote, slip) -> None:
    grade_id, message = SLIPS[slip]
    with student_with(zygote, changed(*slip)) as student:
        found = verdict(student, grade_id)
    assert found.score < 1.0
    assert any(message in told for told in failed(found).values()), failed(found)


# -- only what is asked, and only what is true ----------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "find", "grade_id"),
    [
        (FUNCTION, "F.conv2d(hidden, conv_w2", "pt-functional"),
        (MODULE, "self.conv2(hidden)", "pt-module"),
    ],
)
def test_a_convolution_that_never_learns_costs_half(zygote, cell, find, grade_id) -> None:
    with student_with(zygote, changed(cell, find, find.replace("hidden", "hidden.detach()"))) as s:
        assert verdict(s, grade_id).score == 0.5


def test_a_missing_bias_costs_the_shapes_only(zygote) -> None:
    with student_with(zygote, changed(MODULE, "5, padding=2)", "5, padding=2, bias=False)")) as s:
        found = verdict(s, "pt-module")
    assert set(failed(found)) == {"parameters_have_their_shapes"}
    assert found.score == pytest.approx(12 / 14, abs=1e-4)


def test_an_unused_bias_is_not_blamed_on_a_cut_graph(zygote) -> None:
    with student_with(zygote, changed(FUNCTION, "mm(fc_w) + fc_b", "mm(fc_w)")) as student:
        messages = failed(verdict(student, "pt-functional"))
    assert messages["gradients_reach_all_parameters"] == "no gradient reaches fc_b"


@pytest.mark.parametrize("coarse", ["half", "bfloat16"])
def test_coarse_numbers_are_judged_as_strictly(zygote, coarse) -> None:
    answer = "return (flatten(hidden).mm(fc_w) + fc_b)"
    sources = changed(FUNCTION, answer.replace("(f", "f", 1)[:-1], f"{answer}.{coarse}()")
    with student_with(zygote, sources) as student:
        assert "entries differ" in failed(verdict(student, "pt-functional"))["scores_are_right"]


def test_the_place_of_an_error_is_the_students(zygote) -> None:
    """Not torch's ``line 134, in forward``, nor one of a stand-in."""
    wrong = changed(MODULE, "self.conv1(x)", "self.conv1(x[:, :1])")
    line = wrong[MODULE].split("\n").index("        hidden = F.relu(self.conv1(x[:, :1]))") + 1
    with student_with(zygote, wrong) as student:
        messages = failed(verdict(student, "pt-module"))
    assert f"(line {line}, in forward: `hidden = " in messages["forward_is_right"]
    assert "RuntimeError: Given groups=1" in messages["forward_is_right"]


# -- cells that train: run again, with nothing trained --------------------------------------------

NOTICED = {
    ("barebones-convnet", "channel_2 * 32 * 32", "channel_2 * 16 * 16"): (
        "pt-barebones", "tensors_have_their_shapes",
    ),
    ("barebones-convnet", "conv_w1 = random_weight((channel_1, 3, 5, 5))",
     "conv_w1 = 1.0 * random_weight((channel_1, 3, 5, 5))"): (
        "pt-barebones", "tensors_are_leaves_that_learn",
    ),
    ("barebones-convnet", "train_part2(three_layer_convnet, params", "print(params"): (
        "pt-barebones", "all_six_are_trained",
    ),
    ("module-training", "=channel_1, channel_2=channel_2", "=channel_2, channel_2=channel_1"): (
        "pt-module-training", "module_is_made_for_cifar",
    ),
    ("module-training", "lr=learning_rate", "lr=learning_rate, momentum=0.9"): (
        "pt-module-training", "optimizer_is_plain_sgd",
    ),
    ("module-training", "optim.SGD(model.parameters()", "optim.SGD(model.fc.parameters()"): (
        "pt-module-training", "optimizer_has_the_models_parameters",
    ),
    ("module-training", "SGD(model.parameters()",
     "SGD([{'params': list(model.parameters())[:2], 'lr': 1.0},"
     " {'params': list(model.parameters())[2:]}]"): (
        "pt-module-training", "optimizer_is_plain_sgd",
    ),
    ("module-training", "optimizer = optim", "model.conv1.requires_grad_(False)\noptimizer = optim"
     ): (
        "pt-module-training", "optimizer_has_the_models_parameters",
    ),
    ("sequential-training", "SGD(model.parameters()", "SGD(model[2:].parameters()"): (
        "pt-sequential", "optimizer_has_the_models_parameters",
    ),
    ("sequential-training", ", nesterov=True", ""): (
        "pt-sequential", "optimizer_has_nesterov_momentum",
    ),
    ("sequential-training", "    nn.ReLU(),\n    Flatten(),", "    Flatten(),"): (
        "pt-sequential", "sequential_computes_the_convnet",
    ),
    ("open-challenge", "optim.Adam(model.parameters()", "optim.Adam(model[-1].parameters()"): (
        "pt-open", "model_is_trained_by_its_optimizer",
    ),
    ("open-challenge", "loader, scheduler)", "loader_test, scheduler)"): (
        "pt-open", "test_images_are_left_alone",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", NOTICED, ids=lambda m: f"{m[0]}: {m[2]}")
def test_a_mistake_in_a_training_cell_is_noticed(zygote, mistake) -> None:
    grade_id, notices = NOTICED[mistake]
    with student_with(zygote, changed(*mistake)) as student:
        assert set(failed(verdict(student, grade_id))) == {notices}


LAYERS_BY_NAME = "optim.SGD([{'params': part.parameters()} for part in (%s)]"


def test_layers_may_be_called_by_their_names_in_the_students_class(zygote) -> None:
    """The stand-in has three layers too, with other names than the student may have chosen."""
    own = solved()[MODULE].replace("self.conv1", "self.first").replace("self.fc", "self.last")
    for layers, lost in (
        ("model.first, model.conv2, model.last", set()),
        ("model.conv2, model.last", {"optimizer_has_the_models_parameters"}),
    ):
        sources = changed(
            "module-training", "optim.SGD(model.parameters()", LAYERS_BY_NAME % layers
        )
        with student_with(zygote, sources | {MODULE: own}) as student:
            assert set(failed(verdict(student, "pt-module-training"))) == lost


def test_an_optimizer_that_lacks_parameters_is_noticed_and_costs_half(zygote) -> None:
    sources = changed("module-training", "SGD(model.parameters()", "SGD(model.fc.parameters()")
    with student_with(zygote, sources) as student:
        found = verdict(student, "pt-module-training")
    left_out = failed(found)["optimizer_has_the_models_parameters"]
    assert left_out == "optimizer has 2 of the 6 parameters of model: the others stay as they start"
    # 6 of 12; the accuracy, 2, is not measured here.
    assert found.score == pytest.approx(4 / 12, abs=1e-4)


def test_the_cell_that_raised_is_named(zygote) -> None:
    sources = changed("module-training", "=channel_2, num_classes", "=channel_2, classes")
    with student_with(zygote, sources) as student:
        messages = failed(verdict(student, "pt-module-training"))
    assert set(messages) == {
        "module_is_made_for_cifar",
        "optimizer_has_the_models_parameters",
        "optimizer_is_plain_sgd",
    }
    for message in messages.values():
        assert message.startswith("the cell 'module-training' raised TypeError: ")
        assert "of cell 'module-training'" in message
        assert "model = ThreeLayerConvNet(" in message


def test_an_earlier_mistake_costs_no_cell_that_trains(zygote) -> None:
    broken = {FUNCTION: "def three_layer_convnet(x, params): ...", MODULE: "ThreeLayerConvNet = 0"}
    with student_with(zygote, solved() | broken) as student:
        for grade_id in CELLS:
            assert failed(verdict(student, grade_id)) == {}, grade_id


OWN_NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = ResidualBlock(3, 8, stride=4)
        self.left_over = nn.Linear(7, 7)  # never used in forward
        self.last = nn.Linear(8 * 8 * 8, 10)

    def forward(self, x):
        return self.last(flatten(self.block(x)))

model = Net().to(device)
optimizer = optim.SGD(model.parameters(), lr=0.1)
for epoch in range(3):
    for x, y in BatchLoader(train_set, 100, shuffle=True, augment=flip_and_crop):
        optimizer.zero_grad()
        F.cross_entropy(model(x.to(device)), y.to(device)).backward()
        optimizer.step()
    print(epoch, check_accuracy_part34(loader_val, model), len(test_set))
best_model = copy.deepcopy(model)
"""


def test_a_net_of_ones_own_may_train_in_its_own_way(zygote) -> None:
    with student_with(zygote, solved() | {"open-challenge": OWN_NET}) as student:
        assert failed(verdict(student, "pt-open")) == {}


# -- accuracy on new images -----------------------------------------------------------------------

UNTRAINED = """
seed_everything(0)
best_model = nn.Sequential(conv_block(3, 4, stride=4), nn.Flatten(), nn.Linear(256, 11))
mean_before = best_model[0][1].running_mean.clone()

def as_it_was():
    return best_model.training and torch.equal(best_model[0][1].running_mean, mean_before)
"""


def test_an_untrained_net_knows_nothing_and_stays_as_it_is(zygote) -> None:
    x = torch.from_numpy(np.random.default_rng(0).normal(size=(1000, 3, 32, 32))).float()
    labels = np.arange(1000) % 10
    with student_with(zygote, solved(), UNTRAINED) as student:
        scores = student.apply(in_kernel.scores_by_model, "best_model", x)
        assert scores.shape == (1000, 11)
        expect_accuracy(scores, labels, "best_model", 0.0)  # eleven columns are accepted
        with pytest.raises(Failed, match=r"best_model classifies .* of 1000 new images correctly"):
            expect_accuracy(scores, labels, "best_model", 0.45)
        assert student.call("as_it_was") is True


RANDOM = """
class Noise(nn.Module):
    def forward(self, x):
        return F.dropout(flatten(x)[:, :10])
best_model = Noise()
"""


def test_modes_are_advice(zygote) -> None:
    advice = {c.name: c for c in checks_for(*NOTEBOOK)["pt-open"] if c.advice}
    assert set(advice) == {"scores_do_not_depend_on_chance", "images_do_not_depend_on_their_batch"}
    with student_with(zygote, solved(), RANDOM) as student:
        found = {c.name: c.message for c in verdict(student, "pt-open").checks if not c.passed}
    assert found["best_model_classifies"].startswith("best_model classifies")
    assert "differ from call to call" in found["scores_do_not_depend_on_chance"]
