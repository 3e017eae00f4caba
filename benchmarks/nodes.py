"""A cluster on one machine: scheduler, workers and driver in network namespaces of their own.

They reach each other over wires and a router, as machines do, and share no loopback device.
Needs root and the program ``ip``.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

PORT = 8786
SECONDS = 120


@dataclass(frozen=True)
class Node:
    """One imitated machine."""

    name: str
    address: str

    def start(self, command: Sequence[str], log: Path, **environment: str) -> subprocess.Popen:
        """Run a program there, in a process group of its own."""
        with log.open("ab") as output:
            return subprocess.Popen(
                ["ip", "netns", "exec", self.name, *command],
                stdout=output,
                stderr=output,
                env=os.environ | environment,
                start_new_session=True,
            )


@contextmanager
def nodes(count: int) -> Iterator[list[Node]]:
    """``count`` network namespaces. The first one is also the router between the others."""
    prefix = f"cs{os.getpid() % 100000}"
    with ExitStack() as stack:
        head = Node(f"{prefix}-0", "10.231.255.1")
        _namespace(stack, head.name)
        _ip("-n", head.name, "addr", "add", f"{head.address}/32", "dev", "lo")
        _ip("-n", head.name, "link", "set", "lo", "up")
        forward = ("sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        _ip("netns", "exec", head.name, *forward)
        found = [head]
        for number in range(1, count):
            node = Node(f"{prefix}-{number}", f"10.231.{number}.2")
            _namespace(stack, node.name)
            wire = ("type", "veth", "peer", "name", f"node{number}", "netns", head.name)
            _ip("-n", node.name, "link", "add", "eth0", *wire)
            for where, address, device in (
                (node.name, node.address, "eth0"),
                (head.name, f"10.231.{number}.1", f"node{number}"),
            ):
                _ip("-n", where, "addr", "add", f"{address}/24", "dev", device)
                _ip("-n", where, "link", "set", device, "up")
            _ip("-n", node.name, "link", "set", "lo", "up")
            _ip("-n", node.name, "route", "add", "default", "via", f"10.231.{number}.1")
            found.append(node)
        yield found


@contextmanager
def scheduler(node: Node, log: Path) -> Iterator[str]:
    """A dask scheduler; yields its address."""
    command = (sys.executable, "-m", "dask", "scheduler", "--host", node.address, "--no-dashboard")
    process = node.start([*command, "--port", str(PORT)], log)
    try:
        _until(lambda: f"{node.address}:{PORT}" in log.read_text("utf-8"), process, log)
        yield f"tcp://{node.address}:{PORT}"
    finally:
        kill(process)


def worker(node: Node, address: str, log: Path, number: int = 1) -> subprocess.Popen:
    """``number`` worker processes, as a TA would start them on a machine of a cluster."""
    options = ("--nworkers", str(number), "--nthreads", "1", "--memory-limit", "0")
    command = (sys.executable, "-m", "dask", "worker", address, *options, "--no-dashboard")
    return node.start([*command, "--host", node.address], log, OMP_NUM_THREADS="1")


def kill(process: subprocess.Popen) -> None:
    """The machine loses its power: nobody says good-bye."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _namespace(stack: ExitStack, name: str) -> None:
    _ip("netns", "add", name)
    stack.callback(_ip, "netns", "delete", name)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def _until(condition, process: subprocess.Popen, log: Path) -> None:
    end = time.monotonic() + SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"it did not come up:\n{log.read_text('utf-8')}")
        time.sleep(0.1)  # the log is all there is to wait for
