"""What a fork of the zygote is given once it is locked down: environment, seeds, share of a GPU."""

from __future__ import annotations

import os
import random
import sys

from autograder.sandbox.lockdown import Job
from autograder.sandbox.policy import Gpu


def settle(job: Job, seed: int) -> None:
    """A fresh start for the student's program: environment, random numbers, threads."""
    tmp, work, threads = job.tmp, job.work, str(job.policy.blas_threads)
    os.environ.clear()
    os.environ.update(
        PATH="/usr/local/bin:/usr/bin:/bin", HOME=work, TMPDIR=tmp, USER="student",
        CS231N_GRADING="1",  # a cell that would hand in does nothing (cs231n_lib/submit.py)
        LOGNAME="student", LANG="C.UTF-8", PYTHONHASHSEED="0", OMP_NUM_THREADS=threads,
        OPENBLAS_NUM_THREADS=threads, MKL_NUM_THREADS=threads, MPLCONFIGDIR=f"{tmp}/matplotlib",
        MPLBACKEND="module://matplotlib_inline.backend_inline", IPYTHONDIR=f"{tmp}/ipython",
        TORCHINDUCTOR_CPP_CACHE_PRECOMPILE_HEADERS="0",  # they are larger than all of tmp
    )  # fmt: skip
    os.environ.update(job.policy.env, **_cuda(job.gpu))
    sys.path[:] = [os.path.abspath(path) for path in sys.path]  # noqa: PTH100
    sys.path.append(work)  # last: a numpy.py of the student's is nobody's numpy
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed % (1 << 32))
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)
        if job.gpu:
            _cap_gpu_memory(job.gpu)
    if job.policy.blas_threads > 1:
        import threadpoolctl

        threadpoolctl.threadpool_limits(job.policy.blas_threads)


def _cuda(gpu: Gpu | None) -> dict[str, str]:
    """Which device CUDA may use. Without one PyTorch is not to try the driver, only to ask NVML.

    Else ``torch.cuda.is_available()`` warns of error 304 on a host that has GPUs: CUDA cannot start
    where the sandbox keeps memory files from it.
    """
    if gpu:
        return {"CUDA_VISIBLE_DEVICES": gpu.uuid}
    return {"CUDA_VISIBLE_DEVICES": "", "PYTORCH_NVML_BASED_CUDA_CHECK": "1"}


def _cap_gpu_memory(gpu: Gpu) -> None:
    """Have PyTorch raise OutOfMemoryError beyond this sandbox's share.

    Queued until the student first uses CUDA, by the means that torch.manual_seed uses: to start
    CUDA takes time, and much memory on the device.
    """
    cuda = sys.modules["torch"].cuda
    share = min(1.0, gpu.memory_bytes / gpu.total_bytes)
    cuda._lazy_call(lambda: cuda.set_per_process_memory_fraction(share, 0))
