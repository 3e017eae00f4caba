"""Workers of a dask cluster that is this machine alone."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dask import config
from distributed import Client, LocalCluster

from autograder.batch.cluster import GPU, connected


@contextmanager
def dask_workers(count: int, *, gpus: bool = False) -> Iterator[Client]:
    """A client of a scheduler with so many workers, which offer a GPU or none.

    dask itself asks no driver: here it may be a stand-in's, which knows only what the judge asks.
    """
    make: Any = LocalCluster  # without types
    with (
        config.set({"distributed.diagnostics.nvml": False}),
        make(
            n_workers=count,
            threads_per_worker=1,
            memory_limit=0,
            host="127.0.0.1",
            dashboard_address=None,
            silence_logs=logging.ERROR,
            resources={GPU: 1.0} if gpus else {},
        ) as cluster,
        connected(cluster.scheduler_address) as client,
    ):
        yield client
