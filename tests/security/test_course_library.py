"""Of a course with packages of its own, a kernel has what students import, and nothing else."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from attacker import HERE, ask
from conftest import public_python

from autograder.authoring.new_course import new_course
from autograder.judge.registry import checks_for
from autograder.judge.zygote import Zygote
from autograder.sandbox import probe
from autograder.sandbox.policy import Library, SandboxError
from autograder.settings import settings_of

# Every way to each file: by its path, through the library's folder, a link, and the process itself.
READ = """
import open_course_lib
link = os.path.join(os.getcwd(), "link")
got = {"names": [], "read": []}
for path in paths:
    inside = os.path.relpath(path, root)
    os.path.islink(link) and os.remove(link)
    os.symlink(path, link)
    ways = [
        path, os.path.join(open_course_lib.__path__[0], "..", inside), link,
        "/proc/self/root" + path,
    ]
    for way in ways:
        try:
            got["read"].append(len(open(way).read()))
        except OSError:
            pass
try:
    got["names"] = sorted(os.listdir(root))
except OSError:
    pass
"""
IMPORT = "import sys; sys.path.insert(0, root); import open_course_checks.assignment1.scales"


@pytest.fixture(scope="module")
def course() -> Iterator[Path]:
    """In a folder that every user can read: the wall is not to lean on that."""
    made = Path(tempfile.mkdtemp(prefix="cs231n-course-"))
    made.chmod(0o755)
    new_course(made / "open_course")
    (made / "open_course" / "submitted").mkdir()
    (made / "open_course" / "submitted" / "others.txt").write_text("another student's")
    yield made / "open_course"
    shutil.rmtree(made)


def start(tier: str, library: Library) -> Zygote:
    python = public_python() if tier == "flat" else sys.executable
    if tier != "none" and (reason := probe.attempt(tier, python).reason):
        pytest.skip(f"tier {tier} is not to be had here: {reason}")
    inside = {"entry": "inside:serve", "search": [HERE], "warm": False, "python": Path(python)}
    return Zygote(tier, library=library, **inside)


@pytest.mark.parametrize("tier", [*probe.ISOLATING, "none"])
def test_a_kernel_has_the_library_and_not_the_checks(course: Path, tier: str) -> None:
    library = settings_of(course).library
    secret = [p for p in sorted(course.rglob("*")) if p.is_file() and library.name not in p.parts]
    assert any(path.match("open_course_checks/assignment1/scales.py") for path in secret)
    with start(tier, library) as zygote, zygote.fork() as sandbox:
        data = "import open_course_lib; got = open_course_lib.measurements().shape"
        assert ask(sandbox, data) == {"got": "(40, 3)"}
        names = {"root": str(course), "paths": [str(path) for path in secret]}
        found = eval(ask(sandbox, READ, **names)["got"])
        failed = ask(sandbox, IMPORT, **names).get("error", "")
    if tier == "none":  # the control: the same code, and every way is a way
        assert len(found["read"]) == 4 * len(secret)
        assert "open_course_checks" in found["names"]
        assert failed == ""
        return
    assert found["read"] == []
    assert set(found["names"]) <= {library.name}
    assert failed.split(":")[0] in ("ModuleNotFoundError", "PermissionError")


@pytest.mark.parametrize("inside", ["source", "open_course_checks", "mutants"])
def test_a_library_among_the_secrets_is_refused(course: Path, inside: str) -> None:
    """Whatever the settings say, and wherever a link leads."""
    settings = settings_of(course).library
    (course / "linked").unlink(missing_ok=True)
    (course / "linked").symlink_to(course / inside)
    with pytest.raises(SandboxError, match="would be readable by student code"):
        Zygote(probe.choose(), library=replace(settings, name="linked"), warm=False)


def test_the_course_as_data_is_refused(course: Path) -> None:
    library = settings_of(course).library
    with pytest.raises(SandboxError, match="would be readable by student code"):
        Zygote(probe.choose(), library=library, readable=[course], warm=False)


@pytest.mark.parametrize("data", ["autumn", "", "autumn/submitted/ann", "autumn/.autograder"])
def test_another_course_as_data_is_refused(tmp_path: Path, data: str) -> None:
    """One that has no settings of its own and lies elsewhere: the engine does not know its root."""
    (tmp_path / "autumn" / "submitted" / "ann").mkdir(parents=True)
    (tmp_path / "autumn" / ".autograder").mkdir()
    (tmp_path / "autumn" / "nbgrader_config.py").touch()
    (tmp_path / "autumn" / "data").mkdir()
    with pytest.raises(
        SandboxError, match="is part of a course, must not be; keep data in a folder"
    ):
        Zygote(probe.choose(), readable=[tmp_path / data], warm=False)
    Zygote(probe.choose(), readable=[tmp_path / "autumn" / "data"], warm=False).close()


def test_a_library_that_cannot_be_imported_is_named(course: Path) -> None:
    (course / "broken_lib").mkdir(exist_ok=True)
    (course / "broken_lib" / "__init__.py").write_text("import no_such_package")
    library = replace(settings_of(course).library, name="broken_lib")
    with pytest.raises(SandboxError, match=r"'broken_lib'.*No module named 'no_such_package'"):
        Zygote(probe.choose(), library=library, warm=False)


def test_the_judge_finds_the_checks_all_the_same(course: Path) -> None:
    assert list(checks_for("assignment1", "scales", settings_of(course))) == ["standardize-columns"]
