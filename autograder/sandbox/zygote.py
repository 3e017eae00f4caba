"""A warm Python that forks one locked-down kernel for each request of the judge.

Run as ``python -m autograder.sandbox.zygote FD``, where FD is the control socket. It starts from
nothing (exec, scrubbed environment), so that no memory of the judge is in its forks, and it never
runs student code itself. It must stay single-threaded: threads do not survive a fork, and a
torch operation that had started some would hang in every child.

Its first message says what to import. Then it can be asked for twins: forks that have a socket of
their own, and share what was imported and nothing else. It becomes a zygote, as each of its twins
does, when it is told a policy; only then does it enter namespaces, which are nobody else's.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Collection
from functools import cache
from pathlib import Path
from typing import NoReturn

from autograder.sandbox import fresh_start, landlock, lockdown, mounts, seccomp, syscalls
from autograder.sandbox import packages as package_views
from autograder.sandbox.at_hand import AtHand
from autograder.sandbox.packages import Readable
from autograder.sandbox.policy import Gpu, Library, Limits, Packages, Policy, SandboxError

WARM = (
    "numpy", "scipy.linalg", "scipy.ndimage", "scipy.spatial.distance", "scipy.special", "torch",
    "torch.nn.functional", "matplotlib.pyplot", "matplotlib.backends.backend_agg",
    "matplotlib_inline.backend_inline", "IPython.core.interactiveshell", "IPython.core.completer",
    "PIL.Image", "autograder.sandbox.wire",
)  # fmt: skip
# Commands and downloads: slow to import, and of no use without a network.
NOT_WARM = ("cs231n_lib.cli", "cs231n_lib.data.fetch", "cs231n_lib.hand_in", "cs231n_lib.submit")
STUDENT_UID = 1000  # inside a user namespace
_FAILED_BEFORE_STUDENT_CODE = 70  # EX_SOFTWARE

Entry = Callable[[socket.socket], None]


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    syscalls.set_dumpable(False)
    os.umask(0o022)  # whatever the grader's: a sandbox's own user has to enter what we make
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is the judge's to handle
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # supervisors report by themselves
    with contextlib.suppress(Exception):  # what fails here fails again, and is told then
        ahead = json.loads(control.recv(1 << 16))
        import_ahead(**{**ahead, "library": Library.from_json(ahead["library"])})
    control, told = _wait_for_policy(control)
    if not told:
        return  # there is nothing to grade after all
    started = time.monotonic()
    try:
        policy = Policy.from_json(json.loads(told))
        entry, readable = prepare(policy)
    except Exception as error:
        known = isinstance(error, SandboxError)
        answer = (
            {"stage": error.stage, "error": error.reason}
            if known
            else {"stage": "imports", "error": repr(error)}
        )
        control.send(json.dumps(answer).encode())
        sys.exit(1)
    version = landlock.abi()
    program = None
    if policy.tier != "none" and (policy.namespaces or version >= 6):
        program = seccomp.compile_filter(namespaces=policy.namespaces, landlock_abi=version)
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, every page of ours
    at_hand = AtHand(policy.env)
    lifeline, _held_open = os.pipe()
    control.send(json.dumps({"ready": time.monotonic() - started}).encode())
    while True:
        message, fds, _, _ = socket.recv_fds(control, 1 << 16, 7)
        if not message:
            return  # the judge is gone; the lifeline ends with us, and all sandboxes with it
        request = json.loads(message)
        gpu = Gpu.from_json(request["gpu"]) if request["gpu"] else None
        at_hand.load(request["prepared"])
        job = lockdown.Job(
            policy=policy,
            limits=Limits(**request["limits"]),
            fds=lockdown.Descriptors(*fds),
            readable=readable,
            home=request["home"],
            filter=None if gpu else program,
            gpu=gpu,
            inherited=at_hand.inherited,
        )
        pid = os.fork()
        if pid == 0:
            control.close()
            os.close(_held_open)
            job.stages["fork"] = time.monotonic()
            run(job, entry, lifeline, request["seed"])
        for fd in fds:
            os.close(fd)
        control.send(json.dumps({"pid": pid, "id": request["id"]}).encode())


def _wait_for_policy(control: socket.socket) -> tuple[socket.socket, bytes]:
    """The policy, and the socket it came by: in the process that was started, and in its twins.

    An empty policy: nobody wants this process any more.
    """
    gc.collect()
    gc.freeze()  # a collection in a twin would touch, and so copy, every page of ours
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 1 << 20, 1)
        if not descriptors:
            return control, message
        pid = os.fork()
        if pid == 0:
            control.close()
            control = socket.socket(fileno=descriptors[0])
        else:
            os.close(descriptors[0])
            _introduce(control, pid, json.loads(message)["id"])


def _introduce(control: socket.socket, twin: int, request: str) -> None:
    """Send the pid of a twin, and a descriptor that is its own for ever."""
    try:
        descriptor = os.pidfd_open(twin)
    except OSError as error:  # it has ended already
        answer = {"id": request, "stage": "twin", "error": str(error)}
        control.send(json.dumps(answer).encode())
        return
    message = json.dumps({"pid": twin, "id": request}).encode()
    socket.send_fds(control, [message], [descriptor])
    os.close(descriptor)


def import_ahead(packages: Packages, entry: str, *, warm: bool, library: Library) -> None:
    """Import what notebooks use, and the agent, before the policy is known."""
    views = package_views.views(mounts.readable_paths((), library)) if packages != "all" else ()
    hidden = package_views.hide(views) if views else ()
    _warm_up(hidden, library, warm=warm)
    _entry(entry)


def prepare(policy: Policy) -> tuple[Entry, Readable]:
    """Import everything, then enter the namespaces that all sandboxes share.

    Returns the agent's entry and what a sandbox may read. Raises SandboxError.
    """
    syscalls.set_dumpable(False)
    readable = _readable(policy)
    hidden = package_views.hide(readable.views) if readable.views else ()
    _warm_up(hidden, policy.library, warm=policy.warm)
    entry = _entry(policy.entry)
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads > 1:
        raise SandboxError("imports", f"{threads} threads run after the imports; forks would hang")
    try:
        _enter_namespaces(policy, readable)
    except OSError as error:
        raise SandboxError("namespaces of the zygote", str(error)) from error
    if policy.tier == "flat" and os.geteuid() == 0:
        _refuse_unreadable(readable.paths)
    return entry, readable


@cache
def _entry(name: str) -> Entry:
    """What is called in a sandbox, its module prepared for that, once."""
    module_name, _, function = name.partition(":")
    module = importlib.import_module(module_name)
    if hasattr(module, "prepare"):
        module.prepare()
    return getattr(module, function)


def _readable(policy: Policy) -> Readable:
    """What a sandbox may read. With an own root, the views are mounted; else they are rules."""
    gpu_readable = mounts.GPU_READABLE if policy.gpu_nodes else ()
    paths = mounts.readable_paths((*policy.readable, *gpu_readable), policy.library)
    if policy.packages == "all":
        return Readable(paths)
    views = package_views.views(paths)
    if policy.namespaces:
        return Readable(paths, views)
    folders = [path for path in paths if Path(path).is_dir()]
    return Readable(package_views.without(paths, views), views, listed=folders)


def _warm_up(hidden: Collection[str], course: Library, *, warm: bool) -> None:
    """Import what notebooks use, but what is ``hidden`` and what cannot do without it.

    A library in a course's folder is imported always: nobody inside can list that folder.
    """
    if not warm and not course.folder:
        return
    for name in (*(WARM if warm else ()), *_modules_of(course)):
        if not name.startswith(NOT_WARM):
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                if error.name not in hidden:
                    raise


def _modules_of(course: Library) -> list[str]:
    """The modules that students import. Raises SandboxError where the package is not there."""
    if course.folder and course.folder not in sys.path:
        sys.path.append(course.folder)  # last: nothing in there takes the name of anything else
    try:
        library = importlib.import_module(course.name)
    except Exception as error:
        raise _not_importable(course, error) from error
    file = Path(library.__file__ or "")
    if course.folder and Path(course.folder, course.name) not in file.parents:
        raise _not_importable(course, ImportError(f"{file} has that name, too"))
    found = pkgutil.walk_packages(library.__path__, f"{course.name}.")
    return [module.name for module in found if not module.name.endswith(".__main__")]


def _not_importable(course: Library, error: Exception) -> SandboxError:
    return SandboxError(
        "imports",
        f"the students' library {course.name!r} in {course.folder or 'this installation'} cannot "
        f"be imported ({type(error).__name__}: {error}); mend it, or `library` in course.toml",
    )


def _enter_namespaces(policy: Policy, readable: Readable) -> None:
    as_root = os.geteuid() == 0
    if policy.tier == "root":
        if not as_root:
            raise PermissionError("needs root")
        syscalls.unshare(syscalls.NEWNS)
        mounts.build_base(policy.stage, readable, policy.gpu_nodes)
    elif policy.tier == "userns":
        if as_root:  # never map root itself; and what root can read, the new user may not
            syscalls.unshare(syscalls.NEWNS)
            mounts.build_base(policy.stage, readable, policy.gpu_nodes)
            lockdown.become(lockdown.own_uid(os.getpid()))
        outside = os.geteuid(), os.getegid()
        syscalls.set_dumpable(True)  # else the maps belong to root
        syscalls.unshare(syscalls.NEWUSER | syscalls.NEWNS)
        Path("/proc/self/setgroups").write_text("deny")
        for kind, outer in zip(("uid", "gid"), outside, strict=True):
            Path(f"/proc/self/{kind}_map").write_text(f"{STUDENT_UID} {outer} 1")
        syscalls.set_dumpable(False)
        if not as_root:
            mounts.build_base(policy.stage, readable, policy.gpu_nodes)


def _refuse_unreadable(readable: list[str]) -> None:
    """In the flat tier root gives each sandbox an own user: can that one read Python?"""
    # Before the fork: a child that ends while the signal is ignored leaves nothing to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            lockdown.become(lockdown.own_uid(os.getpid()))
            os._exit(sum(not os.access(path, os.R_OK) for path in readable) > 0)
        os._exit(2)
    failed = os.waitpid(child, 0)[1]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if failed:
        raise SandboxError(
            "user",
            f"other users cannot read Python ({sys.base_prefix}), the packages ({sys.prefix}) or "
            "what students import of the course; have them outside a private home, or grade as an "
            "ordinary user",
        )


def run(job: lockdown.Job, entry: Entry, lifeline: int, seed: int) -> NoReturn:
    """The life of a forked child. Without every layer in place no student code runs."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        lockdown.start(job, lifeline)
        fresh_start.settle(job, seed)
        job.stages["ready"] = time.monotonic()
    except BaseException as error:
        stage = error.stage if isinstance(error, SandboxError) else "start"
        text = error.reason if isinstance(error, SandboxError) else repr(error)
        lockdown.report(job, {"stage": stage, "error": text})
        os._exit(_FAILED_BEFORE_STUDENT_CODE)
    lockdown.report(job, {"stages": job.stages})
    status = 0
    try:
        entry(socket.socket(fileno=job.fds.channel))
    except SystemExit as request:
        status = request.code if isinstance(request.code, int) else int(request.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(status & 0xFF)


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # whoever asked has gone
        main()
