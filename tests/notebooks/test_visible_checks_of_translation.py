"""The notebook on translation: each hand-written mistake fails its visible check, and is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest

from autograder.mutate.mutants import Mutant, regions, written_by_hand
from cs231n_lib.feedback import CheckFailed
from trial_notebook import TrialNotebook

ASSIGNMENT, NAME = "assignment4", "Seq2Seq_Attention"
TRIAL = TrialNotebook(ASSIGNMENT, NAME)
HOOK = re.compile(r"### BEGIN HIDDEN TESTS.*", re.DOTALL)
#: The check of each answer, in the notebook's order.
CHECKS = {
    "encoder-code": "encoder",
    "decoder-code": "decoder-step",
    "teacher-code": "teacher-forcing",
    "loss-code": "sequence-loss",
    "training-step-code": "training-step",
    "greedy-code": "greedy",
    "scores-code": "attention-scores",
    "context-code": "attention-context",
    "attention-translator-code": "attention-translator",
    "beam-code": "beam",
}
CELLS = (*list(CHECKS)[:4], "translator", *list(CHECKS)[4:])
MUTANTS = [
    mutant
    for mutant in written_by_hand(
        ASSIGNMENT, NAME, regions(TRIAL.subject.source), TRIAL.subject.course
    )
    if mutant.cell in CHECKS
]
#: Mistakes that have a line of their own; the words of their checks.
SAID = {
    "targets not shifted": "shift the reference by one",
    "the loss after the step": "measured after the step",
    "gradients of earlier batches stay": "Clear them before backward",
    "the gradient of each parameter clipped by itself": "in one call for all parameters",
    "context before the word in the cell": "The cell sees the word and then the context",
    "context before the state in the output layer": "the new state and then the context",
    "the mean of the means of sentences": "the mean of the sentences' means is 1.27",
    "the state is not handed on": "state that step returned in the next call",
    "goes on to max_length though all have ended": "step was called 5 times",
    "the words are masked": "The mask is True at words",
    "rows without words get uniform weights": "equal weights. Zeros are wanted",
    "the state itself as the query": "The query is self.query",
    "the two kinds exchanged": "Which of the two functions takes v",
    "the states detached": "cut the graph",
    "k places stay open, however many have finished": "so that b is 1",
    "k continuations of each hypothesis": "compete for b places",
    "each hypothesis keeps its own best continuation": "compete with each other",
    "logits are added up": "Logits have to go through log_softmax",
}


@pytest.fixture(autouse=True)
def _style_of_a_notebook() -> Iterator[None]:
    """Its first cell sets the style of figures for the whole process."""
    with mpl.rc_context():
        yield


@cache
def prepared() -> dict[str, Any]:
    """The imports and the corpus, which no answer changes."""
    notebook: dict[str, Any] = {}
    for part in ("setup", "load-data"):
        exec(TRIAL.solved()[part], notebook)
    return notebook


def run(sources: dict[str, str], cell: str) -> None:
    """Run all definitions, then the visible part of the check of one answer."""
    notebook = dict(prepared())
    for part in (*CELLS, CHECKS[cell]):
        exec(HOOK.sub("", sources[part]), notebook)


@pytest.mark.parametrize("path", TRIAL.right, ids=lambda path: path.stem if path else "reference")
@pytest.mark.parametrize("cell", CHECKS)
def test_right_answers_pass(cell: str, path: Path | None) -> None:
    run(TRIAL.solved() | {cell: TRIAL.solved(path)[cell]}, cell)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.of}, {mutant.what}")
def test_every_mistake_is_seen(mutant: Mutant) -> None:
    with pytest.raises(CheckFailed) as failure:
        run(TRIAL.solved() | {mutant.cell: mutant.source}, mutant.cell)
    assert SAID.get(mutant.what, "") in str(failure.value)


def test_the_named_mistakes_exist() -> None:
    assert set(SAID) <= {mutant.what for mutant in MUTANTS}
