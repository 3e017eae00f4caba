"""Networks that checks hand to student code: the same in the kernel as in the judge."""

import numpy as np
import pytest
import torch

from autograder.checks.shared.small_nets import draw_net
from autograder.judge import Instance, Student, StudentError

LAYERS = (
    ("conv", 3, 4, 3, 1, 1),
    ("batchnorm", 4),
    ("relu",),
    ("maxpool", 2),
    ("dropout", 0.5),
    ("avgpool", 2),
    ("flatten",),
    ("linear", 16, 5),
    ("tanh",),
)
CODE = """
import torch

def scores(X, model):
    return model(X)

def slope(X, model):
    X = X.clone().requires_grad_()
    model(X).sum().backward()
    return X.grad

def is_frozen(model):
    return not any(p.requires_grad for p in model.parameters()) and not model.training
"""


@pytest.fixture
def student(kernel) -> Student:
    assert kernel.run_cell(CODE).ok
    return Student(kernel)


@pytest.mark.sandbox
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_scores_and_slopes_are_the_judges(student: Student, dtype: str) -> None:
    rng = np.random.default_rng(0)
    net = draw_net(rng, LAYERS, dtype)
    X = torch.tensor(rng.normal(size=(2, 3, 8, 8)).astype(dtype))
    model = net.in_kernel(student)
    assert student.call("is_frozen", model) is True
    own, leaf = net.in_judge(), X.clone().requires_grad_()
    own(leaf).sum().backward()
    assert leaf.grad is not None
    torch.testing.assert_close(student.call("scores", X, model), own(X))
    torch.testing.assert_close(student.call("slope", X, model), leaf.grad)


@pytest.mark.sandbox
def test_a_spy_keeps_what_it_was_called_with(student: Student) -> None:
    rng = np.random.default_rng(1)
    spy = draw_net(rng, LAYERS).in_kernel(student, spy=True)
    batches = [torch.tensor(rng.normal(size=(n, 3, 8, 8))) for n in (1, 3)]
    for X in batches:
        student.call("scores", X, spy)
    seen = Instance(student, spy, "model").get("seen")
    assert [tuple(X.shape) for X in seen] == [(1, 3, 8, 8), (3, 3, 8, 8)]
    assert all(torch.equal(a, b) for a, b in zip(seen, batches, strict=True))


@pytest.mark.sandbox
def test_training_mode_is_noticed(student: Student) -> None:
    rng = np.random.default_rng(2)
    net = draw_net(rng, LAYERS)
    X = torch.tensor(rng.normal(size=(4, 3, 8, 8)))
    model = net.in_kernel(student, train=True)
    assert student.call("is_frozen", model) is False
    with pytest.raises(AssertionError, match="not close"):
        torch.testing.assert_close(student.call("scores", X, model), net.in_judge()(X))


@pytest.mark.sandbox
def test_a_spy_notes_the_mode_of_each_call(student: Student) -> None:
    spy = draw_net(np.random.default_rng(3), LAYERS).in_kernel(student, spy=True)
    model = Instance(student, spy, "model")
    X = torch.zeros(2, 3, 8, 8, dtype=torch.float64)
    for mode in (False, True, False):
        model.call("train", mode, keep=True)
        student.call("scores", X, spy)
    assert model.get("modes") == [False, True, False]


@pytest.mark.sandbox
def test_what_is_made_is_no_name_of_the_students(student: Student) -> None:
    draw_net(np.random.default_rng(4), LAYERS).in_kernel(student)
    for name in ("make", "network", "model"):
        with pytest.raises(StudentError, match=f"name '{name}' is not defined"):
            student.get(name)
