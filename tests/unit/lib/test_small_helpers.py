"""Visible checks, seeds, timing, the device; and what the library may import."""

import ast
import random
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import cs231n_lib
from cs231n_lib.device import best_device, describe_device, mixes_devices
from cs231n_lib.feedback import check_close, check_equal, check_shape, check_that, returned
from cs231n_lib.seeding import seed_everything
from cs231n_lib.timing import time_function


def test_right_results_print_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    check_close("distances", [1.0, 2.0], np.array([1.0, 2.0 + 1e-12]))
    check_close("tensor", torch.ones(2), np.ones(2))
    check_shape("scores", np.zeros((2, 3)), (2, 3))
    check_equal("labels", np.array([1, 2]), [1, 2])
    check_equal("k", 5, 5)
    check_that("all used", True)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 6
    assert all(line.startswith("✓ ") for line in lines)


@pytest.mark.parametrize(
    ("got", "message"),
    [
        (None, r"result is None; is a `return` missing\?"),
        (np.zeros(3), r"shape is \(3,\), but \(2, 2\) was expected"),
        (np.full((2, 2), np.nan), "4 of 4 values are NaN"),
        ([[1, 2], [3, 5]], r"worst at index \(1, 1\) is 5 where 4 was expected"),
        ([[1, 2], [3]], "not an array"),
        ("text", "str where numbers were expected"),
        ([[1, 2], [3]], "a list that is not an array"),
    ],
)
def test_wrong_results_say_what_and_what_it_means(got: object, message: str) -> None:
    with pytest.raises(AssertionError, match=rf"(?s)✗ dists.*{message}.*Look at the axes"):
        check_close("dists", got, [[1, 2], [3, 4]], meaning="Look at the axes.")


def test_wrong_labels_are_counted() -> None:
    with pytest.raises(AssertionError, match=r"2 of 3 values differ; the first, at index \(1,\)"):
        check_equal("labels", [1, 0, 0], np.array([1, 2, 3]))
    with pytest.raises(AssertionError, match=r"shape is \(2,\)"):
        check_equal("labels", [1, 0], [1, 2, 3])
    with pytest.raises(AssertionError, match="it is 3, but 4 was expected"):
        check_equal("k", 3, 4)
    with pytest.raises(AssertionError, match=r"(?s)every row once.*A fold is missing"):
        check_that("every row once", False, "A fold is missing")


def test_seed_repeats_every_generator() -> None:
    def draw() -> tuple[float, ...]:
        rng = seed_everything(7)
        return random.random(), np.random.rand(), float(torch.rand(())), rng.random()  # noqa: NPY002

    assert draw() == draw()
    assert draw()[3] == np.random.default_rng(7).random()
    with pytest.raises(ValueError, match="between 0 and"):
        seed_everything(-1)


def test_time_function_measures_the_call_and_passes_arguments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = iter([10.0, 12.5])
    monkeypatch.setattr("cs231n_lib.timing.time", SimpleNamespace(perf_counter=lambda: next(clock)))
    assert time_function(lambda: None) == 2.5
    monkeypatch.undo()
    received: list[object] = []
    time_function(lambda *args, **kwargs: received.extend([args, kwargs]), 1, b=2)
    assert received == [(1,), {"b": 2}]


def test_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CS231N_DEVICE", raising=False)
    torch.ones(1).to(best_device())
    assert torch.__version__ in describe_device()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert best_device() == "cuda"
    monkeypatch.setenv("CS231N_DEVICE", "cpu")
    assert best_device() == "cpu"


def test_device_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CS231N_DEVICE", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setitem(sys.modules, "torch", None)  # importing it would now fail
    assert best_device() == "cpu"
    assert "not installed" in describe_device()


def test_library_imports_nothing_of_the_graders() -> None:
    files = list(Path(next(iter(cs231n_lib.__path__))).rglob("*.py"))
    assert len(files) > 10
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {"autograder", "source", "tests"} & {n.split(".")[0] for n in names}, path


def test_what_a_function_returned_is_unpacked(capsys: pytest.CaptureFixture[str]) -> None:
    assert returned("f", (1, None), "out, cache") == (1, None)
    assert returned("f", [1, 2], "out, cache") == (1, 2)
    assert capsys.readouterr().out == ""
    for answer, said in (
        (None, r"✗ f returned None; is there a `return` at its end\?$"),
        (np.zeros(2), r"✗ f returned a single ndarray, not out, cache\.$"),
        ((1, 2, 3), r"✗ f returned 3 values; it must return 2: out, cache\.$"),
    ):
        with pytest.raises(AssertionError, match=said):
            returned("f", answer, "out, cache")


def test_tensors_are_compared_whether_they_have_a_gradient_or_not(capsys) -> None:
    for wanted in ([1.0, 2.0], torch.tensor([1.0, 2.0], requires_grad=True)):
        check_close("t", torch.tensor([1.0, 2.0], requires_grad=True), wanted)
        with pytest.raises(AssertionError, match="is 3 where 2 was expected"):
            check_close("t", torch.tensor([1.0, 3.0]), wanted)
    check_shape("t", torch.ones(2, 3, requires_grad=True), (2, 3))
    check_equal("words", torch.tensor([[1, 2]]), torch.tensor([[1, 2]]))
    with pytest.raises(AssertionError, match=r"1 of 2 values differ; the first, at index \(0, 1\)"):
        check_equal("words", torch.tensor([[1, 3]]), torch.tensor([[1, 2]]))
    assert capsys.readouterr().out.count("✓") == 4


@pytest.mark.parametrize(
    "text",
    [
        "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and "
        "cpu! (when checking argument for argument mat2 in method wrapper_CUDA_mm)",
        "Expected all tensors to be on the same device, but got mat2 is on cpu, different from "
        "other tensors on cuda:0 (when checking argument in method wrapper_CUDA_mm)",
        "indices should be either on cpu or on the same device as the indexed tensor (cpu)",
        "expected self and mask to be on the same device, but got mask on cpu and self on cuda:0",
        "Function MulBackward0 returned an invalid gradient at index 0 - expected device cpu but "
        "got cuda:0",
        "Input type (torch.FloatTensor) and weight type (torch.cuda.FloatTensor) should be the "
        "same or input should be a MKLDNN tensor and weight is a dense tensor",
        "Input type (torch.cuda.FloatTensor) and weight type (torch.FloatTensor) should be the "
        "same",
        "Expected a 'cuda' device type for generator but found 'cpu'",
    ],
)
def test_pytorchs_words_for_tensors_on_two_devices_are_known(text: str) -> None:
    assert mixes_devices(RuntimeError(text))
    assert not mixes_devices(ValueError(text))


@pytest.mark.parametrize(
    "text",
    [
        "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)",
        "Input type (double) and bias type (float) should be the same",
        "CUDA error: device-side assert triggered",
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 139 GiB",
    ],
)
def test_other_errors_are_not_taken_for_these(text: str) -> None:
    assert not mixes_devices(RuntimeError(text))
