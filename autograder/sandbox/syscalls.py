"""The few system calls that Python does not wrap, for x86-64 and aarch64 Linux."""

from __future__ import annotations

import ctypes
import functools
import os
import platform
import struct
from pathlib import Path

# name, number on x86-64, number on aarch64; "-" where the machine has no such call. From the
# kernel's asm/unistd_64.h and asm-generic/unistd.h.
_TABLE = """
    _sysctl 156 -; acct 163 89; add_key 248 217; adjtimex 159 171; bpf 321 280; chmod 90 -;
    chown 92 -; chroot 161 51; clock_adjtime 305 266; clock_settime 227 112; clone 56 220;
    clone3 435 435; close_range 436 436; connect 42 203; delete_module 176 106;
    fanotify_init 300 262; fanotify_mark 301 263; fchmod 91 52; fchmodat 268 53;
    fchmodat2 452 452; fchown 93 55; fchownat 260 54; finit_module 313 273; fremovexattr 199 16;
    fsconfig 431 431; fsetxattr 190 7; fsmount 432 432; fsopen 430 430; fspick 433 433;
    futimesat 261 -; init_module 175 105; inotify_add_watch 254 27; io_uring_enter 426 426;
    io_uring_register 427 427; io_uring_setup 425 425; ioctl 16 29; ioperm 173 -; iopl 172 -;
    ioprio_set 251 30; kcmp 312 272; kexec_file_load 320 294; kexec_load 246 104; keyctl 250 219;
    kill 62 129; landlock_add_rule 445 445; landlock_create_ruleset 444 444;
    landlock_restrict_self 446 446; lchown 94 -; lookup_dcookie 212 18; lremovexattr 198 15;
    lsetxattr 189 6; memfd_create 319 279; memfd_secret 447 447; migrate_pages 256 238;
    mknod 133 -; mknodat 259 33; mmap 9 222; modify_ldt 154 -; mount 165 40;
    mount_setattr 442 442; move_mount 429 429; move_pages 279 239; mq_open 240 180;
    msgget 68 186; name_to_handle_at 303 264; nfsservctl 180 42; open_by_handle_at 304 265;
    open_tree 428 428; openat2 437 437; perf_event_open 298 241; personality 135 92;
    pidfd_getfd 438 438; pidfd_send_signal 424 424; pivot_root 155 41; prctl 157 167;
    prlimit64 302 261; process_madvise 440 440; process_mrelease 448 448; process_vm_readv 310 270;
    process_vm_writev 311 271; ptrace 101 117; quotactl 179 60; quotactl_fd 443 443;
    reboot 169 142; removexattr 197 14; removexattrat 466 466; request_key 249 218;
    rt_sigqueueinfo 129 138; rt_tgsigqueueinfo 297 240; sched_setaffinity 203 122;
    sched_setattr 314 274; sched_setparam 142 118; sched_setscheduler 144 119; seccomp 317 277;
    semget 64 190; setdomainname 171 162; sethostname 170 161; setns 308 268; setpgid 109 154;
    setpriority 141 140; setsid 112 157; setsockopt 54 208; settimeofday 164 170; setxattr 188 5;
    setxattrat 463 463; shmat 30 196; shmget 29 194; socket 41 198; socketpair 53 199;
    swapoff 168 225; swapon 167 224; sysfs 139 -; syslog 103 116; tgkill 234 131; tkill 200 130;
    truncate 76 45; umount2 166 39; unshare 272 97; uselib 134 -; userfaultfd 323 282;
    ustat 136 -; utime 132 -; utimensat 280 88; utimes 235 -; vhangup 153 58; vmsplice 278 75
"""

MACHINES = ("x86_64", "aarch64")
NEWEST = 466  # removexattrat: the newest call somebody has looked at


@functools.cache
def numbers(machine: str = platform.machine()) -> dict[str, int]:
    """System call numbers of ``machine`` by name; calls it does not have are absent."""
    if machine not in MACHINES:
        raise OSError(
            f"isolation is written for {' and '.join(MACHINES)}, this machine is {machine!r}; "
            "grade on one of those"
        )
    column = 1 + MACHINES.index(machine)
    rows = (row.split() for row in _TABLE.replace("\n", " ").split(";"))
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


# clone(2) flags, <linux/sched.h>
NEWTIME, NEWNS, NEWCGROUP, NEWUTS = 0x80, 0x20000, 0x2000000, 0x4000000
NEWIPC, NEWUSER, NEWPID, NEWNET = 0x8000000, 0x10000000, 0x20000000, 0x40000000
# mount(2) flags, <linux/mount.h>
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18
# mount_setattr(2)
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV = 1, 2, 4
_AT_FDCWD, _AT_RECURSIVE, _MNT_DETACH = -100, 0x8000, 2
# openat2(2)
_RESOLVE_NO_XDEV, _RESOLVE_NO_MAGICLINKS, _RESOLVE_NO_SYMLINKS, _RESOLVE_BENEATH = 1, 2, 4, 8
# prctl(2)
_PR_SET_PDEATHSIG, PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _CLEAR_ALL = 36, 38, 47, 4
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def call(name: str, *args: int | bytes | None) -> int:
    """``syscall(2)`` by name. Raises OSError with the call's name."""
    # Every argument is a full register: ctypes would pass a bare int as 32 bits.
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    result = _libc.syscall(ctypes.c_long(numbers()[name]), *words)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def _prctl(option: int, value: int = 0, third: int = 0) -> int:
    result = _libc.prctl(option, *(ctypes.c_ulong(a) for a in (value, third, 0, 0)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl({option}): {os.strerror(code)}")
    return result


def unshare(flags: int) -> None:
    call("unshare", flags)


def mount(
    source: str | None, target: str, kind: str | None = None, flags: int = 0, data: str = ""
) -> None:
    def c_string(text: str | None) -> bytes | None:
        return None if text is None else os.fsencode(text)

    try:
        call("mount", c_string(source), c_string(target), c_string(kind), flags, c_string(data))
    except OSError as error:
        raise OSError(error.errno, f"mount {source or ''} on {target}: {error.strerror}") from None


def mount_setattr(path: str, *, add: int = 0, clear: int = 0, recursive: bool = True) -> None:
    """Change the flags of a mount and, if recursive, of all below it (Linux 5.12)."""
    attributes = struct.pack("QQQQ", add, clear, 0, 0)
    flags = _AT_RECURSIVE if recursive else 0
    call("mount_setattr", _AT_FDCWD, os.fsencode(path), flags, attributes, len(attributes))


def pivot_into(root: str) -> None:
    """Make ``root`` (a mount point) the root directory and let go of the old one."""
    os.chdir(root)
    call("pivot_root", b".", b".")
    call("umount2", b".", _MNT_DETACH)
    os.chdir("/")


def open_beneath(directory: int, name: str, flags: int) -> int:
    """Open ``name`` strictly inside ``directory``: no links of any kind, no other file system."""
    resolve = _RESOLVE_NO_XDEV | _RESOLVE_NO_MAGICLINKS | _RESOLVE_NO_SYMLINKS | _RESOLVE_BENEATH
    how = struct.pack("QQQ", flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0, resolve)
    return call("openat2", directory, os.fsencode(name), how, len(how))


def close_from(first: int) -> None:
    """Close every file descriptor from ``first`` on."""
    call("close_range", first, 0xFFFFFFFF, 0)


def set_dumpable(dumpable: bool) -> None:
    """Not dumpable: other processes of the same user cannot read memory or ``/proc`` files."""
    _prctl(PR_SET_DUMPABLE, int(dumpable))


def die_with_parent(signal_number: int) -> None:
    """Be signalled when the parent thread dies. Every change of credentials clears this."""
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def become_subreaper() -> None:
    """Orphaned descendants become children of this process."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def set_no_new_privs() -> None:
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def drop_capabilities() -> None:
    """Empty the permitted, effective, inheritable, ambient and, if we may, bounding sets."""
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    for capability in range(last + 1):
        try:
            _prctl(_PR_CAPBSET_DROP, capability)
        except PermissionError:
            break  # no CAP_SETPCAP. no_new_privs keeps a bounding set from ever being used
    _prctl(_PR_CAP_AMBIENT, _CLEAR_ALL)
    header = struct.pack("Ii", _CAPABILITY_VERSION_3, 0)
    if _libc.capset(header, bytes(24)) < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"capset: {os.strerror(code)}")
