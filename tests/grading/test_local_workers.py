"""Workers of this machine: one warm process for all, and what becomes of a task when one dies."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

import psutil
import pytest

from autograder.authoring.release import release
from autograder.batch.executors import Again, TaskFailure
from autograder.batch.judge_process import JudgeFailed, JudgeProcess, JudgeProcessDied
from autograder.batch.local_workers import LocalWorkers
from autograder.batch.task import Task
from autograder.grading.material import Material, load_material
from autograder.host.warm_process import WarmProcess
from autograder.judge.kernel import Kernel
from autograder.judge.results import CellVerdict, GradedNotebook
from autograder.judge.sandbox import children
from autograder.judge.shared_warm import SharedWarm
from autograder.judge.zygote import Zygote
from autograder.sandbox import probe
from autograder.sandbox.policy import OWN_LIBRARY, Policy, SandboxError
from tests.little import ASSIGNMENT, CLASS_POINTS, NOTEBOOK, answer, write_course
from tests.waiting import SECONDS, wait_until

pytestmark = pytest.mark.sandbox


# -- twins ----------------------------------------------------------------------------------------


@pytest.fixture
def mother() -> Iterator[tuple[WarmProcess, Policy]]:
    """A warm process that imports nothing much, and a policy for its twins."""
    process = WarmProcess.launch(warm=False)
    yield process, Policy(probe.choose(), warm=False)
    process.close()


def says(zygote: Zygote, source: str) -> str:
    kernel = Kernel(zygote.fork())
    try:
        return "".join(output.get("text", "") for output in kernel.run_cell(source).outputs)
    finally:
        kernel.close()


def test_twins_live_and_die_by_themselves(mother: tuple[WarmProcess, Policy]) -> None:
    process, policy = mother
    with Zygote.of(process.twin(), policy) as one, Zygote.of(process.twin(), policy) as other:
        assert sorted(children(process.pid)) == sorted([one.pid, other.pid])
        assert says(one, "print(1)") == says(other, "print(1)") == "1\n"
        kept = Kernel(other.fork())
        assert one.sandboxes() == set()
        assert len(other.sandboxes()) == 1
        one.clear(set())  # and nobody else's sandboxes
        os.kill(one.pid, signal.SIGKILL)
        assert one.died(SECONDS)
        with pytest.raises(SandboxError, match="the process is gone"):
            one.fork()
        os.kill(process.pid, signal.SIGKILL)
        assert process.died(SECONDS)
        assert kept.run_cell("2").ok
        kept.close()
        assert says(other, "print(3)") == "3\n"
        with pytest.raises(SandboxError, match="the process is gone"):
            process.twin()


def test_a_twin_ends_with_whoever_has_it(mother: tuple[WarmProcess, Policy]) -> None:
    twin = mother[0].twin()
    twin.control.close()
    assert twin.died(SECONDS)


def test_what_does_not_work_here_is_an_error_for_whoever_asks() -> None:
    with SharedWarm("no-such-tier", "numpy", OWN_LIBRARY, WarmProcess.launch(warm=False)) as warm:
        for _ in range(2):
            with pytest.raises(SandboxError, match="no tier 'no-such-tier'"):
                warm.twin("numpy")


def test_what_is_not_needed_after_all_is_not_waited_for() -> None:
    launched = WarmProcess.launch("numpy")
    with SharedWarm(None, "numpy", OWN_LIBRARY, launched):
        pass
    assert launched.died(0)


# -- workers that die -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    root = write_course(tmp_path_factory.mktemp("workers") / "course")
    release(root)
    found = load_material(root, ASSIGNMENT, b"secret")
    settings = {"packages": "numpy", "cell_seconds": 1000, "notebook_seconds": 1000}
    found.template(NOTEBOOK).document["metadata"]["cs231n"] = settings
    return found


ZYGOTE = "autograder.sandbox.zygote"
GRADED = GradedNotebook("ann", ASSIGNMENT, NOTEBOOK, (CellVerdict("q", 2.0, 2.0, ()),))


def test_who_brings_down_two_processes_is_left_to_a_human_and_nobody_else(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def grade(judge: JudgeProcess, task: Task) -> GradedNotebook:
        asked.append(task.student)
        if task.student == "bob" or (task.student == "cyd" and asked.count("cyd") == 1):
            raise JudgeProcessDied("the process of the judge died (gone)")
        if task.student == "dan":
            raise JudgeFailed("KeyError: 'key'")
        return GRADED

    monkeypatch.setattr(JudgeProcess, "grade", grade)
    with (
        SharedWarm(None, "numpy", OWN_LIBRARY) as warm,
        LocalWorkers(2, material, None, warm, []) as workers,
    ):
        for student in ("ann", "bob", "cyd", "dan"):
            workers.submit(student, Task(student, NOTEBOOK, {}, b"{}"))
        said = [workers.next() for _ in range(6)]
    died = Again("the process of the judge died (gone)")
    assert sorted(key for key, answer in said if answer == died) == ["bob", "cyd"]
    found = {key: answer for key, answer in said if answer != died}
    assert sorted(asked) == ["ann", "bob", "bob", "cyd", "cyd", "dan"]
    assert found == {
        "ann": GRADED,
        "bob": TaskFailure("2 processes died with it: the process of the judge died (gone)"),
        "cyd": GRADED,
        "dan": TaskFailure("KeyError: 'key'"),
    }


def test_two_workers_share_what_is_warm_listen_to_nobody_and_leave_nothing(
    material: Material,
) -> None:
    """Nor do they wait, when the run is given up, for somebody who hangs."""
    me = psutil.Process()
    before = set(me.children(recursive=True))
    hangs = answer(lambda document: document["cells"][0].update(source="while True: pass"))
    with (
        SharedWarm(None, "numpy", OWN_LIBRARY) as warm,
        LocalWorkers(2, material, None, warm, []) as workers,
    ):
        for student in ("ann", "bob", "zoe"):
            workers.submit(student, Task(student, NOTEBOOK, {}, answer()))
        found = dict(workers.next() for _ in range(3))
        for student in ("dan", "eve", "flo"):
            workers.submit(student, Task(student, NOTEBOOK, {}, hangs))
        family = set(me.children(recursive=True)) - before
        launched = [one for one in set(me.children()) - before if ZYGOTE in command(one)]
        twins = [one for process in launched for one in process.children()]
        open_ports = [port for process in family for port in ports(process)]
    scores = {key: one.score for key, one in found.items() if isinstance(one, GradedNotebook)}
    assert scores == dict.fromkeys(("ann", "bob", "zoe"), CLASS_POINTS)
    assert (len(launched), len(twins)) == (1, 2)  # one imports, and has a twin for each worker
    assert open_ports == []
    wait_until(lambda: not any(map(lives, family)))


# A process of the family may end at any moment, as one does that only forks the next.


def command(process: psutil.Process) -> list[str]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.cmdline()
    return []


def ports(process: psutil.Process) -> list[object]:
    with contextlib.suppress(psutil.NoSuchProcess):
        return list(process.net_connections("inet"))
    return []


def lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
