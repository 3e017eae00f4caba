"""What a sandbox with a GPU may do more, and that others of the same zygote may not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from attacker import GPU_NODE, ask

from autograder.judge import memory_files
from autograder.judge.sandbox import Sandbox
from autograder.judge.zygote import Zygote
from autograder.sandbox.policy import MIB, Gpu, Limits

pytestmark = pytest.mark.sandbox

SHARE = Gpu("Stand-in", "GPU-1", (GPU_NODE,), memory_bytes=2 << 30, total_bytes=8 << 30)
LOOK = f"""
import resource
def tried(act):
    try:
        act()
        return "done"
    except OSError as error:
        return errno.errorcode[error.errno]
got = {{
    "device": tried(lambda: os.close(os.open({GPU_NODE!r}, os.O_RDWR))),
    "command": tried(lambda: __import__("fcntl").ioctl(os.open({GPU_NODE!r}, os.O_RDWR), 0x5401)),
    "memory file": tried(lambda: os.close(os.memfd_create("x"))),
    "shared memory": tried(lambda: mmap.mmap(-1, 4096).close()),
    "address space": resource.getrlimit(resource.RLIMIT_AS)[0] == resource.RLIM_INFINITY,
    "visible": os.environ["CUDA_VISIBLE_DEVICES"],
    "only NVML is asked": os.environ.get("PYTORCH_NVML_BASED_CUDA_CHECK", ""),
}}
"""

# Ways to hold 40 MB which no process has mapped in, or to which no descriptor leads any more.
MEMFD = """
def memfd(mib=20):
    made = os.memfd_create("x")
    for _ in range(mib):
        os.write(made, bytes(1 << 20))
    return made
"""
HELD = {
    "open": "kept = [memfd(), memfd()]",
    "open twice": "kept = [memfd(40)]; os.dup(kept[0])",
    "of a child": """
reader, writer = os.pipe()
if os.fork() == 0:
    kept = memfd(40)
    os.write(writer, b".")
    time.sleep(600)
os.read(reader, 1)
""",
    "of a thread alone": """
import threading
def act():
    syscalls.call("close_range", 1000, 1000, 2)  # CLOSE_RANGE_UNSHARE: a table of its own
    kept = memfd(40)
    ready.set()
    time.sleep(600)
ready = threading.Event()
threading.Thread(target=act, daemon=True).start()
ready.wait()
""",
}
MAPPED = {
    "mapped and closed": """
made = memfd(40)
kept = mmap.mmap(made, 4096)
os.close(made)
""",
    "shared, filled, and not mapped in": """
kept = mmap.mmap(-1, 40 << 20)
for place in range(0, 40 << 20, 4096):
    kept[place] = 1
kept.madvise(mmap.MADV_DONTNEED)
""",
}


def test_only_who_got_a_gpu_has_what_it_takes(zygote: Zygote) -> None:
    with zygote.fork(gpu=SHARE) as sandbox:
        got = eval(ask(sandbox, LOOK)["got"])
    assert got == {
        "device": "done",
        "command": "ENOTTY",  # the device was asked, and has no such command
        "memory file": "done",
        "shared memory": "done",
        "address space": True,
        "visible": "GPU-1",
        "only NVML is asked": "",
    }
    with zygote.fork() as sandbox:
        got = eval(ask(sandbox, LOOK)["got"])
    assert got.pop("device") in ("EACCES", "ENOENT", "ENXIO")
    assert got.pop("command") in ("EACCES", "ENOENT", "ENXIO")
    assert got == {
        "memory file": "EPERM",
        "shared memory": "ENOMEM",
        "address space": False,
        "visible": "",
        "only NVML is asked": "1",
    }


def test_a_gpu_opens_no_other_door(zygote: Zygote) -> None:
    """The rest of /sys and /proc stays read-only, and names of other processes' threads too."""
    look = """
    def refused(act):
        try:
            act()
        except OSError:
            return True
        return False
    own = Path("/proc/self/task") / str(os.getpid()) / "comm"
    own.write_text("named")
    got = [
        own.read_text().strip(),
        refused(lambda: Path("/dev/shm/../../etc/x").write_text("x")),
        refused(lambda: os.open("/dev/mem", os.O_RDWR)),
        refused(lambda: os.open("/dev/zero", os.O_RDWR)),
        refused(lambda: Path("/sys/devices/system/cpu/online").write_text("0")),
    ]
    """
    code = "\n".join(line[4:] for line in look.splitlines())
    with zygote.fork(gpu=SHARE) as sandbox:
        assert ask(sandbox, code) == {"got": repr(["named", True, True, True, True])}


# -- the host's memory ----------------------------------------------------------------------------


@pytest.fixture
def on_gpu(zygote: Zygote) -> Iterator[Sandbox]:
    with zygote.fork(gpu=SHARE) as made:
        yield made


def held(sandbox: Sandbox, code: str) -> int:
    """What running ``code`` has added to the memory in files."""
    before = memory_files.held_bytes(sandbox.processes())
    answer = ask(sandbox, MEMFD + code)
    assert "error" not in answer, answer
    return memory_files.held_bytes(sandbox.processes()) - before


@pytest.mark.parametrize("way", HELD)
def test_memory_files_are_counted_once(on_gpu: Sandbox, zygote: Zygote, way: str) -> None:
    if zygote.tier == "flat" and os.geteuid():
        assert not memory_files.seen(on_gpu.processes())  # as docs/threat-model.md says
        return
    assert held(on_gpu, HELD[way]) == 40 * MIB


@pytest.mark.parametrize("way", MAPPED)
def test_files_that_are_only_mapped_are_counted(on_gpu: Sandbox, zygote: Zygote, way: str) -> None:
    """By a superuser's judge: no other may ask."""
    if os.geteuid() == 0:
        assert held(on_gpu, MAPPED[way]) == 40 * MIB


def test_files_on_their_way_are_counted(on_gpu: Sandbox, zygote: Zygote) -> None:
    """As the largest that they can be: nobody can ask."""
    send = """
ours, theirs = socket.socketpair()
made = memfd(1)
for _ in range({}):
    socket.send_fds(ours, [b"."], [made])
os.close(made)
"""
    if zygote.tier == "flat" and os.geteuid():
        return
    few = memory_files.FEW_ON_THEIR_WAY
    assert held(on_gpu, send.format(few)) == 0
    assert held(on_gpu, send.format(1)) == Limits().file_bytes


def test_what_is_mapped_of_a_file_counts_once(on_gpu: Sandbox, zygote: Zygote) -> None:
    """In the sandbox's memory, whether the sizes of processes are taken roughly or exactly."""
    if zygote.tier == "flat" and os.geteuid():
        return
    before = on_gpu.private_bytes()
    code = "made = memfd(40)\nkept = mmap.mmap(made, 40 << 20)\ngot = sum(kept[::4096])"
    files = held(on_gpu, code)
    for exact in (False, True):
        used = on_gpu.private_bytes(exact=exact, files=files)
        assert 40 * MIB <= used - before < 60 * MIB


def test_nobody_hides_from_being_counted(on_gpu: Sandbox, zygote: Zygote) -> None:
    """prctl says that it has hidden the process, and has not."""
    if zygote.tier == "flat" and os.geteuid():
        return
    assert ask(on_gpu, "got = libc.prctl(4, 0, 0, 0, 0)")["got"] == "0"
    assert ask(on_gpu, "got = libc.prctl(3, 0, 0, 0, 0)")["got"] == str(int(zygote.tier != "flat"))


def test_ldconfig_is_there(zygote: Zygote) -> None:
    """By which torch.compile looks for CUDA's driver."""
    code = """
import subprocess
got = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True).stdout.count(b"libc.so")
"""
    if Path("/sbin/ldconfig").exists():
        with zygote.fork() as sandbox:
            assert int(ask(sandbox, code)["got"]) > 0
