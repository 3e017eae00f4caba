"""A real PostgreSQL server, on a socket in a temporary folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MISSING = "no PostgreSQL server here (Debian: postgresql)"


def programs() -> Path | None:
    """The folder with the server's programs, if there is one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return found[-1] if found else None


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """Start a server; yields its address. ``durable``: it waits for the disk, as servers do."""
    found = programs()
    assert found, MISSING
    folder = Path(f"/tmp/cs231n-pg-{os.getpid()}")  # a socket's path has to be short
    folder.mkdir(mode=0o700)
    become: list[str] = []
    if os.geteuid() == 0:  # which the server refuses to be
        shutil.chown(folder, "postgres")
        become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    control = [*become, f"{found}/pg_ctl", "-D", str(folder / "data"), "-w", "-s"]
    initdb = [*become, f"{found}/initdb", "-D", str(folder / "data"), "--no-sync", "-A"]
    options = f"-k {folder} -c listen_addresses='' -c fsync={'on' if durable else 'off'}"
    try:
        subprocess.run([*initdb, "trust", "-U", "course"], check=True, capture_output=True)
        log = ["-l", str(folder / "log"), "start"]
        subprocess.run([*control, "-o", options, *log], check=True)
        try:
            yield f"postgresql+psycopg://course@/postgres?host={folder}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True)
    finally:
        shutil.rmtree(folder)
