"""What an error says of a GPU: messages as PyTorch 2.11 and CUDA's libraries word them."""

from __future__ import annotations

import pytest

from autograder.judge.gpu_errors import gpu_trouble
from autograder.judge.results import GPU_LOST, OUT_OF_GPU_MEMORY

ASYNCHRONOUS = "\nCUDA kernel errors might be asynchronously reported at some other API call"
SAID = [
    ("AcceleratorError", f"CUDA error: device-side assert triggered{ASYNCHRONOUS}", GPU_LOST),
    (
        "RuntimeError",
        "CUDA error: an illegal memory access was encountered",
        GPU_LOST,
    ),
    ("RuntimeError", "CUDA error: unspecified launch failure", GPU_LOST),
    (
        "RuntimeError",
        "CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm( handle, opa)`",
        GPU_LOST,
    ),
    ("RuntimeError", "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED", GPU_LOST),
    ("RuntimeError", "CUDA driver error: device-side assert triggered", GPU_LOST),
    ("RuntimeError", "No CUDA GPUs are available", GPU_LOST),
    ("OutOfMemoryError", "CUDA out of memory. Tried to allocate 20.00 GiB.", OUT_OF_GPU_MEMORY),
    ("AcceleratorError", f"CUDA error: out of memory{ASYNCHRONOUS}", OUT_OF_GPU_MEMORY),
    (
        "DeferredCudaCallError",
        "CUDA call failed lazily at initialization with error: CUDA error: out of memory",
        OUT_OF_GPU_MEMORY,
    ),
    (
        "RuntimeError",
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        OUT_OF_GPU_MEMORY,
    ),
    ("IndexError", "index 12 is out of bounds for dimension 0 with size 10", ""),
    ("TypeError", "can't convert cuda:0 device type tensor to numpy.", ""),
    ("RuntimeError", "Expected all tensors to be on the same device, cuda:0 and cpu!", ""),
    ("AssertionError", "Torch not compiled with CUDA enabled", ""),
]


@pytest.mark.parametrize(("kind", "message", "trouble"), SAID)
def test_errors_are_told_apart(kind: str, message: str, trouble: str) -> None:
    assert gpu_trouble({"type": kind, "message": message}) == trouble


@pytest.mark.parametrize("error", [None, "CUDA error", ["CUDA error"], {}, {"message": 3}])
def test_what_a_kernel_makes_up_is_no_error(error: object) -> None:
    assert gpu_trouble(error) == ""
