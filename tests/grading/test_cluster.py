"""Grading on a cluster: machines that share nothing but a network, one of which fails."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from contextlib import ExitStack
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

from autograder.batch.cluster import DaskExecutor, connected
from autograder.batch.engine import HELD_UP
from autograder.batch.run import Selection, grade_class
from autograder.course.records import results
from autograder.grading.material import load_material
from autograder.judge.results import TIMED_OUT
from benchmarks.nodes import kill, nodes, scheduler, worker
from tests import little
from tests.dask_workers import dask_workers
from tests.little import ASSIGNMENT, CLASS_POINTS, cell_of
from tests.waiting import wait_until

GRADE = (sys.executable, "-m", "autograder", "grade", ASSIGNMENT)
STUDENTS = [f"student-{number}" for number in range(8)]
SECONDS = 300


def takes_a_while(document: dict) -> None:
    cell_of(document, "imports")["source"] += "\nimport time; time.sleep(1)"


@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = little.write_course(tmp_path / "course")
    for student in STUDENTS:
        little.submit(root, student, little.answer(takes_a_while))
    subprocess.run([*GRADE[:3], "release", "--root", str(root)], check=True, capture_output=True)
    return root


def points(root: Path) -> dict[str, float]:
    return {graded.student: graded.score for graded in results(root, ASSIGNMENT)}


@pytest.fixture
def namespaces() -> None:
    """Skips where one may not make what a node is made of; in containers root often may not."""
    name = f"cs231n-probe-{os.getpid()}"
    steps = (
        ("ip", "netns", "add", name),
        ("ip", "-n", name, "link", "add", "probe0", "type", "veth", "peer", "name", "probe1"),
        ("ip", "netns", "exec", name, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1"),
    )
    try:
        for step in steps:
            subprocess.run(step, check=True, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("network namespaces need the program ip (Debian: iproute2)")
    except subprocess.CalledProcessError as refused:
        pytest.skip(f"no network namespaces here: {refused.stderr.strip()}")
    finally:
        if Path("/run/netns", name).exists():
            subprocess.run(["ip", "netns", "delete", name], check=True)


@pytest.mark.sandbox
@pytest.mark.usefixtures("namespaces")
def test_a_node_that_fails_costs_nobody_a_grade(course: Path, tmp_path: Path) -> None:
    log = tmp_path / "driver.log"
    with (
        nodes(4) as (head, one, other, desk),
        scheduler(head, tmp_path / "scheduler.log") as address,
        ExitStack() as stack,
    ):
        workers = [worker(node, address, tmp_path / f"{node.name}.log") for node in (one, other)]
        for process in workers:
            stack.callback(kill, process)
        driver = desk.start([*GRADE, "--scheduler", address, "--root", str(course)], log)
        stack.callback(kill, driver)
        wait_until(lambda: len(points(course)) >= 2, driver, lambda: log.read_text("utf-8"))
        kill(workers[0])
        assert driver.wait(SECONDS) == 0, log.read_text("utf-8")
    assert points(course) == dict.fromkeys(STUDENTS, CLASS_POINTS)


@pytest.mark.sandbox
def test_a_worker_without_isolation_is_left_out(course: Path, tmp_path: Path) -> None:
    """LocalExecutor one that is output to use a tier that does not exist."""
    log = tmp_path / "driver.log"
    port = tmp_path / "scheduler.json"
    dask = (sys.executable, "-m", "dask")
    options = ("--nthreads", "1", "--memory-limit", "0", "--no-dashboard")
    file = ("--scheduler-file", str(port))
    with ExitStack() as stack, (tmp_path / "dask.log").open("wb") as output:

        def start(*command: str, **environment: str) -> None:
            process = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                env=os.environ | environment,
                start_new_session=True,
            )
            stack.callback(kill, process)

        start(*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *options[-1:], *file)
        start(*dask, "worker", *file, *options)
        start(*dask, "worker", *file, *options, CS231N_ISOLATION="no-such-tier")
        address = wait_for_workers(port, 2)
        with log.open("wb") as output:
            command = [*GRADE, "--scheduler", address, "--root", str(course)]
            status = subprocess.run(
                command, stdout=output, stderr=output, timeout=SECONDS
            ).returncode
    assert status == 0, log.read_text("utf-8")
    assert points(course) == dict.fromkeys(STUDENTS, CLASS_POINTS)
    printed = log.read_text("utf-8")
    assert printed.count("is not used: no tier 'no-such-tier'") == 1
    assert (
        f"asking the scheduler at {address} for workers, for {len(STUDENTS)} notebooks" in printed
    )
    for noise in ("leaked", "semaphore", "Warning", "large graph"):
        assert noise not in printed


def wait_for_workers(file: Path, count: int) -> str:
    """Wait until a scheduler has so many workers; returns its address."""
    wait_until(file.exists)
    with Client(scheduler_file=str(file)) as client:
        client.wait_for_workers(count, timeout=SECONDS)
    return json.loads(file.read_text("utf-8"))["address"]


def sleeps(document: dict) -> None:
    cell_of(document, "imports")["source"] = "import time\ntime.sleep(1000)"


@pytest.mark.sandbox
def test_who_is_late_and_has_not_computed_is_tried_again(course: Path) -> None:
    little.submit(course, STUDENTS[0], little.answer(sleeps))
    with dask_workers(2) as client:
        events = list(
            grade_class(
                course,
                ASSIGNMENT,
                Selection("student-[0-3]"),
                lambda m: DaskExecutor(client, m, None),
            )
        )
    found = [event.graded for event in events if event.graded]
    later = [(event.student, event.later) for event in events if event.later]
    assert later == [(STUDENTS[0], HELD_UP)], "it is said before it happens"
    assert [(one.student, one.outcome, one.attempts) for one in found if one.outcome] == [
        (STUDENTS[0], TIMED_OUT, 2)
    ]
    # The cell that hangs is one that the course gives: it is run as released, and costs nothing.
    assert points(course) == dict.fromkeys(STUDENTS[:4], CLASS_POINTS)


def test_a_scheduler_that_somebody_started_blames_as_ours_does() -> None:
    """A submission is not sent on for ever, nor blamed for the one beside it; dask itself would."""
    with LocalCluster(n_workers=1, processes=False, dashboard_address=None) as somebody:
        before = somebody.scheduler.allowed_failures
        with connected(somebody.scheduler_address) as client, warnings.catch_warnings():
            found = (somebody.scheduler.allowed_failures, somebody.scheduler.WORKER_SATURATION)
            warnings.simplefilter("error")  # of a "large graph": a notebook with many pictures
            assert client.submit(len, bytes(12 << 20), pure=False).result() == 12 << 20
    assert before > 1
    assert found == (1, 1.0)


def test_a_scheduler_without_workers_is_told_at_once(
    course: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Else the driver would wait, and nobody know for what."""
    material = load_material(course, ASSIGNMENT, b"seed")
    with LocalCluster(n_workers=0, processes=False, dashboard_address=None) as somebody:
        address = somebody.scheduler_address
        with connected(address) as client, DaskExecutor(client, material, None):
            told = capsys.readouterr().err
    assert "no worker is connected yet" in told
    assert f"`bash deploy/worker.sh {address}`" in told


def test_no_scheduler_is_reported_and_nothing_is_graded(course: Path) -> None:
    command = [*GRADE, "--scheduler", "tcp://127.0.0.1:9", "--root", str(course)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 1
    assert "no dask scheduler answers at tcp://127.0.0.1:9" in done.stderr
    assert "docs/cluster.md" in done.stderr
    assert "Traceback" not in done.stderr
    assert points(course) == {}
