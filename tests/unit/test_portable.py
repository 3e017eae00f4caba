"""What students import has nothing that only Linux has: they use Windows and macOS too.

A look at the code, and no more: it is run there by deploy/ci/github/student-library.yml.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Modules that Windows lacks, and attributes that do.
POSIX_MODULES = {
    "crypt",
    "fcntl",
    "grp",
    "posix",
    "pty",
    "pwd",
    "resource",
    "syslog",
    "termios",
    "tty",
}
POSIX_ONLY = {
    "os": {"fork", "forkpty", "uname", "getuid", "geteuid", "getgid", "setsid", "getpgid",
           "setpgid", "killpg", "chown", "lchown", "mkfifo", "wait", "wait4", "nice",
           "sched_getaffinity", "sched_setaffinity", "getloadavg", "memfd_create", "pidfd_open",
           "sync", "statvfs",
           "rename"},  # rename: not onto a file that is there; replace does
    "signal": {"SIGALRM", "SIGKILL", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGCHLD", "SIGQUIT",
               "alarm", "setitimer", "pause", "sigwait", "pthread_kill"},
    "socket": {"AF_UNIX"},
    "time": {"tzset", "clock_gettime"},
}  # fmt: skip
# Files of Linux and of no other system; a backslash is no path separator to be written either.
FOLDERS = re.compile(
    r"^(?:/(?:tmp|dev|proc|sys|usr|etc|var|home|root|opt|content)(?:/|$)|~/|[A-Z]:\\)"
)
TEXT_READERS = {"read_text", "write_text"}


def problems(source: str) -> Iterator[str]:
    """Each with its line. Docstrings, which are for readers, may name any path."""
    tree = ast.parse(source)
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        for what in _of(node) if id(node) not in bare or isinstance(node, ast.Call) else ():
            yield f"line {getattr(node, 'lineno', '?')}: {what}"


def _of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        modules = {alias.name.split(".")[0] for alias in node.names}
        yield from (f"imports {name}" for name in sorted(modules & POSIX_MODULES))
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        if node.module.split(".")[0] in POSIX_MODULES:
            yield f"imports {node.module}"
        missing = {alias.name for alias in node.names} & POSIX_ONLY.get(node.module, set())
        yield from (f"imports {node.module}.{name}" for name in sorted(missing))
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        if node.attr in POSIX_ONLY.get(node.value.id, ()):
            yield f"{node.value.id}.{node.attr}"
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        if FOLDERS.match(node.value):
            yield f"the path {node.value!r}"
        if re.search(r"%-[dmHIMSjUWy]", node.value):
            yield f"the format {node.value!r}, which Windows does not know"
    elif isinstance(node, ast.Call):
        yield from _of_call(node)


def _of_call(call: ast.Call) -> Iterator[str]:
    given = {keyword.arg for keyword in call.keywords}
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    owner = getattr(getattr(call.func, "value", None), "id", "")
    if name in TEXT_READERS and "encoding" not in given and not _encoding_by_place(name, call):
        yield f"{name} without encoding: on Windows it is cp1252"
    if name == "open" and owner not in {"Image", "tarfile", "gzip", "os", "webbrowser"}:
        by_method = isinstance(call.func, ast.Attribute)
        modes = [kw.value for kw in call.keywords if kw.arg == "mode"]
        modes += call.args[int(not by_method) :][:1]
        binary = any("b" in one.value for mode in modes for one in ast.walk(mode)
                     if isinstance(one, ast.Constant) and isinstance(one.value, str))  # fmt: skip
        if not binary and "encoding" not in given:
            yield "open without encoding: on Windows it is cp1252"
    if name == "NamedTemporaryFile" and not given & {"delete", "delete_on_close"}:
        yield "NamedTemporaryFile cannot be opened a second time on Windows; delete=False"
    if name in {"get_context", "set_start_method"}:
        methods = [one.value for one in call.args if isinstance(one, ast.Constant)]
        yield from (f"start method {one!r}" for one in methods if one in ("fork", "forkserver"))


def _encoding_by_place(name: str, call: ast.Call) -> bool:
    return len(call.args) > (name == "write_text")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("import fcntl", "imports fcntl"),
        ("from resource import getrusage", "imports resource"),
        ("from os import fork", "imports os.fork"),
        ("os.uname()", "os.uname"),
        ("signal.signal(signal.SIGALRM, stop)", "signal.SIGALRM"),
        ("Path('/tmp/cache')", "the path '/tmp/cache'"),
        ("place = f'/home/{name}'", "the path '/home/'"),
        ("day = today.strftime('%-d %B')", "the format '%-d %B'"),
        ("open('notes.txt')", "open without encoding"),
        ("path.open('a')", "open without encoding"),
        ("path.read_text()", "read_text without encoding"),
        ("path.write_text('é')", "write_text without encoding"),
        ("os.rename(new, old)", "os.rename"),
        ("NamedTemporaryFile('wb')", "NamedTemporaryFile"),
        ("multiprocessing.get_context('fork')", "start method 'fork'"),
    ],
)
def test_it_sees(line: str, found: str) -> None:
    assert [what for what in problems(line) if found in what], line


@pytest.mark.parametrize(
    "line",
    [
        "'''Kept in /tmp/cache.'''",
        "'/tmp/cache is where it was'",
        "path.read_text('utf-8')",
        "path.write_text(text, encoding='utf-8')",
        "open(path, encoding='utf-8')",
        "path.open('rb' if whole else 'ab')",
        "Image.open(path)",
        "os.replace(new, old)",
        "'spam/eggs'.split('/')",
    ],
)
def test_it_lets_pass(line: str) -> None:
    assert list(problems(line)) == []


def test_the_students_library_is_portable() -> None:
    found = [
        f"{path.relative_to(ROOT)}, {what}"
        for path in sorted((ROOT / "cs231n_lib").rglob("*.py"))
        for what in problems(path.read_text("utf-8"))
        if "'/content/drive'" not in what  # Colab's own
    ]
    assert found == []


def test_assignment_1_runs_where_there_is_no_torch() -> None:
    """Every module that its notebooks import, with torch and the other extras out of reach."""
    sources = [
        "".join(cell["source"])
        for path in sorted((ROOT / "release" / "assignment1").glob("*.ipynb"))
        for cell in json.loads(path.read_text("utf-8"))["cells"]
        if cell["cell_type"] == "code"
    ]
    all_lines = [line.strip() for source in sources for line in source.splitlines()]
    lines = {line for line in all_lines if re.match(r"(import|from)\s.*[^(]$", line)}
    assert any("cs231n_lib.data" in line for line in lines)
    blocked = ("torch", "skimage", "sklearn", "sacrebleu", "h5py", "nbgrader", "autograder")
    program = "\n".join([
        "import sys",
        f"sys.modules.update(dict.fromkeys({blocked!r}))",
        *sorted(lines),
        "from cs231n_lib.data import load_cifar10",
        "print(load_cifar10(num_train=20, num_test=5)[0].shape)",
    ])  # fmt: skip
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.endswith("(20, 32, 32, 3)\n"), done.stderr
