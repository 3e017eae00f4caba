"""The filter's verdicts, by interpreting its program: for both machines, whichever we are on."""

from __future__ import annotations

import errno
import struct

import pytest

from autograder.sandbox import syscalls
from autograder.sandbox.seccomp import compile_filter

ALLOW, KILL = 0x7FFF0000, 0x80000000
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X86_32 = 0x40000003


def verdict(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """Run classic BPF on ``struct seccomp_data``; the value it returns."""
    padded = (*arguments, *[0] * 6)[:6]
    data = struct.pack("IIQ6Q", number, architecture, 0, *padded)
    operations = list(struct.iter_unpack("HBBI", program))
    accumulator = position = 0
    while True:
        code, if_true, if_false, k = operations[position]
        position += 1
        match code:
            case 0x20:  # load
                accumulator = struct.unpack_from("I", data, k)[0]
            case 0x54:  # and
                accumulator &= k
            case 0x06:  # return
                return k
            case _:  # jumps
                tests = {0x15: accumulator == k, 0x25: accumulator > k, 0x35: accumulator >= k}
                holds = tests[code] if code in tests else bool(accumulator & k)
                position += if_true if holds else if_false


@pytest.fixture(params=ARCHITECTURE)
def machine(request: pytest.FixtureRequest) -> str:
    return request.param


def ask(
    machine: str, name: str, *arguments: int, flat: bool = False, abi: int = 7, gpu: bool = False
) -> str:
    program = compile_filter(
        namespaces=not flat, landlock_abi=abi, own_pid=77, gpu=gpu, machine=machine
    )
    number = syscalls.numbers(machine)[name]
    value = verdict(program, ARCHITECTURE[machine], number, *arguments)
    if value == ALLOW:
        return "allowed"
    assert value >> 16 == 0x5  # SECCOMP_RET_ERRNO
    return errno.errorcode[value & 0xFFFF] if value & 0xFFFF else "pretended"


@pytest.mark.parametrize("name", ["ptrace", "mount", "unshare", "bpf", "memfd_create", "setns"])
def test_refused(machine: str, name: str) -> None:
    assert ask(machine, name) == "EPERM"


def test_with_a_gpu_there_are_memory_files_and_nobody_hides(machine: str) -> None:
    hide, shared = (4, 0), (0, 0, 0, 0x21)  # PR_SET_DUMPABLE; MAP_SHARED | MAP_ANONYMOUS
    for gpu, answers in (
        (True, ["allowed", "allowed", "pretended"]),
        (False, ["EPERM", "ENOMEM", "allowed"]),
    ):
        asked = (("memfd_create", ()), ("mmap", shared), ("prctl", hide))
        assert [ask(machine, name, *args, gpu=gpu) for name, args in asked] == answers


def test_the_buffers_of_sockets_keep_their_size(machine: str) -> None:
    assert ask(machine, "setsockopt", 3, 1, 7) == "pretended"  # SOL_SOCKET, SO_SNDBUF
    assert ask(machine, "setsockopt", 3, 1, 33) == "pretended"  # SO_RCVBUFFORCE
    assert ask(machine, "setsockopt", 3, 1, 2) == "allowed"  # SO_REUSEADDR
    assert ask(machine, "setsockopt", 3, 6, 7) == "allowed"  # of TCP


def test_everyday_calls_pass(machine: str) -> None:
    program = compile_filter(namespaces=True, landlock_abi=7, machine=machine)
    everyday = {"x86_64": (0, 1, 9, 12, 39, 59, 202), "aarch64": (63, 64, 214, 172, 221, 98)}
    for number in everyday[machine]:  # read, write, mmap, brk, getpid, execve, futex
        assert verdict(program, ARCHITECTURE[machine], number) == ALLOW


def test_other_architectures_are_killed(machine: str) -> None:
    program = compile_filter(namespaces=True, landlock_abi=7, machine=machine)
    assert verdict(program, X86_32, 20) == KILL
    future = verdict(program, ARCHITECTURE[machine], syscalls.NEWEST + 1)
    assert future == 0x50000 | errno.ENOSYS


def test_x32_is_killed() -> None:
    program = compile_filter(namespaces=True, landlock_abi=7, machine="x86_64")
    assert verdict(program, ARCHITECTURE["x86_64"], 0x40000000) == KILL


def test_arguments_decide(machine: str) -> None:
    assert ask(machine, "socket", 1, 1) == "allowed"  # AF_UNIX
    assert ask(machine, "socket", 2, 1) == "EAFNOSUPPORT"  # AF_INET
    assert ask(machine, "clone", 17) == "allowed"  # a plain fork
    assert ask(machine, "clone", syscalls.NEWUSER | 17) == "EPERM"
    assert ask(machine, "clone3") == "ENOSYS"
    assert ask(machine, "ioctl", 0, 0x5412) == "EPERM"
    assert ask(machine, "ioctl", 0, 0x5401) == "allowed"
    assert ask(machine, "mmap", 0, 4096, 3, 0x21) == "ENOMEM"  # shared, anonymous
    assert ask(machine, "mmap", 0, 4096, 3, 0x22) == "allowed"


def test_flat_covers_for_missing_namespaces(machine: str) -> None:
    assert ask(machine, "fchmodat", flat=True) == "pretended"
    assert ask(machine, "setsid") == "allowed"
    assert ask(machine, "setsid", flat=True) == "EPERM"
    assert ask(machine, "socket", 1, 2, flat=True) == "EPERM"  # unix datagram
    assert ask(machine, "prlimit64", 0, flat=True) == "allowed"
    assert ask(machine, "prlimit64", 4321, flat=True) == "EPERM"


def test_flat_before_landlock_knew_signals(machine: str) -> None:
    assert ask(machine, "kill", 4321, flat=True, abi=6) == "allowed"  # Landlock's to refuse
    assert ask(machine, "kill", 4321, flat=True, abi=5) == "EPERM"
    assert ask(machine, "kill", 77, flat=True, abi=5) == "allowed"
    assert ask(machine, "truncate", flat=True, abi=2) == "EPERM"


def test_unknown_machines_are_refused() -> None:
    with pytest.raises(OSError, match="riscv64"):
        syscalls.numbers("riscv64")
