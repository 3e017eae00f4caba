"""Which isolation works on this host: the whole lock-down, tried in a throw-away process.

Asking the kernel for features one by one would not do: many hosts allow ``unshare`` and then
refuse the mounts. Nothing heavy is imported, so that a try takes about a tenth of a second.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from autograder.sandbox.packages import Readable
from autograder.sandbox.policy import TIERS, Limits, Policy, SandboxError, Tier
from autograder.sandbox.restrictions import user_namespaces_restricted

_SECONDS = 30
ISOLATING: tuple[Tier, ...] = tuple(tier for tier in TIERS if tier != "none")


@dataclass(frozen=True)
class Finding:
    """Whether a tier works here; ``reason`` says why not, and is empty otherwise."""

    tier: Tier
    reason: str

    @property
    def works(self) -> bool:
        return not self.reason


def choose(wanted: str | None = None) -> Tier:
    """The best tier that works here, or ``wanted`` if that works.

    Never ``"none"`` unless that is what was asked for. Raises SandboxError.
    """
    if wanted == "none":
        return "none"
    if wanted is not None and wanted not in TIERS:
        raise SandboxError("choice", f"no tier {wanted!r}; use one of {', '.join(TIERS)}")
    findings = [attempt(tier) for tier in ISOLATING if wanted in (None, tier)]
    for finding in findings:
        if finding.works:
            return finding.tier
    reasons = "; ".join(f"{finding.tier}: {finding.reason}" for finding in findings)
    raise SandboxError("choice", f"this host cannot isolate student code ({reasons})")


def why_only_flat() -> str:
    """Why no tier with namespaces works here: for the user, who is graded with a weaker one."""
    return user_namespaces_restricted() or "; ".join(
        f"{tier}: {attempt(tier).reason}" for tier in ISOLATING if tier != "flat"
    )


@functools.cache
def attempt(tier: Tier, python: str = sys.executable) -> Finding:
    """Try ``tier`` once; later calls remember."""
    if platform.system() != "Linux":
        return Finding(tier, "needs Linux: use WSL2, a virtual machine or a container")
    course = str(Path(__file__).resolve().parents[2])
    environment = {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": course}
    with tempfile.TemporaryDirectory(prefix="cs231n-probe-") as stage:
        Path(stage).chmod(0o711)
        command = [python, "-s", "-P", "-m", "autograder.sandbox.probe", tier, stage]
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            return Finding(tier, f"the lock-down did not finish in {_SECONDS} s")
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    else:
        reason = json.loads(done.stdout)
    if reason and tier == "userns" and (why := user_namespaces_restricted()):
        reason = f"{reason}: {why}"
    return Finding(tier, reason)


def main() -> None:
    """``python -m autograder.sandbox.probe TIER STAGE``: print the reason as JSON."""
    from autograder.sandbox import zygote

    os.umask(0o022)  # as the zygote
    tier, stage = sys.argv[1:]
    entry = "autograder.sandbox.probe:check"
    policy = Policy(cast(Tier, tier), stage=stage, entry=entry, warm=False)
    try:
        reason = _isolate(policy, *zygote.prepare(policy))
    except SandboxError as error:
        reason = f"{error.stage}: {error.reason}"
    print(json.dumps(reason))


def _isolate(policy: Policy, entry: Callable[[socket.socket], None], readable: Readable) -> str:
    """Fork one sandbox that runs :func:`check`; what is wrong, or nothing."""
    from autograder.sandbox import lockdown, mounts, zygote

    home = "" if policy.namespaces else mounts.make_home(policy.stage)
    channel, inner_channel = socket.socketpair()
    report, inner_report = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    lifeline, held_open = os.pipe()
    files = os.memfd_create("files")
    os.pwrite(files, b"{}", 0)
    null = os.open(os.devnull, os.O_WRONLY)
    ours = inner_channel.fileno(), null, inner_report.fileno(), null, files, lifeline
    inner = lockdown.Descriptors(*ours)
    if os.fork() == 0:
        os.close(held_open)
        job = lockdown.Job(policy, Limits(), inner, readable, home)
        zygote.run(job, entry, lifeline, seed=0)
    inner_channel.close()
    inner_report.close()
    answer = json.loads(report.recv(1 << 16) or '{"stage": "start", "error": "it died"}')
    if "error" in answer:
        return f"{answer['stage']}: {answer['error']}"
    verdict = channel.recv(1 << 16).decode() or "the locked-down process died"
    return "" if verdict == "ok" else verdict


def check(channel: socket.socket) -> None:
    """Inside: try a handful of forbidden things, and the one that must work."""
    secret = Path(__file__).parent
    nobody = 1 << 22  # above every pid; in an own pid namespace there is no parent to be seen
    forbidden: dict[str, Callable[[], object]] = {
        "list the course's folder": lambda: list(secret.iterdir()),
        "write to /usr": lambda: Path("/usr/cs231n-probe").write_text("x"),
        "open a TCP socket": lambda: socket.socket(socket.AF_INET),
        "become root": lambda: os.setuid(0),
        "signal the supervisor": lambda: os.kill(os.getppid() or nobody, 0),
    }
    wrong = [f"student code could {what}" for what, act in forbidden.items() if _succeeds(act)]
    if not _succeeds(lambda: Path("probe").write_text("x")):
        wrong.append("the work folder is not writable")
    channel.sendall(("; ".join(wrong) or "ok").encode())


def _succeeds(act: Callable[[], object]) -> bool:
    with contextlib.suppress(OSError):
        act()
        return True
    return False


if __name__ == "__main__":
    main()
