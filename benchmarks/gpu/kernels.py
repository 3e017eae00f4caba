"""Parts that need one kernel each: how CUDA starts in the sandbox, and what holds it back."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator

from autograder.host import gpus
from autograder.judge.kernel import CellRun, Kernel, KernelDied, KernelLimits
from autograder.judge.results import OUT_OF_GPU_MEMORY, OUT_OF_MEMORY
from autograder.judge.warm import data_for_kernels
from autograder.judge.zygote import Zygote
from autograder.sandbox import probe
from autograder.sandbox.policy import TIERS, Gpu, Tier
from benchmarks.gpu.machine import GIB, Machine
from benchmarks.gpu.table import Row

START_SECONDS = 2.0  # measured on an H200: 0.25 to 0.5
START = """
import time, torch
began = time.perf_counter()
torch.zeros(1, device={cuda!r}).cpu()
print(f"{{time.perf_counter() - began:.2f}}")
"""
#: 64 MiB at a time, from PyTorch, until there is no more: of the tenths of its share that it got.
THROUGH_PYTORCH = """
import torch
held, step = [], 64 << 20
try:
    while len(held) * step < {most}:
        held.append(torch.empty(step, dtype=torch.uint8, device={cuda!r}))
    print("no end")
except torch.OutOfMemoryError:
    print(f"{{len(held) * step / {share}:.2f}}")
"""
#: The same from the driver, which knows nothing of PyTorch's share.
PAST_PYTORCH = """
import ctypes, time, torch
torch.zeros(1, device={cuda!r})
driver, held = ctypes.CDLL("libcuda.so.1"), []
for _ in range({most} >> 26):
    pointer = ctypes.c_void_p()
    if driver.cuMemAlloc_v2(ctypes.byref(pointer), ctypes.c_size_t(64 << 20)):
        break
    held.append(pointer)
print(len(held) << 6, "MiB held", flush=True)
while True:
    time.sleep(0.01)
"""
MEMORY_FILES = """
import os, torch
torch.zeros(1, device={cuda!r})
block, files = bytes(64 << 20), []
while len(files) * len(block) < {most}:
    files.append(os.memfd_create("m"))
    os.write(files[-1], block)
print(len(files) << 6, "MiB held", flush=True)
import time
while True:
    time.sleep(0.01)
"""
WARNINGS = """
import warnings
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import torch
    usable = torch.cuda.is_available()
print([str(one.message) for one in caught], usable)
"""
COMPILE = """
import torch
double = torch.compile(lambda x: (2 * x).sin().sum())
print(f"{{float(double(torch.ones(8, device={cuda!r}))):.3f}}")
"""
CHILD = """
import multiprocessing, torch
def starts(answers):
    try:
        torch.zeros(1, device={cuda!r})
        answers.put("CUDA starts")
    except Exception as error:
        answers.put(f"{{type(error).__name__}}: {{error}}"[:90])
context = multiprocessing.get_context("fork")
answers = context.Queue()
child = context.Process(target=starts, args=(answers,))
child.start()
print(answers.get(timeout=30))
child.join()
"""
#: Outside any sandbox: does CUDA start in a process to which memfd_create is refused?
WITHOUT_MEMFD = """
from autograder.sandbox import seccomp, syscalls
number = syscalls.numbers()["memfd_create"]
syscalls.set_no_new_privs()
refuse = [*seccomp._when(0x15, number, seccomp._fail(1)), *seccomp._PASS]
seccomp.load(b"".join([seccomp._op(0x20, 0), *refuse]))
import torch
try:
    torch.zeros(1, device={cuda!r})
    print("CUDA starts")
except Exception as error:
    print(f"{{type(error).__name__}}: {{error}}".splitlines()[0][:90])
"""


def starts(machine: Machine, tiers: tuple[Tier, ...] = TIERS) -> Iterator[Row]:
    """CUDA starts in the sandbox, in each tier that this host offers."""
    for tier in tiers:
        what = f"CUDA starts, tier {tier}"
        if tier != "none" and (reason := probe.attempt(tier).reason):
            yield Row(what, f"this host does not offer the tier: {reason}")
            continue
        with zygote_with(machine, tier) as zygote:
            said = ran(zygote, machine, START, gpu=machine.share())
        seconds = float(said) if said.replace(".", "").isdigit() else None
        right = seconds is not None and seconds <= START_SECONDS
        yield Row(what, f"{said} s" if right else said, f"at most {START_SECONDS:.0f} s", right)


def caps(machine: Machine) -> Iterator[Row]:
    """GPU memory beyond the share: asked of PyTorch, and of the driver."""
    share = machine.share(2 * GIB)
    most = 64 << 20 if machine.dry else 2 * share.memory_bytes + gpus.CONTEXT_BYTES
    sizes = {"most": most, "share": share.memory_bytes}
    with zygote_with(machine) as zygote:
        said = ran(zygote, machine, THROUGH_PYTORCH, gpu=share, **sizes)
        right = said.replace(".", "").isdigit() and 0.8 <= float(said) <= 1
        yield Row("of its share PyTorch gives out", said, "0.80 to 1.00", right)
        died = death(zygote, machine, PAST_PYTORCH, share, **sizes)
        right = OUT_OF_GPU_MEMORY in died
        yield Row("the driver is asked for twice the share", died, OUT_OF_GPU_MEMORY, right)
        said = ran(zygote, machine, START, gpu=share)
        right = said.replace(".", "").isdigit()
        yield Row("the next kernel afterwards starts CUDA", said, "seconds", right)


def host_memory(machine: Machine) -> Iterator[Row]:
    """Memory of the host that no process has mapped, and whether CUDA needs the means to it."""
    limit = GIB
    sizes = {"most": 2 * limit + (256 << 20)}
    with zygote_with(machine) as zygote:
        died = death(zygote, machine, MEMORY_FILES, machine.share(), memory_bytes=limit, **sizes)
        what = f"memfd_create, nothing mapped, at a limit of {limit >> 20} MiB"
        yield Row(what, died, OUT_OF_MEMORY, OUT_OF_MEMORY in died)
    command = [sys.executable, "-c", WITHOUT_MEMFD.format(cuda=machine.cuda)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    said = (done.stdout or done.stderr).strip().splitlines() or [f"status {done.returncode}"]
    yield Row("CUDA, memfd_create refused, outside the sandbox", said[-1])


def around(machine: Machine) -> Iterator[Row]:
    """A notebook without a GPU beside one; torch.compile; child processes."""
    with zygote_with(machine) as zygote:
        said = ran(zygote, machine, WARNINGS, gpu=None)
        yield Row(
            "a notebook that gets no GPU: warnings, CUDA", said, "[] False", said == "[] False"
        )
        what = "torch.compile on the GPU, sin(2) eight times"
        if machine.dry:  # for the CPU it needs a compiler of C++, which not every host has
            yield Row(what, "not tried")
        else:
            said = ran(zygote, machine, COMPILE, gpu=machine.share(), seconds=120)
            yield Row(what, said, "7.274", said == "7.274")
        yield Row("CUDA in a child process", ran(zygote, machine, CHILD, gpu=machine.share()))


@contextlib.contextmanager
def zygote_with(machine: Machine, tier: Tier | None = None) -> Iterator[Zygote]:
    """A warm process whose kernels can be given the device."""
    folders, environment = data_for_kernels()
    nodes = machine.device.nodes
    chosen = tier or probe.choose()
    with Zygote(chosen, readable=folders, env=environment, gpu_nodes=nodes) as zygote:
        yield zygote


def ran(
    zygote: Zygote, machine: Machine, source: str, *, gpu: Gpu | None, seconds: float = 60,
    **values: object,
) -> str:  # fmt: skip
    """What a cell printed in a kernel of its own, or how it failed."""
    kernel = Kernel(zygote.fork(gpu=gpu), KernelLimits(gpu=gpu))
    try:
        return shown(kernel.run_cell(source.format(cuda=machine.cuda, **values), seconds))
    except KernelDied as death:
        return f"the kernel {death}"
    finally:
        kernel.close()


def death(
    zygote: Zygote, machine: Machine, source: str, gpu: Gpu, *, memory_bytes: int = 4 * GIB,
    **values: object,
) -> str:  # fmt: skip
    """Which outcome a cell had that never ends by itself, and what its kernel held."""
    limits = KernelLimits(gpu=gpu, memory_bytes=memory_bytes)
    kernel = Kernel(zygote.fork(gpu=gpu), limits)
    try:
        run = kernel.run_cell(source.format(cuda=machine.cuda, **values), 10)
    except KernelDied as death:
        return f"{death.kind}: the kernel {death}"
    finally:
        kernel.close()
    return f"not stopped in 10 s: {shown(run)}" if run.timed_out else shown(run)


def shown(run: CellRun) -> str:
    """The last line of what a cell printed; or its error."""
    if run.error and not run.timed_out:
        return f"{run.error.get('type')}: {run.error.get('message')}"[:120]
    text = "".join(output.get("text", "") for output in run.outputs).strip()
    return text.splitlines()[-1] if text else "nothing was printed"
