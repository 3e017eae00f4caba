"""The scripts behind ddpm_emoji.pt and emoji.npz, on a few steps and one little package."""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from cs231n_lib.ddpm import UNET, EmojiDataset, load_pretrained
from cs231n_lib.notebooks import load

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    names = ("train_ddpm", "build_emoji")
    yield {name: __import__(name) for name in names}
    for name in (*names, "sprite_sources"):
        sys.modules.pop(name, None)


def run(script: ModuleType, monkeypatch: pytest.MonkeyPatch, out: Path, *arguments: str) -> None:
    few = ["--batch-size", "2", "--dim", "4", "--device", "cpu", "--no-page"]
    monkeypatch.setattr(sys, "argv", ["train_ddpm", str(out), *few, *arguments])
    script.main()


def test_what_the_script_writes_and_how_it_goes_on(
    scripts: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after two steps of four and resumed, it gives what four steps at once give."""
    script = scripts["train_ddpm"]
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(script, monkeypatch, whole, "--steps", "4", "--every", "2")

    def stops(run, loss: float) -> None:
        if run.step == 2:
            raise KeyboardInterrupt

    train = script.train

    def interrupted(run, dataset, settings, watch) -> None:
        train(run, dataset, settings, lambda *seen: (watch(*seen), stops(*seen)))

    monkeypatch.setattr(script, "train", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(script, monkeypatch, parts, "--steps", "4", "--every", "2")
    monkeypatch.setattr(script, "train", train)
    run(script, monkeypatch, parts, "--steps", "4", "--every", "2", "--resume")
    found = json.loads((whole / "results.json").read_text())
    content = (whole / "ddpm_emoji.pt").read_bytes()
    assert found["sha256"] == hashlib.sha256(content).hexdigest()
    assert found["images"] == 208
    first, again = (torch.load(f / "ddpm_emoji.pt", weights_only=True) for f in (whole, parts))
    assert {value.dtype for value in first.values()} == {torch.float16}
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_a_resumed_run_needs_a_checkpoint(
    scripts: dict[str, ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SystemExit, match=r"checkpoint\.pt is missing"):
        run(scripts["train_ddpm"], monkeypatch, tmp_path, "--resume")


def test_levels_at_which_a_text_decides_count_more(scripts: dict[str, ModuleType]) -> None:
    weight = scripts["train_ddpm"].loss_weight(torch.tensor([0.9, 0.5, 0.2, 0.001]))
    assert (weight / weight[0]).tolist() == pytest.approx([1, 1, 4, 50])
    assert weight.mean().item() == pytest.approx(1)


def test_the_text_layer_begins_as_if_its_inputs_had_a_variance_of_one(
    scripts: dict[str, ModuleType],
) -> None:
    script = scripts["train_ddpm"]
    begun = script.start(script.Settings(dim=4), "cpu")
    out = begun.model.model.condition_mlp[0](EmojiDataset().text_embs)
    assert 0.3 < out.std().item() < 1.2
    rates = {group["factor"] for group in begun.optimizer.param_groups}
    assert sorted(rates) == pytest.approx([1.0, 512**0.5])


def test_the_learning_rate_rises_and_falls(scripts: dict[str, ModuleType]) -> None:
    settings = scripts["train_ddpm"].Settings()
    rates = [scripts["train_ddpm"].learning_rate(step, settings) for step in range(settings.steps)]
    assert rates[0] == pytest.approx(1e-5)
    assert max(rates) == pytest.approx(2e-3, rel=1e-2)
    assert rates.index(max(rates)) == 199
    assert rates[-1] == pytest.approx(4e-5, rel=1e-2)


def test_the_shipped_weights_fit_the_notebooks_network() -> None:
    answers = load("DDPM", ROOT / "source" / "assignment4")
    unet = load_pretrained(answers.Unet(**UNET))
    assert not unet.training
    assert sum(p.numel() for p in unet.parameters()) == 1_372_579


MANIFEST = """
classes = ["coloured", "plain"]
held_out = ["green pot"]
[hues]
red = 4
green = 125
[called]
round-jar = "pot"
[[set]]
style = "tiny"
package = "@iconify-json/tiny"
version = "1.2.3"
title = "Tiny Icons"
author = "A. Painter"
licence = "MIT"
treatment = "colour"
[set.drawings]
coloured = ["round-jar"]
plain = ["old-tree"]
"""


def draw(content: str | Path) -> Image.Image:
    """Stands in for the renderer: a blue square on nothing."""
    image = Image.new("RGBA", (96, 96))
    ImageDraw.Draw(image).rectangle((24, 24, 72, 72), fill=(20, 20, 220, 255))
    return image


def test_emoji_are_coloured_and_named(scripts: dict[str, ModuleType], tmp_path: Path) -> None:
    package = tmp_path / "iconify-json-tiny" / "package"
    package.mkdir(parents=True)
    bodies = {name: {"body": "<path/>"} for name in ("round-jar", "old-tree")}
    info = {"name": "Tiny Icons", "author": {"name": "A. Painter"}, "license": {"spdx": "MIT"}}
    (package / "icons.json").write_text(json.dumps({"icons": bodies}))
    (package / "info.json").write_text(json.dumps(info))
    (package / "package.json").write_text(json.dumps({"name": "tiny", "version": "1.2.3"}))
    manifest = tmp_path / "emoji.toml"
    manifest.write_text(MANIFEST)
    made = list(scripts["build_emoji"].emoji(manifest, tmp_path, draw))
    assert [one.text for one in made] == ["red pot", "green pot", "old tree"]
    assert [one.held_out for one in made] == [False, True, False]
    middles = [one.image[16, 16] for one in made]
    assert [int(np.argmax(middle)) for middle in middles] == [0, 1, 2]
    assert all((one.image[0, 0] == 255).all() for one in made)
    manifest.write_text(MANIFEST.replace("green pot", "blue pot"))
    with pytest.raises(ValueError, match=r"held out, but no emoji: \['blue pot'\]"):
        list(scripts["build_emoji"].emoji(manifest, tmp_path, draw))
