"""The scripts behind simclr_resnet10.pt and measured.json, on a few small images."""

import dataclasses
import hashlib
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cs231n_lib.data import spritecifar
from cs231n_lib.simclr import Model

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("pretrain_simclr", "simclr_study", "simclr_labels")


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, ModuleType]]:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield {name: __import__(name) for name in MODULES}
    torch.set_num_threads(threads)
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def small() -> tuple[np.ndarray, np.ndarray]:
    """Two classes that differ in colour and in shape, 60 images of 32x32."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 60, (60, 32, 32, 3), dtype=np.uint8)
    labels = np.arange(60) % 2
    images[labels == 0, :, :16, 0] += 150
    images[labels == 1, 10:20, :, 2] += 150
    return images, labels


def settings(scripts: dict[str, ModuleType], **changed: Any) -> Any:
    few = {"steps": 3, "batch_size": 16, "width": 2, **changed}
    return scripts["pretrain_simclr"].Settings(**few)


def test_the_loss_is_nt_xent(scripts: dict[str, ModuleType]) -> None:
    """Against equation 1, one pair of views at a time."""
    generator = torch.Generator().manual_seed(0)
    for n, tau in ((1, 0.5), (5, 0.1), (4, 5.0)):
        z = nn.functional.normalize(torch.randn(2 * n, 7, generator=generator), dim=1)
        total = 0.0
        for i in range(2 * n):
            others = [k for k in range(2 * n) if k != i]
            partner = (i + n) % (2 * n)
            exps = {k: math.exp(float(z[i] @ z[k]) / tau) for k in others}
            total -= math.log(exps[partner] / sum(exps.values()))
        found = scripts["pretrain_simclr"].nt_xent(z[:n], z[n:], tau)
        assert found.item() == pytest.approx(total / (2 * n), rel=1e-5, abs=1e-6)


def test_the_learning_rate_rises_and_falls(scripts: dict[str, ModuleType]) -> None:
    chosen = settings(scripts, steps=1000)
    rates = [scripts["pretrain_simclr"].learning_rate(step, chosen) for step in range(1000)]
    assert rates[0] == pytest.approx(3e-3 / 30, rel=1e-6)
    assert rates[14] == pytest.approx(3e-3 / 2, rel=1e-2)
    assert max(rates) == pytest.approx(3e-3, rel=1e-2)
    assert rates.index(max(rates)) == 29
    assert rates[500] == pytest.approx(1.5e-3, rel=1e-2)
    assert 0 < rates[-1] < 1e-6
    one = scripts["pretrain_simclr"].learning_rate(0, settings(scripts, steps=1))
    assert one == pytest.approx(3e-3)


def test_steps_follow_from_the_seed(scripts: dict[str, ModuleType], small: Any) -> None:
    pretrain, watched = scripts["pretrain_simclr"].pretrain, []
    chosen = settings(scripts)
    first, history = pretrain(small[0], chosen, watch=lambda *seen: watched.append(seen[:2]))
    again, _ = pretrain(small[0], chosen)
    other, _ = pretrain(small[0], dataclasses.replace(chosen, seed=1))
    assert [step for step, _ in watched] == [1, 2, 3] == [step for step, _ in history]
    # 31 wrong answers for each view: an untrained network does not tell them apart.
    assert watched[0][1] == pytest.approx(math.log(31), abs=0.5)
    assert not first.training
    for a, b, c in zip(first.parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a.ndim < 2 or not torch.equal(a, c)


def test_pretraining_learns_something(scripts: dict[str, ModuleType], small: Any) -> None:
    chosen = settings(scripts, steps=30, batch_size=30)
    _, history = scripts["pretrain_simclr"].pretrain(small[0], chosen)
    assert history[-1][1] < history[0][1] - 0.1


def test_a_loss_that_is_no_number_stops(scripts: dict[str, ModuleType], small: Any) -> None:
    with pytest.raises(FloatingPointError, match=r"at step 1\. Lower"):
        scripts["pretrain_simclr"].pretrain(small[0], settings(scripts, temperature=0.0))


def test_what_the_script_writes(
    scripts: dict[str, ModuleType], small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that ``Model`` loads, its hash, and figures at one share of the labels."""
    monkeypatch.setattr(spritecifar, "load", lambda split, count=None: small)
    out = tmp_path / "new" / "out"
    arguments = ["--steps", "2", "--batch-size", "16", "--width", "2", "--device", "cpu", "--quick"]
    monkeypatch.setattr(sys, "argv", ["pretrain_simclr", str(out), *arguments])
    scripts["pretrain_simclr"].main()
    content = (out / "simclr_resnet10.pt").read_bytes()
    found = json.loads((out / "results.json").read_text())
    assert found["sha256"] == hashlib.sha256(content).hexdigest()
    assert found["settings"]["steps"] == 2
    assert found["settings"]["crop_scale"] == [0.2, 1.0]
    assert found["images"] == 60
    (row,) = found["labels"]
    assert row["images"] == 50
    assert row["steps"] == 5
    assert 0 <= row["probe_pretrained"] <= 100
    state = torch.load(out / "simclr_resnet10.pt", weights_only=True)
    assert {v.dtype for v in state.values()} == {torch.float16, torch.int64}
    Model(width=2).load_state_dict(state)


def test_the_shipped_weights_are_of_the_scripts_network(scripts: dict[str, ModuleType]) -> None:
    path = ROOT / "cs231n_lib" / "simclr" / scripts["pretrain_simclr"].WEIGHTS
    state = torch.load(path, weights_only=True)
    Model(width=scripts["pretrain_simclr"].Settings().width).load_state_dict(state)


def test_supervised_training_learns_and_leaves_the_encoder(
    scripts: dict[str, ModuleType], small: Any
) -> None:
    labels = scripts["simclr_labels"]
    torch.manual_seed(0)
    model = Model(width=2)
    before = [p.clone() for p in model.parameters()]
    train, test = (small[0][:40], small[1][:40]), (small[0][40:], small[1][40:])
    untrained = labels.supervised(model, train, test, 0, 1e-2, seed=0)
    assert labels.supervised(model, train, test, 12, 1e-2, seed=0) > max(0.8, untrained)
    assert labels.probe(model, train, test) > 0.8
    for old, new in zip(before, model.parameters(), strict=True):
        assert torch.equal(old, new)


def test_shares_of_the_labels(scripts: dict[str, ModuleType]) -> None:
    subset = scripts["simclr_labels"].subset
    few, more = subset(20_000, 0.01), subset(20_000, 0.1)
    assert (len(few), len(more), len(subset(1000, 0.01))) == (200, 2000, 50)
    assert len(set(more)) == 2000
    assert set(few) <= set(more), "10 % of the labels are those 1 % and more"
    assert list(few) == list(subset(20_000, 0.01))
    assert list(few) != list(subset(20_000, 0.01, seed=2))


def test_variants_leave_out_what_they_do_not_name(scripts: dict[str, ModuleType]) -> None:
    study = scripts["simclr_study"]
    names = {
        variant: [type(step).__name__ for step in study.only(kept).transforms]
        for variant, kept in study.VARIANTS.items()
    }
    assert all(steps[-1] == "Normalize" for steps in names.values())
    assert names["flip"] == ["RandomHorizontalFlip", "Normalize"]
    assert names["colour"] == ["RandomApply", "RandomGrayscale", "Normalize"]
    assert len(names["all"]) == 5
    assert len(set(map(tuple, names.values()))) == len(names)


def test_colours_of_neighbours(scripts: dict[str, ModuleType]) -> None:
    study = scripts["simclr_study"]
    flat = np.zeros((40, 4, 4, 3), np.uint8)
    flat[:, :, :, 0] = np.where(np.arange(40) < 2, 250, 0)[:, None, None]  # two are red
    histograms = study.colour_histograms(flat)
    assert histograms.shape == (40, 64)
    torch.testing.assert_close(histograms.norm(dim=1), torch.ones(40))
    assert histograms[0].argmax() == 3 * 16
    flat[0, :2] = 255
    half = study.colour_histograms(flat[:1])[0]
    assert (half[48].item(), half[63].item()) == pytest.approx((0.5**0.5,) * 2)
    flat[0, :2] = [250, 0, 0]
    split = (flat, np.zeros(40, np.int64))
    red = (flat[:1], np.zeros(1, np.int64))
    assert study.same_colours(split, red, torch.tensor([[0, 1]])) == 1
    assert study.same_colours(split, red, torch.tensor([[0, 7, 8, 9]])) == 0.25
    near = study.neighbours(histograms.repeat(2, 1), histograms[:1])
    assert set(near[0, :4].tolist()) == {0, 1, 40, 41}


def test_a_report_of_features(scripts: dict[str, ModuleType], small: Any) -> None:
    """Features that are the label itself, and features that are noise."""
    train, others = (small[0][:44], small[1][:44]), (small[0][44:], small[1][44:])
    told, asked = (torch.eye(2)[torch.from_numpy(part[1])] for part in (train, others))
    right = scripts["simclr_study"].report(told, asked, train, others)
    assert (right["knn"], right["probe"], right["same_label"]) == (100, 100, 100)
    generator = torch.Generator().manual_seed(0)
    noise = [torch.randn(len(part[1]), 3, generator=generator) for part in (train, others)]
    assert scripts["simclr_study"].report(*noise, train, others)["same_label"] < 70


def test_parts_are_kept_beside_each_other(scripts: dict[str, ModuleType], tmp_path: Path) -> None:
    path = tmp_path / "measured.json"
    keep = scripts["simclr_study"].keep
    keep("a", {"rows": [1]}, path)
    keep("b", {"rows": [2]}, path)
    keep("a", {"rows": [3]}, path)
    assert json.loads(path.read_text()) == {"a": {"rows": [3]}, "b": {"rows": [2]}}


def test_the_study_runs(
    scripts: dict[str, ModuleType], small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ablation and monitor from the command line, of one variant and a few steps."""
    study = scripts["simclr_study"]
    monkeypatch.setattr(spritecifar, "load", lambda split, count=None: small)
    monkeypatch.setattr(study, "TRAINING", 40)
    monkeypatch.setattr(study, "SMALL", settings(scripts))
    monkeypatch.setattr(study, "LONG", settings(scripts))
    monkeypatch.setattr(study, "CHECKED", (2, 3))
    monkeypatch.setattr(study, "VARIANTS", {"flip": ("RandomHorizontalFlip",)})
    out = tmp_path / "m.json"
    monkeypatch.setattr(sys, "argv", ["study", "ablation", "monitor", "--out", str(out)])
    study.main()
    found = json.loads(out.read_text())
    names = [row["name"] for row in found["ablation"]["rows"]]
    assert names == ["pixels", "colour histogram", "random encoder", "flip"]
    assert [row["step"] for row in found["monitor"]["rows"]] == [0, 2, 3]
    assert found["ablation"]["settings"]["width"] == 2


def test_with_all_labels_scratch_gets_the_same_steps_and_four_times_as_many(
    scripts: dict[str, ModuleType], small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = scripts["simclr_labels"]
    asked: list[tuple[Model, int, int]] = []

    def supervised(
        model: Model, train: Any, test: Any, steps: int, rate: float, seed: int
    ) -> float:
        asked.append((model, len(train[0]), steps))
        return 0.5

    monkeypatch.setattr(labels, "supervised", supervised)
    monkeypatch.setattr(spritecifar, "load", lambda split, count=None: small)
    found = labels.all_labels(seed=1)
    tuned, same, longer = asked
    assert tuned[0] is not same[0]
    assert same[0] is longer[0]
    assert {images for _, images, _ in asked} == {len(small[0])}
    assert [steps for _, _, steps in asked] == [found["steps"], found["steps"], 4 * found["steps"]]
    assert (found["fine_tuned"], found["scratch_4x_steps"]) == (50, 50)
