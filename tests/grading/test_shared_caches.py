"""Functions that share a cache are replaced together, and only where a later notebook needs it.

Verdicts are made up here; what they lead to is loaded in real kernels. A whole student is graded
in ``test_nobody_pays_twice``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from autograder.grading import in_kernel_pairs
from autograder.grading.earlier import EarlierWork
from autograder.grading.material import Material, Name, load_material
from autograder.grading.prerequisites import defined, instructors
from autograder.judge.caches import pairs_for
from autograder.judge.kernel import Kernel, KernelLimits
from autograder.judge.registry import checks_for
from autograder.judge.results import CellVerdict, CheckVerdict, GradedNotebook
from autograder.judge.student import Student
from autograder.mutate import fairness
from autograder.mutate.trial import load_subject
from autograder.notebook.edits import solve
from autograder.notebook.template import is_answer, load_template, notebooks_of, source_of
from autograder.settings import CS231N
from tests.little import ROOT

ASSIGNMENTS = sorted({path.parent.name for path in (ROOT / "release").glob("*/*.ipynb")})
NOTEBOOKS = [(a, n) for a in ASSIGNMENTS for n in notebooks_of(ROOT, a)]
SVM, BN = ("assignment1", "svm"), ("assignment2", "BatchNormalization")
RNN = ("assignment3", "RNN_Captioning")
LATER = {SVM: "softmax", BN: "ConvolutionalNetworks", RNN: "LSTM_Captioning"}
LIMITS = KernelLimits(cell_seconds=30, call_seconds=30)


@cache
def material(assignment: str) -> Material:
    return load_material(ROOT, assignment, b"secret")


def verdict(name: Name, failed: Iterable[str], cells: dict[str, str]) -> GradedNotebook:
    """A right notebook, some cells exchanged, in which these checks failed, and no others."""
    document = json.loads(json.dumps(fairness.solution(load_subject(ROOT, *name), None)))
    for cell in document["cells"]:
        cell["source"] = cells.get(cell["id"], cell["source"])
    found = []
    for grade_id, checks in checks_for(*name).items():
        one = [
            CheckVerdict(c.name, c.title, "", c.advice, c.weight, c.name not in failed, "", 0.0)
            for c in checks
        ]
        right = all(c.passed or c.advice for c in one)
        found.append(CellVerdict(grade_id, 4.0, 4.0 if right else 3.0, tuple(one)))
    return GradedNotebook("ada", *name, tuple(found), document=json.dumps(document))


def made_ready(
    zygote, name: Name, failed: Iterable[str], cells: dict[str, str] | None = None
) -> tuple[dict[str, bytes], list[str]]:
    """What a later notebook finds of this one, and the sentences about it."""
    graded = verdict(name, failed, cells or {})
    ours = material(name[0])
    handed_in = {f"{name[1]}.ipynb": graded.document.encode()}
    work = EarlierWork(ours, "ada", handed_in, lambda: zygote, {name: graded})
    files, notes = work.files_for(ours.template(LATER[name]))
    return files, [note for note in notes if "was not handed in" not in note]


def loaded(zygote, files: dict[str, bytes], notebook: str, code: str) -> str:
    """What is printed by code that finds the notebook as ``it``."""
    kernel = Kernel(zygote.fork(files=files), LIMITS)
    try:
        asks = f"from cs231n_lib.notebooks import load\nit = load({notebook!r})\n{code}"
        run = kernel.run_cell(asks)
        assert run.ok, run.outputs
        return "".join(str(output.get("text", "")) for output in run.outputs)
    finally:
        kernel.close()


# -- what is declared -----------------------------------------------------------------------------


def test_all_forward_and_backward_functions_of_the_course_are_declared() -> None:
    found, declared = set(), set()
    for name in NOTEBOOKS:
        answers = {
            function
            for cell in load_template(ROOT, *name).cells
            if is_answer(cell) and cell["cell_type"] == "code"
            for function in defined(source_of(cell))
        }
        if not any("_backward" in f for f in answers):
            continue  # nobody reads what a forward function there leaves behind
        found |= {(name, f) for f in answers if "_forward" in f or "_backward" in f}
        declared |= {(name, f) for pair in pairs_for(*name, CS231N) for f in pair.names}
    assert found == declared
    assert len(found) == 29


@pytest.mark.sandbox
@pytest.mark.parametrize(
    "name", [n for n in NOTEBOOKS if pairs_for(*n, CS231N)], ids=lambda n: n[1]
)
def test_right_functions_work_together_and_others_do_not(zygote, name: Name) -> None:
    sources = {path.stem: path for path in Path(ROOT, "source").glob("*/*.ipynb")}
    files = {
        f"{stem}.ipynb": instructors(stem, solve(json.loads(path.read_text("utf-8"))), "").content
        for stem, path in sources.items()
    }
    pairs = pairs_for(*name, CS231N)
    asked = [(pair.forward, pair.backward, pair.arguments, pair.wrt) for pair in pairs]
    other = "\ndef wrong(*upstream_and_cache):\n    return upstream_and_cache[-1][0]\n"
    wrong = json.loads(files[f"{name[1]}.ipynb"])
    wrong["cells"][-1]["source"] += other + "".join(
        f"def {pair.backward[-1]}(*upstream_and_cache):\n    return wrong(*upstream_and_cache)\n"
        for pair in pairs
    )
    kernel = Kernel(zygote.fork(files={**files, "wrong.ipynb": json.dumps(wrong).encode()}), LIMITS)
    try:
        student = Student(kernel, {})
        assert student.apply(in_kernel_pairs.misfits, name[1], asked) == []
        names = [pair.forward for pair in pairs]
        assert student.apply(in_kernel_pairs.misfits, "wrong", asked) == names
    finally:
        kernel.close()


# -- what is replaced -----------------------------------------------------------------------------

LOST = "the instructor's was used here, because points were lost there"
OWN_CACHE = """
def batchnorm_forward(x, gamma, beta, bn_param):
    eps = bn_param.get("eps", 1e-5)
    std = np.sqrt(x.var(0) + eps)
    hat = (x - x.mean(0)) / std
    return gamma * hat + beta, {"hat": hat, "std": std, "gamma": gamma}
"""
OWN_BACKWARD = """
def batchnorm_backward(dout, cache):
    hat, d = cache["hat"], dout * cache["gamma"]
    dx = (d - d.mean(0) - hat * (d * hat).mean(0)) / cache["std"]
    return dx, (dout * hat).sum(0), dout.sum(0)
"""
OF_ROWS = """
def layernorm_forward(x, gamma, beta, ln_param):
    rows = np.ones(len(x))
    hat, cache = batchnorm_forward(x.T, rows, 0 * rows, {"mode": "train", **ln_param})
    return gamma * hat.T + beta, (hat.T, cache["std"][:, None], gamma)
"""
OWN = {
    "batchnorm-forward": OWN_CACHE,
    "batchnorm-backward": OWN_BACKWARD,
    "batchnorm-backward-alt": OWN_BACKWARD.replace("backward(", "backward_alt("),
}


def of(notebook: str, *functions: str, why: str = LOST) -> list[str]:
    return [f"{function} of {notebook}: {why}" for function in functions]


def shares(partners: str) -> str:
    why = f"it shares a cache with {partners}, where points were lost"
    return LOST.replace("points were lost there", why)


@pytest.mark.sandbox
@pytest.mark.parametrize("failed", ["running_statistics", "dgamma"])
def test_a_pair_is_replaced_together_and_works(zygote, failed: str) -> None:
    files, notes = made_ready(zygote, BN, [failed], OWN)
    functions = ["batchnorm_forward", "batchnorm_backward", "batchnorm_backward_alt"]
    both = ["layernorm_forward", "layernorm_backward"]
    why = shares("batchnorm_forward")
    if failed == "running_statistics":
        assert notes == of(BN[1], functions[0]) + of(BN[1], *functions[1:], why=why)
    else:  # the check of all three backward functions
        partners = shares("batchnorm_backward and batchnorm_backward_alt")
        forward = of(BN[1], functions[0], why=partners) + of(BN[1], *functions[1:])
        ln = of(BN[1], both[0], why=shares("layernorm_backward")) + of(BN[1], both[1])
        assert notes == forward + ln
    code = "import numpy as np\nx = np.eye(3)\nout, cache = it.batchnorm_forward(x, 1, 0, {'mode': "
    assert "(3, 3)" in loaded(
        zygote, files, BN[1], f"{code}'train'}})\nprint(it.batchnorm_backward(x, cache)[0].shape)"
    )


@pytest.mark.sandbox
def test_a_pair_that_takes_another_ones_cache_apart_is_replaced_too(zygote) -> None:
    files, notes = made_ready(
        zygote, BN, ["running_statistics"], OWN | {"layernorm-forward": OF_ROWS}
    )
    beside = LOST.replace(
        "points were lost there", "it did not work beside the instructor's batchnorm_forward"
    )
    assert notes[3:] == of(BN[1], "layernorm_forward", "layernorm_backward", why=beside)
    assert OF_ROWS not in files[f"{BN[1]}.ipynb"].decode()


@pytest.mark.sandbox
def test_a_layer_goes_back_over_replaced_steps(zygote) -> None:
    """rnn_forward stores what the steps gave it, whoever wrote them: it stays."""
    _, notes = made_ready(zygote, RNN, ["next_h"])
    why = shares("rnn_step_forward")
    assert notes == of(RNN[1], "rnn_step_forward") + of(RNN[1], "rnn_step_backward", why=why)


@pytest.mark.sandbox
@pytest.mark.parametrize("name", LATER, ids=lambda name: name[1])
def test_a_lost_condition_or_rare_case_replaces_nothing(zygote, name: Name) -> None:
    checks = [check for checks in checks_for(*name).values() for check in checks]
    harmless = {check.name for check in checks if check.condition or check.rare}
    assert harmless
    _, notes = made_ready(zygote, name, harmless)
    assert notes == []
    assert name != BN or {"default_eps", "momentum_0_and_1", "shapes"} <= harmless


@pytest.mark.sandbox
def test_a_replaced_cell_keeps_its_place_in_the_notebook(zygote) -> None:
    """LinearSVM, which came with the notebook, is a LinearClassifier: that is defined before."""
    own = "def svm_loss_vectorized(W, X, y, reg):\n    return 'own', None"
    files, notes = made_ready(
        zygote, SVM, ["prediction_is_the_highest_score"], {"svm-loss-vectorized": own}
    )
    assert notes == of("svm", "LinearClassifier")
    code = "one = it.LinearSVM()\none.W = 0\nprint(one.loss(0, 0, 0))"
    assert "('own', None)" in loaded(zygote, files, "svm", code)


@pytest.mark.sandbox
def test_what_cannot_be_loaded_with_the_instructors_part_is_said_to_be_so(zygote) -> None:
    own = "class Sparse(LinearClassifier):\n    HALF = LinearClassifier.half"
    files, notes = made_ready(zygote, SVM, ["prediction_is_the_highest_score"], {"linear-svm": own})
    assert notes == [
        "svm could not be loaded, with the instructor's part in it: all of it is the instructor's "
        "here"
    ]
    assert "LinearSVM" in loaded(zygote, files, "svm", "print(it.LinearSVM)")
