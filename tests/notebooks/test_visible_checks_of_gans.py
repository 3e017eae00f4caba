"""Typical mistakes in the GAN notebook: the visible checks say in words what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import matplotlib as mpl
import nbformat
import pytest

from cs231n_lib.feedback import CheckFailed

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "source" / "assignment3" / "Generative_Adversarial_Networks.ipynb"
HOOK = re.compile(r"### BEGIN HIDDEN TESTS.*", re.DOTALL)
NETWORKS = ("discriminator", "generator", "dc-classifier", "dc-generator")
#: The check of each answer.
CHECKS = {
    "sample-noise": "noise",
    "discriminator": "discriminator-net",
    "generator": "generator-net",
    "discriminator-loss": "d-loss",
    "generator-loss": "g-loss",
    "get-optimizer": "optimizer",
    "ls-discriminator-loss": "ls-d-loss",
    "ls-generator-loss": "ls-g-loss",
    "dc-classifier": "dc-discriminator",
    "dc-generator": "dc-generator-net",
}
NONE = re.compile(r"model = nn\.Sequential\(.*?\n    \)", re.DOTALL)
ONES, ZEROS = "torch.ones_like(logits_real)", "torch.zeros_like(logits_fake)"
PADDING = ", stride=2, padding=1"
LEAKY, RELU = "nn.LeakyReLU(0.01),\n        ", "nn.ReLU(),\n        "
RIGHT = sorted((ROOT / "autograder/mutants/assignment3" / NOTEBOOK.stem).glob("right_*.py"))


@pytest.fixture(autouse=True)
def _style_of_a_notebook() -> Iterator[None]:
    """Its first cell sets the style of figures for the whole process."""
    with mpl.rc_context():
        yield


def cells() -> dict[str, str]:
    return {c.id: c.source for c in nbformat.read(NOTEBOOK, as_version=4).cells}


def run(cell: str, sources: dict[str, str]) -> None:
    """Run what the check of an answer needs, then its visible part."""
    notebook: dict[str, object] = {}
    is_later_loss = cell.endswith("-loss") and cell != "discriminator-loss"
    needs = ("discriminator-loss", "d-loss") if is_later_loss else ()
    for part in ("setup", "sample-noise", *needs, cell, CHECKS[cell]):
        exec(HOOK.sub("", sources[part]), notebook)


@pytest.mark.parametrize("cell", CHECKS)
def test_right_answers_pass(cell: str) -> None:
    run(cell, cells())


@pytest.mark.parametrize("style", RIGHT, ids=lambda path: path.stem)
@pytest.mark.parametrize("cell", NETWORKS)
def test_networks_in_other_styles_pass(cell: str, style: Path) -> None:
    run(cell, cells() | {cell: style.read_text("utf-8")})


@pytest.mark.parametrize("cell", NETWORKS)
def test_a_network_left_out_is_said_to_be_missing(cell: str) -> None:
    sources = cells()
    sources[cell], count = NONE.subn("pass", sources[cell])
    assert count == 1
    with pytest.raises(CheckFailed, match=r"(?s)it returns a network.*still None"):
        run(cell, sources)


@pytest.mark.parametrize(
    ("cell", "edits", "said"),
    [
        ("sample-noise", [("dim) - 1", "dim, dtype=torch.float64) - 1")], "float32.*unless"),
        ("discriminator-loss", [("bce_loss(logits_real, ", "bce_loss(logits_real.sigmoid(), "),
                                ("bce_loss(logits_fake, ", "bce_loss(logits_fake.sigmoid(), ")],
         "sigmoid too"),
        ("discriminator-loss", [(ONES, ONES.replace("ones", "zeros")),
                                (ZEROS, ZEROS.replace("zeros", "ones"))], "wrong way round"),
        ("discriminator-loss", [(ONES, ONES.replace("ones", "zeros"))], "real images have the la"),
        ("discriminator-loss", [(ZEROS, ZEROS.replace("zeros", "ones"))], "generated.*label 1 he"),
        ("discriminator-loss", [("real + fake", "-(real + fake)")], "sign is wrong"),
        ("discriminator-loss", [("real + fake", "(real + fake) / 2")], "half of the loss"),
        ("discriminator-loss", [("loss = real", "loss = 3 * real"), ("+ fake", "+ 2 * fake")],
         "added up"),
        ("discriminator-loss", [("real + fake", "(real + fake).item()")], "gradient.*cut"),
        ("discriminator-loss", [("(logits_fake, ", "(logits_fake.detach(), ")], "gradient.*cut"),
        ("discriminator-loss", [(ONES, "1")], "AttributeError.*two tensors"),
        ("discriminator-loss", [("return loss", "")], "is a `return` missing"),
        ("generator-loss", [("(logits_fake, ", "(logits_fake.sigmoid(), ")], "sigmoid too many"),
        ("generator-loss", [("ones_like", "zeros_like")], "label is 0 here"),
        ("generator-loss", [("bce_loss", "-bce_loss")], "sign is wrong"),
        ("generator-loss", [("bce_loss", "-bce_loss"), ("ones_like", "zeros_like")], "saturates"),
        ("generator-loss", [("return loss", "return 3 * loss")], "added up"),
        ("generator-loss", [("return loss", "return loss.detach()")], "gradient.*cut"),
        ("ls-discriminator-loss", [("(scores_fake**2)", "(scores_fake.detach()**2)")],
         "gradient.*cut"),
        ("ls-generator-loss", [("(scores_fake - 1)", "(scores_fake.detach() - 1)")],
         "gradient.*cut"),
        ("get-optimizer", [(", betas=(0.5, 0.999)", "")], "both betas.*Adam's own"),
        ("get-optimizer", [("lr=1e-3", "lr=1e-2")], "learning rate.*0.001"),
        ("dc-generator", [(PADDING, ", stride=2")], "1156 pixels are a side of 34.*padding"),
        ("dc-generator", [(f"1, kernel_size=4{PADDING}", "1, kernel_size=4, stride=2")],
         "900 pixels are a side of 30.*padding"),
        ("dc-generator", [("nn.Tanh(),\n        Flatten(),", "nn.Tanh(),")], "to flatten each im"),
        ("discriminator", [(f"{LEAKY}nn.Linear(256, 256)", "nn.Linear(256, 256)")], "a hundredth"),
        ("discriminator", [(f"{LEAKY}nn.Linear(256, 1)", "nn.Linear(256, 1)")], "lets a hundredth"),
        ("discriminator", [("LeakyReLU(0.01)", "LeakyReLU(0.2)")], "lets a hundredth.*0.01"),
        ("discriminator", [("nn.LeakyReLU(0.01)", "nn.ReLU()")], "lets a hundredth"),
        ("discriminator", [("nn.Linear(256, 1),", f"nn.Linear(256, 1), {LEAKY}")], "none aft"),
        ("generator", [(f"{RELU}nn.Linear(1024, 1024)", "nn.Linear(1024, 1024)")], "nothing gets"),
        ("generator", [(f"{RELU}nn.Linear(1024, 784)", "nn.Linear(1024, 784)")], "nothing gets"),
        ("generator", [("nn.ReLU()", "nn.LeakyReLU(0.01)")], "not a leaky one"),
        ("generator", [(f"{RELU}nn.Linear(1024, 784)", "nn.Tanh(), nn.Linear(1024, 784)")],
         "only the last layer is followed by a tanh"),
        ("dc-classifier", [(f"{LEAKY}nn.MaxPool2d(2),\n        nn.Conv2d(32", "nn.MaxPool2d(2), "
                            "nn.Conv2d(32")], "one after each layer with weights"),
        ("dc-classifier", [(f"{LEAKY}nn.Linear(4 * 4 * 64, 1)", "nn.Linear(4 * 4 * 64, 1)")],
         "one after each layer with weights"),
        ("dc-classifier", [("LeakyReLU(0.01)", "LeakyReLU(0.2)")], "lets a hundredth"),
        ("dc-classifier", [("MaxPool2d", "AvgPool2d")], "Max pooling keeps the largest"),
        ("dc-generator", [(f"{RELU}nn.BatchNorm1d(1024)", "nn.BatchNorm1d(1024)")], "nothing gets"),
        ("dc-generator", [(f"{RELU}nn.BatchNorm1d(7 * 7 * 128)", "nn.BatchNorm1d(7 * 7 * 128)")],
         "nothing gets through"),
        ("dc-generator", [(f"{RELU}nn.BatchNorm2d(64)", "nn.BatchNorm2d(64)")], "nothing gets"),
        ("dc-generator", [(f"{RELU}nn.BatchNorm1d(1024),", f"nn.BatchNorm1d(1024), {RELU}")],
         "comes after a ReLU"),
        ("dc-generator", [(f"{RELU}nn.BatchNorm1d(7 * 7 * 128),",
                           f"nn.BatchNorm1d(7 * 7 * 128), {RELU}")], "comes after a ReLU"),
        ("dc-generator", [(f"{RELU}nn.BatchNorm2d(64),", f"nn.BatchNorm2d(64), {RELU}")],
         "comes after a ReLU"),
    ],
)  # fmt: skip
def test_a_mistake_is_said_in_words(cell: str, edits: Sequence[tuple[str, str]], said: str) -> None:
    sources = cells()
    for old, new in edits:
        assert old in sources[cell], f"{cell} has no {old!r}"
        sources[cell] = sources[cell].replace(old, new)
    with pytest.raises(CheckFailed, match=f"(?s){said}"):
        run(cell, sources)
