"""What an error that the kernel reports says of its GPU.

It is the kernel's word, and all that it can bring about is another run of the notebook: with a GPU
to itself, or on the CPU, where nothing that is said of GPUs is listened to.
"""

from __future__ import annotations

from typing import Any

from autograder.judge.results import GPU_LOST, OUT_OF_GPU_MEMORY

# PyTorch's own class, and how CUDA and its libraries say it where PyTorch did not ask for memory.
_FULL_TYPE = "OutOfMemoryError"
_FULL = (
    "CUDA out of memory", "CUDA error: out of memory", "CUDA driver error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED", "CUBLAS_STATUS_NOT_INITIALIZED", "CUDNN_STATUS_ALLOC_FAILED",
)  # fmt: skip
# Most of these leave a context of which CUDA promises nothing any more; after the others the GPU
# is of no use to the notebook either.
_LOST_TYPES = ("AcceleratorError", "DeferredCudaCallError")
_LOST = (
    "CUDA error", "CUDA driver error", "CUDA driver initialization failed", "CUDA unknown error",
    "cuBLAS error", "CUBLAS_STATUS_", "cuDNN error", "CUDNN_STATUS_", "cuFFT error",
    "cusolver error", "CUSOLVER_STATUS_", "cusparse error", "CUSPARSE_STATUS_",
    "No CUDA GPUs are available", "Found no NVIDIA driver",
)  # fmt: skip


def gpu_trouble(error: Any) -> str:
    """OUT_OF_GPU_MEMORY or GPU_LOST where a reply's ``error`` speaks of one; else empty."""
    if not isinstance(error, dict):
        return ""
    kind, text = str(error.get("type", "")), str(error.get("message", ""))
    if kind == _FULL_TYPE or any(words in text for words in _FULL):
        return OUT_OF_GPU_MEMORY
    return GPU_LOST if kind in _LOST_TYPES or speaks_of_loss(text) else ""


def speaks_of_loss(text: str) -> bool:
    """Whether a text, of an exception or of a process that aborted, is CUDA's at such an end."""
    return any(words in text for words in _LOST)
