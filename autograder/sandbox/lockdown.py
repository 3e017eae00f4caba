"""From a fresh fork of the zygote to a process that can hurt nobody.

Two processes: the *supervisor* stays outside, waits, and leaves nothing behind; the *kernel* is
locked down layer by layer and then runs student code. In the tiers with namespaces the kernel is
pid 1 of its own pid namespace, so that its end is the end of everything it started.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import resource
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder.sandbox import landlock, mounts, seccomp, supervisor, syscalls
from autograder.sandbox.at_hand import Inherited
from autograder.sandbox.packages import Readable
from autograder.sandbox.policy import Gpu, Limits, Policy, SandboxError

_NAMESPACES = (
    syscalls.NEWNS | syscalls.NEWPID | syscalls.NEWNET
    | syscalls.NEWIPC | syscalls.NEWUTS | syscalls.NEWCGROUP
)  # fmt: skip
# From here to 0x7fffffff no distribution, container manager or systemd hands out user ids
# (systemd.io/UIDS-GIDS). Adding a pid makes one that no other sandbox of this host has.
_FIRST_UID = 0x70000000
CHANNEL_FD = 3  # of the kernel; 0 is /dev/null, 1 and 2 are the judge's pipe


@dataclass(frozen=True)
class Descriptors:
    """What the judge sent along with a request."""

    channel: int
    stdio: int
    report: int  # SOCK_SEQPACKET: how the lock-down went
    exit: int  # how the kernel ended, written when nothing is left of it
    files: int  # memory file with JSON: path in the work folder -> content in base64
    lifeline: int  # ends with the process that asked
    group: int = -1  # of a memory cgroup to join: its cgroup.procs


@dataclass
class Job:
    """One sandbox to be."""

    policy: Policy
    limits: Limits
    fds: Descriptors  # numbers change on the way
    readable: Readable  # computed once in the zygote
    home: str = ""  # folder on the host with work/ and tmp/, for tiers without an own root
    filter: bytes | None = None  # for seccomp, compiled once in the zygote
    gpu: Gpu | None = None
    inherited: Inherited = field(default_factory=Inherited)  # of what the zygote has loaded
    stages: dict[str, float] = field(default_factory=dict)  # name -> monotonic time at its end
    handles: tuple[int, ...] = ()  # for the judge: the work folder, a pidfd of the kernel process

    @property
    def work(self) -> str:
        return mounts.WORK if self.policy.namespaces else f"{self.home}/work"

    @property
    def tmp(self) -> str:
        return mounts.TMP if self.policy.namespaces else f"{self.home}/tmp"

    @contextlib.contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Name the layer at work: a failure becomes a SandboxError that says so."""
        try:
            yield
        except OSError as error:
            raise SandboxError(name, str(error)) from error
        self.stages[name] = time.monotonic()


def own_uid(pid: int, id_map: str = "/proc/self/uid_map") -> int:
    """A user id that nobody else has, within the ids this process may take.

    In a container with few ids, two sandboxes share one if their processes' ids differ by a
    multiple of half as many; they then still have namespaces of their own.
    """
    rows = [tuple(map(int, line.split())) for line in Path(id_map).read_text().splitlines()]
    for first, _, count in rows:
        if first <= _FIRST_UID and first + count >= _FIRST_UID + (1 << 22):
            return _FIRST_UID + pid
    first, _, count = max(rows, key=lambda row: row[2])  # a container with few ids
    if count < 1 << 14:
        raise OSError(f"only {count} user ids here; need {1 << 14} to give each sandbox its own")
    return first + count - 1 - pid % (count // 2)


def become(uid: int) -> None:
    """Take ``uid`` as user and group, for ever."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def start(job: Job, lifeline: int) -> None:
    """Called in a fork of the zygote; returns in the kernel process, locked down.

    The supervisor never returns. ``lifeline`` is a pipe that ends when the zygote does; another
    one came with the job. Raises SandboxError as soon as a layer fails.
    """
    os.setsid()
    if job.fds.group >= 0:
        with job.stage("memory group"):
            os.write(job.fds.group, b"0")  # ourselves, and so all that we shall start
    with job.stage("namespaces"):
        if job.policy.namespaces:
            syscalls.unshare(_NAMESPACES)
        else:
            syscalls.become_subreaper()
    kernel = os.fork()
    if kernel:
        lifelines = lifeline, job.fds.lifeline
        supervisor.watch(kernel, job.fds.exit, lifelines, sweep=not job.policy.namespaces)
    job.stages["second fork"] = time.monotonic()
    _lock(job)
    os.chdir(job.work)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _lock(job: Job) -> None:
    """Every layer, in the one order that works."""
    policy = job.policy
    syscalls.die_with_parent(signal.SIGKILL)
    with job.stage("user"):
        if not policy.namespaces:
            os.setpgid(0, 0)  # the group is how the supervisor reaches everybody
        drop_user = os.geteuid() == 0 and policy.tier in ("root", "flat")
        host_pid = int(Path("/proc/self").readlink().name)  # this /proc is still the host's
        uid = own_uid(host_pid) if drop_user else os.geteuid()
        syscalls.set_dumpable(True)  # else the file below belongs to root
        Path("/proc/self/oom_score_adj").write_text("1000")  # the first to go
        if drop_user and not policy.namespaces:
            for folder in (job.work, job.tmp):
                os.chown(folder, uid, uid)
    if policy.namespaces:
        with job.stage("root file system"):
            devices = job.gpu.nodes if job.gpu else ()
            mounts.enter(policy.stage, uid, job.limits, job.readable.paths, devices)
    with job.stage("descriptors"):
        _keep_only_ours(job)
        if drop_user:
            become(uid)
    with job.stage("files"):
        _write_files(job)
    if policy.tier == "none":
        return
    with job.stage("privileges"):
        syscalls.set_no_new_privs()
        syscalls.drop_capabilities()
        # Without a pid namespace, others of our user could look into us.
        syscalls.set_dumpable(policy.namespaces)
        syscalls.die_with_parent(signal.SIGKILL)  # the change of user cleared it
    with job.stage("limits"):
        others = 0 if drop_user or policy.namespaces else _tasks_of(uid)
        _limit(job.limits, job.inherited, others=others, gpu=job.gpu is not None)
    _restrict(job)


def _restrict(job: Job) -> None:
    """Landlock and seccomp, which cannot be undone and bind every process to come."""
    policy = job.policy
    version = landlock.abi()
    with job.stage("landlock"):
        if version:
            landlock.restrict(_landlock_rules(job))
        elif not policy.namespaces:
            raise OSError("this kernel has no Landlock, and without it nothing guards the files")
    with job.stage("seccomp"):
        program = job.filter or seccomp.compile_filter(
            namespaces=policy.namespaces,
            landlock_abi=version,
            own_pid=os.getpid(),
            gpu=job.gpu is not None,
        )
        seccomp.load(program)


def _landlock_rules(job: Job) -> list[tuple[str, landlock.Access]]:
    rules = [(path, landlock.READ) for path in job.readable.paths]
    rules += [(path, landlock.Access.READ_DIR) for path in job.readable.listed]
    rules += [(path, landlock.DEVICE) for path in mounts.DEVICES]
    rules += [(path, landlock.WRITE) for path in (job.work, job.tmp)]
    if job.policy.namespaces:
        rules += [(mounts.SHM, landlock.WRITE), ("/dev/pts", landlock.TERMINALS)]
        rules += [("/proc", landlock.READ)]
    else:
        rules += [(path, landlock.READ) for path in mounts.PROC_FOR_FLAT]
    if job.gpu:
        rules += [(path, landlock.GPU) for path in job.gpu.nodes]
        rules += [("/proc/self/task", landlock.NAMING)]  # CUDA gives its threads names
    return rules


def _keep_only_ours(job: Job) -> None:
    """Close all descriptors but standard input and output, the channel, and what is for now."""
    null = os.open("/dev/null", os.O_RDWR)
    work = os.open(job.work, os.O_PATH | os.O_DIRECTORY)
    wanted = [null, job.fds.stdio, job.fds.stdio, job.fds.channel]
    wanted += [job.fds.report, job.fds.files, work, os.pidfd_open(os.getpid())]
    out_of_the_way = 64
    parked = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, out_of_the_way) for fd in wanted]
    for number, fd in enumerate(parked):
        os.dup2(fd, number, inheritable=number < CHANNEL_FD)
    syscalls.close_from(len(wanted))
    job.fds = Descriptors(stdio=1, channel=CHANNEL_FD, report=4, files=5, exit=-1, lifeline=-1)
    job.handles = (6, 7)


def _write_files(job: Job) -> None:
    """Put the submission into the work folder, as the user who will own it."""
    with os.fdopen(job.fds.files, "rb") as file:
        files: dict[str, str] = json.load(file)
    for name, content in files.items():
        path = Path(job.work, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(content))


def report(job: Job, message: dict[str, Any]) -> None:
    """Tell the judge, hand over the handles, and close everything but the channel."""
    with contextlib.suppress(OSError), socket.socket(fileno=job.fds.report) as link:
        socket.send_fds(link, [json.dumps(message).encode()], job.handles)
    for fd in job.handles:
        os.close(fd)


def _limit(limits: Limits, inherited: Inherited, *, others: int, gpu: bool) -> None:
    """``others``: the user's processes outside, which use up the same allowance.

    What is ``inherited`` comes on top.
    With a GPU the address space has no limit: CUDA maps the memory of all devices and of the host.
    """
    space = 2 * limits.memory_bytes + (4 << 30) + inherited.space  # torch maps what it may use
    address_space = {"RLIMIT_AS": space}
    for name, value in {
        **({} if gpu else address_space),
        "RLIMIT_DATA": limits.memory_bytes + inherited.data,
        "RLIMIT_NPROC": limits.processes + others,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_FSIZE": limits.file_bytes,
        "RLIMIT_CPU": limits.cpu_seconds,
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 1 << 20,
        "RLIMIT_MSGQUEUE": 0,
    }.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(kind, (value, value))


def _tasks_of(uid: int) -> int:
    count = 0
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if process.name.isdigit() and process.stat().st_uid == uid:
                count += len(list((process / "task").iterdir()))
    return count
