"""Right answers on a second device: full marks, and green visible checks, as on the CPU.

A kernel whose PyTorch has the device of `tests/second_device.py` stands for one on a GPU: what the
judge sends is on the CPU, and the notebook computes on its `device`. Some answers take their
arguments along to it; others make new tensors there, where the notebook's own are.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.judge.kernel import Kernel, KernelLimits
from autograder.judge.registry import checks_for
from autograder.judge.student import Student
from autograder.judge.warm import data_for_kernels
from autograder.judge.zygote import Zygote
from autograder.notebook.template import is_skipped
from autograder.sandbox import probe
from cs231n_lib.device import DEVICE_VARIABLE
from tests.little import ROOT
from tests.second_device import NAME
from trial_notebook import TrialNotebook

pytestmark = pytest.mark.sandbox

ANSWERS = ROOT / "benchmarks" / "gpu" / "answers"
LIMITS = KernelLimits(cell_seconds=120, call_seconds=60)
#: What loads data or trains, and what looks at it: by night whole notebooks are graded.
LEFT_OUT = {
    "PyTorch": {
        *("loaders", "dataloader", "barebones-convnet", "pt-barebones", "module-training"),
        *("pt-module-training", "sequential-training", "pt-sequential", "open-challenge"),
        *("pt-open", "test-accuracy"),
    },
    "Style_Transfer": {"network", "stages", "loop", "textures", "transfer"},
    "Network_Visualization": set(),
    "Transformer_Captioning": {
        *("scaling", "overfit-loop", "vit-overfit-cell", "vit-overfit", "vit-training"),
        "vit-accuracy",
    },
    "Generative_Adversarial_Networks": set(),
    "Self_Supervised_Learning": set(),
}
BY_DAY = {"Style_Transfer_moves", "PyTorch_makes"}  # both ways to be right
#: These ask what the notebook has trained, or would train.
OF_TRAINED = frozenset(
    {
        *("tensors_classify", "model_classifies", "best_model_classifies"),
        *("scores_do_not_depend_on_chance", "images_do_not_depend_on_their_batch"),
        "settings_overfit_few_images",
    }
)


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    """Kernels in which PyTorch has a second device, and notebooks choose it."""
    folders, environment = data_for_kernels()
    with Zygote(
        probe.choose(None),
        readable=folders,
        env={**environment, DEVICE_VARIABLE: NAME},
        entry="second_device:serve",
        search=[ROOT / "tests"],
    ) as warm:
        yield warm


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, marks=() if path.stem in BY_DAY else pytest.mark.nightly, id=path.stem)
        for path in sorted(ANSWERS.rglob("*.py"))
    ],
)
def test_right_answers_on_a_device_are_right(zygote: Zygote, path: Path) -> None:
    trial = TrialNotebook(path.parent.name, path.stem.rpartition("_")[0], OF_TRAINED)
    assert_right(zygote, trial, path)


def assert_right(zygote: Zygote, trial: TrialNotebook, path: Path | None) -> None:
    """All visible checks are green, and all questions give full marks."""
    sources = trial.solved(path)
    skipped = {cell["id"] for cell in trial.subject.document["cells"] if is_skipped(cell)}
    kernel = Kernel(trial.subject.fork(zygote), LIMITS)
    try:
        kernel.run_cell("import torch\nx_batch = torch.zeros(4, 3, 32, 32)")
        for name, source in sources.items():
            if name not in skipped | LEFT_OUT[trial.notebook]:
                run = kernel.run_cell(source.replace(CUDA, f'device = "{NAME}"'))
                assert run.ok, (name, run.outputs)
        student = Student(kernel, sources)
        for grade_id in checks_for(trial.assignment, trial.notebook):
            found = trial.verdict(student, grade_id)
            assert trial.failed(found, advice=False) == {}, grade_id
    finally:
        kernel.close()


CUDA = 'device = "cuda" if torch.cuda.is_available() else "cpu"'


def test_visible_checks_take_tensors_of_a_device(zygote: Zygote) -> None:
    """Also in lists, and those that need a gradient."""
    source = f"""
import torch
from cs231n_lib.feedback import check_close, check_equal, check_shape
one = torch.tensor([1.0, 2.0], device="{NAME}", requires_grad=True)
check_close("tensor", 2 * one, [2.0, 4.0])
check_close("list", [one.sum(), 2 * one[1]], (3 * one[0], torch.tensor(4.0)))
check_equal("labels", (one.argmax(), one.argmin()), [1, 0])
check_shape("shape", [one, one], (2, 2))
"""
    kernel = Kernel(zygote.fork(), LIMITS)
    try:
        run = kernel.run_cell(source)
    finally:
        kernel.close()
    assert run.ok, run.outputs
    text = "".join(output["text"] for output in run.outputs)
    assert text.count("✓") == 4


@pytest.mark.nightly
@pytest.mark.parametrize("name", LEFT_OUT)
def test_our_solutions_are_right_on_a_device(zygote: Zygote, name: str) -> None:
    (source,) = (ROOT / "source").glob(f"*/{name}.ipynb")
    assert_right(zygote, TrialNotebook(source.parent.name, name, OF_TRAINED), None)
