"""GPUs: who gets one, what a sandbox with one may do more, and what comes of using it up.

There need be none here: /dev/full stands for a device file, and NVML answers as a test wants it to.
"""

from __future__ import annotations

import json
import multiprocessing
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest
from distributed import Client

from autograder.authoring.release import release
from autograder.batch import task_grader
from autograder.batch.cluster import DaskExecutor
from autograder.batch.executors import Executor, LocalExecutor
from autograder.batch.run import Selection, grade_class
from autograder.batch.task_grader import LOST, TaskGrader
from autograder.grading.material import Material
from autograder.host import gpus
from autograder.host.memory_group import MemoryGroup
from autograder.judge import memory_files
from autograder.judge.kernel import Kernel, KernelDied, KernelLimits
from autograder.judge.results import (
    DIED,
    GPU_LOST,
    OUT_OF_GPU_MEMORY,
    OUT_OF_MEMORY,
    GradedNotebook,
)
from autograder.judge.zygote import Zygote
from autograder.notebook.template import Template, TemplateError, load_template
from autograder.sandbox import probe
from autograder.sandbox.policy import Gpu
from tests.dask_workers import dask_workers
from tests.little import (
    ASSIGNMENT,
    CLASS_POINTS,
    NOTEBOOK,
    answer,
    cell_of,
    copy_course,
    submit,
    write_course,
)

GIB = 1 << 30
NODE = "/dev/full"  # a device that no sandbox has
DEVICE = gpus.Device("Stand-in", "GPU-1", NODE, 8 * GIB)
SHARE = Gpu("Stand-in", "GPU-1", (NODE,), memory_bytes=2 * GIB, total_bytes=8 * GIB)


# -- the sandbox; see tests/security/test_gpu.py too ---------------------------------------------


@pytest.mark.sandbox
def test_pytorch_gets_its_share_when_it_starts_cuda(zygote_with_device: Zygote) -> None:
    """What is queued for that moment is called here as CUDA's start would."""
    ask = """
        import torch
        shares = []
        torch.cuda.set_per_process_memory_fraction = lambda *share: shares.append(share)
        for queued, _ in torch.cuda._queued_calls:
            try:
                queued()
            except Exception as error:  # the others want a real CUDA
                pass
        print(shares)
    """
    lines = "\n".join(line[8:] for line in ask.splitlines())
    for gpu, expected in ((SHARE, "[(0.25, 0)]"), (None, "[]")):
        kernel = Kernel(zygote_with_device.fork(gpu=gpu))
        run = kernel.run_cell(lines)
        kernel.close()
        assert "".join(o["text"] for o in run.outputs).strip() == expected, run.outputs


@pytest.fixture(scope="module")
def zygote_with_device() -> Iterator[Zygote]:
    with Zygote(probe.choose(), gpu_nodes=[NODE]) as zygote:
        yield zygote


# -- the devices ----------------------------------------------------------------------------------


def test_a_host_without_gpus_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_driver() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)

    monkeypatch.setattr(pynvml, "nvmlInit", no_driver)
    found, why = gpus.devices()
    assert found == ()
    assert why.startswith("no GPU here (NVML: ")


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> dict[int, int]:
    """A driver with two devices of 16 GiB, only the first of which has a device file.

    Returns the memory that processes use on it, to be filled in.
    """
    used: dict[int, int] = {}
    answers = {
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetHandleByUUID": lambda uuid: int(uuid[-1]),
        "nvmlDeviceGetName": lambda index: f"Stand-in {index}",
        "nvmlDeviceGetUUID": lambda index: f"GPU-{index}",
        "nvmlDeviceGetMinorNumber": lambda index: 70 + index,
        "nvmlDeviceGetMemoryInfo": lambda index: SimpleNamespace(total=16 * GIB),
        "nvmlDeviceGetComputeRunningProcesses": lambda index: [
            SimpleNamespace(pid=pid, usedGpuMemory=size) for pid, size in used.items()
        ],
    }
    for name, function in answers.items():
        monkeypatch.setattr(pynvml, name, function)
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda p: str(p) == "/dev/nvidia70" or exists(p))
    return used


def test_devices_are_those_with_a_device_file(driver: dict[int, int]) -> None:
    (device,), why = gpus.devices()
    assert why == ""
    assert (device.name, device.uuid, device.node) == ("Stand-in 0", "GPU-0", "/dev/nvidia70")
    assert device.total_bytes == 16 * GIB
    driver.update({11: 3 * GIB, 12: GIB, 13: 8 * GIB})
    assert gpus.used_bytes("GPU-0", {11, 12}) == 4 * GIB


@pytest.mark.parametrize(
    ("named", "found"),
    [(None, [0]), ("0", [0]), ("GPU-0", [0]), ("1", []), ("", []), ("NoDevFiles", []), ("7,0", [])],
)
def test_devices_are_those_that_a_batch_system_gave_us(
    driver: dict[int, int], monkeypatch: pytest.MonkeyPatch, named: str | None, found: list[int]
) -> None:
    """It names them, as CUDA reads it; or forbids the others, which the driver counts as well."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if named is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", named)
    given = [device.uuid for device in gpus.devices()[0]]
    assert given == [f"GPU-{index}" for index in found]

    def refused(index: int) -> int:
        if index == 1:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NO_PERMISSION)
        return index

    monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", refused)
    assert [device.uuid for device in gpus.devices()[0]] == given


# -- memory ---------------------------------------------------------------------------------------


@pytest.mark.sandbox
def test_going_round_pytorch_is_seen(driver: dict[int, int], zygote_with_device: Zygote) -> None:
    sandbox = zygote_with_device.fork(gpu=SHARE)
    kernel = Kernel(sandbox, KernelLimits(gpu=SHARE))
    assert kernel.run_cell("import time; time.sleep(0.3)").ok
    driver[sandbox.processes()[0]] = SHARE.memory_bytes + gpus.CONTEXT_BYTES + 1
    with pytest.raises(KernelDied, match="used more than 2048 MB of the GPU's memory") as death:
        kernel.run_cell("time.sleep(60)")
    assert death.value.kind == OUT_OF_GPU_MEMORY
    kernel.close()


@pytest.mark.sandbox
def test_memory_files_count_as_memory(zygote_with_device: Zygote) -> None:
    """No limit of a process counts them, and no process has them mapped."""
    limits = KernelLimits(memory_bytes=300 << 20, gpu=SHARE)
    kernel = Kernel(zygote_with_device.fork(gpu=SHARE), limits)
    assert kernel.run_cell("import os, time").ok
    fill = "for _ in range(8):\n    os.write(os.memfd_create('x'), bytes(50 << 20))\ntime.sleep(60)"
    with pytest.raises(KernelDied, match="used more than 300 MB of memory") as death:
        kernel.run_cell(fill)
    assert death.value.kind == OUT_OF_MEMORY
    kernel.close()


@pytest.mark.sandbox
def test_who_hides_memory_files_is_ended(
    zygote_with_device: Zygote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can before a superuser's judge; this is how it looks to another."""
    kernel = Kernel(zygote_with_device.fork(gpu=SHARE), KernelLimits(gpu=SHARE))

    def refused(processes: list[int]) -> int:
        raise memory_files.HiddenError

    monkeypatch.setattr(memory_files, "held_bytes", refused)
    with pytest.raises(KernelDied, match="hid from the judge how much memory its files hold"):
        kernel.run_cell("import time; time.sleep(60)")
    kernel.close()


# -- without one ----------------------------------------------------------------------------------


@pytest.mark.sandbox
def test_without_a_gpu_nothing_warns_of_the_driver(zygote_with_device: Zygote) -> None:
    """PyTorch for CUDA asks the driver, which cannot start in a sandbox that has no GPU."""
    ask = """
        import warnings
        import torch
        def count():
            warnings.warn("CUDA initialization: Error 304: OS call failed")
            return 0
        torch.cuda._is_compiled = lambda: True
        torch._C._cuda_getDeviceCount = count
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            print(torch.cuda.is_available(), len(told))
    """
    kernel = Kernel(zygote_with_device.fork())
    run = kernel.run_cell("\n".join(line[8:] for line in ask.splitlines()))
    kernel.close()
    assert "".join(o["text"] for o in run.outputs).strip() == "False 0", run.outputs


# -- a class --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its notebook wants a GPU."""
    root = write_course(tmp_path_factory.mktemp("gpus") / "course")
    path = root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    document = json.loads(path.read_text("utf-8"))
    document["metadata"]["cs231n"]["gpu"] = {"share": 4, "memory_mb": 2048, "call_seconds": 1}
    path.write_text(json.dumps(document), "utf-8")
    release(root)
    return root


@pytest.fixture
def course(released: Path, tmp_path: Path) -> Path:
    return copy_course(released, tmp_path / "course")


def grade(root: Path, selection: Selection, grader) -> list[GradedNotebook]:
    events = grade_class(root, ASSIGNMENT, selection, grader)
    return [event.graded for event in events if event.graded]


def test_the_wish_is_read_from_the_notebook(course: Path) -> None:
    template = load_template(course, ASSIGNMENT, NOTEBOOK)
    wish = template.gpu()
    assert wish is not None
    assert (wish.share, wish.memory_mb) == (4, 2048)
    assert template.limit("call_seconds", 20) == 2
    assert template.limit("call_seconds", 20, on_gpu=True) == 1
    assert template.limit("cell_seconds", 20, on_gpu=True) == 4
    assert Template("a1", "plain", {"cells": []}).gpu() is None


@pytest.mark.parametrize("wish", [{"share": 4}, {"share": 0, "memory_mb": 9}, "all", {"share": []}])
def test_a_request_of_another_form_is_reported(course: Path, wish: object) -> None:
    path = course / "release" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    document = json.loads(path.read_text("utf-8"))
    document["metadata"]["cs231n"]["gpu"] = wish
    path.write_text(json.dumps(document), "utf-8")
    with pytest.raises(TemplateError, match="how many notebooks may use a GPU at once"):
        load_template(course, ASSIGNMENT, NOTEBOOK)


@pytest.mark.sandbox
def test_without_a_gpu_the_cpu_does_and_the_verdict_says_so(course: Path, zygote: Zygote) -> None:
    submit(course, "ada", answer())

    def here(material: Material) -> Executor:
        return LocalExecutor(TaskGrader(material, lambda: zygote))

    (graded,) = grade(course, Selection(), here)
    assert (graded.device, graded.fallback) == ("cpu", "graded without --gpus")
    (graded,) = grade(course, Selection(force=True, gpus=True), here)
    assert graded.score == CLASS_POINTS
    if not gpus.usable_devices()[0]:
        assert (graded.device, graded.fallback) == ("cpu", gpus.usable_devices()[1])


@pytest.mark.sandbox
def test_a_cluster_is_asked_for_its_gpus(course: Path, driver: dict[int, int]) -> None:
    """This host seems to have one, so its workers offer it; what it is good for, they find out."""
    submit(course, "ada", answer())
    said = []
    for offered in (False, True):
        with dask_workers(1, gpus=offered) as client:

            def dask(material: Material, client: Client = client) -> Executor:
                return DaskExecutor(client, material, None)

            (graded,) = grade(course, Selection(force=True, gpus=True), dask)
        assert graded.score == CLASS_POINTS
        said.append(graded.fallback)
    assert said[0] == "no worker offers the resource GPU"
    assert "no worker" not in said[1]


# -- what comes of a GPU that is lost or full ------------------------------------------------------


ON_GPU = "import os\nON_GPU = bool(os.environ['CUDA_VISIBLE_DEVICES'])\n"
ASSERTED = "raise RuntimeError('CUDA error: device-side assert triggered')"
Change = Callable[[dict], object]
Graded = Callable[..., GradedNotebook]  # by what its first cell does besides, and a change
FULL = "import torch\nraise torch.OutOfMemoryError('CUDA out of memory.')"


@pytest.fixture
def one_gpu(
    course: Path, zygote_with_device: Zygote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Graded:
    """Grades a submission on a host that has the stand-in and shares it with nobody else."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(gpus, "usable_devices", lambda: ((DEVICE,), ""))

    def local(material: Material) -> Executor:
        return LocalExecutor(TaskGrader(material, lambda: zygote_with_device))

    def graded(imports: str, change: Change = lambda document: None) -> GradedNotebook:
        def changed(document: dict) -> None:
            cell_of(document, "imports")["source"] += f"\n{imports}"
            change(document)

        submit(course, "ada", answer(changed))
        (one,) = grade(course, Selection(gpus=True), local)
        return one

    return graded


def told_in(graded: GradedNotebook) -> str:
    """All that the notebook's first cell says."""
    return json.loads(graded.document)["cells"][0]["source"]


@pytest.mark.sandbox
def test_who_loses_the_gpu_is_graded_on_the_cpu(one_gpu: Graded) -> None:
    """From the first cell on, and once: the error is raised on the CPU, too."""
    graded = one_gpu(ASSERTED)
    assert (graded.score, graded.outcome) == (CLASS_POINTS, "")
    assert (graded.device, graded.fallback, graded.attempts) == ("cpu", LOST, 2)
    assert told_in(graded).startswith("**Run on the CPU:**")


@pytest.mark.sandbox
def test_a_real_mistake_is_told_as_the_cpu_tells_it(one_gpu: Graded) -> None:
    """It is met in a check, on the GPU as an error of which nobody can say where it is from."""

    def wrong_index(document: dict) -> None:
        cell = cell_of(document, "k-nearest-neighbor")
        head, _, body = cell["source"].partition("def compute_distances_two_loops(self, X):\n")
        assert body
        wrong = f"        if ON_GPU:\n            {ASSERTED}\n        [1, 2][9]\n"
        cell["source"] = f"{head}def compute_distances_two_loops(self, X):\n{wrong}{body}"

    graded = one_gpu(ON_GPU, wrong_index)
    assert (graded.device, graded.fallback, graded.outcome) == ("cpu", LOST, "")
    assert 0 < graded.score < CLASS_POINTS
    two_loops = next(cell for cell in graded.cells if cell.grade_id == "knn-two-loops")
    assert any("IndexError: list index out of range" in c.message for c in two_loops.checks)
    assert "CUDA error" not in json.dumps([c.message for c in two_loops.checks])


@pytest.mark.sandbox
def test_a_kernel_that_cuda_takes_along_has_lost_its_gpu(zygote_with_device: Zygote) -> None:
    """C++ says so and aborts where an exception cannot be raised."""
    for gpu, kind in ((SHARE, GPU_LOST), (None, DIED)):
        kernel = Kernel(zygote_with_device.fork(gpu=gpu), KernelLimits(gpu=gpu))
        with pytest.raises(KernelDied, match="killed by signal") as death:
            kernel.run_cell("import os\nos.write(2, b'CUDA error: unknown\\n')\nos.abort()")
        assert death.value.kind == kind
        kernel.close()


@pytest.mark.sandbox
def test_who_fills_a_gpu_alone_has_filled_it(one_gpu: Graded) -> None:
    graded = one_gpu(FULL)
    assert (graded.outcome, graded.device, graded.attempts) == (
        OUT_OF_GPU_MEMORY,
        "cuda (Stand-in)",
        2,
    )
    outputs = cell_of(json.loads(graded.document), "imports")["outputs"]
    assert any("append loss.item(), not loss" in output.get("text", "") for output in outputs)


def neighbour(link: Connection) -> None:
    """In a process of its own: has a part of the device until told."""
    with gpus.reserve_gpu([DEVICE], 4, GIB):
        link.send("here")
        link.recv()


@pytest.mark.sandbox
def test_a_neighbour_takes_nobodys_points(one_gpu: Graded, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is there memory runs out; it goes, and the notebook has the device to itself."""
    context = multiprocessing.get_context("fork")
    link, theirs = context.Pipe()
    parts = context.SimpleQueue()

    def used_bytes(uuid: str, pids: list[int]) -> int:
        """Asked in the process of the judge, which holds no place."""
        parts.put(gpus.taken(DEVICE))
        if gpus.taken(DEVICE) != Fraction(1, 2):
            return 0
        link.send("leave")
        return 8 * GIB

    monkeypatch.setattr(gpus, "used_bytes", used_bytes)
    other = context.Process(target=neighbour, args=(theirs,), daemon=True)
    other.start()
    assert link.recv() == "here"
    graded = one_gpu("")
    other.join()
    assert (graded.score, graded.outcome) == (CLASS_POINTS, "")
    assert (graded.device, graded.attempts) == ("cuda (Stand-in)", 2)
    seen = []
    while not parts.empty():
        seen.append(parts.get())
    assert (seen[0], seen[-1]) == (Fraction(1, 2), 1)


@pytest.mark.sandbox
def test_a_memory_group_holds_who_has_a_gpu(
    one_gpu: Graded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the host has one: judge and kernel join it. A file stands for that of the group."""
    joined = tmp_path / "cgroup.procs"

    @contextmanager
    def group(parent: Path, memory_bytes: int) -> Iterator[MemoryGroup]:
        with joined.open("a") as file:
            yield MemoryGroup(parent, file.fileno())

    monkeypatch.setattr(task_grader, "usable", lambda: (tmp_path, ""))
    monkeypatch.setattr(task_grader, "memory_group", group)
    assert one_gpu("").device == "cuda (Stand-in)"
    assert joined.read_text() == "00"
