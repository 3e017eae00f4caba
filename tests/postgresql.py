"""A real PostgreSQL server, on a socket in a temporary folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MISSING = "no PostgreSQL server here (Debian: postgresql)"


def programs() -> Path | None:
    """The folder with the server's programs, if there is one."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return found[-1] if found else None


def unavailable() -> str:
    """Why no server can be started here; empty where one can."""
    found = programs()
    if not found:
        return MISSING
    try:
        command = [*ordinary_user(), f"{found}/postgres", "--version"]
        tried = subprocess.run(command, capture_output=True, text=True)
    except OSError as error:  # no setpriv
        return f"no PostgreSQL server here: {error}"
    if tried.returncode:
        return f"no PostgreSQL server here: {tried.stderr.strip()}"
    return ""


def ordinary_user() -> list[str]:
    """What to put before a command of the server, which refuses to be root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]


@contextmanager
def server(*, durable: bool = False) -> Iterator[str]:
    """Start a server; yields its address. ``durable``: it waits for the disk, as servers do."""
    found = programs()
    assert found, MISSING
    folder = Path(tempfile.mkdtemp(prefix="cs231n-pg-", dir="/tmp"))  # a socket's path is short
    become = ordinary_user()
    if become:
        shutil.chown(folder, "postgres")
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
