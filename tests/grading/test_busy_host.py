"""The same file, the same grade, however long its kernel had to wait for a processor."""

from __future__ import annotations

import json
import time

import pytest

from autograder.grading.grade import grade
from autograder.grading.job import Job
from autograder.judge.registry import checks_for
from autograder.judge.results import TIMED_OUT
from autograder.judge.sandbox import Sandbox
from autograder.judge.zygote import Zygote
from autograder.notebook.template import Template
from tests.little import ASSIGNMENT, CLASS_POINTS, NOTEBOOK, answer

# Hangs, and once interrupted goes on for longer than the grace is on a quiet machine.
HANGS = """
import time
try:
    while True:
        pass
except KeyboardInterrupt:
    end = time.monotonic() + 1.5
    while time.monotonic() < end:
        pass
"""


def hanging(document: dict) -> None:
    extra = {"cell_type": "code", "id": "mine", "metadata": {}, "source": HANGS, "outputs": []}
    document["cells"].insert(1, extra)


def test_one_hanging_cell_on_a_busy_host_takes_nothing_from_right_answers(
    zygote: Zygote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host so busy, as far as it says, that the kernel's every second is one of waiting.

    The cell's half a second becomes two, and these are all that the notebook has, by a wall clock.
    """
    monkeypatch.setattr(Sandbox, "waited_seconds", lambda sandbox: time.monotonic())
    released = json.loads(answer())
    for cell in released["cells"]:
        cell["source"] = "".join(cell["source"])
    released["metadata"]["cs231n"] = {
        "cell_seconds": 0.5, "call_seconds": 10, "notebook_seconds": 2
    }  # fmt: skip
    template = Template(ASSIGNMENT, NOTEBOOK, released)
    checks = checks_for(ASSIGNMENT, NOTEBOOK)
    graded = grade(Job("ann", template, answer(hanging), checks, b"secret"), zygote)
    assert graded.needs_human == ""
    assert graded.score == CLASS_POINTS
    assert (graded.outcome, graded.late_in) == (TIMED_OUT, "cell 'extra-1'")
    assert graded.timings["cells"] > 3.5  # half a second and the grace, each stretched
