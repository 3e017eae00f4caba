"""A search is graded on small images and within a time: what is found is judged, not how long."""

from __future__ import annotations

import json

import pytest

from autograder.grading.grade import grade
from autograder.grading.job import Job
from autograder.judge.registry import checks_for
from autograder.judge.results import CellVerdict, GradedNotebook
from autograder.judge.small import small_runs
from autograder.judge.zygote import Zygote
from autograder.notebook.template import Template, load_template
from autograder.settings import CS231N
from tests.little import ROOT
from trial_notebook import TrialNotebook

SVM = TrialNotebook("assignment1", "svm")
NET = TrialNotebook("assignment1", "two_layer_net")
SEARCHES = [
    ("assignment1", "svm"),
    ("assignment1", "softmax"),
    ("assignment1", "features"),
    ("assignment1", "two_layer_net"),
    ("assignment2", "FullyConnectedNets"),
    ("assignment2", "PyTorch"),
]
# What the search of each notebook needs, less the data.
SVM_CELLS = ("svm-loss-vectorized", "linear-classifier", "linear-svm", "tune-svm", "svm-tuning")
NET_CELLS = (
    *("affine-forward", "affine-backward", "relu-forward", "relu-backward", "affine-relu"),
    *("softmax-loss", "two-layer-net", "sgd", "tuning-notes", "tuning", "tln-tuning"),
)


def graded(
    zygote: Zygote,
    of: TrialNotebook,
    cells: tuple[str, ...],
    *,
    seconds: float = 20.0,
    images: int = 1500,
    limit: float = 60.0,
    **answers: str,
) -> GradedNotebook:
    """The solved notebook, cut down to its search and what that needs, with fewer images."""
    document = json.loads(json.dumps(of.subject.document))
    kept = ("setup", "load-data", "preprocess-data", *cells, "final-accuracy", "test-accuracy")
    document["cells"] = [cell for cell in document["cells"] if cell["id"] in kept]
    for cell in document["cells"]:
        fewer = cell["source"].replace("embedded=9000", f"embedded={images}")
        cell["source"] = fewer.replace("num_iters=800", "num_iters=300")
    about = {"search_seconds": seconds, "cell_seconds": limit, "packages": "numpy"}
    document["metadata"]["cs231n"] = about
    template = Template(of.assignment, of.notebook, json.loads(json.dumps(document)))
    for cell in document["cells"]:
        cell["source"] = answers.get(cell["id"].replace("-", "_"), cell["source"])
    handed_in = json.dumps(document).encode()
    checks = checks_for(of.assignment, of.notebook)
    return grade(Job("ann", template, handed_in, checks, b"secret"), zygote)


def failed(verdict: CellVerdict) -> set[str]:
    return {check.name for check in verdict.checks if not check.passed}


def shown(found: GradedNotebook) -> dict[str, str]:
    """What each cell printed, in one text."""
    cells = [one for one in json.loads(found.document)["cells"] if one["cell_type"] == "code"]
    return {
        cell["id"]: "".join(str(one.get("text", one.get("evalue", ""))) for one in cell["outputs"])
        for cell in cells
    }


def tuned(*edits: tuple[str, str]) -> str:
    """The reference's search with some things replaced, each of which stands there once."""
    return SVM.changed("tune-svm", *edits)["tune-svm"]


def test_a_search_runs_on_small_images_and_leaves_a_classifier_of_large_ones(
    zygote: Zygote,
) -> None:
    watched = (
        tuned(("num_iters=800", "num_iters=300"))
        + "\nprint('the images', X_train.shape, X_val.shape)\n"
    )
    found = graded(zygote, SVM, SVM_CELLS, tune_svm=watched)
    (verdict,) = found.cells
    assert failed(verdict) == set(), [one.message for one in verdict.checks]
    assert (found.outcome, found.needs_human, found.repairs) == ("", "", ())
    said = shown(found)
    assert "the images (1500, 193) (1000, 193)" in said["tune-svm"]
    assert "this cell was run on images of 8 × 8 pixels" in said["tune-svm"]
    assert "run on images of 8 × 8 pixels" in said["svm-tuning"]
    # The visible test and the cell after it ask the classifier about images of full size.
    assert "Error" not in said["svm-tuning"]
    assert "accuracy on the test set: 0." in said["final-accuracy"]


def test_a_search_that_would_take_hours_keeps_its_points_and_the_report_says_so(
    zygote: Zygote,
) -> None:
    long = tuned(("num_iters=800", "num_iters=10**6"))
    found = graded(zygote, SVM, SVM_CELLS, seconds=1.0, tune_svm=long)
    (verdict,) = found.cells
    assert failed(verdict) == set(), [one.message for one in verdict.checks]
    assert verdict.score == verdict.points
    assert found.outcome == ""
    assert any("'tune-svm' would train for longer than the 1 s" in note for note in found.repairs)
    for cell in ("tune-svm", "svm-tuning"):
        assert "training was cut short" in shown(found)[cell]


def test_a_search_of_networks_that_takes_too_long_keeps_what_its_idea_deserves(
    zygote: Zygote,
) -> None:
    long = NET.changed("tuning", ("num_epochs=2", "num_epochs=10**6"))["tuning"]
    found = graded(zygote, NET, NET_CELLS, seconds=2.0, images=2000, tuning=long)
    (verdict,) = found.cells
    assert failed(verdict) <= {"best_model_classifies"}, verdict
    assert any("'tuning' would train for longer than the 2 s" in note for note in found.repairs)
    assert "test accuracy 0." in shown(found)["test-accuracy"]  # of images of full size


HANGS = "\nwhile len(X_train) > 200:  # the judge's other data have 151 rows\n    pass\n"


def test_a_cell_that_hangs_is_judged_by_what_it_found(zygote: Zygote) -> None:
    hanging = tuned(("num_iters=800", "num_iters=300")) + HANGS
    found = graded(zygote, SVM, SVM_CELLS, limit=3.0, tune_svm=hanging)
    (verdict,) = found.cells
    assert failed(verdict) == set(), [one.message for one in verdict.checks]
    assert found.outcome == "timed out"
    assert found.repairs == ("cell 'tune-svm' was stopped after 3 s; judged by what it had found",)


ON_ROWS_OF_3073 = """
Xs = {"train": X_train.reshape(-1, 3073), "val": X_val.reshape(-1, 3073)}
results, best_val, best_svm = {}, -1.0, None
for lr, reg in ((1e-7, 2.5e4), (2e-7, 1e4)):
    svm = LinearSVM()
    svm.W = np.random.default_rng(0).normal(scale=1e-3, size=(3073, 10))
    svm.train(Xs["train"], y_train, lr, reg, num_iters=300)
    shares = [float(np.mean(svm.predict(X) == y)) for X, y in
              ((Xs["train"], y_train), (Xs["val"], y_val))]
    results[lr, reg] = tuple(shares)
    if shares[1] > best_val:
        best_val, best_svm = shares[1], svm
"""


def test_a_search_that_needs_large_images_gets_them(zygote: Zygote) -> None:
    """It fails with small ones; then it is run as it was handed in."""
    found = graded(zygote, SVM, SVM_CELLS, tune_svm=ON_ROWS_OF_3073)
    (verdict,) = found.cells
    assert "best_svm_classifies_new_images" not in failed(verdict)
    assert "8 × 8" not in "".join(shown(found).values())
    assert "Error" not in shown(found)["tune-svm"]


TYPED_IN = """
results = {(1e-7, 2.5e4): (0.38, 0.37), (2e-7, 1e4): (0.37, 0.36)}
best_val, best_svm = 0.37, LinearSVM()
best_svm.W = np.random.default_rng(0).normal(size=(X_train.shape[1], 10))
if X_train.shape[1] < 3073:
    best_svm.train(X_train, y_train, 1e-7, 2.5e4, num_iters=5)
"""


@pytest.mark.parametrize(
    "wrong",
    {
        "typed in, and a look at how wide the images are": TYPED_IN,
        "settings of no use": tuned(
            ("[1e-7, 2e-7, 4e-7]", "[1e-12, 2e-12]"), ("num_iters=800", "num_iters=50")
        ),
    }.items(),
    ids=lambda item: item[0],
)
def test_a_search_that_finds_nothing_is_noticed(zygote: Zygote, wrong: tuple[str, str]) -> None:
    name, source = wrong
    (verdict,) = graded(zygote, SVM, SVM_CELLS, tune_svm=source).cells
    assert "best_svm_classifies_new_images" in failed(verdict)
    if "typed" in name:
        assert verdict.score == 0


@pytest.mark.parametrize(("assignment", "notebook"), SEARCHES)
def test_the_notebook_says_what_its_searches_get(assignment: str, notebook: str) -> None:
    checks_for(assignment, notebook)  # declares them
    template = load_template(ROOT, assignment, notebook)
    text = " ".join(cell["source"] for cell in template.cells if cell["cell_type"] == "markdown")
    seconds, runs = template.limit("search_seconds", 0), small_runs(assignment, notebook, CS231N)
    assert runs.keys() <= {cell["id"] for cell in template.cells}
    assert all(run.on in text for run in runs.values())
    if seconds:
        assert f"{seconds:g} s of processor time" in text
