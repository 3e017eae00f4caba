"""Checks of the RNN captioning notebook: right answers of every style pass, wrong ones lose."""

from contextlib import AbstractContextManager
from functools import partial

import pytest

from autograder.judge.registry import checks_for
from autograder.judge.student import Student
from autograder.judge.zygote import Zygote
from tests.nightly import rounds
from trial_notebook import TrialNotebook

NOTEBOOK = ("assignment3", "RNN_Captioning")
TRIAL = TrialNotebook(*NOTEBOOK)
solved, verdict, changed = TRIAL.solved, TRIAL.verdict, TRIAL.changed
failed, failed_cells = TRIAL.failed, partial(TRIAL.failed_cells, advice=True)
STEP, STEP_BACK = "rnn-step-forward", "rnn-step-backward"
SEQUENCE, SEQUENCE_BACK = "rnn-forward", "rnn-backward"
EMBED, EMBED_BACK, MODEL = "word-embedding-forward", "word-embedding-backward", "captioning-rnn"
GIVEN = ("load-earlier-work", STEP, STEP_BACK, SEQUENCE, SEQUENCE_BACK, EMBED, EMBED_BACK, MODEL)
SETUP = """
import numpy as np
from cs231n_lib.notebooks import load
from cs231n_lib.rnn_layers import *
"""


def student_with(zygote: Zygote, sources: dict[str, str]) -> AbstractContextManager[Student]:
    """A student whose notebook has the definitions, and no data."""
    own = set(sources) - set(solved())  # cells that the student has put in
    run = [source for cell, source in sources.items() if cell in GIVEN or cell in own]
    return TRIAL.student(zygote, sources, (SETUP, *run))


# -- right answers --------------------------------------------------------------------------------


def test_the_reference_passes_whatever_the_seed(zygote) -> None:
    with student_with(zygote, solved()) as student:
        for number in rounds(25):
            for grade_id in checks_for(*NOTEBOOK):
                assert failed(verdict(student, grade_id, number)) == {}, (number, grade_id)


@pytest.mark.parametrize("path", TRIAL.right[1:], ids=lambda path: path.stem)
def test_other_right_solutions_pass(zygote, path) -> None:
    with student_with(zygote, solved(path)) as student:
        for number in rounds(5):
            for grade_id in checks_for(*NOTEBOOK):
                assert failed(verdict(student, grade_id, number)) == {}, (number, grade_id)
