"""The given parts of the diffusion notebook: schedules, dataset, trainer, weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cs231n_lib import ddpm
from cs231n_lib.ddpm import pretrained
from cs231n_lib.errors import DataError


@pytest.mark.parametrize("name", ["linear", "cosine", "sigmoid"])
@pytest.mark.parametrize("T", [5, 100, 1000])
def test_schedules_take_the_image_away(name: str, T: int) -> None:
    betas = ddpm.get_beta_schedule(name, T)
    assert betas.shape == (T,)
    assert betas.min() > 0
    assert betas.max() <= 0.999
    share = (1 - betas).cumprod(0)
    assert share[-1] < 1e-3
    assert (share[1:] < share[:-1]).all()


def test_the_linear_schedule_is_that_of_the_paper() -> None:
    betas = ddpm.linear_beta_schedule(1000)
    assert torch.allclose(betas[[0, -1]], torch.tensor([1e-4, 0.02], dtype=torch.float64))


def test_what_cannot_be_chosen() -> None:
    with pytest.raises(ValueError, match="choose one of linear, cosine, sigmoid"):
        ddpm.get_beta_schedule("quadratic", 10)
    with pytest.raises(ValueError, match="choose pred_noise or pred_x_start"):
        ddpm.DiffusionBase(nn.Identity(), image_size=4, objective="pred_v")
    with pytest.raises(ValueError, match="choose train, held_out or all"):
        ddpm.EmojiDataset(32, "test")  # pyright: ignore
    with pytest.raises(ValueError, match="holds no word"):
        ddpm.embed_text("!")


def test_extract_picks_one_number_for_each_image() -> None:
    a = torch.arange(5.0)
    assert ddpm.extract(a, torch.tensor([4, 0]), (2, 3, 8, 8)).shape == (2, 1, 1, 1)
    assert ddpm.extract(a, torch.tensor([4, 0]), (2, 7)).tolist() == [[4.0], [0.0]]


def test_the_posterior_is_that_of_bayes() -> None:
    """Against the product of the two normal densities whose product it is, one number at a time."""
    base = ddpm.DiffusionBase(nn.Identity(), image_size=1, timesteps=10, beta_schedule="cosine")
    share = base.alphas_cumprod.double().numpy()
    x_start, x_t = 0.4, -0.7
    for t in (1, 5, 8):
        beta = base.betas[t].item()
        # x_{t-1} given x_0, times x_t given x_{t-1}
        before = 1 / (1 - share[t - 1])
        after = (1 - beta) / beta
        variance = 1 / (before + after)
        mean = variance * (
            before * np.sqrt(share[t - 1]) * x_start + after * x_t / np.sqrt(1 - beta)
        )
        given = torch.full((1, 1, 1, 1), x_start), torch.full((1, 1, 1, 1), x_t)
        found = base.q_posterior(*given, torch.tensor([t]))
        assert found[0].item() == pytest.approx(mean, rel=1e-4)
        assert found[1].item() == pytest.approx(np.sqrt(variance), rel=1e-4)
    assert base.posterior_std[0].item() == pytest.approx(1e-10)


def test_sampling_goes_from_the_last_level_to_the_first() -> None:
    class Counts(ddpm.DiffusionBase):
        def p_sample(self, x_t: Tensor, t: int, model_kwargs: Any = None) -> Tensor:
            seen.append((t, model_kwargs))
            return torch.full_like(x_t, t / 2)

    seen: list[Any] = []
    given = {"text_emb": None}
    counts = Counts(nn.Identity(), image_size=4, timesteps=3)
    steps = counts.sample(2, return_all_timesteps=True, model_kwargs=given)
    assert steps.shape == (2, 4, 3, 4, 4)
    assert seen == [(2, given), (1, given), (0, given)]
    assert steps[0, 1:, 0, 0, 0].tolist() == [1.0, 0.75, 0.5]
    assert counts.sample(2).shape == (2, 3, 4, 4)
    with pytest.raises(NotImplementedError):
        ddpm.DiffusionBase(nn.Identity(), image_size=4, timesteps=3).sample(1)


def test_emoji_and_their_words() -> None:
    train, held_out, everything = (ddpm.EmojiDataset(32, s) for s in ("train", "held_out", "all"))  # pyright: ignore
    assert (len(train), len(held_out), len(everything)) == (208, 9, 217)
    assert len(set(everything.texts)) == 217
    assert not set(train.texts) & set(held_out.texts)
    words = {word for text in train.texts for word in text.split()}
    assert all(set(text.split()) <= words for text in held_out.texts), "each word is trained"
    image, about = train[train.find("red car")]
    assert image.shape == (3, 32, 32)
    assert 0 <= image.min() < image.max() <= 1
    assert torch.equal(about["text_emb"], ddpm.embed_text("Red car!"))
    assert about["text_emb"].norm().item() == pytest.approx(1, abs=1e-5)
    assert ddpm.EmojiDataset(16).images.shape == (208, 3, 16, 16)
    torch.manual_seed(0)
    given = train.random_model_kwargs(4)
    assert given["text_emb"].shape == (4, 512)
    assert torch.equal(given["text_emb"][2], ddpm.embed_text(given["text"][2]))
    with pytest.raises(ValueError, match="no emoji is called 'purple car'"):
        train.find("purple car")


def test_another_text_encoder_can_take_over() -> None:
    class Encoder:
        def embed(self, text: str) -> Tensor:
            return torch.full((512,), float(len(text)))

    dataset = ddpm.EmojiDataset()
    assert dataset.embed_new_text("car", Encoder())[0] == 3
    assert ddpm.EmojiDataset(embed=Encoder().embed).text_embs[0, 0] == len(dataset.texts[0])


class Learns(nn.Module):
    """A model whose loss falls: it learns the mean of the images."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(()))

    def p_losses(self, images: Tensor, model_kwargs: Any) -> Tensor:
        assert model_kwargs["text_emb"].shape == (len(images), 512)
        return ((images - self.mean) ** 2).mean()


def test_the_trainer_trains_saves_and_goes_on(tmp_path: Path) -> None:
    torch.manual_seed(0)
    options = {"train_batch_size": 32, "train_lr": 0.05, "results_folder": tmp_path}
    dataset = ddpm.EmojiDataset(16)
    trainer = ddpm.Trainer(Learns(), dataset, "cpu", train_num_steps=12, save_every=6, **options)
    seen: list[int] = []
    trainer.sample_every, trainer.on_sample = 5, seen.append
    losses = trainer.train()
    assert len(losses) == 12
    assert losses[-1] < losses[0] / 2
    assert seen == [5, 10]
    assert {path.name for path in tmp_path.iterdir()} == {"model-1.pt", "model-2.pt"}
    again = ddpm.Trainer(Learns(), dataset, "cpu", train_num_steps=13, **options)
    again.load(2)
    assert again.step == 12
    assert torch.equal(again.model.mean, trainer.model.mean)
    assert len(again.train()) == 1
    with pytest.raises(DataError, match=r"model-7\.pt is missing"):
        again.load(7)
    with pytest.raises(ValueError, match="pass results_folder"):
        ddpm.Trainer(Learns(), dataset, "cpu").save(1)


def test_the_weights_say_when_a_network_does_not_fit() -> None:
    with pytest.raises(
        DataError, match=r"ddpm_emoji.pt does not fit this network: .* parameters differ"
    ):
        ddpm.load_pretrained(nn.Linear(2, 2))


def test_the_weights_are_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = (pretrained.FOLDER / pretrained.WEIGHTS.name).read_bytes()
    (tmp_path / pretrained.WEIGHTS.name).write_bytes(content[:-1] + b"?")
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path)
    with pytest.raises(DataError, match="not the published weights"):
        ddpm.load_pretrained(nn.Linear(2, 2))


def test_attribution_names_the_weights() -> None:
    page = (pretrained.FOLDER / "WEIGHTS.md").read_text("utf-8")
    assert pretrained.WEIGHTS.sha256 in page
    assert len(pretrained.WEIGHTS.sha256) == 64
