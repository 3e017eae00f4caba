"""The system call filter: what a sandbox may not ask the kernel for.

A classic BPF program, built from blocks. Each block tests one condition and, where it holds, ends
in a verdict; otherwise control falls through to the next block. Jumps are only ever computed
inside a block, from its length, so that no edit can make one land in the wrong place.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct

from autograder.sandbox import syscalls

# <linux/bpf_common.h>: load word, compare with a constant, and, return
_LD, _JEQ, _JGT, _JGE, _JSET, _AND, _RET = 0x20, 0x15, 0x25, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000  # SECCOMP_RET_*
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000
_OFFSET_NR, _OFFSET_ARCH, _OFFSET_ARGS = 0, 4, 16  # struct seccomp_data
_SET_MODE_FILTER, _FLAG_TSYNC = 1, 1

_AF_UNIX, _SOCK_TYPE_MASK, _SOCK_DGRAM = 1, 0xF, 2
# The sizes of a socket's buffers, which are memory of the system's kernel: no limit counts them.
_SOL_SOCKET, _BUFFER_SIZES = 1, (7, 8, 32, 33)  # SO_SNDBUF, SO_RCVBUF and those with FORCE
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # type into, and command, the grader's terminal
_SHARED_ANONYMOUS = 0x01 | 0x20  # MAP_SHARED | MAP_ANONYMOUS
_NAMESPACE_FLAGS = (
    syscalls.NEWUSER | syscalls.NEWNS | syscalls.NEWPID | syscalls.NEWNET
    | syscalls.NEWIPC | syscalls.NEWUTS | syscalls.NEWCGROUP | syscalls.NEWTIME
)  # fmt: skip

# Other processes, mounts and namespaces, the kernel itself, and rarely used parts of it where
# most of its holes were found. The last line is memory that RLIMIT_DATA does not count, as are
# _UNCOUNTED and shared anonymous mappings, which CUDA cannot do without (it does not start, with
# error 304, where memfd_create is refused).
_DENIED = """
    ptrace process_vm_readv process_vm_writev process_madvise process_mrelease kcmp pidfd_getfd
    mount umount2 pivot_root chroot open_tree move_mount fsopen fsconfig fsmount fspick
    mount_setattr unshare setns open_by_handle_at name_to_handle_at
    kexec_load kexec_file_load init_module finit_module delete_module reboot swapon swapoff
    sethostname setdomainname settimeofday clock_settime adjtimex clock_adjtime acct syslog
    quotactl quotactl_fd nfsservctl lookup_dcookie iopl ioperm modify_ldt personality vhangup
    uselib ustat sysfs _sysctl mknod mknodat fanotify_init fanotify_mark
    bpf perf_event_open userfaultfd io_uring_setup io_uring_enter io_uring_register
    keyctl add_key request_key vmsplice move_pages migrate_pages semget msgget mq_open
    memfd_secret shmget shmat
"""
_UNCOUNTED = "memfd_create"

# Without namespaces: what Landlock (ABI 7) does not cover. Pretending success keeps programs
# that tidy up permissions and times alive; the others fail.
_FLAT_IGNORED = "chmod fchmod fchmodat fchmodat2 utime utimes futimesat utimensat"
_FLAT_DENIED = """
    setsid setpgid chown fchown lchown fchownat setxattr lsetxattr fsetxattr setxattrat
    removexattr lremovexattr fremovexattr removexattrat inotify_add_watch connect
    setpriority ioprio_set sched_setscheduler sched_setparam sched_setattr
"""
_FLAT_ON_ITSELF_ONLY = "prlimit64 sched_setaffinity"  # first argument: a pid, 0 = self
_SIGNALS_BY_PID = "kill tgkill"
_OTHER_SIGNALS = "tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_send_signal"

Instruction = bytes


def _op(code: int, k: int, if_true: int = 0, if_false: int = 0) -> Instruction:
    return struct.pack("HBBI", code, if_true, if_false, k)


def _when(test: int, k: int, body: list[Instruction]) -> list[Instruction]:
    """Run ``body`` where ``accumulator test k`` holds, skip it otherwise."""
    return [_op(test, k, 0, len(body)), *body]


def _unless(test: int, k: int, body: list[Instruction]) -> list[Instruction]:
    return [_op(test, k, len(body), 0), *body]


def _fail(code: int) -> list[Instruction]:
    return [_op(_RET, _ERRNO | code)]


def _load_argument(index: int) -> Instruction:
    """The low 32 bits of a call's argument (both machines are little-endian)."""
    return _op(_LD, _OFFSET_ARGS + 8 * index)


_PASS = [_op(_RET, _ALLOW)]


def compile_filter(
    *,
    namespaces: bool,
    landlock_abi: int,
    own_pid: int | None = None,
    gpu: bool = False,
    machine: str = platform.machine(),
) -> bytes:
    """The BPF program for one sandbox.

    Without ``namespaces`` the filter also covers for what they would have hidden. Before Landlock
    ABI 6 that includes signals: they then reach ``own_pid`` only. With a ``gpu`` memory may be
    had that no limit of the process counts; the judge's watchdog does, and so it must see it.
    """
    nr = syscalls.numbers(machine)
    program = [_op(_LD, _OFFSET_ARCH)]
    program += _unless(_JEQ, _AUDIT_ARCH[machine], [_op(_RET, _KILL)])  # no 32-bit calls
    program += [_op(_LD, _OFFSET_NR)]
    if machine == "x86_64":
        program += _when(_JGE, _X32_BIT, [_op(_RET, _KILL)])
    program += _when(_JGT, syscalls.NEWEST, _fail(errno.ENOSYS))

    def on(names: str, body: list[Instruction]) -> None:
        """``body`` may overwrite the accumulator, so it must end in a verdict."""
        if body[-1][:2] != struct.pack("H", _RET):
            raise AssertionError(f"seccomp block for {names} does not end in a verdict")
        for name in names.split():
            if name in nr:
                program.extend(_when(_JEQ, nr[name], body))

    on(_DENIED, _fail(errno.EPERM))
    # glibc falls back from clone3, whose flags are behind a pointer, to clone, where we see them.
    on("clone3", _fail(errno.ENOSYS))
    no_namespace = [_load_argument(0), *_when(_JSET, _NAMESPACE_FLAGS, _fail(errno.EPERM)), *_PASS]
    on("clone", no_namespace)
    not_unix = _unless(_JEQ, _AF_UNIX, _fail(errno.EAFNOSUPPORT))
    local = [_load_argument(0), *not_unix]
    # Without namespaces a datagram could reach the host's syslog or notify socket by its path.
    no_datagrams = [_load_argument(1), _op(_AND, _SOCK_TYPE_MASK)]
    no_datagrams += _when(_JEQ, _SOCK_DGRAM, _fail(errno.EPERM))
    on("socket", [*local, *([] if namespaces else no_datagrams), *_PASS])
    on("socketpair", [*local, *_PASS])
    ours = _unless(_JEQ, _SOL_SOCKET, _PASS)
    as_they_are = [one for size in _BUFFER_SIZES for one in _when(_JEQ, size, _fail(0))]
    on("setsockopt", [_load_argument(1), *ours, _load_argument(2), *as_they_are, *_PASS])
    commands = _when(_JEQ, _TIOCSTI, _fail(errno.EPERM))
    commands += _when(_JEQ, _TIOCLINUX, _fail(errno.EPERM))
    on("ioctl", [_load_argument(1), *commands, *_PASS])
    if gpu:
        # Who cannot be looked into could hide what its memory files hold.
        hides = _when(_JEQ, syscalls.PR_SET_DUMPABLE, _fail(0))
        on("prctl", [_load_argument(0), *hides, *_PASS])
    else:
        on(_UNCOUNTED, _fail(errno.EPERM))
        # Shared anonymous memory escapes RLIMIT_DATA.
        is_shared = [_load_argument(3), _op(_AND, _SHARED_ANONYMOUS)]
        too_much = _when(_JEQ, _SHARED_ANONYMOUS, _fail(errno.ENOMEM))
        on("mmap", [*is_shared, *too_much, *_PASS])

    if not namespaces:
        on(_FLAT_IGNORED, _fail(0))
        on(_FLAT_DENIED, _fail(errno.EPERM))
        only_self = _unless(_JEQ, 0, _fail(errno.EPERM))
        on(_FLAT_ON_ITSELF_ONLY, [_load_argument(0), *only_self, *_PASS])
        if landlock_abi < 3:
            on("truncate", _fail(errno.EPERM))
        if landlock_abi < 6 and own_pid is not None:
            only_own = _unless(_JEQ, own_pid, _fail(errno.EPERM))
            on(_SIGNALS_BY_PID, [_load_argument(0), *only_own, *_PASS])
            on(_OTHER_SIGNALS, _fail(errno.EPERM))
    return b"".join([*program, *_PASS])


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def load(program: bytes) -> None:
    """Apply ``program`` to this process for ever. Needs no_new_privs. Raises OSError."""
    description = _Program(len(program) // 8, program)
    address = ctypes.addressof(description)
    syscalls.call("seccomp", _SET_MODE_FILTER, _FLAG_TSYNC, address)
