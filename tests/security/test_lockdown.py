"""Attacks on the operating system from inside a sandbox, in every tier this host offers.

Each attack is stopped in the sandbox and, where that is harmless, shown to work without one.
"""

from __future__ import annotations

import os
import platform
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from attacker import HERE, Bait, ask

from autograder.judge.sandbox import Sandbox
from autograder.judge.zygote import Zygote
from autograder.sandbox import probe
from autograder.sandbox.policy import MIB, Limits, SandboxError

pytestmark = pytest.mark.sandbox

REFUSED = re.compile(
    r"(PermissionError|FileNotFoundError|ProcessLookupError|NotADirectoryError|TimeoutError"
    r"|ConnectionRefusedError|OSError): "
)

# Each line must raise an OSError inside, and work in the unprotected control.
STOPPED = {
    "read a foreign file": "open(secret).read()",
    "read it through a symbolic link": "os.symlink(secret, 'link'); open('link').read()",
    "read it through a hard link": "os.link(secret, 'hard'); open('hard').read()",
    "list a foreign folder": "os.listdir(folder)",
    "read the checks": "open(course + '/autograder/judge/score.py').read()",
    "list the solutions": "os.listdir(course + '/source')",
    "list what lies beside cs231n_lib": "os.listdir(course + '/autograder')",
    "write to a foreign file": "open(secret, 'a').close()",
    "create a foreign file": "open(folder + '/new', 'w').close()",
    "rename a foreign file": "os.rename(secret, folder + '/x'); os.rename(folder + '/x', secret)",
    "truncate a foreign file": "os.truncate(secret, 6)",
    "change the packages": "open(os.path.dirname(os.__file__) + '/planted', 'w').close(); "
    "os.unlink(os.path.dirname(os.__file__) + '/planted')",
    "watch a foreign file": "watch(secret)",
    "give a foreign file away": "os.chown(secret, 0, 0)",
    "TCP": "connect(socket.AF_INET, tuple(tcp))",
    "UDP": "connect(socket.AF_INET, tuple(udp), socket.SOCK_DGRAM)",
    "netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "raw sockets": "socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)",
    "packets": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "abstract unix socket": "connect(socket.AF_UNIX, chr(0) + folder)",
    "unix socket by path": "connect(socket.AF_UNIX, folder + '/socket')",
    "signal the judge": "os.kill(judge, 0)",
    "signal another process": "os.kill(victim, signal.SIGCONT)",
    "open the judge's memory": "open(f'/proc/{judge}/mem', 'rb').close()",
    "read the judge's environment": "open(f'/proc/{judge}/environ', 'rb').read()",
    "read another's environment": "open(f'/proc/{victim}/environ', 'rb').read()",
    "take another's descriptors": "syscalls.call('pidfd_getfd', os.pidfd_open(victim), 0, 0)",
    "shared memory no limit counts": "mmap.mmap(-1, 1 << 20).close()",
    "memory files": "os.close(os.memfd_create('x'))",
}


# Of these, permissions or the judge's PR_SET_DUMPABLE stop an ordinary user even unprotected.
ONLY_ROOT_COULD = {
    "change the packages", "open the judge's memory", "read the judge's environment",
    "give a foreign file away", "raw sockets", "packets",
}  # fmt: skip

# These may fail without us, too: not every system and file system has them.
STOPPED_EVERYWHERE = {
    "vsock": "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)",
    "ICMP without privileges": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1)",
    "label a foreign file": "os.setxattr(secret, 'user.x', b'1')",
}


@pytest.mark.parametrize("attack", STOPPED)
def test_stopped(attack: str, sandbox: Sandbox, bait: Bait) -> None:
    answer = ask(sandbox, STOPPED[attack], **bait.names)
    assert REFUSED.match(answer.get("error", "")), answer


@pytest.mark.parametrize("attack", STOPPED)
def test_would_work_unprotected(attack: str, unprotected: Sandbox, bait: Bait) -> None:
    answer = ask(unprotected, STOPPED[attack], **bait.names)
    stopped_anyway = os.geteuid() != 0 and attack in ONLY_ROOT_COULD
    assert ("error" in answer) == stopped_anyway, answer


@pytest.mark.parametrize("attack", STOPPED_EVERYWHERE)
def test_stopped_everywhere(attack: str, sandbox: Sandbox, bait: Bait) -> None:
    answer = ask(sandbox, STOPPED_EVERYWHERE[attack], **bait.names)
    assert REFUSED.match(answer.get("error", "")), answer


# The kernel refuses before it looks at the arguments; without the filter these do not end in EPERM.
FORBIDDEN_CALLS = (
    "ptrace process_vm_readv mount umount2 unshare setns pivot_root chroot bpf "
    "keyctl add_key io_uring_setup perf_event_open userfaultfd "
    "kexec_load init_module shmget mknodat open_tree"
)


@pytest.mark.parametrize("name", FORBIDDEN_CALLS.split())
def test_system_call_is_refused(name: str, sandbox: Sandbox) -> None:
    answer = ask(sandbox, f"got = errno_of({name!r}, -1, -1, -1, -1, -1)")
    assert answer["got"] == "'EPERM'"


def test_new_namespaces_by_clone(sandbox: Sandbox) -> None:
    """clone with CLONE_NEWUSER, and clone3, whose flags no filter can see."""
    code = "got = errno_of('clone', 0x10000000 | 17, 0, 0, 0, 0), errno_of('clone3', 0, 0)"
    assert ask(sandbox, code)["got"] == "('EPERM', 'ENOSYS')"


def test_typing_into_a_terminal(sandbox: Sandbox) -> None:
    assert ask(sandbox, "got = errno_of('ioctl', 0, 0x5412, 0)")["got"] == "'EPERM'"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86-64 has 32-bit calls")
def test_32_bit_system_calls(sandbox: Sandbox, unprotected: Sandbox) -> None:
    code = "got = os.WTERMSIG(in_child(call_32_bit))"
    assert ask(sandbox, code)["got"] == str(int(signal.SIGSYS))
    assert ask(unprotected, code)["got"] == "0"


def test_foreign_metadata_cannot_be_changed(
    sandbox: Sandbox, unprotected: Sandbox, bait: Bait
) -> None:
    code = """
for change in (lambda: os.chmod(secret, 0o640), lambda: os.utime(secret, (1, 1))):
    try: change()
    except OSError: pass
"""
    before = bait.secret.stat()
    ask(sandbox, code, **bait.names)
    assert bait.secret.stat() == before
    ask(unprotected, code, **bait.names)
    assert bait.secret.stat().st_mtime == 1
    bait.secret.chmod(0o666)


def test_no_privileges_left(sandbox: Sandbox, unprotected: Sandbox) -> None:
    """So that set-uid programs gain nothing."""
    code = "got = dict(line.split(':') for line in open('/proc/self/status'))"
    status = eval(ask(sandbox, code)["got"])
    assert {status[f"Cap{kind}"].strip() for kind in ("Prm", "Eff", "Inh", "Amb")} == {"0" * 16}
    assert (status["NoNewPrivs"].strip(), status["Seccomp"].strip()) == ("1", "2")
    assert "0" not in status["Uid"].split()
    assert eval(ask(unprotected, code)["got"])["Seccomp"].strip() == "0"


def test_nothing_is_inherited(zygote: Zygote) -> None:
    """Descriptors: null, twice the pipe, the channel, and the one used for looking."""
    with zygote.fork() as sandbox:
        descriptors = ask(sandbox, "got = sorted(map(int, os.listdir('/proc/self/fd')))")["got"]
        environment = eval(ask(sandbox, "got = sorted(os.environ)")["got"])
    assert descriptors == "[0, 1, 2, 3, 4]"
    assert set(environment) == {
        "CS231N_GRADING", "CUDA_VISIBLE_DEVICES", "HOME", "IPYTHONDIR", "LANG", "LOGNAME",
        "MKL_NUM_THREADS", "MPLBACKEND", "MPLCONFIGDIR", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS",
        "PATH", "PYTHONHASHSEED", "PYTORCH_NVML_BASED_CUDA_CHECK",
        "TMPDIR", "TORCHINDUCTOR_CPP_CACHE_PRECOMPILE_HEADERS", "USER",
    }  # fmt: skip


def test_kill_everybody_reaches_nobody_else(zygote: Zygote, bait: Bait) -> None:
    with zygote.fork() as sandbox:
        sandbox.channel.sendall(b'{"code": "os.kill(-1, 9)", "names": {}}\n')
        assert select.select([sandbox.channel, sandbox.pidfd], [], [], 60)[0]  # an answer, or dead
    os.kill(int(str(bait.names["victim"])), 0)
    zygote.fork().close()


def test_readable_paths_never_include_the_course() -> None:
    with pytest.raises(SandboxError, match="must not be"):
        Zygote(probe.choose(), readable=[HERE.parents[1]], warm=False)


def test_no_student_code_without_every_layer(zygote: Zygote) -> None:
    """A submission that does not fit is a failure of the start, named as such."""
    if zygote.tier == "flat":  # its work folder has no size of its own: everything fits
        zygote.fork(Limits(work_bytes=MIB), files={"big.bin": bytes(2 * MIB)}).close()
        return
    with pytest.raises(SandboxError, match="No space left") as caught:
        zygote.fork(Limits(work_bytes=MIB), files={"big.bin": bytes(2 * MIB)})
    assert caught.value.stage == "files"


LAYERS = {
    "mounts.enter": "root file system",
    "syscalls.set_no_new_privs": "privileges",
    "syscalls.drop_capabilities": "privileges",
    "landlock.restrict": "landlock",
    "seccomp.load": "seccomp",
}


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_that_fails_stops_the_start(layer: str, tmp_path: Path) -> None:
    module, function = layer.split(".")
    program = f"""
from autograder.sandbox import {module}
def prepare():
    def fail(*_, **__): raise PermissionError(1, "broken on purpose")
    {module}.{function} = fail
def serve(channel):
    raise AssertionError("student code ran")
"""
    (tmp_path / "broken.py").write_text(program)
    tier = probe.choose()
    if tier == "flat" and module == "mounts":
        pytest.skip("the flat tier has no file system of its own")
    with Zygote(tier, entry="broken:serve", search=[tmp_path], warm=False) as zygote:
        with pytest.raises(SandboxError, match="broken on purpose") as caught:
            zygote.fork()
        assert caught.value.stage == LAYERS[layer]


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", ""])
def test_submitted_file_names_stay_inside(zygote: Zygote, name: str) -> None:
    with pytest.raises(ValueError, match="work folder"):
        zygote.fork(files={name: b""})


def test_everything_ends_with_the_judge() -> None:
    """A killed judge leaves neither zygote nor sandbox nor daemon."""
    program = f"""
import sys, time
sys.path.insert(0, {str(HERE)!r})
from pathlib import Path
from attacker import ask
from autograder.judge.zygote import Zygote
zygote = Zygote({probe.choose()!r}, entry="inside:serve", search=[Path({str(HERE)!r})], warm=False)
sandbox = zygote.fork()
ask(sandbox, "daemonise()")
print(zygote.pid, sandbox.supervisor, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as judge:
        assert judge.stdout is not None
        pids = [int(word) for word in judge.stdout.readline().split()]
        left = [os.pidfd_open(pid) for pid in pids]
        judge.kill()
    for fd in left:
        assert select.select([fd], [], [], 5)[0], "outlived the judge"
        os.close(fd)
