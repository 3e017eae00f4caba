"""The workers: of this machine, or of any cluster that dask reaches."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from dask import config
from distributed import CancelledError, Client, Future, LocalCluster, as_completed
from distributed.scheduler import KilledWorker

from autograder.batch.dask_worker import Grading, grade_packed, version_of
from autograder.batch.errors import ClusterError
from autograder.batch.graders import Answer, Lost
from autograder.batch.task import VERSION, Refused, Task, unpack_answer
from autograder.material import Material
from autograder.memory import at_once
from autograder.sandbox.policy import SandboxError

SETTINGS = {
    # A submission that brings down two workers is not sent to a third.
    "distributed.scheduler.allowed-failures": 1,
    # A worker has what it grades and nothing else: nobody else is blamed when it dies.
    "distributed.scheduler.worker-saturation": 1.0,
    "distributed.comm.timeouts.connect": "30s",
}
CONNECT_SECONDS = 30


@contextmanager
def connected(scheduler: str | None, workers: int | None) -> Iterator[Client]:
    """A client of the scheduler at this address, or of ``workers`` processes on this machine."""
    with config.set(SETTINGS):
        if scheduler:
            try:
                client = Client(scheduler, timeout=CONNECT_SECONDS)
            except (OSError, ValueError) as error:
                raise ClusterError(
                    f"no dask scheduler answers at {scheduler} ({error}): start one with "
                    "`dask scheduler`, see docs/cluster.md"
                ) from None
            with client:
                yield client
            return
        os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the judges; the kernels have their own
        with (
            LocalCluster(
                n_workers=workers or at_once(),
                threads_per_worker=1,
                memory_limit=0,  # the kernels have limits, and are no part of the workers
                dashboard_address=None,  # type: ignore[arg-type]  (none is started)
                host="127.0.0.1",
                silence_logs=logging.ERROR,
            ) as cluster,
            Client(cluster) as client,
        ):
            yield client


class OnDask:
    """Grades on the workers of a dask cluster. Context manager."""

    def __init__(self, client: Client, material: Material, tier: str | None) -> None:
        packed = material.pack()
        self._client = client
        self._material = material
        self._plugin = f"grading-{hashlib.sha256(packed).hexdigest()[:12]}-{uuid4().hex[:8]}"
        self._results = as_completed(with_results=False)
        self._keys: dict[Any, str] = {}  # the engine's, by dask's
        ours = client.cluster is not None
        client.register_plugin(Grading(self._plugin, packed, tier, ours=ours))

    def __enter__(self) -> OnDask:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.unregister_worker_plugin(self._plugin)

    def capacity(self) -> int:
        """Twice as many as there are workers: the next task is there when one is done."""
        workers: Any = self._client.nthreads()
        return 2 * max(1, len(workers))

    def submit(self, key: str, task: Task) -> None:
        code = version_of(self._material.assignment, task.notebook)
        future = self._client.submit(
            grade_packed, self._plugin, task.pack(), code, key=f"{self._plugin}-{key}", pure=False
        )
        self._keys[future.key] = key
        self._results.add(future)

    def next(self) -> tuple[str, Answer]:
        future: Future = next(self._results)
        key = self._keys.pop(future.key)
        try:
            answer = unpack_answer(future.result())
        except CancelledError:
            raise ClusterError(
                "the connection to the scheduler was lost; what is graded is kept: run the same "
                "command again"
            ) from None
        except KilledWorker as error:
            return key, Lost(f"two workers died with it, the last one {error.last_worker.address}")
        except Exception as error:  # of ours, in the worker: nobody else shall suffer
            return key, Lost(f"{type(error).__name__}: {error}")
        if isinstance(answer, Refused):
            if answer.stage == VERSION:
                raise ClusterError(f"{answer.reason}: install the same one on both")
            raise SandboxError(answer.stage, answer.reason)
        return key, answer
