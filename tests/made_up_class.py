"""A class that was never graded: plausible verdicts, any number of students, all kinds of trouble.

Students have an ability and checks a difficulty (a Rasch model), so that good answers pass and poor
ones fail, but for three planted checks which the report should point at.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from autograder.judge.results import CellVerdict, CheckVerdict, GradedNotebook
from autograder.judge.score import NOT_ATTEMPTED

ASSIGNMENT = "assignment1"
QUESTIONS = {
    "features": ("features-validate-svm", "features-validate-net", "features-colour-histogram"),
    "knn": ("knn-two-loops", "knn-one-loop", "knn-no-loops", "knn-predict-labels", "knn-folds"),
    "softmax": ("softmax-naive", "softmax-vectorized", "softmax-stable", "softmax-validate"),
    "svm": ("svm-naive", "svm-vectorized", "svm-gradient", "svm-sgd", "svm-predict", "svm-tuning"),
    "two_layer_net": (
        "tln-affine-forward", "tln-affine-backward", "tln-relu-forward", "tln-relu-backward",
        "tln-softmax-loss", "tln-svm-loss", "tln-init", "tln-loss", "tln-solver",
    ),
    "Dropout": ("do-forward", "do-backward", "do-net"),
    "BatchNormalization": ("bn-forward", "bn-backward", "bn-backward-alt", "ln-forward"),
}  # fmt: skip
CHECKS = 50  # of a notebook, about
TITLES = (
    "A batch of one.", "More rows than columns.", "Inputs stay as they were.", "Values near zero.",
    "Large numbers do not overflow.", "Matches finite differences.", "No loop over the examples.",
    "The regularization term counts once.", "Ties go to the smaller label.",
    "float32 stays float32.", "Matches torch on random shapes.",
)  # fmt: skip
NOBODY = ("knn", "knn-folds", 0)  # notebook, question, number of the check: nobody passes it
ALONE = ("svm", "svm-sgd", 1)  # fails for most who have everything else right
UNRELATED = ("softmax", "softmax-stable", 2)  # passes like a coin falls
FIRST = ("Žofie", "Ada", "Bo", "Chidi", "Dagny", "Elif", "Fatma", "Grace", "Hiro", "Ines", "Jürgen")
LAST = ("Łoś", "Lovelace", "O'Neil", "Okafor", "Öztürk", "von der Heide", "Nguyễn", "Hopper", "李")
TRAITS = (
    ("missing", "{nb}.ipynb is missing", 0.03),
    ("missing", "{nb}.ipynb is missing, but {nb} (1).ipynb looks like it: rename it and regrade",
     0.01),
    ("unreadable", "{nb}: the file is not JSON (Expecting value: line 1 column 1 (char 0))", 0.006),
    ("not run", "{nb} could not be run twice: the zygote could not be started", 0.003),
    ("timed out", "{nb}: the notebook's process did not stop within 15 s, nor when interrupted in "
     "cell '{q}'", 0.01),
    ("died", "{nb}: the notebook's process ended (exit status 0) in cell 'extra-1'", 0.008),
    ("out of memory", "{nb}: the notebook's process used more than 2048 MB of memory in cell '{q}'",
     0.006),
    ("out of GPU memory", "", 0.004),
    ("timed out", "", 0.01),
    ("", "check {q}/matches_torch raised ValueError: could not broadcast (3,) into (4,)", 0.004),
    ("", "timestamp.txt says 'yesterday', which is not a time, so lateness was not judged: "
     "write one such as '2031-03-01 12:00:00 UTC' and grade again", 0.002),
)  # fmt: skip
REPAIRS = (
    ("grading metadata was missing from 12 cells: restored",),
    ("the locked cell '{q}' had been edited: restored",),
    ("cell '{q}' was missing: restored as released", "cells were in another order: put back as "
     "released"),
    tuple(f"cell 'cell-{i}' had lost its name: found by its position" for i in range(9)),
)  # fmt: skip


def made_up_class(students: int, notebooks: int = 5, seed: int = 5) -> Iterator[GradedNotebook]:
    """Verdicts by student and notebook, made as they are asked for."""
    rng = random.Random(seed)
    names = sorted(_name(i, rng) for i in range(students))
    chosen = sorted(list(QUESTIONS)[:notebooks])
    for name in names:
        ability = rng.gauss(1.2, 1.1)
        for notebook in chosen:
            yield _graded(name, notebook, ability, rng)


def _name(number: int, rng: random.Random) -> str:
    return f"{rng.choice(FIRST)} {rng.choice(LAST)} {number:04d}"


def _graded(student: str, notebook: str, ability: float, rng: random.Random) -> GradedNotebook:
    questions = QUESTIONS[notebook]
    outcome, reason = _trait(rng)
    words = {"nb": notebook, "q": rng.choice(questions)}
    reached = len(questions)
    if outcome and reason:
        reached = rng.randrange(reached) if outcome in ("timed out", "died", "out of memory") else 0
    cells = tuple(
        _cell(notebook, question, ability, rng, number < reached)
        for number, question in enumerate(questions)
    )
    ran = outcome not in ("missing", "unreadable", "not run")
    on_gpu = notebook == "two_layer_net" and rng.random() < 0.9
    repairs = rng.choice(REPAIRS) if ran and rng.random() < 0.05 else ()
    return GradedNotebook(
        student=student,
        assignment=ASSIGNMENT,
        notebook=notebook,
        cells=cells,
        manual_pending=("written-answer",) if ran and rng.random() < 0.8 else (),
        repairs=tuple(repair.format(**words) for repair in repairs),
        substituted=_substituted(notebook, rng) if ran else (),
        needs_human=reason.format(**words),
        outcome=outcome,
        device="cuda (NVIDIA H200)" if on_gpu else "cpu",
        fallback="" if on_gpu or notebook != "two_layer_net" else "no worker has a GPU",
        attempts=2 if outcome == "timed out" or rng.random() < 0.01 else 1,
        timings=_timings(notebook, outcome, rng) if ran else {},
    )


def _trait(rng: random.Random) -> tuple[str, str]:
    left = rng.random()
    for outcome, reason, share in TRAITS:
        left -= share
        if left < 0:
            return outcome, reason
    return "", ""


def _cell(
    notebook: str, question: str, ability: float, rng: random.Random, reached: bool
) -> CellVerdict:
    points = float(2 + len(question) % 4)
    if not reached:
        note = f"not reached: the notebook's process ended in cell '{question}'"
        return CellVerdict(question, points, 0.0, (), note)
    blank = rng.random() < 0.04 + 0.1 * (ability < 0)
    checks = tuple(
        _check(notebook, question, number, ability, blank, rng)
        for number in range(CHECKS // len(QUESTIONS[notebook]))
    )
    counted = [check for check in checks if not check.advice]
    score = round(points * sum(check.passed for check in counted) / len(counted), 4)
    return CellVerdict(question, points, score, checks)


def _check(
    notebook: str, question: str, number: int, ability: float, blank: bool, rng: random.Random
) -> CheckVerdict:
    hard = random.Random(f"{notebook}{question}").gauss(-1, 1.3)  # the same for the whole class
    difficulty = hard + random.Random(f"{question}{number}").gauss(0, 0.6)
    chance = 1 / (1 + math.exp(3.5 * (difficulty - ability)))
    planted = {NOBODY: 0.0, ALONE: 0.3, UNRELATED: 0.6}
    passed = not blank and rng.random() < planted.get((notebook, question, number), chance)
    message = "dists[i, j] is the distance from test row i to training row j: 3 of 77 are wrong"
    return CheckVerdict(
        name=f"check_{number}",
        title=TITLES[number % len(TITLES)],
        probe=f"{notebook[:3].upper()}-{'B' if number == 4 else 'A'}{number}",
        advice=number == 4,
        weight=0.0 if number == 4 else 1.0,
        passed=passed,
        message="" if passed else NOT_ATTEMPTED if blank else message,
        seconds=0.01,
    )


def _substituted(notebook: str, rng: random.Random) -> tuple[str, ...]:
    if notebook not in ("softmax", "features", "Dropout") or rng.random() < 0.7:
        return ()
    names = rng.sample(("LinearClassifier.train", "svm_loss_naive", "svm_loss_vectorized"), k=2)
    reason = "the instructor's was used here, because points were lost there"
    return tuple(f"{name} of svm: {reason}" for name in names)


def _timings(notebook: str, outcome: str, rng: random.Random) -> dict[str, float]:
    cells = (40.0 if outcome == "timed out" else 2.0 + len(notebook) / 3) * rng.lognormvariate(
        0, 0.5
    )
    checks = rng.lognormvariate(-0.3, 0.4)
    start = rng.lognormvariate(-3, 0.3)
    total = start + cells + checks
    seconds = {"start": start, "cells": cells, "checks": checks, "total": total, "peak_mb": 180.0}
    return {name: round(value, 4) for name, value in seconds.items()}
