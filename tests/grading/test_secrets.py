"""What the judge knows is nowhere in the kernel: not in memory, modules, objects or files."""

import ast
from pathlib import Path

import numpy as np

import cs231n_lib
from autograder.checks.assignment1.knn import distances
from autograder.judge.kernel import Kernel
from autograder.judge.registry import checks_for
from autograder.judge.score import Seed, grade_cell
from autograder.judge.student import Student
from tests.little import ROOT, SOURCE, answer_source

SECRET = b"the course's secret, in the judge's memory only"

# Looks for bytes in all readable memory of the process. They are given backwards, and looked for in
# the memory turned round, so that the search does not find itself.
SCAN = """
def scan(backwards):
    found = [0] * len(backwards)
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            span, mode = line.split()[:2]
            start, end = (int(n, 16) for n in span.split("-"))
            if mode[0] != "r" or "[v" in line:
                continue
            try:
                memory.seek(start)
                block = memory.read(end - start)[::-1]
            except (OSError, ValueError, OverflowError):
                continue
            found = [n + block.count(text) for n, text in zip(found, backwards)]
    return found
"""


def evaluate(kernel: Kernel, expression: str):
    run = kernel.run_cell(expression)
    assert run.outputs[-1]["output_type"] == "execute_result", run.outputs
    return ast.literal_eval(run.outputs[-1]["data"]["text/plain"])


def test_no_check_and_no_secret_is_in_the_kernels_memory(kernel) -> None:
    kernel.run_cell(answer_source())
    student = Student(kernel, {"answers": answer_source()})  # one check reads the source
    seed = Seed(SECRET, "assignment1", "knn", "ann")
    checks = checks_for("assignment1", "knn")["knn-two-loops"]
    assert grade_cell(student, "knn-two-loops", 2, checks, seed).verdict.score == 2
    kernel.run_cell(SCAN)
    titles = [c.title.encode() for cs in checks_for("assignment1", "knn").values() for c in cs]
    hints = [b"dists is transposed: dists[i, j]", b"these are squared distances", b"Euclidean (L2)"]
    there = b"The agent in the kernel"  # what the scan must find: a docstring of the agent
    needles = [SECRET, *titles, *hints, there]
    found = evaluate(kernel, f"scan({[needle[::-1] for needle in needles]!r})")
    assert found[-1] > 0
    assert {needle: n for needle, n in zip(needles, found[:-1], strict=False) if n} == {}


def test_judge_and_checks_are_not_importable(kernel) -> None:
    for module in ("autograder.judge", "autograder.checks.assignment1.knn", "autograder.hidden"):
        run = kernel.run_cell(f"import {module}")
        assert run.outputs[-1]["ename"] in ("ModuleNotFoundError", "ImportError", "PermissionError")
    loaded = evaluate(kernel, "sorted(m for m in __import__('sys').modules if 'autograder' in m)")
    assert not [name for name in loaded if "judge" in name or "checks" in name]


def test_files_that_hold_answers_cannot_be_opened(kernel) -> None:
    checks = Path(distances.__file__)
    for path in (checks, checks.parents[3] / "judge" / "score.py", SOURCE, ROOT / "release"):
        assert path.exists()  # on the host
        run = kernel.run_cell(f"import os\nos.stat({str(path)!r}); open({str(path)!r}).read()")
        assert run.outputs[-1]["ename"] in ("FileNotFoundError", "PermissionError"), path
    assert kernel.run_cell(f"open({cs231n_lib.__file__!r}).read();").ok


def test_no_check_is_found_by_walking_what_the_kernel_can_read(kernel) -> None:
    kernel.run_cell(
        "import os, sys\n"
        "found = [os.path.join(folder, name) for base in {*sys.path, sys.prefix, os.getcwd()}\n"
        "         for folder, _, names in os.walk(base) for name in names]"
    )
    assert evaluate(kernel, "len(found)") > 10_000  # the walk does find what is there
    kernel.run_cell(
        "ours = [f for f in found if 'site-packages' not in f]  # sklearn has a knn too"
    )
    forbidden = "('autograder' + os.sep, 'distances.py', 'knn.ipynb', 'gradebook.db')"
    assert evaluate(kernel, f"[f for f in ours if any(x in f for x in {forbidden})]") == []


def test_patched_random_numbers_reveal_no_seed(kernel) -> None:
    """Inputs arrive as data: the kernel's own generators are never asked."""
    kernel.run_cell(answer_source())
    kernel.run_cell(
        "import numpy as np\nseeds = []\nreal = np.random.default_rng\n"
        "def spy(seed=None):\n    seeds.append(seed)\n    return real(seed)\n"
        "np.random.default_rng = spy\nnp.random.RandomState = spy"
    )
    student, seed = Student(kernel), Seed(SECRET, "assignment1", "knn", "ann")
    checks = checks_for("assignment1", "knn")["knn-predict-labels"]
    assert grade_cell(student, "knn-predict-labels", 3, checks, seed).verdict.score == 3
    assert evaluate(kernel, "seeds") == []


def test_an_agent_rewritten_by_the_student_earns_what_its_numbers_earn(kernel) -> None:
    """Every answer replaced by zeros and every flag by success: no check of a value passes."""
    kernel.run_cell(answer_source())
    kernel.run_cell(
        "import autograder.sandbox.agent as a, numpy as np\n"
        "a.Agent._answer = lambda self, request: {'ok': True, 'value': np.zeros((4, 7)), "
        "'stdout': '', 'passed': True, 'score': 100, 'verdict': 'full marks'}"
    )
    student, seed = Student(kernel), Seed(SECRET, "assignment1", "knn", "ann")
    for grade_id, checks in checks_for("assignment1", "knn").items():
        outcome = grade_cell(student, grade_id, 4, checks, seed)
        assert outcome.verdict.score == 0, grade_id


def test_other_students_and_other_submissions_meet_other_numbers() -> None:
    check = checks_for("assignment1", "knn")["knn-two-loops"][0]
    seeds = [
        Seed(SECRET, "assignment1", "knn", "ann", "1"),
        Seed(SECRET, "assignment1", "knn", "ann", "2"),
        Seed(SECRET, "assignment1", "knn", "bob", "1"),
        Seed(b"another", "assignment1", "knn", "ann", "1"),
    ]
    first = [seed.generator(check).random() for seed in seeds]
    assert len(set(first)) == len(seeds)
    assert np.array_equal(first, [seed.generator(check).random() for seed in seeds])
