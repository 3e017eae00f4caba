"""The bank of drawings: enough of them, none in both splits, every one with its licence."""

import re
from importlib.resources import files

import numpy as np
import pytest

from cs231n_lib.data import spritecifar, sprites
from cs231n_lib.data.cifar10 import CIFAR10_CLASSES
from cs231n_lib.data.spritescenes import NOUNS

DATA = files("cs231n_lib.data")
PERMITTED = {"Apache-2.0", "MIT", "CC-BY-3.0", "CC-BY-4.0", "CC0-1.0", "Public domain"}
# Styles that show the same designs, coloured in another way.
FAMILIES = {
    "fluent-flat": "fluent", "fluent-line": "fluent", "fluent-3d": "fluent",
    "emojione-line": "emojione", "openclipart-ink": "openclipart",
}  # fmt: skip


def read_bank(name: str) -> dict[str, np.ndarray]:
    with DATA.joinpath(f"{name}.npz").open("rb") as file, np.load(file) as stored:
        return dict(stored)


@pytest.fixture(scope="module")
def bank() -> dict[str, np.ndarray]:
    return read_bank("sprites")


@pytest.fixture(scope="module")
def caption_bank() -> dict[str, np.ndarray]:
    return read_bank("caption_sprites")


def test_bank_is_small_enough_to_ship() -> None:
    assert len(DATA.joinpath("sprites.npz").read_bytes()) < 15e6


@pytest.mark.parametrize("label", range(10), ids=CIFAR10_CLASSES)
def test_each_class_has_enough_drawings_in_each_split(
    label: int, bank: dict[str, np.ndarray]
) -> None:
    held_out = bank["held_out"][bank["label"] == label]
    assert (~held_out).sum() >= 14
    assert held_out.sum() >= 6
    styles = set(bank["style"][(bank["label"] == label) & bank["held_out"]])
    assert len(styles) >= 4  # the test is not about one artist's hand


@pytest.mark.parametrize("name", ["sprites", "caption_sprites"])
def test_drawings_of_the_two_splits_are_different(name: str) -> None:
    """No picture twice, and no design of one family on both sides."""
    bank = read_bank(name)
    assert len(np.unique(bank["rgba"].reshape(len(bank["rgba"]), -1), axis=0)) == len(bank["rgba"])
    sides: dict[tuple[str, str, int], set[bool]] = {}
    for style, drawing, label, held_out in zip(
        bank["style"], bank["name"], bank["label"], bank["held_out"], strict=True
    ):
        design = (FAMILIES.get(style, style), str(drawing), int(label))
        sides.setdefault(design, set()).add(bool(held_out))
    assert [design for design, both in sides.items() if len(both) > 1] == []


@pytest.mark.parametrize("label", range(len(NOUNS)), ids=NOUNS)
def test_each_noun_has_drawings_in_each_split(
    label: int, caption_bank: dict[str, np.ndarray]
) -> None:
    held_out = caption_bank["held_out"][caption_bank["label"] == label]
    assert (~held_out).sum() >= 4
    assert held_out.sum() >= 1


@pytest.mark.parametrize("name", ["sprites", "caption_sprites"])
def test_whole_sets_are_held_out(name: str) -> None:
    bank = read_bank(name)
    for style in ("twemoji", "streamline-emojis"):
        assert bank["held_out"][bank["style"] == style].all()


@pytest.mark.parametrize("split", ["train", "test"])
def test_only_drawings_of_the_split_are_painted(
    split: spritecifar.Split, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As objects and as clutter, for the default seed and another."""
    painted: list[np.ndarray] = []

    def spy(bank: sprites.SpriteBank, which: np.ndarray, *rest: np.ndarray) -> np.ndarray:
        painted.append(which)
        return sprites.draw_sprites(bank, which, *rest)

    monkeypatch.setattr(spritecifar, "draw_sprites", spy)
    for seed in (spritecifar.SEED, 5):
        spritecifar.render_chunk(split, 1, seed)
    used = np.concatenate(painted)
    assert set(sprites.sprite_bank().held_out[used]) == {split == "test"}
    assert len(np.unique(used)) > 100


@pytest.mark.parametrize("name", ["sprites", "caption_sprites"])
def test_every_style_has_its_licence(name: str) -> None:
    bank = read_bank(name)
    page = DATA.joinpath("SPRITES.md").read_text("utf-8")
    table = page.split(f"<!-- table: {name}.npz", 1)[1].split("<!-- end of the table -->", 1)[0]
    rows = dict(re.findall(r"^\| `([\w-]+)` \| (\d.*) \|$", table, re.MULTILINE))
    styles, counts = np.unique(bank["style"], return_counts=True)
    assert set(rows) == set(styles)
    for style, count in zip(styles, counts, strict=True):
        number, title, package, author, licence = rows[style].split(" | ")
        assert int(number.split()[0]) == count
        assert licence in PERMITTED
        assert title
        assert author
        assert re.fullmatch(r"`[@\w/-]+` \S+", package)  # name and version
    assert "Permission is hereby granted" in page  # MIT wants its notice kept
