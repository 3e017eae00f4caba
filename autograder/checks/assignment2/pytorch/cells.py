"""What is asked of the cells that make a network and train it: here, nothing is trained.

The student's cell is executed again. What earlier cells define is replaced by stand-ins, so an
earlier mistake costs nothing, and the training loop by a note of what it was given.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.assignment2.pytorch import oracle
from autograder.checks.assignment2.pytorch.in_kernel import cells
from autograder.judge import (
    Student,
    StudentError,
    as_array,
    check,
    check_each,
    expect,
    expect_near,
    expect_shape,
)

BAREBONES, MODULE, SEQUENTIAL = "pt-barebones", "pt-module-training", "pt-sequential"
BAREBONES_CELL, MODULE_CELL = "barebones-convnet", "module-training"
SEQUENTIAL_CELL = "sequential-training"
SHAPES = ((32, 3, 5, 5), (32,), (16, 32, 3, 3), (16,), (16 * 1024, 10), (10,))


# -- six tensors ----------------------------------------------------------------------------------


@check(BAREBONES, probe="PT-A4", weight=2)
def tensors_have_their_shapes(student: Student, rng: Generator) -> None:
    """The shapes of conv_w1, conv_b1, conv_w2, conv_b2, fc_w and fc_b."""
    after = _tensors(student, rng)
    for name, shape, value, kind in zip(
        oracle.NAMES, SHAPES, after["values"], after["types"], strict=True
    ):
        found = "None" if kind == "NoneType" else f"of type {kind}"
        expect(value is not None, f"{name} is {found}, not a tensor")
        expect_shape(value, shape, name)


# A tensor that gets no gradient stays as it starts: without all six there is no training.
@check(BAREBONES, probe="PT-A4", weight=4)
def tensors_are_leaves_that_learn(student: Student, rng: Generator) -> None:
    """All six ask for a gradient and are leaves, so that they get one."""
    after = _tensors(student, rng)
    for name, learns, leaf in zip(oracle.NAMES, after["learns"], after["leaves"], strict=True):
        expect(learns, f"{name} does not ask for a gradient")
        expect(leaf, f"{name} was computed from another tensor, so it gets no gradient itself")


@check(BAREBONES, probe="PT-A4")
def tensors_start_as_asked(student: Student, rng: Generator) -> None:
    """Weights from random_weight, biases from zero_weight."""
    for name, value in zip(oracle.NAMES, _tensors(student, rng)["values"], strict=True):
        numbers = as_array(value, name).astype(np.float64)
        if name in oracle.NAMES[1::2]:
            expect(not numbers.any(), f"{name} does not start at zero")
            continue
        expect(numbers.ndim > 1, f"{name} is no weight: it has the shape {numbers.shape}")
        # Wrong sizes cost points elsewhere: the scale is the one for the shape that it has.
        fan_in = len(numbers) if numbers.ndim == 2 else numbers[0].size
        spread = float(numbers.std() / np.sqrt(2 / fan_in))
        # 2400 numbers and more: chance moves this by 1.5 %.
        expect(0.9 < spread < 1.1, f"{name} does not have the spread of random_weight")


@check(BAREBONES, probe="PT-A4")
def all_six_are_trained(student: Student, rng: Generator) -> None:
    """train_part2 is called with the six tensors, in order."""
    trained = [list(order) for order in _tensors(student, rng)["trained"]]
    expect(trained, "the cell does not call train_part2")
    expect([0, 1, 2, 3, 4, 5] in trained, "train_part2 was not given the six tensors in order")


def _tensors(student: Student, rng: Generator) -> dict[str, Any]:
    def run() -> dict[str, Any]:
        images = few_images(rng, 16)
        return student.apply(cells.six_tensors, BAREBONES_CELL, *images, cells=(BAREBONES_CELL,))

    return student.once("the six tensors", run)


# -- a module -------------------------------------------------------------------------------------


@check(MODULE, probe="PT-A6", weight=2)
def module_is_made_for_cifar(student: Student, rng: Generator) -> None:
    """model is a ThreeLayerConvNet with 32 and 16 filters, for colour images and 10 classes."""
    sizes = _made(student, rng, MODULE_CELL)["sizes"]
    expect(sizes is not None, "model is no ThreeLayerConvNet")
    expect(
        list(sizes) == [3, 32, 16, 10],
        f"in_channel, channel_1, channel_2, num_classes are {list(sizes)} in this model",
    )


# -- a Sequential ---------------------------------------------------------------------------------


@check(SEQUENTIAL, probe="PT-A5", weight=2)
def sequential_has_its_layers(student: Student, rng: Generator) -> None:
    """model is an nn.Sequential with the parameters of the three-layer ConvNet."""
    after = _made(student, rng, SEQUENTIAL_CELL)
    expect(after["is_sequential"], f"model is of type {after['model']}, not nn.Sequential")
    _six_parameters(after)


@check(SEQUENTIAL, probe="PT-A5", weight=2)
def sequential_computes_the_convnet(student: Student, rng: Generator) -> None:
    """Its scores are those of conv, ReLU, conv, ReLU, linear with its own parameters."""
    after = _made(student, rng, SEQUENTIAL_CELL)
    x, params = after["x"].double(), _six_parameters(after)
    got = expect_shape(after["scores"], (len(x), 10), "model(x)")
    want = oracle.scores(x, params).numpy()
    hint = "5 x 5 with padding 2, ReLU, 3 x 3 with padding 1, ReLU, flatten, linear: nothing else"
    expect_near(got, want, what="model(x)", hint=hint, precision="float32")


def _six_parameters(after: dict[str, Any]) -> list[torch.Tensor]:
    shapes = [*SHAPES[:4], SHAPES[4][::-1], SHAPES[5]]
    values = {as_array(value).shape: value for value in after["values"]}
    found = sorted(as_array(value).shape for value in after["values"])
    expect(found == sorted(shapes), f"the parameters have the shapes {found[:8]}")
    params = [torch.as_tensor(as_array(values[shape])).double() for shape in shapes]
    params[4] = params[4].T
    return params


# -- their optimisers -----------------------------------------------------------------------------


# An optimiser without some of the parameters leaves these as they start: that costs half.
@check_each({MODULE: MODULE_CELL, SEQUENTIAL: SEQUENTIAL_CELL}, probe="PT-A5", weight=6)
def optimizer_has_the_models_parameters(student: Student, rng: Generator, cell: str) -> None:
    """optimizer has exactly the parameters of model, and these two are trained."""
    after = _made(student, rng, cell)
    expect(after["settings"], f"optimizer is of type {after['optimizer']}, without parameters")
    # Counted, not described: the layers of the stand-in are not the student's.
    all_of_them, left_out, frozen = (len(after[k]) for k in ("values", "left_out", "frozen"))
    found = f"optimizer has {all_of_them - left_out} of the {all_of_them} parameters of model"
    expect(not left_out, f"{found}: the others stay as they start")
    foreign = after["foreign"]
    expect(not foreign, f"optimizer has {foreign} tensors that are no parameters of model")
    expect(not frozen, f"{frozen} parameters of model do not ask for a gradient")
    expect(after["trained"], "the cell does not call train_part34")
    expect(after["together"], "train_part34 is not called with this model and this optimizer")


@check(MODULE, probe="PT-A6", weight=2)
def optimizer_is_plain_sgd(student: Student, rng: Generator) -> None:
    """optimizer is plain SGD with the given learning rate."""
    wanted = {"lr": 3e-3, "momentum": 0.0, "nesterov": 0.0}
    _expect_sgd(_made(student, rng, MODULE_CELL), wanted)


@check(SEQUENTIAL, probe="PT-A5", weight=2)
def optimizer_has_nesterov_momentum(student: Student, rng: Generator) -> None:
    """optimizer is SGD with Nesterov momentum 0.9 and the given learning rate."""
    wanted = {"lr": 1e-2, "momentum": 0.9, "nesterov": 1.0}
    _expect_sgd(_made(student, rng, SEQUENTIAL_CELL), wanted)


def _expect_sgd(after: dict[str, Any], wanted: dict[str, float]) -> None:
    """``wanted`` holds in each of the optimiser's parameter groups."""
    kind, groups = after["optimizer"], after["settings"]
    expect(kind == "SGD", f"optimizer is of type {kind}, not SGD")
    for number, settings in enumerate(groups, start=1):
        where = f" in parameter group {number}" if len(groups) > 1 else ""
        for name, value in wanted.items():
            right = np.isclose(float(settings[name]), value, rtol=1e-6, atol=0)
            found = f"the optimizer's {name} is {settings[name]:g}{where}"
            expect(right, f"{found}, which was not asked for")


# -- asking ---------------------------------------------------------------------------------------


def few_images(rng: Generator, N: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Random images (N, 3, 32, 32), on which nothing can be learned, and labels (N,)."""
    x = torch.from_numpy(rng.normal(size=(N, 3, 32, 32))).float()
    return x, torch.from_numpy(rng.integers(0, 10, size=N))


def _made(student: Student, rng: Generator, cell: str) -> dict[str, Any]:
    def run() -> dict[str, Any]:
        x, y = few_images(rng, 16)

        def ask(own_class: bool) -> dict[str, Any]:
            made = cells.model_and_optimizer
            after = student.apply(made, cell, x, y, cells=(cell,), own_class=own_class)
            return after | {"x": x}

        try:
            return ask(own_class=False)
        except StudentError as error:
            # It may call a layer by the name that it has in the student's own class.
            try:
                return ask(own_class=True)
            except StudentError:
                raise error from None

    return student.once(f"the model of {cell}", run)
