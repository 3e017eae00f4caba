"""GPUs: who gets one, what a sandbox with one may do more, and what comes of using it up.

There need be none here: /dev/full stands for a device file, and NVML answers as a test wants it to.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import queue
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pynvml
import pytest
from distributed import Client

from autograder.authoring.release import release
from autograder.batch.cluster import DaskExecutor, connected
from autograder.batch.executors import Executor, LocalExecutor
from autograder.batch.run import Selection, grade_class
from autograder.batch.task_grader import TaskGrader
from autograder.grading.material import Material
from autograder.host import gpus
from autograder.judge.kernel import Kernel, KernelDied, KernelLimits
from autograder.judge.results import OUT_OF_GPU_MEMORY, GradedNotebook
from autograder.judge.zygote import Zygote
from autograder.notebook.template import Template, TemplateError, load_template
from autograder.sandbox import probe
from autograder.sandbox.policy import Gpu
from tests.little import ASSIGNMENT, CLASS_POINTS, NOTEBOOK, answer, cell_of, submit, write_course

GIB = 1 << 30
WHILE = 1.0  # seconds in which a free place would have been taken
NODE = "/dev/full"  # a device that no sandbox has
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


def holds(place: tuple[int, int], comes, entered, leave) -> None:
    """In a process of its own: take a place on a device, say so, keep it until asked to leave."""
    number, share = place
    devices = [gpus.Device(f"d{n}", f"test-{os.getppid()}-{n}", NODE, 8 * GIB) for n in range(2)]
    comes.set()
    with gpus.reserve_gpu(devices[:number], share, 6 * GIB) as gpu:
        entered.put((gpu.name, gpu.memory_bytes))
        leave.wait()


class Holder:
    """A process that holds, or waits for, a place; ``number`` devices, shared by ``share``."""

    def __init__(self, number: int, share: int) -> None:
        context = multiprocessing.get_context("spawn")
        comes, self._leave = context.Event(), context.Event()
        self._entered = context.Queue()
        arguments = ((number, share), comes, self._entered, self._leave)
        self.process = context.Process(target=holds, args=arguments)
        self.process.start()
        assert comes.wait(60)

    def place(self) -> tuple[str, int]:
        return self._entered.get(timeout=60)

    def waits(self) -> bool:
        """Whether it still has no place, although there was time to take one."""
        try:
            self._entered.get(timeout=WHILE)
        except queue.Empty:
            return True
        return False

    def leave(self) -> None:
        self._leave.set()
        self.process.join()


def test_places_on_devices() -> None:
    """Two on two devices with one place each; a third waits until one of them is killed."""
    first, second = Holder(2, 1), Holder(2, 1)
    assert {first.place()[0], second.place()[0]} == {"d0", "d1"}
    third = Holder(2, 1)
    assert third.waits()
    first.process.kill()
    second.process.kill()
    assert third.place()[1] == 6 * GIB
    third.leave()


def test_who_wants_a_device_alone_is_not_passed_by() -> None:
    """There is room for who comes late, and would always be: nobody would ever be alone."""
    sharing = [Holder(1, 4) for _ in range(3)]
    assert [one.place() for one in sharing] == [("d0", 2 * GIB)] * 3  # a fourth of 8
    alone = Holder(1, 1)
    assert alone.waits()
    late = Holder(1, 4)
    assert late.waits()
    for one in sharing:
        one.leave()
    assert alone.place() == ("d0", 6 * GIB)
    assert late.waits()
    alone.leave()
    assert late.place() == ("d0", 2 * GIB)
    late.leave()


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


def uses_it_up(document: dict) -> None:
    raises = "\nimport torch\nraise torch.OutOfMemoryError('CUDA out of memory.')"
    cell_of(document, "imports")["source"] += raises


@pytest.mark.sandbox
def test_a_full_gpu_is_an_outcome_that_students_understand(course: Path, zygote: Zygote) -> None:
    submit(course, "ada", answer(uses_it_up))
    (graded,) = grade(course, Selection(), lambda m: LocalExecutor(TaskGrader(m, lambda: zygote)))
    assert graded.outcome == OUT_OF_GPU_MEMORY
    outputs = cell_of(json.loads(graded.document), "imports")["outputs"]
    assert any("append loss.item(), not loss" in output.get("text", "") for output in outputs)


# -- a class --------------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Its notebook wants a GPU."""
    root = write_course(tmp_path / "course")
    path = root / "source" / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
    document = json.loads(path.read_text("utf-8"))
    document["metadata"]["cs231n"]["gpu"] = {"share": 4, "memory_mb": 2048, "call_seconds": 1}
    path.write_text(json.dumps(document), "utf-8")
    release(root)
    return root


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
        with connected(None, 1, gpus=offered) as client:

            def dask(material: Material, client: Client = client) -> Executor:
                return DaskExecutor(client, material, None)

            (graded,) = grade(course, Selection(force=True, gpus=True), dask)
        assert graded.score == CLASS_POINTS
        said.append(graded.fallback)
    assert said[0] == "no worker offers the resource GPU"
    assert "no worker" not in said[1]
