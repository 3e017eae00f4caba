"""What starts workers: the systemd unit, the scripts for Slurm, a cgroup that was handed over."""

import configparser
import os
import shlex
import subprocess
from pathlib import Path

import pytest

from autograder.host.memory_group import delegated

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNIT = DEPLOY / "systemd" / "cs231n-worker@.service"
SAYS = '#!/bin/sh\necho "$*" >>"$CALLS"\n'
# The driver ends after the workers have come up: who opens a pipe waits for its other end.
GRADES = f'{SAYS}case "$*" in *" grade "*) read -r line <"$CALLS.done" ;; esac\n'
STARTS = f'{SAYS}while [ "$1" != bash ]; do shift; done\n"$@"\necho >"$CALLS.done"\n'


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the stand-ins for python and srun write how they were called."""
    os.mkfifo(tmp_path / "calls.done")
    for name, text in {"python": GRADES, "srun": STARTS}.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    monkeypatch.setenv("CS231N_PYTHON", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


def run(script: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(DEPLOY / script), *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


# -- systemd ---------------------------------------------------------------------------------------


def settings_of(unit: Path) -> dict[str, dict[str, list[str]]]:
    """Sections of a unit; a setting may be there several times."""

    class Repeated(dict):
        def __setitem__(self, key: object, value: object) -> None:
            if isinstance(value, list) and key in self:
                self[key].extend(value)
            else:
                super().__setitem__(key, value)

    parser = configparser.RawConfigParser(strict=False, dict_type=Repeated, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment]
    parser.read_string(unit.read_text("utf-8"))
    return {
        name: {key: value.split("\n") for key, value in parser[name].items()}
        for name in parser.sections()
    }


def test_the_unit_keeps_workers_running_and_hands_its_memory_controller_over() -> None:
    service = settings_of(UNIT)["Service"]
    assert service["Restart"] == ["always"]
    assert service["Delegate"] == ["memory"]
    assert service["OOMPolicy"] == ["continue"]  # a notebook's own limit ends that notebook
    assert service["KillMode"] == ["mixed"]  # stopping a service is no student's crash
    assert service["User"] not in (["root"], [""])
    _, script, address = shlex.split(service["ExecStart"][0])
    assert ROOT / Path(script).relative_to(service["WorkingDirectory"][0]) == DEPLOY / "worker.sh"
    assert address == "${CS231N_SCHEDULER}"


def test_the_unit_leaves_sandboxes_what_they_are_made_of() -> None:
    """Namespaces, mounts, a /proc that nothing covers, GPUs, locks in /tmp that graders share."""
    service = settings_of(UNIT)["Service"]
    breaking = {
        *("RestrictNamespaces", "PrivateUsers", "PrivateDevices", "PrivateTmp", "ProtectClock"),
        *("ProtectKernelTunables", "ProtectKernelLogs", "ProtectProc", "ProcSubset"),
        *("ProtectControlGroups", "MemoryDenyWriteExecute", "PrivateNetwork"),
    }
    assert breaking & set(service) == set()
    refused = set(" ".join(service["SystemCallFilter"]).removeprefix("~").split())
    assert refused & {"@mount", "@sandbox", "@process", "@system-service", "@privileged"} == set()
    assert service["DeviceAllow"] == ["char-nvidia* rw"]
    assert "/tmp" in service["ReadWritePaths"][0].split()


# -- a cgroup that was handed over -----------------------------------------------------------------


def test_worker_hands_on_the_memory_controller_that_it_was_given(
    calls: Path, tmp_path: Path
) -> None:
    """In a made-up tree, as systemd leaves it; `memory_group` then finds the group."""
    ours = tmp_path / "cgroup" / "system.slice" / "worker.service"
    ours.mkdir(parents=True)
    (tmp_path / "cgroup" / "cgroup.controllers").write_text("cpu memory")
    for name in ("cgroup.procs", "cgroup.subtree_control"):
        (ours / name).write_text("")
    own = tmp_path / "own"
    own.write_text("0::/system.slice/worker.service\n")
    tree = {"CS231N_CGROUPS": str(tmp_path / "cgroup"), "CS231N_OWN_CGROUP": str(own)}
    done = run("worker.sh", "tcp://head:8786", CS231N_WORKERS="3", CS231N_GPU="1", **tree)
    assert done.returncode == 0, done.stderr
    assert int((ours / "workers" / "cgroup.procs").read_text()) > 0
    assert (ours / "cgroup.subtree_control").read_text() == "+memory\n"
    assert calls.read_text().splitlines() == [
        "-m autograder doctor",
        "-m dask worker tcp://head:8786 --no-dashboard --nworkers 3 --nthreads 1 --memory-limit 0 "
        "--resources GPU=1",
    ]
    # What the system makes of it, from where the workers are now:
    (ours / "cgroup.subtree_control").write_text("memory")
    (ours / "workers" / "cgroup.subtree_control").write_text("")
    own.write_text("0::/system.slice/worker.service/workers\n")
    assert delegated(tmp_path / "cgroup", own) == (ours, "")


def test_worker_leaves_cgroups_alone_where_it_was_given_none(calls: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.write_text("4:memory:/\n")
    done = run("worker.sh", "tcp://head:8786", CS231N_OWN_CGROUP=str(own))
    assert (done.returncode, done.stderr) == (0, "")
    every = len(os.sched_getaffinity(0))
    assert f"--nworkers {every} --nthreads 1 " in calls.read_text()
    assert "GPU" not in calls.read_text()


# -- Slurm -----------------------------------------------------------------------------------------


def slurm(**environment: str) -> subprocess.CompletedProcess[str]:
    return run("slurm_gpu.sh", "assignment2", SLURM_CPUS_PER_TASK="16", **environment)


@pytest.mark.parametrize(
    ("gpus", "places", "with_gpu", "others"),
    [("2", "4", 8, 8), ("1", "12", 12, 4), ("4", "4", 16, 0), ("8", "4", 16, 0)],
)
def test_slurm_starts_as_many_gpu_workers_as_there_are_places(
    calls: Path, gpus: str, places: str, with_gpu: int, others: int
) -> None:
    done = slurm(SLURM_GPUS_ON_NODE=gpus, CS231N_PLACES=places)
    assert (done.returncode, done.stderr) == (0, "")
    said = calls.read_text().splitlines()
    [address] = {word for line in said for word in line.split() if word.startswith("tcp://")}
    assert f"-m autograder grade assignment2 --scheduler {address} --gpus" in said
    [step] = [line for line in said if line.startswith("--export=ALL")]
    assert f"--gres=gpu:{gpus}" in step
    workers = f"-m dask worker {address} --no-dashboard --nthreads 1 --memory-limit 0 --nworkers"
    expected = [f"{workers} {with_gpu} --resources GPU=1"]
    expected += [f"{workers} {others}"] if others else []
    assert sorted(line for line in said if line.startswith("-m dask worker")) == sorted(expected)


def test_slurm_without_a_gpu_says_what_to_do(calls: Path) -> None:
    done = slurm()
    assert done.returncode != 0
    assert "no GPU was given to this job: sbatch --gres=gpu:2" in done.stderr
    assert not calls.exists()
