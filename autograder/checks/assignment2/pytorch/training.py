"""What is asked of the cells that make a network and train it: here, nothing is trained.

The student's cell is run again. What earlier cells define is replaced by stand-ins that learn
nothing, so an earlier mistake costs nothing, and the training loop by a note of what it was given.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.random import Generator

from autograder.checks.assignment2.pytorch import oracle
from autograder.judge import Student, as_array, expect, expect_near, expect_shape

BAREBONES_CELL, MODULE_CELL = "barebones-convnet", "module-training"
SEQUENTIAL_CELL = "sequential-training"
SHAPES = ((32, 3, 5, 5), (32,), (16, 32, 3, 3), (16,), (16 * 1024, 10), (10,))

# A few images and a training loop that only takes notes.
STAND_INS = """
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from cs231n_lib.seeding import seed_everything
from cs231n_lib.torch_data import BatchLoader, ImageSet

device, dtype, print_every, num_training = torch.device("cpu"), torch.float32, 100, 16
model, optimizer, best_model = None, None, None
train_set, val_set, test_set = (
    ImageSet(torch.zeros(_n, 3, 32, 32), torch.arange(_n) % 10, _n == 16) for _n in (16, 8, 8)
)
loader_train, loader_val, loader_test = (
    BatchLoader(_set, 8) for _set in (train_set, val_set, test_set)
)
_notes = []

def flatten(x):
    return x.reshape(len(x), -1)

class Flatten(nn.Module):
    def forward(self, x):
        return flatten(x)

def random_weight(shape):
    fan_in = shape[0] if len(shape) == 2 else np.prod(shape[1:])
    return (torch.randn(shape) * float(np.sqrt(2 / fan_in))).requires_grad_()

def zero_weight(shape):
    return torch.zeros(shape, requires_grad=True)

def three_layer_convnet(x, params):
    return torch.zeros(len(x), 10) + 0.0 * sum(_p.sum() for _p in params)

class ThreeLayerConvNet(nn.Module):
    def __init__(self, in_channel, channel_1, channel_2, num_classes):
        super().__init__()
        self._sizes = [int(n) for n in (in_channel, channel_1, channel_2, num_classes)]
        self.fc = nn.Linear(1, num_classes)

    def forward(self, x):
        return self.fc(x.flatten(1)[:, :1])

def train_part2(model_fn, params, learning_rate, *more, **options):
    _notes.append(list(params))

def train_part34(model, optimizer, *more, **options):
    _notes.append((model, optimizer))

def check_accuracy_part2(loader, model_fn, params):
    return 0.1

def check_accuracy_part34(loader, model):
    return 0.1

"""
TENSORS_TAIL = """
_six = [globals().get(_n) for _n in ("conv_w1", "conv_b1", "conv_w2", "conv_b2", "fc_w", "fc_b")]
_kinds = [type(_p).__name__ for _p in _six]
_learns = [bool(getattr(_p, "requires_grad", False)) for _p in _six]
_leaves = [bool(getattr(_p, "is_leaf", False)) for _p in _six]
_values = [_p.detach().cpu() if torch.is_tensor(_p) else _p for _p in _six]
_trained = [[[_q is _p for _q in _six].index(True) if any(_q is _p for _q in _six) else -1
             for _p in _note] for _note in _notes]
"""
MODEL_TAIL = """
_model, _optimizer = globals().get("model"), globals().get("optimizer")
_sizes = getattr(_model, "_sizes", None)
_types = [type(_layer).__name__ for _layer in _model] if isinstance(_model, nn.Sequential) else []
_own = list(_model.parameters()) if isinstance(_model, nn.Module) else []
_groups = getattr(_optimizer, "param_groups", [])
_given = [_p for _group in _groups for _p in _group["params"]]
_same = bool(_own) and {id(_p) for _p in _own} == {id(_p) for _p in _given}
_kind = type(_optimizer).__name__
_settings = [
    {_k: float(_group.get(_k, 0) or 0) for _k in ("lr", "momentum", "nesterov", "weight_decay")}
    for _group in _groups
]
_together = any(_m is _model and _o is _optimizer for _m, _o in _notes)
_values = [_p.detach().cpu() for _p in _own]
_scores = None
if _own:
    with torch.no_grad():
        _scores = _model.eval()(_x.to(_own[0])).cpu()
"""


# -- six tensors ----------------------------------------------------------------------------------


def tensors_have_their_shapes(student: Student, rng: Generator) -> None:
    """The shapes of conv_w1, conv_b1, conv_w2, conv_b2, fc_w and fc_b."""
    for name, shape, value in zip(oracle.NAMES, SHAPES, _tensors(student)["_values"], strict=True):
        expect(isinstance(value, torch.Tensor), f"{name} is {_kind(value)}, not a tensor")
        expect_shape(value, shape, name)


def tensors_are_leaves_that_learn(student: Student, rng: Generator) -> None:
    """All six ask for a gradient and are leaves, so that they get one."""
    after = _tensors(student)
    for name, learns, leaf in zip(oracle.NAMES, after["_learns"], after["_leaves"], strict=True):
        expect(learns, f"{name} does not ask for a gradient")
        expect(leaf, f"{name} was computed from another tensor, so it gets no gradient itself")


def tensors_start_as_asked(student: Student, rng: Generator) -> None:
    """Weights from random_weight, biases from zero_weight."""
    for name, value in zip(oracle.NAMES, _tensors(student)["_values"], strict=True):
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


def all_six_are_trained(student: Student, rng: Generator) -> None:
    """train_part2 is called with the six tensors, in order."""
    after = _tensors(student)
    trained = [list(order) for order in after["_trained"]]
    expect(bool(trained), "the cell does not call train_part2")
    expect([0, 1, 2, 3, 4, 5] in trained, "train_part2 was not given the six tensors in order")


def _tensors(student: Student) -> dict[str, Any]:
    names = ("_values", "_kinds", "_learns", "_leaves", "_trained")

    def run() -> dict[str, Any]:
        source = f"{STAND_INS}\n{_cell(student, BAREBONES_CELL)}\n{TENSORS_TAIL}"
        return student.rerun(source, {}, names)

    return student.once("the six tensors", run)


# -- a module -------------------------------------------------------------------------------------


def module_is_made_for_cifar(student: Student, rng: Generator) -> None:
    """model is a ThreeLayerConvNet with 32 and 16 filters, for colour images and 10 classes."""
    sizes = _made(student, rng, MODULE_CELL)["_sizes"]
    expect(sizes is not None, "model is no ThreeLayerConvNet")
    expect(
        list(sizes) == [3, 32, 16, 10],
        f"in_channel, channel_1, channel_2, num_classes are {list(sizes)} in this model",
    )


def module_has_plain_sgd(student: Student, rng: Generator) -> None:
    """optimizer is plain SGD with the given learning rate, for this model, and they are trained."""
    after = _made(student, rng, MODULE_CELL)
    _expect_sgd(after, {"lr": 3e-3, "momentum": 0.0, "nesterov": 0.0})


# -- a Sequential ---------------------------------------------------------------------------------


def sequential_has_its_layers(student: Student, rng: Generator) -> None:
    """model is an nn.Sequential with the parameters of the three-layer ConvNet."""
    after = _made(student, rng, SEQUENTIAL_CELL)
    expect(bool(after["_types"]), "model is no nn.Sequential")
    _six_parameters(after)


def sequential_computes_the_convnet(student: Student, rng: Generator) -> None:
    """Its scores are those of conv, ReLU, conv, ReLU, linear with its own parameters."""
    after = _made(student, rng, SEQUENTIAL_CELL)
    x, params = after["x"].double(), _six_parameters(after)
    got = expect_shape(after["_scores"], (len(x), 10), "model(x)")
    hint = "5 x 5 with padding 2, ReLU, 3 x 3 with padding 1, ReLU, flatten, linear: nothing else"
    expect_near(got, oracle.scores(x, params).numpy(), what="model(x)", hint=hint)


def sequential_has_nesterov_momentum(student: Student, rng: Generator) -> None:
    """optimizer is SGD with Nesterov momentum 0.9 and the given learning rate, for this model."""
    after = _made(student, rng, SEQUENTIAL_CELL)
    _expect_sgd(after, {"lr": 1e-2, "momentum": 0.9, "nesterov": 1.0})


def _six_parameters(after: dict[str, Any]) -> list[torch.Tensor]:
    shapes = [*SHAPES[:4], SHAPES[4][::-1], SHAPES[5]]
    values = {as_array(value).shape: value for value in after["_values"]}
    found = sorted(as_array(value).shape for value in after["_values"])
    expect(found == sorted(shapes), f"the parameters have the shapes {found[:8]}")
    params = [torch.as_tensor(as_array(values[shape])).double() for shape in shapes]
    params[4] = params[4].T
    return params


def _made(student: Student, rng: Generator, cell: str) -> dict[str, Any]:
    names = (
        "_sizes", "_types", "_same", "_kind", "_settings", "_together", "_values", "_scores",
    )  # fmt: skip

    def run() -> dict[str, Any]:
        x = torch.from_numpy(rng.normal(size=(3, 3, 32, 32))).float()
        source = f"{STAND_INS}\n{_cell(student, cell)}\n{MODEL_TAIL}"
        after = student.rerun(source, {"_x": x.clone()}, names)
        return {name: after.get(name) for name in names} | {"x": x}

    return student.once(f"the model of {cell}", run)


def _expect_sgd(after: dict[str, Any], wanted: dict[str, float]) -> None:
    kind = after["_kind"]
    expect(kind == "SGD", f"optimizer is of type {kind}, not SGD")
    expect(after["_same"], "optimizer does not have exactly the parameters of model")
    for settings in after["_settings"]:
        for name, value in wanted.items():
            right = np.isclose(float(settings[name]), value, rtol=1e-6, atol=0)
            expect(right, f"the optimizer's {name} is {settings[name]:g}, which was not asked for")
    expect(after["_together"], "train_part34 is not called with this model and this optimizer")


def _cell(student: Student, cell: str) -> str:
    return student.sources.get(cell, "")


def _kind(value: Any) -> str:
    return "None" if value is None or value == "NoneType" else f"a {type(value).__name__}"
