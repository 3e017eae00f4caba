"""The file system a sandbox sees.

With namespaces it is an own root: read-only binds of Python and the system's libraries, sized
tmpfs for everything writable, and nothing of the course but what students import. The zygote builds
the read-only part once (:func:`build_base`); each sandbox adds its own writable part to a private
copy of the mount table (:func:`enter`). Without namespaces Landlock allows the same paths.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterable
from pathlib import Path

from autograder.sandbox.packages import Readable
from autograder.sandbox.policy import OWN_LIBRARY, Library, Limits, SandboxError
from autograder.sandbox.syscalls import (
    MOUNT_ATTR_NODEV,
    MOUNT_ATTR_NOSUID,
    MOUNT_ATTR_RDONLY,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_REC,
    mount,
    mount_setattr,
    pivot_into,
)

WORK, TMP, SHM = "/box", "/tmp", "/dev/shm"  # where a sandbox may write
DEVICES = ("/dev/null", "/dev/random", "/dev/urandom")  # /dev/zero would be uncounted memory
_SYSTEM = (
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/etc/alternatives",
    "/etc/fonts", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime",
    "/etc/mime.types", "/sys/devices/system/cpu",
)  # fmt: skip  # torch.compile asks /sbin/ldconfig where libcuda is
# What CUDA reads to find a GPU; only where there is one.
GPU_READABLE = ("/proc/driver/nvidia", "/sys/bus/pci", "/sys/devices", "/sys/module")
PROC_FOR_FLAT = (
    "/proc/self", "/proc/cpuinfo", "/proc/filesystems", "/proc/meminfo", "/proc/stat",
    "/proc/sys/vm",
)  # fmt: skip
_SMALL = "size=1m,nr_inodes=4096,mode=755"  # of a file system that holds names alone
_COURSE_SECRETS = (
    "autograder", "source", "release", "submitted", "autograded", "feedback", "solutions",
    "gradebook.db", "tests",
)  # fmt: skip
_ALSO_OF_A_COURSE = (
    ".autograder", "downloaded", "report", "demo", "course.toml", "nbgrader_config.py",
)  # fmt: skip
_MARKS_A_COURSE = ("nbgrader_config.py", "gradebook.db", ".autograder", "submitted")


def readable_paths(extra: Iterable[str] = (), course: Library = OWN_LIBRARY) -> list[str]:
    """Everything a sandbox may read: system, Python, packages, what students import, ``extra``.

    Raises SandboxError when a path holds, or lies in, what students must not see.
    """
    python = [sys.base_prefix, sys.base_exec_prefix, sys.prefix]
    python += [sysconfig.get_path(name) for name in ("purelib", "platlib")]
    spec = importlib.util.find_spec("cs231n_lib")
    if spec is None or spec.origin is None:
        raise SandboxError("paths", "cs231n_lib is not installed; run `pip install -e .`")
    library = Path(spec.origin).parent
    extra = list(extra)
    _refuse_courses(extra)
    wanted = [*python, str(library), *extra]
    if course.folder:
        wanted.append(str(Path(course.folder, course.name)))
    found = {os.path.abspath(path) for path in wanted if Path(path).exists()}  # noqa: PTH100
    real = found | {os.path.realpath(path) for path in found}
    system = [path for path in _SYSTEM if Path(path).exists()]
    every = sorted(real.union(system))
    _refuse_secrets(every, course)
    return [path for path in every if not _inside_any(path, (p for p in every if p != path))]


def _inside_any(path: str, folders: Iterable[str]) -> bool:
    return any(Path(path).is_relative_to(folder) for folder in folders)


def _refuse_courses(folders: Iterable[str]) -> None:
    """A course, a folder in which courses lie, or what is secret in one, is no folder for data.

    Whoever grades a course that lies elsewhere than the engine could name it, and it would hold
    what everybody has handed in.
    """
    for folder in map(Path, folders):
        patterns = (mark for name in _MARKS_A_COURSE for mark in (name, f"*/{name}"))
        found = next((one for pattern in patterns for one in folder.glob(pattern)), None)
        for parent in folder.absolute().parents:
            inside = folder.absolute().relative_to(parent).parts[0]
            secret = inside in (*_COURSE_SECRETS, *_ALSO_OF_A_COURSE)
            if secret and (parent / "nbgrader_config.py").exists():
                found = parent / inside
        if found:
            raise SandboxError(
                "paths",
                f"{folder} would be readable by student code, but {found}, which is part of a "
                "course, must not be; keep data in a folder of its own, outside of courses",
            )


def _refuse_secrets(paths: Iterable[str], course: Library) -> None:
    engine = Path(__file__).resolve().parents[2]
    secrets = [engine / name for name in (*_COURSE_SECRETS, *_ALSO_OF_A_COURSE)]
    if course.folder:
        names = (*_COURSE_SECRETS, *_ALSO_OF_A_COURSE, *course.hidden)
        secrets += [Path(course.folder, name).resolve() for name in names]
    for secret in secrets:
        for path in paths:
            if secret.is_relative_to(path) or Path(path).is_relative_to(secret):
                raise SandboxError(
                    "paths",
                    f"{path} would be readable by student code, but {secret} must not be; "
                    "keep Python, data and the course in folders of their own",
                )


def make_home(parent: str | None = None) -> str:
    """A folder of the host for a sandbox that has no own root, with work/ and tmp/ in it."""
    home = Path(tempfile.mkdtemp(prefix="cs231n-sandbox-", dir=parent))
    home.chmod(0o711)  # the sandbox may run as another user
    for name in ("work", "tmp"):
        (home / name).mkdir(mode=0o700)
    return str(home)


def build_base(stage: str, readable: Readable, places: Iterable[str] = ()) -> None:
    """Build the read-only part of every sandbox's root on the empty folder ``stage``.

    ``places``: of devices that :func:`enter` may put there. Call in a mount namespace of its own.
    """
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount("tmpfs", stage, "tmpfs", MS_NOSUID | MS_NODEV, _SMALL)
    for path in readable.paths:
        _bind(stage, path)
    for view in readable.views:
        _show_only(stage + view.folder, view.shown)
    for folder in (WORK, TMP, SHM, "/dev/pts", "/proc", "/etc"):
        Path(stage + folder).mkdir(parents=True, exist_ok=True)
    links = {"fd": "/proc/self/fd", "ptmx": "pts/ptmx"}
    links |= {name: f"/proc/self/fd/{n}" for n, name in enumerate(("stdin", "stdout", "stderr"))}
    for name, target in links.items():
        Path(f"{stage}/dev/{name}").symlink_to(target)
    for path in (*DEVICES, *places):
        Path(stage + path).touch()
    mount_setattr(stage, add=MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
    for path in DEVICES:
        mount(path, stage + path, None, MS_BIND)


def _show_only(folder: str, names: Iterable[str]) -> None:
    """Cover ``folder`` with an empty one, in which only ``names`` of it are bound again."""
    held = {name: os.open(f"{folder}/{name}", os.O_PATH) for name in names}
    mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, _SMALL)
    for name, descriptor in held.items():
        _bind_held(descriptor, Path(folder, name))


def _bind_held(descriptor: int, target: Path) -> None:
    """Bind what an open ``descriptor`` stands for at ``target``, and close it."""
    source = f"/proc/self/fd/{descriptor}"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.mkdir(exist_ok=True) if Path(source).is_dir() else target.touch()
    mount(source, str(target), None, MS_BIND | MS_REC)
    os.close(descriptor)


def _bind(stage: str, path: str) -> None:
    source, target = Path(path), Path(stage + path)
    if target.exists() or target.is_symlink():
        return  # below something bound already
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink() and not source.is_dir():
        source = source.resolve()
    if source.is_symlink():  # /bin -> usr/bin
        target.symlink_to(source.readlink())
        return
    if source.is_dir():
        target.mkdir()
    else:
        target.touch()
    mount(str(source), str(target), None, MS_BIND | MS_REC)


def enter(
    stage: str,
    uid: int,
    limits: Limits,
    readable: Iterable[str] = (),
    devices: Iterable[str] = (),
) -> None:
    """Add ``devices`` and the writable part, owned by ``uid``; make ``stage`` the root directory.

    What is ``readable`` below a writable folder (a checkout in /tmp) is bound again on top of it.

    Call in a mount and pid namespace of its own, with the host's /proc still mounted: the kernel
    grants a new one only to those who could see the old one.
    """
    # A root copied from a more privileged namespace is locked; a bind of it is not.
    mount(stage, stage, None, MS_BIND | MS_REC)
    for path in devices:
        mount(path, stage + path, None, MS_BIND)
    covered = [path for path in readable if _inside_any(path, (WORK, TMP, SHM))]
    held = {path: os.open(stage + path, os.O_PATH) for path in covered}
    sizes = {WORK: limits.work_bytes, TMP: limits.tmp_bytes, SHM: limits.shm_bytes}
    for path, size in sizes.items():
        options = f"size={size},nr_inodes={limits.inodes},mode=700,uid={uid},gid={uid}"
        mount("tmpfs", stage + path, "tmpfs", MS_NOSUID | MS_NODEV, options)
    for path, descriptor in held.items():
        _bind_held(descriptor, Path(stage + path))
    terminals = "newinstance,ptmxmode=0666,mode=600,max=16"
    mount("devpts", f"{stage}/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, terminals)
    mount("proc", f"{stage}/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    pivot_into(stage)
