"""Nobody pays twice, with the course's own notebooks: what an early mistake costs in later ones.

The mechanism is tested with little notebooks in ``test_prerequisites``. Here the two-layer net of
assignment 1 goes wrong, and what follows is built on it. The cells that search for a best network
stay unanswered: they take long, and nothing else depends on them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.batch.run import grade_assignment
from autograder.grading import earlier
from autograder.judge.results import GradedNotebook
from autograder.mutate import fairness
from autograder.mutate.mutants import MUTANTS
from autograder.mutate.trial import load_subject
from autograder.report import write_report
from tests.little import CONFIG, ROOT

TLN, FCN = ("assignment1", "two_layer_net"), ("assignment2", "FullyConnectedNets")
BN, DO = ("assignment2", "BatchNormalization"), ("assignment2", "Dropout")
CNN, RNN = ("assignment2", "ConvolutionalNetworks"), ("assignment3", "RNN_Captioning")
# What asks for a search, and what the submissions therefore lack.
SEARCHES = {"tln-solver", "tln-tuning", "fcn-best-model"}
UNANSWERED = {"train-with-solver", "tuning", "best-model"}
# The gradient is too small by the size of the batch.
AFFINE_BACKWARD = {"affine-backward": (".T @ dout", ".T @ dout / len(x)")}
# Layers put together in a cell of its own: there the student's affine_backward is called by the
# checks too, while elsewhere the judge answers for the layers.
HELPERS_ELSEWHERE = MUTANTS / "assignment2" / "Dropout" / "right_3.py"
HANGS = "class Forever:\n    while True:\n        pass"
# What of the convolutional notebook takes caches of batch and layer normalisation.
SPATIAL = ("load-normalization", "spatial-", "cnn-sbn", "cnn-gn", "setup")
# The mistake is in the running averages. What it stores for the backward functions is its own
# business, and layer normalisation takes it apart.
OWN_CACHE = {
    "batchnorm-forward": """def batchnorm_forward(x, gamma, beta, bn_param):
    mode, eps, m = bn_param["mode"], bn_param.get("eps", 1e-5), bn_param.get("momentum", 0.9)
    rm = bn_param.get("running_mean", np.zeros(x.shape[1], dtype=x.dtype))
    rv = bn_param.get("running_var", np.zeros(x.shape[1], dtype=x.dtype))
    cache = None
    if mode == "train":
        mu, std = x.mean(0), np.sqrt(x.var(0) + eps)
        hat = (x - mu) / std
        rm, rv = (1 - m) * rm + m * mu, (1 - m) * rv + m * x.var(0)
        cache = {"hat": hat, "std": std, "gamma": gamma}
    else:
        hat = (x - rm) / np.sqrt(rv + eps)
    bn_param["running_mean"], bn_param["running_var"] = rm, rv
    return gamma * hat + beta, cache
""",
    "batchnorm-backward": """def batchnorm_backward(dout, cache):
    hat, d = cache["hat"], dout * cache["gamma"]
    dx = (d - d.mean(0) - hat * (d * hat).mean(0)) / cache["std"]
    return dx, (dout * hat).sum(0), dout.sum(0)
""",
    "batchnorm-backward-alt": "def batchnorm_backward_alt(dout, cache):\n"
    "    return batchnorm_backward(dout, cache)\n",
    "layernorm-forward": """def layernorm_forward(x, gamma, beta, ln_param):
    rows, settings = np.ones(len(x)), {"mode": "train", "eps": ln_param.get("eps", 1e-5)}
    hat, cache = batchnorm_forward(x.T, rows, 0 * rows, settings)
    return gamma * hat.T + beta, (hat.T, cache["std"][:, None], gamma)
""",
    "layernorm-backward": """def layernorm_backward(dout, cache):
    hat, std, gamma = cache
    d = gamma * dout
    dx = d - d.mean(1, keepdims=True) - hat * (d * hat).mean(1, keepdims=True)
    return dx / std, (dout * hat).sum(0), dout.sum(0)
""",
}
SECONDS = {BN: 3}  # for a cell of it; a hanging one takes them all


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder with these notebooks."""
    root = tmp_path_factory.mktemp("course")
    for assignment, notebook in (TLN, FCN, BN, DO, CNN, RNN):
        for folder in ("source", "release"):
            path = Path(folder, assignment, f"{notebook}.ipynb")
            document = json.loads((ROOT / path).read_text("utf-8"))
            seconds = SECONDS.get((assignment, notebook), 20)
            if (assignment, notebook) == CNN:
                document["cells"] = spatial(document["cells"])
            document["metadata"]["cs231n"] = {"cell_seconds": seconds, "call_seconds": 5}
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(json.dumps(document), "utf-8")
    config = CONFIG.format(ours=str(ROOT / "nbgrader_config.py"), root=str(root))
    (root / "nbgrader_config.py").write_text(config, "utf-8")
    return root


def spatial(cells: list[dict]) -> list[dict]:
    """The cells about spatial normalisation, and what they need."""
    return [cell for cell in cells if cell["id"].startswith(SPATIAL)]


def hand_in(
    root: Path,
    student: str,
    name: tuple[str, str],
    changed: Mapping[str, tuple[str, str]] | None = None,
    *,
    cells: Mapping[str, str] | None = None,
    style: Path | None = None,
    own_cell: str = "",
) -> None:
    """The solutions, ours or in another style, but for what is replaced in the cells named."""
    subject = load_subject(ROOT, *name)
    document = json.loads(json.dumps(fairness.solution(subject, style)))
    if name == CNN:
        document["cells"] = spatial(document["cells"])
    for cell in document["cells"]:
        if cell["id"] in UNANSWERED:
            cell["source"] = "raise NotImplementedError"
        cell["source"] = (cells or {}).get(cell["id"], cell["source"])
        find, put = (changed or {}).get(cell["id"], ("", ""))
        assert not find or cell["source"].count(find) == 1, f"{cell['id']} has no {find!r}"
        cell["source"] = cell["source"].replace(find, put) if find else cell["source"]
    if own_cell:
        empty = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        document["cells"].append({"id": "own", "source": own_cell, **empty})
    path = root / "submitted" / student / name[0] / f"{name[1]}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), "utf-8")


def graded(root: Path, assignment: str, student: str, zygote) -> dict[str, GradedNotebook]:
    done = grade_assignment(root, assignment, lambda: zygote, students=student)
    return {one.notebook: one for one in done}


def lost(one: GradedNotebook) -> dict[str, str]:
    """Why points were lost, by cell, apart from the searches."""
    return {
        cell.grade_id: cell.note or "; ".join(c.message for c in cell.checks if not c.passed)
        for cell in one.cells
        if cell.score < cell.points and cell.grade_id not in SEARCHES
    }


@pytest.mark.sandbox
def test_a_wrong_affine_backward_costs_its_own_points(course: Path, zygote) -> None:
    """In assignment 1, and nothing in later notebooks; the report says so."""
    hand_in(course, "wrong", TLN, AFFINE_BACKWARD)
    hand_in(course, "wrong", FCN)
    hand_in(course, "wrong", BN)
    hand_in(course, "wrong", DO, style=HELPERS_ELSEWHERE)
    hand_in(course, "wrong", RNN)
    early = graded(course, "assignment1", "wrong", zygote)
    assert set(lost(early["two_layer_net"])) == {"tln-affine-backward"}

    late = graded(course, "assignment2", "wrong", zygote)
    del late["ConvolutionalNetworks"]  # not handed in
    last = graded(course, "assignment3", "wrong", zygote)
    note = (
        "affine_backward of two_layer_net: the instructor's was used here, because points were "
        "lost there"
    )
    partner = (
        "affine_forward of two_layer_net: the instructor's was used here, because it shares a "
        "cache with affine_backward, where points were lost"
    )
    assert set(late | last) == {name for _, name in (FCN, BN, DO, RNN)}
    for notebook in (late | last).values():
        assert lost(notebook) == {}
        assert notebook.substituted == (partner, note)
        assert note in notebook.document
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        written = gradebook.find_submission_notebook("Dropout", "assignment2", "wrong")
        assert written.score == late["Dropout"].max_score
    write_report(course / "report", "assignment2", list(late.values()), {})
    page = (course / "report" / "students" / "wrong.html").read_text("utf-8")
    assert page.count(note.replace("'", "&#39;")) == 3


@pytest.mark.sandbox
def test_a_right_backward_function_does_not_meet_anothers_cache(course: Path, zygote) -> None:
    """Wrong running averages cost their points in their notebook, and a right group norm none."""
    hand_in(course, "paired", BN, cells=OWN_CACHE)
    hand_in(course, "paired", CNN)
    done = graded(course, "assignment2", "paired", zygote)
    early, late = done["BatchNormalization"], done["ConvolutionalNetworks"]
    assert set(lost(early)) == {"bn-train"}
    assert lost(late) == {}
    assert late.max_score == 11
    said = {
        note.split(" of ")[0]: note.split("because ")[1]
        for note in late.substituted
        if " of BatchNormalization: " in note
    }
    with_forward = "it shares a cache with batchnorm_forward, where points were lost"
    beside = "it did not work beside the instructor's batchnorm_forward"
    assert said == {
        "batchnorm_forward": "points were lost there",
        "batchnorm_backward": with_forward,
        "batchnorm_backward_alt": with_forward,
        "layernorm_forward": beside,
        "layernorm_backward": beside,
    }


@pytest.mark.sandbox
def test_without_the_replacement_it_would_cost_again(
    course: Path, zygote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So one of the notebooks above does depend on affine_backward."""
    hand_in(course, "paying", TLN, AFFINE_BACKWARD)
    hand_in(course, "paying", DO, style=HELPERS_ELSEWHERE)
    monkeypatch.setattr(
        earlier.EarlierWork, "files_for", lambda work, template: (work.handed_in, ())
    )
    late = graded(course, "assignment2", "paying", zygote)
    assert set(lost(late["Dropout"])) == {"do-net"}


@pytest.mark.sandbox
def test_an_early_notebook_that_was_not_handed_in(course: Path, zygote) -> None:
    """It costs its own points; what loads it finds the instructor's."""
    hand_in(course, "missing", FCN)
    hand_in(course, "missing", DO)
    late = graded(course, "assignment2", "missing", zygote)
    notes = {
        name: f"{name} was not handed in: all of it is the instructor's here"
        for name in ("two_layer_net", "BatchNormalization")
    }
    assert late["BatchNormalization"].score == 0
    assert lost(late["FullyConnectedNets"]) == lost(late["Dropout"]) == {}
    assert late["FullyConnectedNets"].substituted == (notes["two_layer_net"],)
    assert set(late["Dropout"].substituted) == set(notes.values())


@pytest.mark.sandbox
def test_an_early_notebook_that_hangs(
    course: Path, zygote, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cell of the student's own never gets to its end; nor would a notebook that loads it."""
    monkeypatch.setattr(earlier, "LOAD_SECONDS", 3.0)
    hand_in(course, "hanging", BN, own_cell=HANGS)
    hand_in(course, "hanging", DO)
    late = graded(course, "assignment2", "hanging", zygote)
    assert lost(late["BatchNormalization"]) == lost(late["Dropout"]) == {}
    notes = "BatchNormalization could not be loaded: all of it is the instructor's here"
    assert notes in late["Dropout"].substituted
