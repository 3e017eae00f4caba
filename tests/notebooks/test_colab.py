"""Notebooks on Colab: a first cell that `release` writes, run on a machine like Colab's."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autograder.authoring.release import ReleaseError, make_release
from tests import little

ADDRESS = "https://github.com/an-institute/cs231n-2031"
LOADS = 'from cs231n_lib.notebooks import load\n\nearlier = load("knn")'

# The machine: a bare working directory with one notebook, Colab's module imported by the kernel
# before the first cell, Drive mounted when asked, and pip asked for rather than run.
MACHINE = """
import json, sys, types
from pathlib import Path

notebook, drive_root, allowed = sys.argv[1:]
google, colab = types.ModuleType("google"), types.ModuleType("google.colab")
drive = types.ModuleType("google.colab.drive")

def mount(place):
    if allowed == "no":
        raise ValueError("mount failed")
    Path(place, "MyDrive").mkdir(parents=True, exist_ok=True)

drive.mount = mount
sys.modules.update({"google": google, "google.colab": colab, "google.colab.drive": drive})

import cs231n_lib.colab
cs231n_lib.colab.MOUNTED_AT = Path(drive_root)

from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.register_magic_function(lambda line: print("pip", line), magic_name="pip")
for cell in json.loads(Path(notebook).read_text("utf-8"))["cells"]:
    if cell["cell_type"] == "code" and cell["id"] in ("colab-setup", "imports", "loads"):
        done = shell.run_cell("".join(cell["source"]))
        if not done.success:
            break
print("then", Path.cwd(), getattr(shell.user_ns.get("earlier"), "__name__", None))
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two assignments; the second's notebook loads the first's."""
    root = little.write_course(tmp_path_factory.mktemp("colab") / "course")
    later = little.little_source()
    loads = later["cells"][0] | {"id": "loads", "source": LOADS}
    later["cells"].insert(1, loads)
    (root / "source" / "assignment2").mkdir()
    (root / "source" / "assignment2" / "later.ipynb").write_text(json.dumps(later), "utf-8")
    loads["source"] = "import gymnasium"
    (root / "source" / "assignment2" / "agents.ipynb").write_text(json.dumps(later), "utf-8")
    return root


@contextmanager
def configured(root: Path, settings: str) -> Iterator[None]:
    config = root / "nbgrader_config.py"
    before = config.read_text("utf-8")
    config.write_text(f"{before}\n{settings}\n", "utf-8")
    yield
    config.write_text(before, "utf-8")


@pytest.fixture(scope="module")
def released(course: Path) -> Path:
    with configured(course, f"c.ColabSetup.address = {ADDRESS!r}"):
        for assignment in ("assignment1", "assignment2"):
            make_release(course, assignment)
    return course / "release"


def cells(path: Path) -> dict[str, str]:
    document = json.loads(path.read_text("utf-8"))
    return {cell["id"]: "".join(cell["source"]) for cell in document["cells"]}


def on_colab(
    content: Path, notebook: Path, drive: Path, allowed: str = "yes"
) -> subprocess.CompletedProcess[str]:
    content.mkdir(exist_ok=True)
    (content / notebook.name).write_bytes(notebook.read_bytes())
    command = [sys.executable, "-c", MACHINE, notebook.name, str(drive), allowed]
    return subprocess.run(command, cwd=content, capture_output=True, text=True)


def test_the_first_cells_are_a_badge_and_what_colab_needs(released: Path) -> None:
    first = cells(released / "assignment2" / "later.ipynb")
    assert list(first)[:2] == ["open-in-colab", "colab-setup"]
    where = "https://colab.research.google.com/github/an-institute/cs231n-2031/blob/main/release"
    assert f"({where}/assignment2/later.ipynb)" in first["open-in-colab"]
    wanted = f'%pip install --quiet "cs231n-course[student] @ git+{ADDRESS}@main"'
    assert wanted in first["colab-setup"]
    agents = cells(released / "assignment2" / "agents.ipynb")["colab-setup"]
    assert f'"cs231n-course[student,rl] @ git+{ADDRESS}@main"' in agents
    assert "open_drive('cs231n/assignment2', beside=('knn',))" in first["colab-setup"]
    assignment1 = cells(released / "assignment1" / "knn.ipynb")["colab-setup"]
    assert f'"cs231n-course @ git+{ADDRESS}@main"' in assignment1, "no torch is asked for"


def test_other_hosts_get_the_cell_and_no_badge(course: Path, tmp_path: Path) -> None:
    settings = (
        'c.ColabSetup.address = "https://git.example.edu/vision/course"',
        'c.ColabSetup.branch = "students"',
        'c.ColabSetup.drive_folder = "vision/2031"',
    )
    with configured(course, "\n".join(settings)):
        [path] = make_release(course, "assignment1", destination=tmp_path)
    first = cells(path)
    assert next(iter(first)) == "colab-setup"
    assert "git+https://git.example.edu/vision/course@students" in first["colab-setup"]
    assert "open_drive('vision/2031/assignment1')" in first["colab-setup"]


def test_without_an_address_there_is_no_such_cell(course: Path, tmp_path: Path) -> None:
    [path] = make_release(course, "assignment1", destination=tmp_path)
    assert next(iter(cells(path))) == "imports"


def test_a_wrong_address_is_named(course: Path, tmp_path: Path) -> None:
    wrong = "c.ColabSetup.address = 'our course; import os'"
    told = r"ColabSetup\.address in nbgrader_config\.py is 'our co"
    with configured(course, wrong), pytest.raises(ReleaseError, match=told):
        make_release(course, "assignment1", destination=tmp_path)


def test_on_colab_the_folders_are_on_drive_and_load_goes_across(
    released: Path, tmp_path: Path
) -> None:
    drive = tmp_path / "drive"
    content = tmp_path / "content"
    knn, later = released / "assignment1" / "knn.ipynb", released / "assignment2" / "later.ipynb"
    first = on_colab(content, knn, drive)
    folder = drive / "MyDrive" / "cs231n" / "assignment1"
    assert f'pip --quiet "cs231n-course @ git+{ADDRESS}@main"' in first.stdout.replace(
        "install ", ""
    )
    assert f"then {folder} None" in first.stdout

    alone = on_colab(content, later, drive)
    assert "This notebook uses your knn.ipynb, which is not there yet" in alone.stdout
    assert "no notebook knn.ipynb" in alone.stdout + alone.stderr

    (folder / "knn.ipynb").write_bytes(knn.read_bytes())
    again = on_colab(content, later, drive)
    assert "not there yet" not in again.stdout
    there = drive / "MyDrive" / "cs231n" / "assignment2"
    assert f"then {there} cs231n_notebook_knn" in again.stdout


def test_a_refused_drive_is_explained(released: Path, tmp_path: Path) -> None:
    notebook = released / "assignment1" / "knn.ipynb"
    done = on_colab(tmp_path / "content", notebook, tmp_path / "drive", allowed="no")
    told = " ".join((done.stdout + done.stderr).split())
    assert "Google Drive could not be mounted (mount failed)" in told
    assert "allow the access" in told


def test_elsewhere_the_cell_does_nothing(released: Path, tmp_path: Path) -> None:
    source = cells(released / "assignment1" / "knn.ipynb")["colab-setup"]
    shell = "from IPython.core.interactiveshell import InteractiveShell"
    code = f"{shell}\nInteractiveShell.instance().run_cell({source!r}).raise_error()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
