"""The solvers of captions and of the Vision Transformer: against plain loops written here."""

# ruff: noqa: NPY002 (that np.random.seed works is a feature)

import contextlib
import re
from typing import Any

import numpy as np
import pytest
import torch
from captions import NULL, WORDS, Bigrams, T, TorchBigrams, caption_data
from torch import nn
from torch.nn import functional
from torch.utils.data import TensorDataset

from cs231n_lib.captioning_solver import CaptioningSolver
from cs231n_lib.captioning_solver_transformer import CaptioningSolverTransformer
from cs231n_lib.classification_solver_vit import ClassificationSolverViT
from cs231n_lib.data import sample_coco_minibatch
from cs231n_lib.seeding import seeded_torch
from cs231n_lib.torch_data import ImageSet

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


def sgd(w: np.ndarray, dw: np.ndarray, config: dict[str, Any]) -> Any:
    config["steps"] = config.get("steps", 0) + 1
    return w - config["learning_rate"] * dw, config


def numpy_solver(model: Any = None, **keywords: Any) -> CaptioningSolver:
    keywords = {
        "update_rule": sgd,
        "optim_config": {"learning_rate": 0.5},
        "batch_size": 6,
        "num_epochs": 3,
        "verbose": False,
        "seed": 1,
    } | keywords
    return CaptioningSolver(model or Bigrams(), caption_data(), **keywords)


def torch_solver(model: Any = None, **keywords: Any) -> CaptioningSolverTransformer:
    keywords = {"batch_size": 6, "num_epochs": 3, "verbose": False, "seed": 1} | keywords
    return CaptioningSolverTransformer(model or TorchBigrams(), caption_data(), WORDS, **keywords)


# The NumPy solver


def test_a_plain_loop_gives_the_same_parameters_and_losses() -> None:
    solver = numpy_solver(lr_decay=0.5)
    solver.train()
    model, rng, losses = Bigrams(), np.random.default_rng(1), []
    for step in range(3 * 4):  # 24 captions, batches of 6
        captions, features, _ = sample_coco_minibatch(caption_data(), 6, split="train", rng=rng)
        loss, grads = model.loss(features, captions)
        losses.append(loss)
        for name in model.params:
            model.params[name] -= 0.5 * 0.5 ** (step // 4) * grads[name]
    np.testing.assert_allclose(solver.loss_history, losses)
    for name, w in model.params.items():
        np.testing.assert_allclose(solver.model.params[name], w)
    assert solver.epoch == 3
    assert solver.optim_configs["W"] == {"learning_rate": 0.0625, "steps": 12}


def test_captions_are_learned_from_features() -> None:
    solver = numpy_solver(num_epochs=100)
    solver.train()
    assert solver.loss_history[0] == pytest.approx(3 * np.log(len(WORDS)))
    assert solver.loss_history[-1] < 0.5


def test_features_are_those_of_the_captions_image() -> None:
    solver = numpy_solver()
    solver.train()
    data = caption_data()
    features, captions = data["train_features"], data["train_captions"][::2]  # two an image
    rows = {tuple(f): tuple(c) for f, c in zip(features, captions, strict=True)}
    for features, captions in solver.model.batches:  # pyright: ignore
        assert features.shape == (6, 5)
        assert [rows[tuple(f)] for f in features] == [tuple(c) for c in captions]


def test_numpys_global_generator_is_used_without_a_seed_and_left_alone_with_one() -> None:
    histories = []
    for _ in range(2):
        np.random.seed(4)
        solver = numpy_solver(seed=None)
        solver.train()
        histories.append(solver.loss_history)
    assert histories[0] == histories[1]
    state = np.random.get_state()[1].tolist()
    numpy_solver().train()
    assert np.random.get_state()[1].tolist() == state
    other = numpy_solver(seed=2)
    other.train()
    assert other.loss_history != histories[0]


def test_a_second_train_goes_on() -> None:
    solver, longer = numpy_solver(num_epochs=1), numpy_solver(num_epochs=2)
    solver.train()
    solver.train()
    longer.train()
    assert solver.loss_history == longer.loss_history
    assert solver.epoch == 2


def test_a_batch_larger_than_the_data_is_one_iteration_an_epoch() -> None:
    solver = numpy_solver(batch_size=100, num_epochs=2)
    solver.train()
    assert len(solver.loss_history) == 2


def test_rules_are_found_by_name_as_solver_finds_them() -> None:
    Bigrams.__module__, module = __name__, Bigrams.__module__
    try:
        assert numpy_solver(update_rule="sgd").update_rule is sgd
    finally:
        Bigrams.__module__ = module
    with pytest.raises(ValueError, match="no update rule 'leap'"):
        numpy_solver(update_rule="leap")


def test_what_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    numpy_solver().train()
    assert capsys.readouterr().out == ""
    numpy_solver(verbose=True, print_every=5).train()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" loss")[0] for line in lines[:-1]] == [
        f"(iteration {i} / 12)" for i in (1, 6, 11)
    ]
    assert re.fullmatch(r"12 iterations took \d+\.\d s", lines[-1])


def test_wrong_gradients_and_rules_without_a_rate_are_named() -> None:
    class Forgets(Bigrams):
        def loss(self, features: np.ndarray, captions: np.ndarray) -> Any:
            loss, grads = super().loss(features, captions)
            return loss, {"W": grads["W"]}

    with pytest.raises(ValueError, match=r"model.loss must return a gradient for each of \['E'"):
        numpy_solver(Forgets()).train()

    def still(w: np.ndarray, dw: np.ndarray, config: dict[str, Any]) -> Any:
        return w, config

    with pytest.raises(ValueError, match="has no 'learning_rate' to decay"):
        numpy_solver(update_rule=still, optim_config={}, lr_decay=0.9).train()


@pytest.mark.parametrize("make", [numpy_solver, torch_solver])
def test_what_does_not_fit_is_said_before_training(make: Any) -> None:
    with pytest.raises(ValueError, match="has no keyword epochs; help"):
        make(epochs=3)
    with pytest.raises(ValueError, match="batch_size is 0"):
        make(batch_size=0)
    with pytest.raises(ValueError, match="print_every is 0"):
        make(print_every=0, verbose=True)
    make(print_every=-1, verbose=False)  # as in the course


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"train_features": None}, "the data have no train_features; load_coco_data"),
        ({"train_captions": np.zeros((0, 5), int)}, r"train_captions has shape \(0, 5\)"),
        ({"train_image_idxs": np.zeros(3, int)}, r"train_image_idxs \(3,\)"),
    ],
)
@pytest.mark.parametrize(
    "make",
    [
        lambda data: CaptioningSolver(Bigrams(), data, update_rule=sgd),
        lambda data: CaptioningSolverTransformer(TorchBigrams(), data, WORDS),
    ],
)
def test_data_of_another_layout_are_refused(changes, said, make) -> None:
    data = {k: v for k, v in (caption_data() | changes).items() if v is not None}
    with pytest.raises(ValueError, match=said):
        make(data)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_no_number_stops_the_training(bad: float) -> None:
    class Breaks(Bigrams):
        def loss(self, features: np.ndarray, captions: np.ndarray) -> Any:
            loss, grads = super().loss(features, captions)
            return (bad if len(self.batches) == 3 else loss), grads

    solver = numpy_solver(Breaks())
    with pytest.raises(FloatingPointError, match=r"in iteration 3\. Is the learning rate"):
        solver.train()
    assert len(solver.loss_history) == 3


# The Transformer's solver


def test_torch_loss_is_the_mean_over_all_positions() -> None:
    solver = torch_solver()
    x, y = torch.randn(2, T, 7), torch.randint(7, (2, T))
    mask = torch.tensor([[True] * T, [True] + [False] * (T - 1)])
    losses = functional.cross_entropy(x.flatten(0, 1), y.flatten(), reduction="none").view(2, T)
    wanted = (losses[0].sum() + losses[1, 0]) / (2 * T)
    for kind in (torch.bool, torch.float32, torch.int64):
        got = solver.transformer_temporal_softmax_loss(x, y, mask.to(kind))
        torch.testing.assert_close(got, wanted)
    nothing = torch.zeros(2, T, dtype=torch.bool)
    assert solver.transformer_temporal_softmax_loss(x, y, nothing) == 0


def test_a_plain_loop_in_torch_gives_the_same() -> None:
    solver = torch_solver(learning_rate=1e-2)
    solver.train()
    model, rng, losses = TorchBigrams(), np.random.default_rng(1), []
    rng.integers(2**63)  # for dropout
    adam = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(3 * 4):
        captions, features, _ = sample_coco_minibatch(caption_data(), 6, split="train", rng=rng)
        words = torch.from_numpy(captions).long()
        scores = model(torch.from_numpy(features), words[:, :-1])
        said = words[:, 1:].flatten()
        total = functional.cross_entropy(
            scores.flatten(0, 1), said, ignore_index=NULL, reduction="sum"
        )
        loss = total / said.numel()
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    np.testing.assert_allclose(solver.loss_history, losses, rtol=1e-5)
    torch.testing.assert_close(solver.model.state_dict(), model.state_dict())


def test_padding_is_what_the_model_calls_null() -> None:
    data = caption_data()
    swap = np.array([9, 1, 2, 3, 4, 5, 6, 7, 8, 0])  # ids of NULL and the last word exchanged
    swapped = data | {"train_captions": swap[data["train_captions"]].astype(np.int32)}
    model = TorchBigrams()
    model._null = 9
    with torch.no_grad():  # certain of padding: it would be the loss of nearly everything
        model.features.weight.zero_()
        model.features.bias.zero_()
        model.words.weight.zero_()
    solver = CaptioningSolverTransformer(model, swapped, WORDS, num_epochs=1, verbose=False)
    solver.train()
    assert solver.loss_history[0] == pytest.approx(np.log(len(WORDS)) * 3 / 4)


def test_the_model_trains_in_training_mode_and_is_left_ready_to_sample() -> None:
    model = TorchBigrams().eval()
    torch_solver(model).train()
    assert all(call.mode for call in model.seen)
    assert not model.training
    assert model.seen[0].captions.shape == (6, T)
    assert model.seen[0].captions.dtype == torch.int64


@pytest.mark.parametrize("device", DEVICES)
def test_features_come_in_the_models_dtype_and_to_its_device(device: str) -> None:
    model = TorchBigrams().double().to(device)
    torch_solver(model).train()
    assert model.seen[0].features.dtype == torch.float64
    assert model.seen[0].features.device.type == model.seen[0].captions.device.type == device


@pytest.mark.parametrize("device", DEVICES)
def test_dropout_is_repeatable_and_torchs_generator_stays_as_it_was(device: str) -> None:
    histories = []
    for start in (1, 2):
        model = TorchBigrams(dropout=0.5).to(device)
        torch.manual_seed(start)
        state = torch.get_rng_state()
        solver = torch_solver(model)
        solver.train()
        histories.append(solver.loss_history)
        assert torch.equal(torch.get_rng_state(), state)
    assert histories[0] == histories[1]


def test_torch_captions_are_learned(capsys: pytest.CaptureFixture[str]) -> None:
    solver = torch_solver(num_epochs=60, learning_rate=0.1, verbose=True, print_every=100)
    solver.train()
    assert solver.loss_history[-1] < 0.1
    out = capsys.readouterr().out
    assert out.startswith("(iteration 1 / 240) loss: ")
    assert re.search(r"240 iterations took \d+\.\d s\n$", out)


# The Vision Transformer's solver


def images(count: int = 40) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (count, 3, 4, 4) of two classes: whether red is bright."""
    generator = torch.Generator().manual_seed(count)
    x = torch.randn(count, 3, 4, 4, generator=generator)
    y = torch.arange(count) % 2
    x[:, 0] += 2 * y[:, None, None] - 1
    return x, y


def classifier(dropout: float = 0.0) -> nn.Module:
    torch.manual_seed(2)
    return nn.Sequential(nn.Dropout(dropout), nn.Flatten(), nn.Linear(48, 2))


def vit_solver(model: nn.Module, **keywords: Any) -> ClassificationSolverViT:
    keywords = {"batch_size": 16, "verbose": False, "seed": 3, "num_epochs": 3} | keywords
    return ClassificationSolverViT(ImageSet(*images()), ImageSet(*images(30)), model, **keywords)


@pytest.mark.parametrize("device", DEVICES)
def test_a_plain_loop_over_images_gives_the_same(device: str) -> None:
    solver = vit_solver(classifier(), learning_rate=1e-2, weight_decay=0.1)
    solver.train(device=device)
    solver.model.cpu()
    model, (x, y), (x_test, y_test) = classifier(), images(), images(30)
    adam = torch.optim.Adam(model.parameters(), lr=1e-2, weight_decay=0.1)
    torch.manual_seed(int(np.random.default_rng(3).integers(2**63)))
    for epoch in range(3):
        total, right = 0.0, 0
        for rows in torch.randperm(40).split(16):
            scores = model(x[rows])
            loss = functional.cross_entropy(scores, y[rows])
            total += loss.item() * len(rows)
            right += int((scores.argmax(1) == y[rows]).sum())
            adam.zero_grad()
            loss.backward()
            adam.step()
        assert solver.results["train_loss"][epoch] == pytest.approx(total / 40, rel=1e-5)
        assert solver.results["train_acc@1"][epoch] == right / 40
        with torch.no_grad():
            scores = model(x_test)
        loss = functional.cross_entropy(scores, y_test).item()
        assert solver.results["test_loss"][epoch] == pytest.approx(loss, rel=1e-5)
        assert solver.results["test_acc@1"][epoch] == (scores.argmax(1) == y_test).float().mean()
    torch.testing.assert_close(solver.model.state_dict(), model.state_dict(), rtol=1e-4, atol=1e-5)
    assert len(solver.loss_history) == 9, "3 epochs of 16 + 16 + 8 images"


def test_the_best_accuracy_is_kept_when_later_ones_are_worse() -> None:
    solver = vit_solver(classifier(), learning_rate=1e-2)
    solver.train()
    best = max(solver.results["test_acc@1"])
    assert solver.best_test_acc == solver.results["best_test_acc"] == best > 0.5
    with torch.no_grad():
        for p in solver.model.parameters():
            p.mul_(-1)  # now it says the opposite
    solver.num_epochs = 1
    solver.train()
    assert len(solver.results["test_acc@1"]) == 4, "a second train() goes on"
    assert solver.results["test_acc@1"][-1] < best
    assert solver.best_test_acc == best


def test_dropout_acts_in_training_and_not_when_measured() -> None:
    modes = []

    class Watch(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            modes.append((self.training, torch.is_grad_enabled()))
            return x

    solver = vit_solver(nn.Sequential(Watch(), classifier()), num_epochs=2)
    solver.train()
    assert modes == ([(True, True)] * 3 + [(False, False)] * 2) * 2
    assert not solver.model.training


def test_any_data_set_of_torch_will_do(capsys: pytest.CaptureFixture[str]) -> None:
    data = TensorDataset(*images())
    solver = ClassificationSolverViT(
        data, data, classifier(0.2), num_epochs=2, batch_size=10, print_every=4, seed=5
    )
    solver.train()
    assert len(solver.loss_history) == 8
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(") ")[0] for line in lines[:-1]] == [
        "(iteration 1 / 8", "(epoch 1", "(iteration 5 / 8", "(epoch 2",
    ]  # fmt: skip
    assert lines[-1].startswith("8 iterations took ")
    again = ClassificationSolverViT(
        data, data, classifier(0.2), num_epochs=2, batch_size=10, verbose=False, seed=5
    )
    torch.manual_seed(99)
    again.train()
    assert again.loss_history == solver.loss_history


def test_empty_data_and_unknown_keywords_are_refused() -> None:
    empty = ImageSet(torch.zeros(0, 3, 4, 4), torch.zeros(0, dtype=torch.long))
    with pytest.raises(ValueError, match="test_data has no image"):
        ClassificationSolverViT(ImageSet(*images()), empty, classifier())
    with pytest.raises(ValueError, match="ClassificationSolverViT has no keyword lr;"):
        vit_solver(classifier(), lr=1)


def test_a_model_that_was_not_made_is_said() -> None:
    for make in (torch_solver, vit_solver):
        with pytest.raises(TypeError, match=r"trains a torch\.nn\.Module; model is a Missing"):
            make(Missing())  # type: ignore[arg-type]


class Missing:
    """What is no model."""


def test_seeded_torch_restores_the_generator_even_after_an_error() -> None:
    torch.manual_seed(1)
    state = torch.get_rng_state()
    drawn = []
    for _ in range(2):
        with contextlib.suppress(KeyError), seeded_torch(np.random.default_rng(0)):
            drawn.append(torch.rand(3))
            raise KeyError
    assert torch.equal(drawn[0], drawn[1])
    assert torch.equal(torch.get_rng_state(), state)
    with seeded_torch(None):
        torch.rand(1)
    assert not torch.equal(torch.get_rng_state(), state)
