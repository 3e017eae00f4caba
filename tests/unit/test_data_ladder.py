"""The ladder's own arithmetic and verdict; the training itself is the benchmark's business."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def ladder(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import data_ladder

    yield data_ladder
    for name in ("data_ladder", "ladder_rungs"):
        sys.modules.pop(name, None)


def as_on_cifar10(ladder: ModuleType) -> dict[str, float]:
    return {rung.name: rung.real or 30.0 for rung in ladder.LADDER}


def test_same_accuracy_as_cifar10_is_right(ladder: ModuleType) -> None:
    assert ladder.report(as_on_cifar10(ladder), list(ladder.LADDER)) == []


def test_too_easy_too_hard_and_shortcuts_are_found(
    ladder: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    results = as_on_cifar10(ladder)
    results["kNN on pixels, k = 10"] += 6.1
    results["three-layer ConvNet, 6 epochs"] -= 6.1
    results["HOG + hues, linear"] += 5.9
    results["shortcut: mean colour, small net"] = 39.8
    wrong = ladder.report(results, list(ladder.LADDER))
    assert [line.split(":")[0] for line in wrong if "shortcut" not in line] == [
        "kNN on pixels, k = 10",
        "three-layer ConvNet, 6 epochs",
    ]
    assert "mean colour, small net: 39.8 beats the linear rung, 39.7" in wrong[-1]
    assert capsys.readouterr().out.count("(!)") == 3
    assert ladder.report(results, list(ladder.LADDER), judged=False) == []


def test_hinge_loss_is_the_multiclass_svms(ladder: ModuleType) -> None:
    rng = np.random.default_rng(0)
    scores, y = rng.normal(size=(7, 10)), rng.integers(0, 10, 7)
    margins = np.maximum(0, scores - scores[np.arange(7), y][:, None] + 1)
    margins[np.arange(7), y] = 0
    loss = ladder.rungs.hinge_loss(torch.from_numpy(scores), torch.from_numpy(y))
    assert loss.item() == pytest.approx(margins.sum() / 7, rel=1e-12)


def test_other_data_can_be_read(ladder: ModuleType, tmp_path: Path) -> None:
    images, labels = np.arange(4 * 3072).reshape(4, 32, 32, 3).astype(np.uint8), np.arange(4)
    np.savez(tmp_path / "some.npz", Xtr=images, ytr=labels, Xte=images[2:], yte=labels[2:])
    data = ladder.read(tmp_path / "some.npz", seed=0, train=3, test=9)
    assert data.X.shape == (3, 32, 32, 3)
    assert data.y_test.tolist() == [2, 3]
