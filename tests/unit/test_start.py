"""What the command that grades imports, and when: the first kernel does not wait for the rest."""

from __future__ import annotations

import subprocess
import sys

import pytest

# What takes long, from a tenth of a second to two seconds.
HEAVY = {"numpy", "rich", "nbgrader", "nbformat", "sqlalchemy", "jsonschema", "distributed"}
HEAVY |= {"torch", "scipy", "matplotlib", "IPython", "PIL", "autograder.judge"}


def imported_with(module: str) -> set[str]:
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("autograder.cli.main, autograder.cli.grading_start", set()),
        ("autograder.cli.grade", {"numpy", "rich", "PIL", "autograder.judge"}),
        ("autograder.batch.judge_process", {"numpy", "PIL", "autograder.judge"}),
        ("autograder.sandbox.zygote", set()),
    ],
    ids=["before anything is started", "before a task is given out", "a judge", "a warm process"],
)
def test_nothing_is_imported_in_vain_before_the_first_kernel(
    module: str, allowed: set[str]
) -> None:
    assert imported_with(module) & HEAVY <= allowed
