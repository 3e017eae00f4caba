"""The script behind tiny_clip.pt, on a few scenes."""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from cs231n_lib.clip_dino import TinyCLIP
from cs231n_lib.clip_dino import clip as tiny
from cs231n_lib.data.scene_captions import vocabulary
from cs231n_lib.models import load_pretrained

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    yield __import__("train_clip")
    sys.modules.pop("train_clip", None)


def test_what_the_script_writes(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "new" / "out"
    arguments = ["--epochs", "2", "--scenes", "12", "--batch-size", "6"]
    monkeypatch.setattr(sys, "argv", ["train_clip", str(out), *arguments])
    script.main()
    content = (out / "tiny_clip.pt").read_bytes()
    results = json.loads((out / "results.json").read_text())
    assert results["sha256"] == hashlib.sha256(content).hexdigest()
    assert len(results["loss"]) == results["settings"]["epochs"] == 2
    assert results["scenes"] == 12
    state = torch.load(out / "tiny_clip.pt", weights_only=True)
    shipped = torch.load(tiny.FOLDER / tiny.WEIGHTS.name, weights_only=True)
    assert {k: v.shape for k, v in state.items()} == {k: v.shape for k, v in shipped.items()}
    assert {v.dtype for v in state.values()} == {torch.float16}


def test_training_learns_and_follows_its_seed(script: ModuleType) -> None:
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randn(20, 2288, generator=generator)
    captions = torch.randint(4, 100, (100, 17), generator=generator)
    features = load_pretrained("efficientnet-lite0").features
    settings = script.Settings(epochs=12, batch_size=20)
    losses: list[float] = []
    model = script.train(features, numbers, captions, settings, lambda _, x: losses.append(x))
    again = script.train(features, numbers, captions, settings)
    assert losses[-1] < losses[0] - 0.3
    for one, other in zip(model.trained().values(), again.trained().values(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match="20 scenes make no batch of 250"):
        script.train(features, numbers, captions, script.Settings())


def test_the_shipped_weights_are_what_is_written_beside_them() -> None:
    content = (tiny.FOLDER / tiny.WEIGHTS.name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == tiny.WEIGHTS.sha256
    assert tiny.WEIGHTS.sha256 in (tiny.FOLDER / "WEIGHTS.md").read_text()
    assert len(content) < 3e6
    model = TinyCLIP(load_pretrained("efficientnet-lite0").features, len(vocabulary()))
    assert set(model.trained()) == set(torch.load(tiny.FOLDER / tiny.WEIGHTS.name))
