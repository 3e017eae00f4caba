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
    for name in ("data_ladder", "ladder_rungs", "caption_ladder", "caption_rungs"):
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


# --- captions -------------------------------------------------------------------------------


@pytest.fixture
def captions(ladder: ModuleType) -> ModuleType:
    return ladder.caption_ladder


def as_it_should_be(captions: ModuleType) -> dict[str, tuple[tuple[float, float], float]]:
    bleu = dict.fromkeys((rung.name for rung in captions.LADDER), 42.0)
    bleu |= {captions.BLIND: 20.0, captions.NEAREST: 35.0, captions.PERSON: 64.0}
    return {name: ((70.0, value), 1.0) for name, value in bleu.items()}


def test_blind_below_neighbours_below_networks_below_people(captions: ModuleType) -> None:
    assert captions.report(as_it_should_be(captions)) == []


@pytest.mark.parametrize(
    ("rung", "bleu", "message"),
    [
        ("BLIND", 25.3, "more than 60 % of the LSTM's 42.0"),
        ("NEAREST", 19.9, "is not between"),
        ("NEAREST", 42.0, "is not between"),
        ("TRANSFORMER", 64.0, "reaches a person's 64.0"),
        ("RNN", 65.0, "vanilla RNN, 5 epochs: 65.0 reaches"),
    ],
)
def test_a_captions_ladder_with_a_rung_out_of_place(
    captions: ModuleType, rung: str, bleu: float, message: str
) -> None:
    results = as_it_should_be(captions)
    results[getattr(captions, rung)] = (70.0, bleu), 1.0
    (wrong,) = captions.report(results)
    assert message in wrong


WORDS = ["<NULL>", "<START>", "<END>", "<UNK>", "red", "blue", "car", "dog"]


def tiny_captions() -> dict[str, object]:
    """Feature 0 is the colour, feature 1 the noun: all there is to learn."""
    captions, features = [], []
    for colour in (4, 5):
        for noun in (6, 7):
            captions += [[1, colour, noun, 2, 0]] * 2
            features.append([1.0 if colour == 4 else -1.0, 1.0 if noun == 6 else -1.0])
    arrays = {"captions": np.array(captions, np.int32),
              "image_idxs": np.repeat(np.arange(4, dtype=np.int32), 2),
              "features": np.array(features, np.float32)}  # fmt: skip
    data: dict[str, object] = {"idx_to_word": WORDS}
    for split in ("train", "val"):
        data |= {f"{split}_{name}": array for name, array in arrays.items()}
    return data


def test_captioners_see_and_the_blind_do_not(captions: ModuleType) -> None:
    rungs = captions.rungs
    data = rungs.prepare(tiny_captions())
    assert data.references == [["red car"] * 2, ["red dog"] * 2, ["blue car"] * 2, ["blue dog"] * 2]
    assert rungs.nearest_caption(data)[0] == rungs.one_against_four(data)[0] == 100
    for make in (rungs.rnn, rungs.lstm, rungs.transformer):
        sees, blind = (
            rungs.network(make, rungs.Fit(60, 3e-3, batch=8), blind=blind)(data)[0]
            for blind in (False, True)
        )
        assert sees == 100
        assert blind < 60  # it says the same of every picture


def test_greedy_captions_feed_back_what_they_said(captions: ModuleType) -> None:
    class Counting(torch.nn.Module):
        """The next word is the last one plus one."""

        def forward(self, features: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
            assert not self.training
            return torch.nn.functional.one_hot(words + 1, 9).float()

    said = captions.rungs.greedy(Counting(), torch.zeros(3, 2), columns=6)
    assert said.tolist() == [[1, 2, 3, 4, 5, 6]] * 3


def test_captions_ladder_runs_from_the_command_line(
    ladder: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ladder, "load_coco_data", lambda folder: tiny_captions())
    fixed = {captions_rung.name: captions_rung for captions_rung in ladder.caption_ladder.LADDER}
    short = [
        type(rung)(name, lambda _, value=value: (70.0, value))
        for (name, rung), value in zip(
            fixed.items(), (14.0, 19.0, 30.0, 31.0, 42.0, 43.0, 64.0), strict=True
        )
    ]
    monkeypatch.setattr(ladder.caption_ladder, "LADDER", tuple(short))
    monkeypatch.setattr(sys, "argv", ["data_ladder.py", "--captions"])
    assert ladder.main() == 0
    output = capsys.readouterr().out
    assert "4 training and 4 validation images" in output
    assert "| LSTM, 5 epochs | 70.0 | 42.0 | 0 |" in output
    assert "neighbours in between" in output
