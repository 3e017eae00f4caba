"""The script that makes captions.npz: its arithmetic, and that what is committed comes from it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from cs231n_lib.data import load_coco_data

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import build_captions

    yield build_captions
    sys.modules.pop("build_captions", None)


def test_main_directions_first(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "FEATURES", 3)
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(200, 3, generator=generator) * torch.tensor([9.0, 3.0, 1.0])
    raw = hidden @ torch.randn(3, 8, generator=generator) + 5
    train, val, kept = script.reduce(raw, raw[:50])
    assert train.shape == (200, 3)
    assert kept == pytest.approx(1, abs=1e-3)  # there are only three directions to find
    spread = train.std(0)
    assert spread[0] > spread[1] > spread[2]
    assert spread.mean().item() == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(train.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(val, train[:50], rtol=1e-6)  # reduced by the training split
    correlations = np.corrcoef(train.numpy().T)
    np.testing.assert_allclose(correlations, np.eye(3), atol=1e-3)


def test_rounding_is_half_a_step_at_most(script: ModuleType) -> None:
    values = torch.linspace(-20, 20, 999)
    stored = script.quantise(values)
    assert stored.dtype == np.int8
    assert np.abs(stored * script.STEP - values.numpy()).max() <= script.STEP / 2 + 1e-5
    assert script.quantise(torch.tensor([1e3, -1e3])).tolist() == [127, -127]


def test_committed_features_are_those_of_the_pictures(script: ModuleType) -> None:
    """Features of a few scenes, made anew, say the same of how alike the scenes are.

    Exactly the same they cannot be without all 5,000: the directions depend on every scene.
    """
    count = 40
    raw = script.raw_features("train", count).numpy()
    assert raw.shape == (count, 2288)
    shipped = load_coco_data()["train_features"][:count]
    assert np.abs(shipped).max() < 127 * script.STEP  # nothing is cut off
    pairs = np.triu_indices(count, 1)
    raw = (raw - raw.mean(0)) / (raw.std(0) + 1e-3)
    alike = (raw @ raw.T)[pairs]
    shipped = shipped - shipped.mean(0)
    assert np.corrcoef(alike, (shipped @ shipped.T)[pairs])[0, 1] > 0.8
    others = shipped[::-1]
    assert abs(np.corrcoef(alike, (others @ others.T)[pairs])[0, 1]) < 0.3
