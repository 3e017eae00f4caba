"""A real kernel in a real sandbox, from the judge's side: limits hold and reasons are told."""

import fcntl
import os
import shutil
import signal
import struct
import tempfile
import termios
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from autograder.batch.task_grader import with_one_retry
from autograder.judge import warm as workers
from autograder.judge.kernel import Kernel, KernelDied, KernelLimits
from autograder.judge.registry import Check
from autograder.judge.score import Seed, run_check
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from autograder.sandbox import probe
from autograder.sandbox.policy import SandboxError
from tests.waiting import wait_until


def text(run) -> str:
    return "".join(o.get("text", "") for o in run.outputs)


def errors(run) -> list[str]:
    return [o["ename"] for o in run.outputs if o["output_type"] == "error"]


def test_state_stays_between_cells(kernel) -> None:
    assert kernel.run_cell("x = 20").ok
    run = kernel.run_cell("x + 1")
    assert run.outputs[0]["data"]["text/plain"] == "21"


def test_an_endless_loop_is_interrupted_and_the_kernel_lives(kernel) -> None:
    kernel.run_cell("x = 1")
    run = kernel.run_cell("while True:\n    pass", seconds=0.5)
    assert run.timed_out
    assert errors(run) == ["KeyboardInterrupt"]
    assert kernel.run_cell("print(x)").outputs[0]["text"] == "1\n"
    assert not kernel.held_up()


def test_an_await_without_end_is_interrupted_too(kernel) -> None:
    run = kernel.run_cell("import asyncio\nawait asyncio.sleep(1000)", seconds=0.5)
    assert run.timed_out
    assert kernel.run_cell("1").ok
    assert kernel.held_up()


def test_a_loop_that_swallows_interrupts_is_killed(zygote: Zygote) -> None:
    """Soon, by the clock that leaves out waiting for a processor."""
    kernel = Kernel(zygote.fork(), KernelLimits(notebook_seconds=100))
    code = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    with pytest.raises(KernelDied, match=r"did not stop within 0\.5 s"):
        kernel.run_cell(code, seconds=0.5)
    assert kernel.budget.left() > 95
    with pytest.raises(KernelDied):
        kernel.run_cell("1")
    kernel.close()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os; os._exit(0)", "exit status 0"),
        ("import ctypes; ctypes.string_at(1)", "SIGSEGV|signal 11"),
        ("import os; os.closerange(3, 64)", "exit status|closed its connection"),
    ],
)
def test_a_kernel_that_ends_itself_is_named(kernel, code, reason) -> None:
    with pytest.raises(KernelDied, match=reason):
        kernel.run_cell(code)


def test_exit_and_quit_are_ordinary_errors_of_a_cell(kernel) -> None:
    kernel.run_cell("import sys; sys.exit(3)")
    assert kernel.run_cell("print('alive')").outputs[0]["text"] == "alive\n"


def test_fifty_megabytes_of_output_are_cut_not_fatal(kernel) -> None:
    run = kernel.run_cell("for _ in range(50): print('x' * (1 << 20))")
    assert run.ok
    assert len(text(run)) < 6 << 20
    assert "was dropped" in text(run)
    assert kernel.run_cell("1").ok


def test_a_flood_on_the_raw_descriptor_is_cut(kernel) -> None:
    run = kernel.run_cell("import os\nfor _ in range(200): os.write(1, b'y' * (1 << 18))")
    assert run.ok
    assert len(text(run)) <= 256 << 10


def test_what_is_printed_is_not_kept_in_memory(zygote) -> None:
    small = Kernel(zygote.fork(), KernelLimits(memory_bytes=500 << 20))
    try:
        assert small.run_cell("for _ in range(600): print('x' * (1 << 20))").ok
    finally:
        small.close()


def test_a_flood_of_forged_events_kills_the_kernel(kernel) -> None:
    # The agent's own bounds are bypassed: only the judge's cap is left.
    code = (
        "import autograder.sandbox.agent as a\n"
        "a.CELL_OUTPUT_BYTES = a.NOTEBOOK_OUTPUT_BYTES = 1 << 60\n"
        "while True: print('x' * (1 << 20))"
    )
    with pytest.raises(KernelDied, match="more output than any cell may"):
        kernel.run_cell(code, seconds=20)


@pytest.mark.parametrize(
    "frame",
    [
        r"b'\xff\xff\xff\xff'",
        r"b'\x00\x00\x00\x01\xc1'",
        r"b'\x00\x00\x00\x01\x01'",
        r"b'\x00\x00\x00\x02\x91\xc1'",
    ],
)
def test_broken_frames_kill_the_kernel_not_the_judge(kernel, frame) -> None:
    code = (
        f"import os\nfor fd in range(3, 20):\n  try: os.write(fd, {frame})\n  except OSError: pass"
    )
    with pytest.raises(KernelDied, match="broke the protocol"):
        kernel.run_cell(code)


def test_memory_beyond_the_limit_is_an_error_or_the_end(zygote) -> None:
    small = Kernel(zygote.fork(), KernelLimits(memory_bytes=500 << 20))
    try:
        with pytest.raises(KernelDied, match="more than 500 MB of memory"):
            small.run_cell("import numpy as np\na = np.ones(1 << 27)\nimport time; time.sleep(5)")
    finally:
        small.close()


def test_a_single_huge_array_raises_memory_error(kernel) -> None:
    run = kernel.run_cell("import numpy as np\nnp.ones(10 << 30)")
    assert "MemoryError" in errors(run)[0]
    assert kernel.run_cell("1").ok


def test_input_is_refused_with_an_error(kernel) -> None:
    assert errors(kernel.run_cell("input('name? ')")) == ["StdinNotImplementedError"]


def test_displays_are_updated_and_cleared(kernel) -> None:
    run = kernel.run_cell(
        "from IPython.display import display, clear_output\n"
        "print('gone'); clear_output()\n"
        "h = display('one', display_id=True); h.update('two')\n"
        "print('a'); print('b')"
    )
    assert [o["output_type"] for o in run.outputs] == ["display_data", "stream"]
    assert run.outputs[0]["data"]["text/plain"] == "'two'"
    assert run.outputs[1]["text"] == "a\nb\n"


def test_outputs_that_are_no_text_do_not_reach_the_notebook(kernel) -> None:
    run = kernel.run_cell(
        "from IPython.display import publish_display_data\n"
        "publish_display_data({'text/plain': 'x', 'application/json': {'a': 1}})"
    )
    assert run.outputs[0]["data"] == {"text/plain": "x"}


def test_what_lies_below_tmp_on_the_host_is_readable_there_and_not_writable() -> None:
    """A checkout or a data folder in /tmp is not hidden by the sandbox's own /tmp."""
    below_tmp = Path(tempfile.mkdtemp(dir="/tmp"))
    below_tmp.chmod(0o755)
    (below_tmp / "data.txt").write_text("here")
    try:
        with Zygote(probe.choose(), readable=[below_tmp], warm=False) as zygote:
            kernel = Kernel(zygote.fork())
            read = kernel.run_cell(f"print(open('{below_tmp}/data.txt').read())")
            write = kernel.run_cell(f"open('{below_tmp}/more.txt', 'w')")
            own = kernel.run_cell("open('/tmp/own.txt', 'w').write('fine')")
            kernel.close()
    finally:
        shutil.rmtree(below_tmp)
    assert text(read) == "here\n"
    assert errors(write)[0] in ("OSError", "PermissionError")
    assert own.ok


@pytest.fixture
def little_zygote():
    """One that imports nothing much, to be killed."""
    with Zygote(probe.choose(), warm=False) as zygote:
        yield zygote


def test_a_zygote_that_died_unseen_gives_an_error_of_the_sandbox(little_zygote) -> None:
    os.kill(little_zygote.pid, signal.SIGKILL)
    os.waitid(os.P_PID, little_zygote.pid, os.WEXITED | os.WNOWAIT)
    with pytest.raises(SandboxError, match="the process is gone"):
        little_zygote.fork()


def unread(zygote: Zygote) -> int:
    """Bytes sent to the zygote that it has not taken in yet."""
    return struct.unpack("i", fcntl.ioctl(zygote._control, termios.TIOCOUTQ, bytes(4)))[0]


def test_a_zygote_killed_while_it_is_asked_gives_one_too(little_zygote) -> None:
    """After SIGKILL it still counts as alive for a moment, and may have a request unread."""
    os.kill(little_zygote.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, little_zygote.pid, os.WSTOPPED | os.WNOWAIT)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(little_zygote.fork)
        wait_until(lambda: unread(little_zygote))
        os.kill(little_zygote.pid, signal.SIGKILL)
        with pytest.raises(SandboxError, match="the process is gone"):
            asked.result()


def test_what_was_asked_of_a_dying_zygote_is_asked_of_a_fresh_one() -> None:
    with workers.warm_zygote() as live:
        first = live()
        os.kill(first.pid, signal.SIGSTOP)  # alive, as far as anybody can see
        os.waitid(os.P_PID, first.pid, os.WSTOPPED | os.WNOWAIT)

        def ask(zygote: Zygote) -> str:
            if zygote is first:
                os.kill(first.pid, signal.SIGKILL)
            kernel = Kernel(zygote.fork())
            try:
                return text(kernel.run_cell("print(1 + 1)"))
            finally:
                kernel.close()

        assert with_one_retry(ask, live) == "2\n"
        assert live().pid != first.pid


def test_a_kernel_that_cannot_run_numpy_is_no_kernel_to_grade_in(monkeypatch) -> None:
    monkeypatch.setattr(workers, "TRIAL", "import no_such_package")
    with pytest.raises(SandboxError, match=r"stage 'trial'.*no_such_package"):
        workers.start_zygote()


def test_a_kernel_that_dies_with_its_zygote_is_no_death_of_the_students(little_zygote) -> None:
    kernel = Kernel(little_zygote.fork())
    threading.Timer(0.3, os.kill, (little_zygote.pid, signal.SIGKILL)).start()
    with pytest.raises(SandboxError, match="the process died, and its kernels with it"):
        kernel.run_cell("import time; time.sleep(60)")
    kernel.close()


def test_a_kernel_killed_alone_is_its_own_death(little_zygote) -> None:
    kernel = Kernel(little_zygote.fork())
    threading.Timer(0.3, signal.pidfd_send_signal, (kernel.sandbox.pidfd, signal.SIGKILL)).start()
    with pytest.raises(KernelDied, match="killed by signal 9"):
        kernel.run_cell("import time; time.sleep(60)")
    kernel.close()
    assert little_zygote.alive


def test_a_check_in_progress_leaves_its_zygotes_death_to_who_tries_again(little_zygote) -> None:
    kernel = Kernel(little_zygote.fork())

    def asks(student: Student, rng: object) -> None:
        os.kill(little_zygote.pid, signal.SIGKILL)
        kernel.run_cell("import time; time.sleep(60)")

    check = Check("knn-two-loops", asks, 1.0, advice=False, condition=False, probe="")
    broken: list[str] = []
    with pytest.raises(SandboxError):
        run_check(Student(kernel, {}), check, Seed(b"", "a", "n", "s"), broken)
    assert broken == []
    kernel.close()
