"""What a sandbox with a GPU may do more, and that others of the same zygote may not."""

from __future__ import annotations

import pytest
from attacker import GPU_NODE, ask

from autograder.judge.zygote import Zygote
from autograder.sandbox.policy import Gpu

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
}}
"""


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
