"""What is written into a course folder is never seen half-written."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.course.secret import VARIABLE, course_secret
from autograder.course.submissions import CourseError
from autograder.files import replacing, write_bytes, write_text

ROOT = Path(__file__).resolve().parents[2]

# Modules that write in another way, and why that is right there.
OTHER_WAYS = {
    "autograder/authoring/regression.py": "into a scratch folder of its own",
    "autograder/authoring/scratch.py": "into a scratch folder of its own",
    "autograder/collect/archives.py": "unpacks into a scratch folder of its own",
    "autograder/collect/exchange.py": "into a folder that gets its name when it is whole",
    "autograder/course/changes.py": "appends to a log; a line that was broken off is left out",
    "autograder/course/lock.py": "a lock, read for the number of a process only",
    "autograder/course/secret.py": "must not replace a secret that another process made",
    "autograder/export/gradescope/push.py": "into a scratch folder of its own, and a log",
    "autograder/export/gradescope/run.py": "copies the course into a scratch folder of its own",
    "autograder/feedback/standing.py": "to its own standard output, which a pipe reads",
    "autograder/host/memory_group.py": "into the files of a cgroup, which the kernel reads",
    "autograder/judge/zygote_link.py": "into an open descriptor",
    "autograder/sandbox/lockdown.py": "into the kernel's work folder and /proc",
    "autograder/sandbox/probe.py": "tries what a sandbox must refuse",
    "autograder/sandbox/zygote.py": "into /proc",
}


def test_a_file_is_written_with_its_folder(tmp_path: Path) -> None:
    write_text(tmp_path / "new" / "a.txt", "Grüße\n")
    write_bytes(tmp_path / "new" / "b.bin", b"\x00\r\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == "Grüße\n".encode()
    assert (tmp_path / "new" / "b.bin").read_bytes() == b"\x00\r\n"
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"a.txt", "b.bin"}


def test_an_error_half_way_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "grades.csv"
    write_text(path, "old")

    def write_half() -> None:
        with replacing(path) as file:
            file.write(b"new, but only ha")
            file.flush()
            assert path.read_text() == "old"
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_only_the_owner_reads_what_is_private(tmp_path: Path) -> None:
    with replacing(tmp_path / "autograder.zip", mode=0o600) as file:
        file.write(b"x")
    assert (tmp_path / "autograder.zip").stat().st_mode & 0o777 == 0o600
    write_bytes(tmp_path / "page.html", b"x")
    assert (tmp_path / "page.html").stat().st_mode & 0o777 == 0o644


def test_nothing_is_written_in_another_way() -> None:
    found = {
        str(path.relative_to(ROOT)): calls
        for path in sorted((ROOT / "autograder").rglob("*.py"))
        if "mutants" not in path.parts and "samples" not in path.parts
        if path != ROOT / "autograder" / "files.py" and (calls := list(writing_calls(path)))
    }
    assert {name: calls for name, calls in found.items() if name not in OTHER_WAYS} == {}
    assert sorted(OTHER_WAYS) == sorted(found), "this list names a module that writes nothing"


def writing_calls(path: Path) -> Iterator[str]:
    """Calls that write a file in place: methods of Path, ``open`` for writing, shutil's copies."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        name = called.rpartition(".")[2]
        texts = [one.value for one in node.args if isinstance(one, ast.Constant)]
        texts += [one.value.value for one in node.keywords if isinstance(one.value, ast.Constant)]
        modes = [text for text in texts if isinstance(text, str) and set(text) <= set("rwaxbt+")]
        opens = name in ("open", "fdopen") and any(set(mode) & set("wax+") for mode in modes)
        by_path = name in ("write_text", "write_bytes") and called != name
        copies = called.startswith("shutil.copy") and called != "shutil.copyfileobj"
        if opens or by_path or copies:
            yield f"line {node.lineno}: {called}"


def test_the_secret_is_made_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    secret = course_secret(tmp_path)
    assert len(secret) == 32
    assert course_secret(tmp_path) == secret
    assert (tmp_path / ".autograder" / "secret").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "\n", "0a0b", "not hexadecimal"])
def test_nobody_is_graded_with_a_secret_that_is_none(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk leaves an empty file; hidden inputs drawn from that could be foreseen."""
    monkeypatch.delenv(VARIABLE, raising=False)
    course_secret(tmp_path)
    (tmp_path / ".autograder" / "secret").write_text(content)
    with pytest.raises(CourseError, match="holds no secret"):
        course_secret(tmp_path)
