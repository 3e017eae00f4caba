"""The composed layers call the reader's own, wherever these are defined; figures against torch."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from autograder.judge.kernel import Kernel
from autograder.judge.student import Student
from cs231n_lib import layer_utils
from cs231n_lib.errors import CourseError, LayerError
from cs231n_lib.notebooks import load
from cs231n_lib.timing import time_function

# A student's layers. Each notes down that it was called.
LAYERS = """
import numpy as np

CALLED = []


def affine_forward(x, w, b):
    CALLED.append("affine_forward")
    return x.reshape(len(x), -1) @ w + b, (x, w)


def affine_backward(dout, cache):
    CALLED.append("affine_backward")
    x, w = cache
    return (dout @ w.T).reshape(x.shape), x.reshape(len(x), -1).T @ dout, dout.sum(axis=0)


def relu_forward(x):
    CALLED.append("relu_forward")
    return np.maximum(x, 0), x


def relu_backward(dout, cache):
    CALLED.append("relu_backward")
    dout[cache <= 0] = 0  # in place, as some do
    return dout


def standardise(x, axes, gamma, beta, eps):
    mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    normal = (x - mean) / np.sqrt(var + eps)
    return gamma * normal + beta, (normal, np.sqrt(var + eps), axes, gamma)


def standardise_back(dout, cache, sums):
    normal, deviation, axes, gamma = cache
    inner = gamma * dout
    dx = inner - inner.mean(axis=axes, keepdims=True)
    dx = (dx - normal * (inner * normal).mean(axis=axes, keepdims=True)) / deviation
    return dx, (dout * normal).sum(axis=sums), dout.sum(axis=sums)


def batchnorm_forward(x, gamma, beta, bn_param):
    CALLED.append("batchnorm_forward")
    bn_param["seen"] = True
    return standardise(x, 0, gamma, beta, bn_param.get("eps", 1e-5))


def batchnorm_backward(dout, cache):
    CALLED.append("batchnorm_backward")
    return standardise_back(dout, cache, 0)


def layernorm_forward(x, gamma, beta, ln_param):
    CALLED.append("layernorm_forward")
    return standardise(x, 1, gamma, beta, ln_param.get("eps", 1e-5))


def layernorm_backward(dout, cache):
    CALLED.append("layernorm_backward")
    return standardise_back(dout, cache, 0)


def spatial_batchnorm_forward(x, gamma, beta, bn_param):
    CALLED.append("spatial_batchnorm_forward")
    shape = (1, -1, 1, 1)
    gamma, beta = gamma.reshape(shape), beta.reshape(shape)
    return standardise(x, (0, 2, 3), gamma, beta, bn_param.get("eps", 1e-5))


def spatial_batchnorm_backward(dout, cache):
    CALLED.append("spatial_batchnorm_backward")
    return standardise_back(dout, cache, (0, 2, 3))
"""
# A notebook that uses the layers: in a function, in a method, in a lambda.
USER = """
from cs231n_lib.layer_utils import *


def both_ways(name, dout, *arguments):
    forward, backward = globals()[f"{name}_forward"], globals()[f"{name}_backward"]
    out, cache = forward(*arguments)
    return out, backward(dout(out), cache)


class Net:
    def loss(self, x, w, b):
        return affine_relu_forward(x, w, b)[0]

    def losses(self, x, w, b):
        return [out for out in (self.loss(x, w, b) for _ in range(2))]


def later():
    return lambda x, w, b: affine_relu_forward(x, w, b)[0]
"""


@pytest.fixture
def student() -> ModuleType:
    return module("student", LAYERS)


@pytest.fixture
def user() -> dict[str, Any]:
    """The global names of a notebook with layers and user in it."""
    return vars(module("a_notebook", LAYERS + USER))


def module(name: str, source: str) -> ModuleType:
    made = ModuleType(name)
    exec(compile(source, name, "exec"), vars(made))
    return made


def write(folder: Path, name: str, *sources: str) -> None:
    cells = [{"cell_type": "code", "id": str(i), "source": s} for i, s in enumerate(sources)]
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    (folder / f"{name}.ipynb").write_text(json.dumps(notebook))


# Name; shapes of the arrays; settings; the same in torch.
CONV, POOL = {"stride": 1, "pad": 1}, {"pool_height": 2, "pool_width": 2, "stride": 2}
IMAGES = [(3, 2, 4, 6), (5, 2, 3, 3), (5,)]


def torch_batchnorm(a: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor) -> torch.Tensor:
    return functional.batch_norm(a, None, None, gamma, beta, training=True)


def torch_affine(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return x.flatten(1) @ w + b


def torch_conv(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return functional.conv2d(x, w, b, padding=1)


COMPOSED: dict[str, tuple[list[tuple[int, ...]], list[dict], Callable, list[str]]] = {
    "affine_relu": (
        [(4, 2, 3), (6, 5), (5,)],
        [],
        lambda x, w, b: torch_affine(x, w, b).relu(),
        ["affine", "relu"],
    ),
    "affine_bn_relu": (
        [(4, 2, 3), (6, 5), (5,), (5,), (5,)],
        [{"mode": "train"}],
        lambda x, w, b, g, c: torch_batchnorm(torch_affine(x, w, b), g, c).relu(),
        ["affine", "batchnorm", "relu"],
    ),
    "affine_ln_relu": (
        [(4, 2, 3), (6, 5), (5,), (5,), (5,)],
        [{}],
        lambda x, w, b, g, c: functional.layer_norm(torch_affine(x, w, b), (5,), g, c).relu(),
        ["affine", "layernorm", "relu"],
    ),
    "conv_relu": (IMAGES, [CONV], lambda x, w, b: torch_conv(x, w, b).relu(), ["relu"]),
    "conv_bn_relu": (
        [*IMAGES, (5,), (5,)],
        [CONV, {"mode": "train"}],
        lambda x, w, b, g, c: torch_batchnorm(torch_conv(x, w, b), g, c).relu(),
        ["spatial_batchnorm", "relu"],
    ),
    "conv_relu_pool": (
        IMAGES,
        [CONV, POOL],
        lambda x, w, b: functional.max_pool2d(torch_conv(x, w, b).relu(), 2),
        ["relu"],
    ),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", COMPOSED)
def test_composed_layers_are_torch_s_and_use_the_student_s(
    name: str, dtype: type, user: dict[str, Any]
) -> None:
    shapes, settings, in_torch, own = COMPOSED[name]
    rng = np.random.default_rng(len(name))
    arrays = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    leaves = [torch.tensor(a, dtype=torch.float64, requires_grad=True) for a in arrays]
    wanted = in_torch(*leaves)
    dout = rng.normal(size=tuple(wanted.shape))
    gradients = torch.autograd.grad(wanted, leaves, torch.tensor(dout))
    before = [a.copy() for a in arrays]

    out, answers = user["both_ways"](name, lambda out: dout.astype(out.dtype), *arrays, *settings)

    tolerance = 1e-10 if dtype is np.float64 else 1e-4
    np.testing.assert_allclose(out, wanted.detach().numpy(), tolerance, tolerance)
    assert out.dtype == dtype
    for array, answer, gradient in zip(arrays, answers, gradients, strict=True):
        assert answer.shape == array.shape
        assert answer.dtype == dtype
        np.testing.assert_allclose(answer, gradient.numpy(), tolerance, tolerance)
    for array, copy in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(array, copy)
    ways = [f"{layer}_forward" for layer in own] + [f"{layer}_backward" for layer in own[::-1]]
    assert user["CALLED"] == ways


def test_every_layer_is_tried() -> None:
    names = {f"{name}_{way}" for name in COMPOSED for way in ("forward", "backward")}
    assert names == set(layer_utils.__all__)


X, W, B = np.ones((2, 3)), np.ones((3, 2)), np.zeros(2)


def test_layers_passed_by_keyword(student: ModuleType) -> None:
    for layers in (student, vars(student), SimpleNamespace(**vars(student))):
        student.CALLED.clear()
        out, cache = layer_utils.affine_relu_forward(X, W, B, layers=layers)
        layer_utils.affine_relu_backward(np.ones_like(out), cache, layers=layers)
        assert len(student.CALLED) == 4


def test_passed_layers_come_before_those_of_the_caller(
    student: ModuleType, user: dict[str, Any]
) -> None:
    exec("affine_relu_forward(X, W, B, layers=student)", user | {"student": student, **ARRAYS})
    assert student.CALLED == ["affine_forward", "relu_forward"]
    assert user["CALLED"] == []


ARRAYS = {"X": X, "W": W, "B": B}


@pytest.mark.parametrize(
    "use", ["affine_relu_forward(X, W, B)", "Net().losses(X, W, B)", "later()(X, W, B)"]
)
def test_any_code_of_the_notebook_may_call(use: str, user: dict[str, Any]) -> None:
    user |= ARRAYS
    exec(use, user)
    assert "affine_forward" in user["CALLED"]


def test_the_library_may_call(user: dict[str, Any]) -> None:
    """time_function(affine_relu_forward, ...) in a cell: the nearest code that is not ours."""
    user |= ARRAYS | {"time_function": time_function}
    exec("time_function(affine_relu_forward, X, W, B)", user)
    assert user["CALLED"][:2] == ["affine_forward", "relu_forward"]


def test_a_loaded_notebook_uses_its_own_layers(tmp_path: Path) -> None:
    write(tmp_path, "layers", LAYERS)
    write(
        tmp_path,
        "nets",
        "from cs231n_lib.notebooks import load",
        'tln = load("layers")',
        "from cs231n_lib.layer_utils import affine_relu_forward, affine_relu_backward",
        "def affine_forward(x, w, b):\n    CALLS.append('nets')\n    return x @ w + b, None",
        "def relu_forward(x):\n    return tln.relu_forward(x)",
        "CALLS = []",
        "class Net:\n    def loss(self, x, w, b):\n        return affine_relu_forward(x, w, b)[0]",
    )
    nets = load("nets", tmp_path)
    caller = {"Net": nets.Net, **ARRAYS, "affine_forward": None, "relu_forward": print}
    exec("out = Net().loss(X, W, B)", caller)
    np.testing.assert_array_equal(caller["out"], [[3, 3], [3, 3]])
    assert nets.CALLS == ["nets"]
    assert nets.tln.CALLED == ["relu_forward"]


def test_a_loaded_notebook_may_leave_the_layers_to_its_user(
    tmp_path: Path, user: dict[str, Any]
) -> None:
    write(
        tmp_path,
        "nets",
        "from cs231n_lib.layer_utils import affine_relu_forward",
        "def loss(x, w, b):\n    return affine_relu_forward(x, w, b)[0]",
    )
    exec("loss(X, W, B)", user | ARRAYS | {"loss": load("nets", tmp_path).loss})
    assert user["CALLED"] == ["affine_forward", "relu_forward"]


def test_a_notebook_s_own_composition_is_used() -> None:
    """Public code imports everything and defines its own."""
    own = module(
        "own",
        LAYERS + USER + "\n\ndef affine_bn_relu_forward(x, w, b, gamma, beta, bn_param):\n"
        "    return affine_relu_forward(x, w, b)[0] + 1, None\n",
    )
    out, _ = own.affine_bn_relu_forward(X, W, B, B, B, {})
    np.testing.assert_array_equal(out, [[4, 4], [4, 4]])


def test_the_latest_definition_counts(user: dict[str, Any]) -> None:
    """A cell was corrected and run again."""
    user |= ARRAYS
    exec("def relu_forward(x):\n    return x - 5, None", user)
    exec("out, _ = affine_relu_forward(X, W, B)", user)
    np.testing.assert_array_equal(user["out"], [[-2, -2], [-2, -2]])


def test_a_missing_layer(tmp_path: Path) -> None:
    with pytest.raises(LayerError) as caught:
        layer_utils.affine_relu_forward(X, W, B)
    assert str(caught.value).startswith(
        "your affine_forward is needed, and there is none in this notebook. Run the cell"
    )
    assert "affine_forward = earlier.affine_forward" in str(caught.value)
    assert isinstance(caught.value, CourseError)
    write(
        tmp_path,
        "nets",
        "from cs231n_lib.layer_utils import affine_relu_forward",
        "class relu_forward: ...",
        "def loss(x, w, b):\n    return affine_relu_forward(x, w, b)[0]",
    )
    with pytest.raises(LayerError, match=r"affine_forward .* in nets\.ipynb or this notebook\."):
        load("nets", tmp_path).loss(X, W, B)


def test_a_missing_layer_among_those_passed(student: ModuleType) -> None:
    del student.relu_forward
    for layers, called in ((student, "student"), (vars(student), "a dict")):
        with pytest.raises(LayerError, match=f"layers={called} has no function relu_forward"):
            layer_utils.affine_relu_forward(X, W, B, layers=layers)


@pytest.mark.parametrize(
    ("name", "answer", "message"),
    [
        ("affine_forward", None, "your affine_forward must return out, cache; it returned nothing"),
        ("affine_forward", X, "must return out, cache; it returned a single ndarray"),
        ("relu_forward", (X, X, X), "must return out, cache; it returned 3 values"),
        ("relu_backward", None, "your relu_backward must return dx; it returned nothing"),
        ("affine_backward", (X, W), "must return dx, dw, db; it returned 2 values"),
    ],
)
def test_a_layer_that_returns_something_else(
    student: ModuleType, name: str, answer: object, message: str
) -> None:
    setattr(student, name, lambda *_: answer)

    def both_ways() -> None:
        out, cache = layer_utils.affine_relu_forward(X, W, B, layers=student)
        layer_utils.affine_relu_backward(out, cache, layers=student)

    with pytest.raises(LayerError, match=message):
        both_ways()


def test_what_a_layer_raises_is_not_hidden(student: ModuleType) -> None:
    def stub(*_: object) -> None:
        raise NotImplementedError("write it")

    student.relu_forward = stub
    with pytest.raises(NotImplementedError, match="write it"):
        layer_utils.affine_relu_forward(X, W, B, layers=student)


@pytest.mark.sandbox
def test_in_the_kernel_that_grades(kernel: Kernel) -> None:
    """Called by a notebook's class, by one of its functions, and by the judge itself."""
    assert kernel.run_cell(LAYERS + USER).ok
    student = Student(kernel)
    kernel.run_cell("def loss(x, w, b):\n    return Net().loss(x, w, b)")
    for name in ("loss", "affine_relu_forward"):
        answer = student.call(name, X, W, B)
        out = answer[0] if name == "affine_relu_forward" else answer
        np.testing.assert_array_equal(out, [[3, 3], [3, 3]], err_msg=name)
