"""Checks of the GAN notebook: right answers of every style pass, wrong ones lose. No training."""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from autograder.checks.assignment3.generative_adversarial_networks import in_kernel, oracle
from autograder.checks.assignment3.generative_adversarial_networks.optimizer import adam
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
from trial_notebook import TrialNotebook

NOISE, OPTIMIZER = "sample-noise", "get-optimizer"
D_NET, G_NET = "discriminator", "generator"
D_LOSS, G_LOSS = "discriminator-loss", "generator-loss"
LS_D, LS_G = "ls-discriminator-loss", "ls-generator-loss"
DC_D, DC_G = "dc-classifier", "dc-generator"
QUESTIONS = {
    NOISE: "noise",
    D_NET: "discriminator-net",
    G_NET: "generator-net",
    D_LOSS: "d-loss",
    G_LOSS: "g-loss",
    OPTIMIZER: "optimizer",
    LS_D: "ls-d-loss",
    LS_G: "ls-g-loss",
    DC_D: "dc-discriminator",
    DC_G: "dc-generator-net",
}
TRIAL = TrialNotebook("assignment3", "Generative_Adversarial_Networks", answers=tuple(QUESTIONS))


def student_with(zygote: Zygote, sources: dict[str, str]) -> AbstractContextManager[Student]:
    """A student whose notebook has the definitions, cells of one's own included."""
    given = TRIAL.solved()
    run = [text for cell, text in sources.items()
           if cell == "setup" or cell in QUESTIONS or cell not in given]  # fmt: skip
    return TRIAL.student(zygote, sources, run)


# -- right answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TRIAL.right, ids=lambda path: path.stem if path else "reference")
def test_right_solutions_pass_whatever_the_seed(zygote: Zygote, path) -> None:
    with student_with(zygote, TRIAL.solved(path)) as student:
        TRIAL.assert_right(student, QUESTIONS.values(), rounds(25))


def test_our_solution_follows_all_advice(shared: Student) -> None:
    TRIAL.with_source(shared, NOISE, TRIAL.solved()[NOISE])
    assert TRIAL.failed_cells(shared, advice=True) == set()


def test_torchs_layers_agree_with_the_oracle() -> None:
    """The convolutional generator as torch builds it, in training mode."""
    net = nn.Sequential(
        nn.Linear(3, 5), nn.ReLU(), nn.BatchNorm1d(5),
        nn.Linear(5, 98), nn.ReLU(), nn.BatchNorm1d(98), nn.Unflatten(1, (2, 7, 7)),
        nn.ConvTranspose2d(2, 4, 4, 2, 1), nn.ReLU(), nn.BatchNorm2d(4),
        nn.ConvTranspose2d(4, 1, 4, 2, 1), nn.Tanh(), nn.Flatten(),
    ).double()  # fmt: skip
    noise = torch.from_numpy(np.random.default_rng(0).uniform(-1, 1, size=(6, 3)))
    layers = [dict(layer.named_parameters()) for layer in net if list(layer.parameters())]
    assert torch.allclose(oracle.dc_generator(layers, noise), net(noise))


def test_the_oracles_losses_are_cross_entropies() -> None:
    rng = np.random.default_rng(0)
    real, fake = (torch.from_numpy(rng.normal(size=(7, 1))) for _ in range(2))
    entropy = F.binary_cross_entropy_with_logits
    want = entropy(real, torch.ones(7, 1).double()) + entropy(fake, torch.zeros(7, 1).double())
    assert torch.allclose(oracle.d_loss(real, fake), want)
    assert torch.allclose(oracle.g_loss(fake), entropy(fake, torch.ones(7, 1).double()))


def test_the_oracles_steps_are_those_of_torch() -> None:
    grads = [torch.randn(5, dtype=torch.float64) for _ in range(4)]
    x = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.Adam([x], lr=1.0, betas=(0.5, 0.999))
    for grad in grads:
        x.grad = grad.clone()
        solver.step()
    want = sum(adam([grad.numpy() for grad in grads], (0.5, 0.999)))
    np.testing.assert_allclose(x.detach().numpy(), want)


def test_both_sides_draw_the_same_parameters() -> None:
    layers = [[("weight", (4, 3)), ("bias", (4,))], [("weight", (4,)), ("bias", (4,))]]
    first, again = (list(in_kernel.drawn(layers, 7)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert all(np.array_equal(one[name], other[name]) for name in ("weight", "bias"))
    plain = list(in_kernel.drawn(layers, 7, plain_norms=True))[1]
    assert (plain["weight"] == 1).all()
    assert (plain["bias"] == 0).all()


# -- wrong answers: (cell, edits): question's points, what is said --------------------------------

UNIFORM = "2 * torch.rand(batch_size, dim) - 1"
REAL = "bce_loss(logits_real, torch.ones_like(logits_real))"
FAKE = "bce_loss(logits_fake, torch.zeros_like(logits_fake))"
WANTED = "bce_loss(logits_fake, torch.ones_like(logits_fake))"
ADAM = "optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.999))"
LS_REAL, LS_FAKE = "0.5 * ((scores_real - 1) ** 2).mean()", "0.5 * (scores_fake**2).mean()"
LS_WANTED = "0.5 * ((scores_fake - 1) ** 2).mean()"
UP = "kernel_size=4, stride=2, padding=1"
FIRST = "nn.ReLU(),\n        nn.BatchNorm1d(1024)"
SECOND = "nn.ReLU(),\n        nn.BatchNorm1d(7 * 7 * 128)"
THIRD = "nn.ReLU(),\n        nn.BatchNorm2d(64)"


def exchanged(layers: str) -> tuple[str, str]:
    """An edit that exchanges a ReLU and the normalisation after it."""
    relu, norm = layers.split(",\n        ")
    return layers, f"{norm},\n        {relu}"


WRONG = {
    "noise in (0, 1)": (
        NOISE,
        [(UNIFORM, "torch.rand(batch_size, dim)")],
        9 / 15,
        {"is_uniform": "of 20000 numbers none is below 0"},
    ),
    "normal noise": (
        NOISE,
        [(UNIFORM, "torch.randn(batch_size, dim)")],
        9 / 15,
        {"is_uniform": "there are numbers outside (-1, 1): one is"},
    ),
    "noise in (-0.5, 0.5)": (
        NOISE,
        [(UNIFORM, "torch.rand(batch_size, dim) - 0.5")],
        9 / 15,
        {"is_uniform": "the variance of 20000 numbers is 0.08"},
    ),
    "axes exchanged": (
        NOISE,
        [("(batch_size, dim) - 1", "(dim, batch_size) - 1")],
        11 / 15,
        {"has_its_shape": "sample_noise(3, 5) has shape (5, 3); expected (3, 5)"},
    ),
    "one row for all": (
        NOISE,
        [(UNIFORM, "(2 * torch.rand(batch_size, 1) - 1).expand(-1, dim)")],
        9 / 15,
        {"is_uniform": "numbers"},
    ),
    "a seed of one's own": (
        NOISE,
        [("noise = 2", "torch.manual_seed(0)\n    noise = 2")],
        12 / 15,
        {"follows_its_seed": "two seeds give the same noise"},
    ),
    "noise of float64": (
        NOISE,
        [("(batch_size, dim) - 1", "(batch_size, dim, dtype=torch.float64) - 1")],
        13 / 15,
        {"is_of_the_networks_type": "is of float64; the networks compute with float32"},
    ),
    "a sigmoid at the end": (
        D_NET,
        [("nn.Linear(256, 1)", "nn.Linear(256, 1), nn.Sigmoid()")],
        4 / 10,
        {"computes_what_is_asked": "the network ends with a sigmoid: return raw scores"},
    ),
    "a LeakyReLU at the end": (
        D_NET,
        [("nn.Linear(256, 1)", "nn.Linear(256, 1), nn.LeakyReLU(0.01)")],
        4 / 10,
        {"computes_what_is_asked": "the network ends with a LeakyReLU"},
    ),
    "an activation is missing": (
        D_NET,
        [("nn.Linear(784, 256),\n        nn.LeakyReLU(0.01)", "nn.Linear(784, 256)")],
        4 / 10,
        {"computes_what_is_asked": "the LeakyReLU after layer 1 is missing"},
    ),
    "fewer hidden units": (
        D_NET,
        [("784, 256", "784, 100"), ("256, 256", "100, 100"), ("256, 1)", "100, 1)")],
        7 / 10,
        {"layers_have_their_sizes": "discriminator() has 88,701 parameters in 6 tensors; none"},
    ),
    "no bias at the end": (
        D_NET,
        [("256, 1)", "256, 1, bias=False)")],
        7 / 10,
        {"layers_have_their_sizes": "267,008 parameters in 5 tensors: biases (or normalisations)"},
    ),
    "a layer too many": (
        D_NET,
        [("nn.Linear(256, 1)", "nn.Linear(256, 256), nn.LeakyReLU(0.01), nn.Linear(256, 1)")],
        1 / 10,
        {
            "layers_have_their_sizes": "or fewer, should have the shape (256,), (256, 256)",
            "computes_what_is_asked": "linear and convolutional layers: 4; the task has 3",
        },
    ),
    "scores of shape (N,)": (
        D_NET,
        [("nn.Linear(256, 1)", "nn.Linear(256, 1), nn.Flatten(0)")],
        9 / 10,
        {"output_has_its_shape": "has shape (3,); expected (3, 1)"},
    ),
    "no Flatten": (
        D_NET,
        [("Flatten(),\n        ", "")],
        3 / 10,
        {"computes_what_is_asked": "for input of shape (5, 1, 28, 28) the network of"},
    ),
    "no tanh": (
        G_NET,
        [("nn.Tanh(),", "")],
        6 / 12,
        {"computes_what_is_asked": "the tanh at the end is missing"},
    ),
    "a sigmoid for a tanh": (
        G_NET,
        [("nn.Tanh()", "nn.Sigmoid()")],
        6 / 12,
        {"computes_what_is_asked": "there is a sigmoid at the end: pixels go from -1 to 1"},
    ),
    "noise_dim ignored": (
        G_NET,
        [("nn.Linear(noise_dim", "nn.Linear(96")],
        10 / 12,
        {"takes_noise_of_any_size": "for input of shape (3, 4) the network of generator(4) raised"},
    ),
    "another default": (
        G_NET,
        [("noise_dim=NOISE_DIM", "noise_dim=100")],
        10 / 12,
        {"takes_noise_of_any_size": "for input of shape (3, 96) the network of generator() raised"},
    ),
    "half of the loss": (
        D_LOSS,
        [("real + fake", "(real + fake) / 2")],
        8 / 12,
        {"value_is_right": "it is half of what it should be: add the two means"},
    ),
    "labels the wrong way round": (
        D_LOSS,
        [
            (REAL, REAL.replace("ones", "zeros")),
            (FAKE, FAKE.replace("zeros", "ones")),
        ],
        0 / 12,
        {
            "value_is_right": "labels (or arguments) are the wrong way round",
            "gradient_has_its_direction": "logits_real has the wrong sign for 9 of 9 scores",
        },
    ),
    "a sigmoid too many": (
        D_LOSS,
        [
            (REAL, REAL.replace("(logits_real, ", "(logits_real.sigmoid(), ")),
            (FAKE, FAKE.replace("(logits_fake, ", "(logits_fake.sigmoid(), ")),
        ],
        0 / 12,
        {"value_is_right": "there is a sigmoid too many: bce_loss takes the logits themselves"},
    ),
    "logarithms of sigmoids": (
        D_LOSS,
        [
            (REAL, "-logits_real.sigmoid().log().mean()"),
            (FAKE, "-(1 - logits_fake.sigmoid()).log().mean()"),
        ],
        10 / 12,
        {"large_logits_are_safe": "for logits_real = -200 and logits_fake = -200 the loss is inf"},
    ),
    "logits clamped": (
        D_LOSS,
        [(REAL, REAL.replace("(logits_real, ", "(logits_real.clamp(-50, 50), "))],
        10 / 12,
        {"large_logits_are_safe": "the loss is 50, for logits of the same signs and of size 10 it"},
    ),
    "labels of 128 images": (
        D_LOSS,
        [(REAL, "bce_loss(logits_real, torch.ones(128, 1))")],
        0 / 12,
        {"value_is_right": "raised ValueError: input has shape (6, 1) and target (128, 1)"},
    ),
    "a number without a gradient": (
        D_LOSS,
        [("real + fake", "(real + fake).item()")],
        6 / 12,
        {"gradient_has_its_direction": "no gradient reaches logits_real. Is the graph cut"},
    ),
    "no gradient for generated images": (
        D_LOSS,
        [(FAKE, FAKE.replace("(logits_fake, ", "(logits_fake.detach(), "))],
        6 / 12,
        {"gradient_has_its_direction": "no gradient reaches logits_fake. Is the graph cut"},
    ),
    "a loss for each image": (
        D_LOSS,
        [(REAL, "F.softplus(-logits_real)"), (FAKE, "F.softplus(logits_fake)")],
        0 / 12,
        {
            "value_is_right": "the loss of 6 images has shape (6, 1); expected ()",
            "gradient_has_its_direction": "backward() needs a single number",
        },
    ),
    "the loss that saturates": (
        G_LOSS,
        [(WANTED, f"-{FAKE}")],
        0 / 12,
        {
            "value_is_right": "this is the mean of log(1 - D(G(z))), the loss that saturates",
            "gradient_has_its_direction": "right signs, but its sizes are in another proportion",
        },
    ),
    "label 0 for the generator": (
        G_LOSS,
        [("ones_like", "zeros_like")],
        0 / 12,
        {"value_is_right": "generated images have the label 0 here, as for the discriminator"},
    ),
    "Adam's usual betas": (
        OPTIMIZER,
        [(", betas=(0.5, 0.999)", "")],
        7 / 11,
        {"steps_are_adams": "the parameters are where Adam would take them with its usual betas"},
    ),
    "another learning rate": (
        OPTIMIZER,
        [("lr=1e-3", "lr=2e-4")],
        9 / 11,
        {"learning_rate_is_right": "for gradients of 1 the first step changes a parameter by 0.0"},
    ),
    "SGD": (
        OPTIMIZER,
        [(ADAM, "optim.SGD(model.parameters(), lr=1e-3)")],
        7 / 11,
        {"steps_are_adams": "after 4 steps the parameters are where SGD would take them, not Adam"},
    ),
    "uphill": (
        OPTIMIZER,
        [("lr=1e-3", "lr=1e-3, maximize=True")],
        5 / 11,
        {"learning_rate_is_right": "the first step goes up the gradient, not down"},
    ),
    "weights only": (
        OPTIMIZER,
        [("model.parameters()", "[p for p in model.parameters() if p.dim() > 1]")],
        7 / 11,
        {"holds_the_parameters": "a step leaves 2 of 4 parameters of the model unchanged"},
    ),
    "parameters of another model": (
        OPTIMIZER,
        [("model.parameters()", "discriminator().parameters()")],
        0 / 11,
        {
            "holds_the_parameters": "a step leaves 4 of 4 parameters of the model unchanged",
            "one_iteration_changes_both": "leaves all parameters of the discriminator unchanged",
        },
    ),
    "a class": (
        OPTIMIZER,
        [(ADAM, "optim.Adam")],
        0 / 11,
        {"holds_the_parameters": "get_optimizer(model) is of type type, not an optimiser"},
    ),
    "no factor of one half": (
        LS_D,
        [(LS_REAL, LS_REAL.removeprefix("0.5 * ")), (LS_FAKE, LS_FAKE.removeprefix("0.5 * "))],
        8 / 12,
        {"squares_are_right": "it is twice what it should be: the factor 1/2 is missing"},
    ),
    "one factor of one half": (
        LS_D,
        [(LS_REAL, LS_REAL.removeprefix("0.5 * "))],
        8 / 12,
        {"squares_are_right": "the factor 1/2 of the real images is missing"},
    ),
    "targets the wrong way round": (
        LS_D,
        [("(scores_real - 1)", "scores_real"), ("scores_fake**2", "(scores_fake - 1) ** 2")],
        0 / 12,
        {
            "squares_are_right": "targets (or arguments) are the wrong way round",
            "gradient_has_its_direction": "the gradient for scores_real has the wrong sign for",
            "least_at_the_targets": "for scores_real = 1 and scores_fake = 0 the loss is 1",
        },
    ),
    "squares of sigmoids": (
        LS_G,
        [("(scores_fake - 1)", "(scores_fake.sigmoid() - 1)")],
        0 / 12,
        {"squares_are_right": "there is a sigmoid: the scores themselves are squared"},
    ),
    "absolute values": (
        LS_G,
        [("((scores_fake - 1) ** 2)", "(scores_fake - 1).abs()")],
        0 / 12,
        {"squares_are_right": "these are absolute values: take the squares"},
    ),
    "poolings by the mean": (
        DC_D,
        [
            ("MaxPool2d(2),\n        nn.Conv", "AvgPool2d(2),\n        nn.Conv"),
            ("MaxPool2d(2),\n        Fl", "AvgPool2d(2),\n        Fl"),
        ],
        4 / 10,
        {"computes_what_is_asked": "the pooling takes the mean; it should take the maximum"},
    ),
    "built for 128 images": (
        DC_D,
        [("nn.Conv2d(1, 32", "Unflatten(128, 1, 28, 28), nn.Conv2d(1, 32")],
        3 / 10,
        {"computes_what_is_asked": "RuntimeError: shape '[128, 1, 28, 28]' is invalid"},
    ),
    "fewer filters": (
        DC_D,
        [("Conv2d(1, 32", "Conv2d(1, 16"), ("Conv2d(32, 64", "Conv2d(16, 64")],
        7 / 10,
        {"layers_have_their_sizes": "should have the shape (16, 1, 5, 5), (16,), (64, 16, 5, 5)"},
    ),
    "normalised before the ReLUs": (
        DC_G,
        [exchanged(FIRST), exchanged(SECOND), exchanged(THIRD)],
        12 / 16,
        {"normalises_after_relu": "batch normalisation comes before the ReLUs here"},
    ),
    "not normalised": (
        DC_G,
        [(layers, "nn.ReLU()") for layers in (FIRST, SECOND, THIRD)],
        9 / 16,
        {
            "layers_have_their_sizes": "in 8 tensors: biases (or normalisations) are missing",
            "normalises_after_relu": "a weight for each feature): 0; the task has 3",
        },
    ),
    "without the batch's statistics": (
        DC_G,
        [("Flatten(),\n    )", "Flatten(),\n    ).eval()")],
        12 / 16,
        {"normalises_after_relu": "the normalisations do not use the statistics of the batch"},
    ),
    "leaky generator": (
        DC_G,
        [(layers, layers.replace("ReLU()", "LeakyReLU()")) for layers in (FIRST, SECOND, THIRD)],
        10 / 16,
        {"computes_what_is_asked": "these are LeakyReLUs; ReLUs are asked for"},
    ),
    "no tanh after the convolutions": (
        DC_G,
        [("nn.Tanh(),", "")],
        10 / 16,
        {"computes_what_is_asked": "the tanh at the end is missing"},
    ),
    "images of 30 x 30": (
        DC_G,
        [(f"nn.ConvTranspose2d(64, 1, {UP})", "nn.ConvTranspose2d(64, 1, 4, stride=2)")],
        5 / 16,
        {"output_has_its_shape": "has shape (3, 900); expected (3, 784)"},
    ),
    "images in place of rows": (
        DC_G,
        [("nn.Tanh(),\n        Flatten(),", "nn.Tanh(),")],
        15 / 16,
        {"output_has_its_shape": "for 3 inputs has shape (3, 1, 28, 28); expected (3, 784)"},
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_slip_is_named_and_costs_what_it_breaks(shared: Student, what: str) -> None:
    cell, edits, points, messages = WRONG[what]
    student = TRIAL.with_source(shared, cell, TRIAL.changed(cell, *edits)[cell])
    found = TRIAL.verdict(student, QUESTIONS[cell])
    said = TRIAL.failed(found, advice=False)
    for name, message in messages.items():
        assert message in said.get(name, ""), said
    assert found.score == pytest.approx(points, abs=1e-3), said
    cheap = {"all_pieces_work_together", *said}  # the rest of the advice is for right losses only
    assert set(TRIAL.failed(found)) - cheap == set(), "advice that repeats what costs points"


@pytest.mark.parametrize("cell", QUESTIONS)
def test_an_unwritten_answer_earns_nothing(shared: Student, cell: str) -> None:
    for answer in ("None", "torch.zeros(())", "'done'"):
        text = TRIAL.solved()[cell]
        source = text[: text.index("):\n") + 3] + f"    return {answer}\n"
        found = TRIAL.verdict(TRIAL.with_source(shared, cell, source), QUESTIONS[cell])
        passed = {check.name for check in found.checks if check.passed and not check.advice}
        assert found.score == 0, (answer, passed)


def test_released_stubs_are_not_attempted(shared: Student) -> None:
    source = "def sample_noise(batch_size, dim, seed=None):\n    raise NotImplementedError"
    found = TRIAL.verdict(TRIAL.with_source(shared, NOISE, source), "noise")
    assert found.score == 0
    assert set(TRIAL.failed(found).values()) == {
        "not written yet: it still raises NotImplementedError"
    }


# -- nobody pays twice ----------------------------------------------------------------------------


@pytest.mark.parametrize("cell", QUESTIONS)
def test_a_broken_piece_costs_its_own_question_only(shared: Student, cell: str) -> None:
    text = TRIAL.solved()[cell]
    source = text[: text.index("):\n") + 3] + "    raise OSError('broken')\n"
    student = TRIAL.with_source(shared, cell, source)
    grade_ids = {"optimizer", QUESTIONS[cell]} | ({QUESTIONS[D_LOSS]} if cell == NOISE else set())
    lost = {
        grade_id
        for grade_id in grade_ids
        if TRIAL.failed(TRIAL.verdict(student, grade_id), advice=False)
    }
    assert lost == {QUESTIONS[cell]}


def test_advice_says_which_piece_keeps_the_whole_from_working(shared: Student) -> None:
    source = TRIAL.changed(G_LOSS, (WANTED, f"{WANTED}.item()"))[G_LOSS]
    found = TRIAL.verdict(TRIAL.with_source(shared, G_LOSS, source), "optimizer")
    assert found.score == 1
    message = TRIAL.failed(found)["all_pieces_work_together"]
    assert message.startswith("one iteration of run_a_gan raised ")
    assert message.endswith("With another generator_loss it works")


# -- what may differ ------------------------------------------------------------------------------


def test_one_mistake_does_not_cost_the_normalisations(shared: Student) -> None:
    """A wrong end costs one check, and a normalisation in the wrong place another one."""
    edits = [("nn.Tanh()", "nn.Sigmoid()"), exchanged(FIRST)]
    source = TRIAL.changed(DC_G, *edits)[DC_G]
    found = TRIAL.verdict(TRIAL.with_source(shared, DC_G, source), QUESTIONS[DC_G])
    assert set(TRIAL.failed(found)) == {"computes_what_is_asked", "normalises_after_relu"}
    source = TRIAL.changed(DC_G, edits[0])[DC_G]
    found = TRIAL.verdict(TRIAL.with_source(shared, DC_G, source), QUESTIONS[DC_G])
    assert set(TRIAL.failed(found)) == {"computes_what_is_asked"}


def test_what_the_task_leaves_open_is_advice(shared: Student) -> None:
    """Scores with a second axis only, and as many real images as generated ones."""
    source = (
        "def ls_discriminator_loss(scores_real, scores_fake):\n"
        "    N, _ = scores_real.shape\n"
        "    return (((scores_real - 1) ** 2 + scores_fake ** 2) / 2).mean()\n"
    )
    found = TRIAL.verdict(TRIAL.with_source(shared, LS_D, source), "ls-d-loss")
    assert found.score == 1
    message = TRIAL.failed(found)["other_scores"]
    assert "raised ValueError: not enough values to unpack" in message
    assert "in ls_discriminator_loss" in message


def test_layers_of_any_name_in_any_order_of_attributes(shared: Student) -> None:
    """A module of one's own whose layers are made in another order than they compute in."""
    source = (
        "def discriminator(seed=None):\n"
        "    class Net(nn.Module):\n"
        "        def __init__(self):\n"
        "            super().__init__()\n"
        "            self.c, self.a = nn.Linear(256, 1), nn.Linear(784, 256)\n"
        "            self.b = nn.Linear(256, 256)\n"
        "        def forward(self, x):\n"
        "            for layer in (self.a, self.b):\n"
        "                x = F.leaky_relu(layer(x.reshape(len(x), -1)), 0.01)\n"
        "            return self.c(x)\n"
        "    return Net()\n"
    )
    found = TRIAL.verdict(TRIAL.with_source(shared, D_NET, source), QUESTIONS[D_NET])
    assert TRIAL.failed(found) == {}
    parameters = (
        "def discriminator(seed=None):\n"
        "    net = nn.Linear(784, 1)\n"
        "    net.scale = nn.Parameter(torch.ones(()))\n"
        "    return nn.Sequential(nn.Flatten(), net)\n"
    )
    found = TRIAL.verdict(TRIAL.with_source(shared, D_NET, parameters), QUESTIONS[D_NET])
    assert set(TRIAL.failed(found)) == {"layers_have_their_sizes", "computes_what_is_asked"}
