"""Landlock: which files a process may touch, whatever the mount view (Linux 5.13 and later).

Rules grant access below a path; all else is refused, for this thread and its children, for ever.
See Documentation/userspace-api/landlock.rst in the kernel.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from enum import IntFlag, auto
from pathlib import Path

from autograder.sandbox import syscalls


class Access(IntFlag):
    """``LANDLOCK_ACCESS_FS_*``, in the kernel's order of bits."""

    EXECUTE = auto()
    WRITE_FILE = auto()
    READ_FILE = auto()
    READ_DIR = auto()
    REMOVE_DIR = auto()
    REMOVE_FILE = auto()
    MAKE_CHAR = auto()
    MAKE_DIR = auto()
    MAKE_REG = auto()
    MAKE_SOCK = auto()
    MAKE_FIFO = auto()
    MAKE_BLOCK = auto()
    MAKE_SYM = auto()
    REFER = auto()
    TRUNCATE = auto()
    IOCTL_DEV = auto()


_FOR_FILES = (
    Access.EXECUTE | Access.WRITE_FILE | Access.READ_FILE | Access.TRUNCATE | Access.IOCTL_DEV
)
READ = Access.EXECUTE | Access.READ_FILE | Access.READ_DIR
DEVICE = Access.READ_FILE | Access.WRITE_FILE
GPU = DEVICE | Access.IOCTL_DEV
NAMING = Access.READ_FILE | Access.READ_DIR | Access.WRITE_FILE | Access.TRUNCATE
TERMINALS = DEVICE | Access.READ_DIR | Access.IOCTL_DEV
WRITE = (
    READ | Access.WRITE_FILE | Access.TRUNCATE | Access.REFER | Access.REMOVE_DIR
    | Access.REMOVE_FILE | Access.MAKE_DIR | Access.MAKE_REG | Access.MAKE_SOCK | Access.MAKE_SYM
)  # fmt: skip

_VERSION_FLAG = 1  # LANDLOCK_CREATE_RULESET_VERSION
_PATH_BENEATH = 1  # LANDLOCK_RULE_PATH_BENEATH
_TCP = 0b11  # bind, connect
_SCOPES = 0b11  # abstract unix sockets and signals stay inside


def abi() -> int:
    """The kernel's Landlock version; 0 where it has none or it is switched off."""
    try:
        return syscalls.call("landlock_create_ruleset", None, 0, _VERSION_FLAG)
    except OSError:
        return 0


def _handled(version: int) -> tuple[Access, bytes]:
    """Everything this kernel can refuse: the file accesses, and the whole ruleset attribute."""
    files = Access((1 << 13) - 1)
    if version >= 2:
        files |= Access.REFER
    if version >= 3:
        files |= Access.TRUNCATE
    if version >= 5:
        files |= Access.IOCTL_DEV
    network = _TCP if version >= 4 else 0
    scopes = _SCOPES if version >= 6 else 0
    size = 24 if version >= 6 else 16 if version >= 4 else 8  # the attribute grew over time
    return files, struct.pack("QQQ", files, network, scopes)[:size]


def restrict(rules: Iterable[tuple[str, Access]]) -> None:
    """Allow this process exactly ``rules``; paths that do not exist are left out.

    Needs no_new_privs. Raises OSError.
    """
    files, attribute = _handled(abi())
    ruleset = syscalls.call("landlock_create_ruleset", attribute, len(attribute), 0)
    try:
        for path, access in rules:
            if not Path(path).exists():
                continue
            target = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                allowed = access & files & (files if Path(path).is_dir() else _FOR_FILES)
                rule = struct.pack("=Qi", allowed, target)
                syscalls.call("landlock_add_rule", ruleset, _PATH_BENEATH, rule, 0)
            finally:
                os.close(target)
        syscalls.call("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)
