"""A warm Python that forks one locked-down kernel for each request of the judge.

Run as ``python -m autograder.sandbox.zygote FD``, where FD is the control socket. It starts from
nothing (exec, scrubbed environment), so that no memory of the judge is in its forks, and it never
runs student code itself. It must stay single-threaded: threads do not survive a fork, and a
torch operation that had started some would hang in every child.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import random
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Collection
from pathlib import Path
from typing import NoReturn

from autograder.sandbox import landlock, lockdown, mounts, packages, seccomp, syscalls
from autograder.sandbox.packages import Readable
from autograder.sandbox.policy import Gpu, Limits, Policy, SandboxError

WARM = (
    "numpy", "scipy.linalg", "scipy.ndimage", "scipy.spatial.distance", "scipy.special", "torch",
    "torch.nn.functional", "matplotlib.pyplot", "matplotlib.backends.backend_agg",
    "matplotlib_inline.backend_inline", "IPython.core.interactiveshell", "IPython.core.completer",
    "PIL.Image", "autograder.sandbox.wire",
)  # fmt: skip
# Commands and downloads: slow to import, and of no use without a network.
NOT_WARM = ("cs231n_lib.cli", "cs231n_lib.data.fetch")
STUDENT_UID = 1000  # inside a user namespace
_FAILED_BEFORE_STUDENT_CODE = 70  # EX_SOFTWARE

Entry = Callable[[socket.socket], None]


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    os.umask(0o022)  # whatever the grader's: a sandbox's own user has to enter what we make
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the judge's to handle
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # supervisors report by themselves
    started = time.monotonic()
    try:
        policy = Policy.from_json(json.loads(control.recv(1 << 20)))
        entry, readable = prepare(policy)
    except Exception as error:
        known = isinstance(error, SandboxError)
        answer = (
            {"stage": error.stage, "error": error.reason}
            if known
            else {"stage": "imports", "error": repr(error)}
        )
        control.send(json.dumps(answer).encode())
        sys.exit(1)
    version = landlock.abi()
    program = None
    if policy.tier != "none" and (policy.namespaces or version >= 6):
        program = seccomp.compile_filter(namespaces=policy.namespaces, landlock_abi=version)
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, every page of ours
    lifeline, _held_open = os.pipe()
    control.send(json.dumps({"ready": time.monotonic() - started}).encode())
    while True:
        message, fds, _, _ = socket.recv_fds(control, 1 << 16, 7)
        if not message:
            return  # the judge is gone; the lifeline ends with us, and all sandboxes with it
        request = json.loads(message)
        gpu = Gpu.from_json(request["gpu"]) if request["gpu"] else None
        job = lockdown.Job(
            policy=policy,
            limits=Limits(**request["limits"]),
            fds=lockdown.Descriptors(*fds),
            readable=readable,
            home=request["home"],
            filter=None if gpu else program,
            gpu=gpu,
        )
        pid = os.fork()
        if pid == 0:
            control.close()
            os.close(_held_open)
            job.stages["fork"] = time.monotonic()
            run(job, entry, lifeline, request["seed"])
        for fd in fds:
            os.close(fd)
        control.send(json.dumps({"pid": pid, "id": request["id"]}).encode())


def prepare(policy: Policy) -> tuple[Entry, Readable]:
    """Import everything, then enter the namespaces that all sandboxes share.

    Returns the agent's entry and what a sandbox may read. Raises SandboxError.
    """
    syscalls.set_dumpable(False)
    readable = _readable(policy)
    hidden = packages.hide(readable.views) if readable.views else ()
    if policy.warm:
        _warm_up(hidden)
    module_name, _, function = policy.entry.partition(":")
    module = importlib.import_module(module_name)
    if hasattr(module, "prepare"):
        module.prepare()
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads > 1:
        raise SandboxError("imports", f"{threads} threads run after the imports; forks would hang")
    try:
        _enter_namespaces(policy, readable)
    except OSError as error:
        raise SandboxError("namespaces of the zygote", str(error)) from error
    if policy.tier == "flat" and os.geteuid() == 0:
        _refuse_unreadable(readable.paths)
    return getattr(module, function), readable


def _readable(policy: Policy) -> Readable:
    """What a sandbox may read. With an own root, the views are mounted; else they are rules."""
    gpu_readable = mounts.GPU_READABLE if policy.gpu_nodes else ()
    paths = mounts.readable_paths((*policy.readable, *gpu_readable))
    if policy.packages == "all":
        return Readable(paths)
    views = packages.views(paths)
    if policy.namespaces:
        return Readable(paths, views)
    folders = [path for path in paths if Path(path).is_dir()]
    return Readable(packages.without(paths, views), views, listed=folders)


def _warm_up(hidden: Collection[str]) -> None:
    """Import what notebooks use, but what is ``hidden`` and what cannot do without it."""
    library = importlib.import_module("cs231n_lib")
    modules = (module.name for module in pkgutil.walk_packages(library.__path__, "cs231n_lib."))
    for name in (*WARM, *modules):
        if name not in NOT_WARM:
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                if error.name not in hidden:
                    raise


def _enter_namespaces(policy: Policy, readable: Readable) -> None:
    as_root = os.geteuid() == 0
    if policy.tier == "root":
        if not as_root:
            raise PermissionError("needs root")
        syscalls.unshare(syscalls.NEWNS)
        mounts.build_base(policy.stage, readable, policy.gpu_nodes)
    elif policy.tier == "userns":
        if as_root:  # never map root itself; and what root can read, the new user may not
            syscalls.unshare(syscalls.NEWNS)
            mounts.build_base(policy.stage, readable, policy.gpu_nodes)
            lockdown.become(lockdown.own_uid(os.getpid()))
        outside = os.geteuid(), os.getegid()
        syscalls.set_dumpable(True)  # else the maps belong to root
        syscalls.unshare(syscalls.NEWUSER | syscalls.NEWNS)
        Path("/proc/self/setgroups").write_text("deny")
        for kind, outer in zip(("uid", "gid"), outside, strict=True):
            Path(f"/proc/self/{kind}_map").write_text(f"{STUDENT_UID} {outer} 1")
        syscalls.set_dumpable(False)
        if not as_root:
            mounts.build_base(policy.stage, readable, policy.gpu_nodes)


def _refuse_unreadable(readable: list[str]) -> None:
    """In the flat tier root gives each sandbox an own user: can that one read Python?"""
    # Before the fork: a child that ends while the signal is ignored leaves nothing to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            lockdown.become(lockdown.own_uid(os.getpid()))
            os._exit(sum(not os.access(path, os.R_OK) for path in readable) > 0)
        os._exit(2)
    failed = os.waitpid(child, 0)[1]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if failed:
        raise SandboxError(
            "user",
            f"other users cannot read Python ({sys.base_prefix}) or the packages ({sys.prefix}); "
            "install them outside a private home, or grade as an ordinary user",
        )


def run(job: lockdown.Job, entry: Entry, lifeline: int, seed: int) -> NoReturn:
    """The life of a forked child. Without every layer in place no student code runs."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        lockdown.start(job, lifeline)
        _settle(job, seed)
        job.stages["ready"] = time.monotonic()
    except BaseException as error:
        stage = error.stage if isinstance(error, SandboxError) else "start"
        text = error.reason if isinstance(error, SandboxError) else repr(error)
        lockdown.report(job, {"stage": stage, "error": text})
        os._exit(_FAILED_BEFORE_STUDENT_CODE)
    lockdown.report(job, {"stages": job.stages})
    status = 0
    try:
        entry(socket.socket(fileno=job.fds.channel))
    except SystemExit as request:
        status = request.code if isinstance(request.code, int) else int(request.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(status & 0xFF)


def _settle(job: lockdown.Job, seed: int) -> None:
    """A fresh start for the student's program: environment, random numbers, threads."""
    tmp, work, threads = job.tmp, job.work, str(job.policy.blas_threads)
    os.environ.clear()
    os.environ.update(
        PATH="/usr/local/bin:/usr/bin:/bin", HOME=work, TMPDIR=tmp, USER="student",
        LOGNAME="student", LANG="C.UTF-8", PYTHONHASHSEED="0", OMP_NUM_THREADS=threads,
        OPENBLAS_NUM_THREADS=threads, MKL_NUM_THREADS=threads, MPLCONFIGDIR=f"{tmp}/matplotlib",
        MPLBACKEND="module://matplotlib_inline.backend_inline", IPYTHONDIR=f"{tmp}/ipython",
    )  # fmt: skip
    os.environ.update(job.policy.env, CUDA_VISIBLE_DEVICES=job.gpu.uuid if job.gpu else "")
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


def _cap_gpu_memory(gpu: Gpu) -> None:
    """Have PyTorch raise OutOfMemoryError beyond this sandbox's share.

    Queued until the student first uses CUDA, by the means that torch.manual_seed uses: to start
    CUDA takes time, and much memory on the device.
    """
    cuda = sys.modules["torch"].cuda
    share = min(1.0, gpu.memory_bytes / gpu.total_bytes)
    cuda._lazy_call(lambda: cuda.set_per_process_memory_fraction(share, 0))


if __name__ == "__main__":
    main()
