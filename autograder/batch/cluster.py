"""Workers on other machines, too: of any cluster that dask reaches."""

from __future__ import annotations

import hashlib
import itertools
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

from dask import config
from distributed import CancelledError, Client, Future, as_completed
from distributed.scheduler import KilledWorker

from autograder.batch.dask_worker import GradingPlugin, grade_packed, version_of
from autograder.batch.executors import Answer, TaskFailure
from autograder.batch.task import VERSION, Refused, Task, unpack_answer
from autograder.errors import ClusterError
from autograder.grading.material import Material
from autograder.sandbox.policy import SandboxError

SETTINGS = {
    # A submission that brings down two workers is not sent to a third.
    "distributed.scheduler.allowed-failures": 1,
    # A worker has what it grades and nothing else: nobody else is blamed when it dies.
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.comm.timeouts.connect": "30s",
    # Each task is a notebook with its pictures and is sent once: a warning of 10 MB helps nobody.
    "distributed.admin.large-graph-warning-threshold": "1GB",
    "distributed.diagnostics.nvml": False,  # GPUs are ours to watch
    # Dask watches itself many times a second, on processors that kernels need.
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "10s",
    # Pages for looking on, of the scheduler and workers started here.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
}
OF_A_SCHEDULER = {  # which a scheduler reads when it starts, into these attributes
    "allowed_failures": "distributed.scheduler.allowed-failures",
    "WORKER_SATURATION": "distributed.scheduler.worker-saturation",
}
CONNECT_SECONDS = 10
GPU = "GPU"  # the resource of workers whose host has one; which one, these settle by themselves


@contextmanager
def connected(scheduler: str) -> Iterator[Client]:
    """A client of the scheduler at this address. Raises ClusterError."""
    with config.set(SETTINGS):
        try:
            client = Client(scheduler, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise ClusterError(
                f"no dask scheduler answers at {scheduler} ({error}): start one with "
                "`dask scheduler`, see docs/cluster.md"
            ) from None
        with client:
            _adopt(client)
            yield client


def _adopt(client: Client) -> None:
    """Have a scheduler that somebody started heed what `SETTINGS` says of one.

    The function goes there whole, as lambdas do: this package may not be installed there.
    """
    heeded = {name: config.get(setting) for name, setting in OF_A_SCHEDULER.items()}
    client.run_on_scheduler(
        lambda dask_scheduler: [setattr(dask_scheduler, *one) for one in heeded.items()]
    )


class DaskExecutor:
    """Grades on the workers of a dask cluster. Context manager.

    A worker that refuses (no isolation there, another version) gets no more tasks; those it had go
    to others.
    """

    def __init__(self, client: Client, material: Material, tier: str | None) -> None:
        packed = material.pack()
        self._client = client
        self._material = material
        self._plugin = f"grading-{hashlib.sha256(packed).hexdigest()[:12]}-{uuid4().hex[:8]}"
        self._results = as_completed(with_results=False)
        # The engine's key and task, by dask's key, and the worker that has a machine to itself.
        self._sent: dict[Any, tuple[str, Task, str]] = {}
        self._refused: dict[str, Refused] = {}
        self._counter = itertools.count()
        client.register_plugin(GradingPlugin(self._plugin, packed, tier))

    def __enter__(self) -> DaskExecutor:
        if not self._workers():
            address = self._client.scheduler_info(n_workers=0)["address"]
            print(
                "no worker is connected yet, and grading begins with the first: start one with "
                f"`bash deploy/worker.sh {address}`, see docs/cluster.md",
                file=sys.stderr,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._client.unregister_worker_plugin(self._plugin)

    def capacity(self) -> int:
        """Twice as many as there are workers: the next task is there when one is done."""
        return 2 * max(1, len(self._workers()))

    def submit(self, key: str, task: Task) -> None:
        # Without a restriction workers that come later are used, too.
        self._submit(key, task, self._workers() if self._refused else None)

    def crowded(self) -> bool:
        return any(len(workers) > 1 for workers in by_host(self._workers()).values())

    def submit_alone(self, key: str, task: Task) -> None:
        """Where no machine is free, since one has gone, somewhere."""
        able = self._with_gpu() if self._wants_gpu(task) else []
        taken = {host_of(alone) for _, _, alone in self._sent.values()}
        hosts = by_host(able or self._workers())
        free = [workers[0] for host, workers in hosts.items() if host not in taken]
        self._submit(key, task, free[:1] or None, alone=True)

    def _submit(
        self, key: str, task: Task, workers: list[str] | None, *, alone: bool = False
    ) -> None:
        on_gpu = self._wants_gpu(task)
        if on_gpu and not self._with_gpu():
            on_gpu, task = False, replace(task, no_gpu=f"no worker offers the resource {GPU}")
        future = self._client.submit(
            grade_packed,
            self._plugin,
            task.pack(),
            version_of(self._material.assignment, task.notebook, self._material.course),
            key=f"{self._plugin}-{next(self._counter)}",
            workers=workers,
            allow_other_workers=workers is not None,  # should these have died
            resources={GPU: 1} if on_gpu else None,
            pure=False,
        )
        self._sent[future.key] = (key, task, workers[0] if alone and workers else "")
        self._results.add(future)

    def next(self) -> tuple[str, Answer]:
        while True:
            future: Future = next(self._results)
            key, task, alone = self._sent.pop(future.key)
            answer = self._answer(future)
            if not isinstance(answer, Refused):
                return key, answer
            self._exclude(answer)
            again = self.submit_alone if alone else self.submit
            again(key, task)

    def _answer(self, future: Future) -> Answer | Refused:
        try:
            return unpack_answer(future.result())
        except CancelledError:
            raise ClusterError(
                "the connection to the scheduler was lost; what is graded is kept: run the same "
                "command again"
            ) from None
        except KilledWorker as error:
            return TaskFailure(
                f"two workers died with it, the last one {error.last_worker.address}"
            )
        except Exception as error:  # of ours, in the worker: nobody else shall suffer
            return TaskFailure(f"{type(error).__name__}: {error}")

    def _exclude(self, refused: Refused) -> None:
        if refused.worker not in self._refused:
            self._refused[refused.worker] = refused
            print(f"worker {refused.worker} is not used: {refused.reason}", file=sys.stderr)
        if not self._workers():
            if refused.stage == VERSION:
                raise ClusterError(f"no worker can be used, {refused.reason}: install the same one")
            raise SandboxError(refused.stage, refused.reason)

    def _wants_gpu(self, task: Task) -> bool:
        return not task.no_gpu and self._material.template(task.notebook).gpu() is not None

    def _with_gpu(self) -> list[str]:
        """Addresses of workers that offer a GPU and have not refused."""
        known = self._client.scheduler_info(n_workers=-1)["workers"]
        usable = set(self._workers())
        return [one for one, about in known.items() if one in usable and GPU in about["resources"]]

    def _workers(self) -> list[str]:
        """Addresses of those that have not refused."""
        known: Any = self._client.nthreads()
        return [address for address in known if address not in self._refused]


def by_host(addresses: Iterable[str]) -> dict[str, list[str]]:
    """Addresses of workers by the machine they are on."""
    found: dict[str, list[str]] = {}
    for address in addresses:
        found.setdefault(host_of(address), []).append(address)
    return found


def host_of(address: str) -> str:
    """The machine in a worker's address, ``tcp://HOST:PORT``."""
    return address.rpartition(":")[0]
