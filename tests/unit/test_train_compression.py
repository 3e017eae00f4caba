"""The script behind convnet.pt, on a few images."""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from cs231n_lib.compression import network
from cs231n_lib.torch_data import ImageSet

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    yield __import__("train_compression")
    sys.modules.pop("train_compression", None)


def test_what_the_script_writes(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "new" / "out"
    arguments = ["--epochs", "2", "--images", "120", "--batch-size", "40"]
    monkeypatch.setattr(sys, "argv", ["train_compression", str(out), *arguments])
    script.main()
    content = (out / "convnet.pt").read_bytes()
    results = json.loads((out / "results.json").read_text())
    assert results["sha256"] == hashlib.sha256(content).hexdigest()
    assert len(results["loss"]) == results["settings"]["epochs"] == 2
    assert results["images"] == 120
    state = torch.load(out / "convnet.pt", weights_only=True)
    shipped = torch.load(network.FOLDER / network.WEIGHTS.name, weights_only=True)
    assert {k: v.shape for k, v in state.items()} == {k: v.shape for k, v in shipped.items()}
    assert {v.dtype for v in state.values()} == {torch.float16}


def test_folding_changes_nothing_and_training_follows_its_seed(script: ModuleType) -> None:
    generator = torch.Generator().manual_seed(0)
    y = torch.arange(60) % 10
    x = torch.randn(60, 3, 32, 32, generator=generator) + y[:, None, None, None] / 3
    data = ImageSet(x, y, train=True)
    settings = script.Settings(epochs=6, batch_size=30)
    losses: list[float] = []
    model = script.train(data, settings, lambda _, loss: losses.append(loss))
    again = script.train(data, settings)
    assert losses[-1] < losses[0]
    with torch.no_grad():
        torch.testing.assert_close(model.folded()(x), model(x), rtol=1e-4, atol=1e-4)
    for one, other in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
    with pytest.raises(ValueError, match="60 images make no batch of 128"):
        script.train(data, script.Settings())
