"""Zygotes of every tier this host offers, and bait for the attacks."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from attacker import GPU_NODE, HERE, Bait

from autograder.judge.sandbox import Sandbox
from autograder.judge.zygote import Zygote
from autograder.sandbox import probe
from autograder.sandbox.policy import Tier


@cache
def public_python() -> str:
    """An interpreter that other users can read.

    Python may live in root's private home. Then a mount namespace shows a public one instead.
    """
    folders = [*reversed(Path(sys.base_prefix).parents), Path(sys.base_prefix)]
    private = [p for p in folders if not p.stat().st_mode & stat.S_IXOTH]
    if os.geteuid() or not private:
        return sys.executable
    home, prefix = shlex.quote(str(private[0])), shlex.quote(sys.base_prefix)
    script = Path(tempfile.mkdtemp(prefix="cs231n-python-"), "python")
    inner = (
        f"aside=$(mktemp -d) && mount --bind {prefix} $aside && "
        f"mount -t tmpfs -o mode=755 tmpfs {home} && mkdir -p {prefix} && "
        f'mount --move $aside {prefix} && exec {shlex.quote(sys.executable)} "$@"'
    )
    script.write_text(f'#!/bin/sh\nexec unshare --mount sh -c {shlex.quote(inner)} sh "$@"\n')
    script.chmod(0o755)
    return str(script)


@pytest.fixture(scope="session")
def zygote_of() -> Iterator[Callable[[Tier], Zygote]]:
    """``zygote_of(tier)``, started at most once; skips tiers that this host does not offer."""
    started: dict[Tier, Zygote] = {}

    def start(tier: Tier) -> Zygote:
        if tier not in started:
            python = public_python() if tier == "flat" else sys.executable
            if tier != "none" and (reason := probe.attempt(tier, python).reason):
                pytest.skip(f"tier {tier} is not to be had here: {reason}")
            started[tier] = Zygote(
                tier,
                entry="inside:serve",
                search=[HERE],
                warm=False,
                python=Path(python),
                gpu_nodes=[GPU_NODE],  # the zygote could give it, and does so only if asked to
            )
        return started[tier]

    yield start
    for zygote in started.values():
        zygote.close()
    if public_python() != sys.executable:
        shutil.rmtree(Path(public_python()).parent)


@pytest.fixture(scope="session", params=probe.ISOLATING)
def zygote(request: pytest.FixtureRequest, zygote_of: Callable[[Tier], Zygote]) -> Zygote:
    return zygote_of(request.param)


@pytest.fixture(scope="module")
def sandbox(zygote: Zygote) -> Iterator[Sandbox]:
    """One sandbox of each tier for all attacks that leave it usable."""
    with zygote.fork() as made:
        yield made


@pytest.fixture(scope="module")
def unprotected(zygote_of: Callable[[Tier], Zygote]) -> Iterator[Sandbox]:
    """The control: the same code without any lock-down."""
    with zygote_of("none").fork() as made:
        yield made


@pytest.fixture(scope="session")
def bait() -> Iterator[Bait]:
    folder = Path(tempfile.mkdtemp(prefix="cs231n-bait-"))
    folder.chmod(0o777)
    made = Bait(folder)
    made.secret.write_text("hidden")
    made.secret.chmod(0o666)
    tcp = socket.create_server(("127.0.0.1", 0))
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    by_path, abstract = (socket.socket(socket.AF_UNIX) for _ in range(2))
    by_path.bind(str(folder / "socket"))
    (folder / "socket").chmod(0o777)
    abstract.bind(f"\0{folder}")
    for server in (by_path, abstract):
        server.listen(8)
    victim = subprocess.Popen(["sleep", "600"])
    made.names = {
        "secret": str(made.secret),
        "folder": str(folder),
        "course": str(HERE.parents[1]),
        "tcp": tcp.getsockname(),
        "udp": udp.getsockname(),
        "judge": os.getpid(),
        "victim": victim.pid,
    }
    yield made
    victim.kill()
    victim.wait()
    for server in (tcp, udp, by_path, abstract):
        server.close()
    shutil.rmtree(folder)
