"""A notebook in NumPy is graded where there is no framework that could do the work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attacker import ask

from autograder.judge.sandbox import Sandbox
from autograder.judge.zygote import Zygote

ABSENT = ("scipy", "sklearn", "skimage", "torch")
WITHOUT_OUR_FINDER = """
import sys
sys.meta_path[:] = [f for f in sys.meta_path if not f.__module__.startswith("autograder")]
"""
# All folders of packages that a student could guess: ours, and the system's.
FILES = f"""
import glob, sys, numpy
roots = [sys.prefix, sys.base_prefix, "/usr", "/usr/local"]
folders = [f for root in roots for f in glob.glob(f"{{root}}/lib*/python3*/*-packages")]
folders.append(os.path.dirname(os.path.dirname(numpy.__file__)))
got = []
for folder in folders:
    for name in {ABSENT!r}:
        try:
            got.append(open(f"{{folder}}/{{name}}/__init__.py").read())
        except (FileNotFoundError, PermissionError):
            pass
"""


@pytest.fixture(scope="module")
def numpy_only(zygote: Zygote) -> Iterator[Sandbox]:
    with zygote.fork(packages="numpy", files={"joblib.py": b"mine = 3"}) as made:
        yield made


@pytest.mark.parametrize("name", ABSENT)
def test_frameworks_are_not_there(numpy_only: Sandbox, name: str) -> None:
    error = ask(numpy_only, f"import {name}")["error"]
    assert error == (
        f"ModuleNotFoundError: No module named {name!r}: this notebook is graded without {name}. "
        "Its questions are to be answered with NumPy; remove the import"
    )
    assert ask(numpy_only, f"import sys; got = {name!r} in sys.modules")["got"] == "False"


def test_they_are_not_among_the_files(zygote: Zygote) -> None:
    """Whatever the student does to the import system."""
    with zygote.fork(packages="numpy") as sandbox:
        for name in ABSENT:
            # Of scikit-image a folder of pictures is there, which is no module.
            code = f"{WITHOUT_OUR_FINDER}import {name}; {name}.__version__"
            error = ask(sandbox, code)["error"].split(":")[0]
            assert error in ("ModuleNotFoundError", "PermissionError", "AttributeError"), error
        assert (
            ask(sandbox, FILES)["got"] == "[]" or "PermissionError" in ask(sandbox, FILES)["error"]
        )
    with zygote.fork() as sandbox:  # the control
        assert ask(sandbox, FILES)["got"].count("scipy") > 10


def test_what_notebooks_need_is_there(numpy_only: Sandbox) -> None:
    code = """
import importlib.util, IPython.display, matplotlib.pyplot, numpy, PIL.Image, tqdm
(folder,) = importlib.util.find_spec("skimage").submodule_search_locations
got = PIL.Image.open(folder + "/data/chelsea.png").size  # which cs231n_lib shows
"""
    assert ask(numpy_only, code) == {"got": "(451, 300)"}


def test_a_file_of_the_students_own_is_theirs(numpy_only: Sandbox) -> None:
    code = "import sys; sys.path.insert(0, os.getcwd()); import joblib; got = joblib.mine"
    assert ask(numpy_only, code) == {"got": "3"}
