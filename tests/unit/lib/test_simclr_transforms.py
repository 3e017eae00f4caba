"""SimCLR's augmentations: each as documented, and for a picture and for a batch the same."""

import colorsys
import importlib
import sys
import types
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import stats

from cs231n_lib.data import spritecifar
from cs231n_lib.simclr import batched, find_transforms, image_transforms
from cs231n_lib.simclr import image_transforms as ours
from cs231n_lib.simclr.colours import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
    grey,
)
from cs231n_lib.simclr.draws import crop_boxes, jitter_factors

MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
SIMCLR = ours.Compose(
    [
        ours.RandomResizedCrop(32),
        ours.RandomHorizontalFlip(0.5),
        ours.RandomApply([ours.ColorJitter(0.4, 0.4, 0.4, 0.1)], 0.8),
        ours.RandomGrayscale(0.2),
        ours.ToTensor(),
        ours.Normalize(MEAN, STD),
    ]
)


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    return spritecifar.render_chunk("train", 0)


# Levels of 256 by which Pillow's rounding, several times in a row, may move a pixel; hue most, as
# Pillow has only 256 hues and saturations.
@pytest.mark.parametrize(
    ("transform", "levels"),
    [
        (ours.RandomResizedCrop(32), 1.01),
        (ours.RandomResizedCrop((11, 50), scale=(0.3, 1), ratio=(0.5, 3)), 1.01),
        (ours.RandomHorizontalFlip(0.5), 0.01),
        (ours.RandomGrayscale(0.5), 1.01),
        (ours.ColorJitter(brightness=0.4), 1.01),
        (ours.ColorJitter(contrast=(0.1, 2)), 2.01),
        (ours.ColorJitter(saturation=0.9), 2.01),
        (ours.ColorJitter(hue=0.5), 10),
        (ours.RandomApply([ours.ColorJitter(0.4, 0.4, 0.4), ours.RandomGrayscale(0.3)], 0.7), 5),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_picture_and_a_batch_of_one_are_augmented_alike(
    images: NDArray[np.uint8], transform: Any, levels: float
) -> None:
    """With the same seed: the same random numbers, and the same arithmetic but for rounding."""
    to_tensor = ours.ToTensor()
    for seed in range(100):
        torch.manual_seed(seed)
        one = to_tensor(transform(Image.fromarray(images[seed])))
        torch.manual_seed(seed)
        batch = batched(transform, images[seed : seed + 1])
        assert batch.shape == (1, *one.shape)
        assert (batch[0] - one).abs().max() * 255 <= levels, seed


def test_the_whole_composition_for_a_picture_and_for_a_batch(images: NDArray[np.uint8]) -> None:
    for seed in range(50):
        torch.manual_seed(seed)
        one = SIMCLR(Image.fromarray(images[seed]))
        torch.manual_seed(seed)
        batch = batched(SIMCLR, images[seed : seed + 1])[0]
        assert one.shape == (3, 32, 32)
        assert one.dtype == torch.float32
        assert (batch - one).abs().max() * 255 * 0.2 < 14


def test_batches_draw_for_each_image(images: NDArray[np.uint8]) -> None:
    """Of copies of one image no two come out the same, and of all effects some have each."""
    copies = np.repeat(images[:1], 200, axis=0)
    views = batched(SIMCLR, copies, torch.Generator().manual_seed(0))
    assert views.shape == (200, 3, 32, 32)
    assert len(torch.unique(views.flatten(1), dim=0)) == 200
    flips = batched(ours.RandomHorizontalFlip(0.3), copies, torch.Generator().manual_seed(0))
    turned = (flips != flips[0]).flatten(1).any(1).double().mean()
    assert min(turned, 1 - turned) == pytest.approx(0.3, abs=0.1)


def test_seeds_and_inputs(images: NDArray[np.uint8]) -> None:
    before = images[:20].copy()
    state = torch.get_rng_state()
    one = batched(SIMCLR, images[:20], torch.Generator().manual_seed(3))
    two = batched(SIMCLR, images[:20], torch.Generator().manual_seed(3))
    assert torch.equal(one, two)
    assert not torch.equal(one, batched(SIMCLR, images[:20], torch.Generator().manual_seed(4)))
    assert torch.equal(torch.get_rng_state(), state), "the global generator was used"
    batched(SIMCLR, images[:20])
    assert not torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(images[:20], before)

    x = torch.rand(5, 3, 12, 9, dtype=torch.float64)
    kept = x.clone()
    y = batched(ours.Compose(SIMCLR.transforms[:5]), x, torch.Generator().manual_seed(3))
    assert y.dtype == torch.float64
    assert y.shape == (5, 3, 32, 32)
    assert (y >= 0).all()
    assert (y <= 1).all()
    assert torch.equal(x, kept)


def test_a_tensor_goes_the_way_of_a_batch() -> None:
    x = torch.rand(3, 16, 16)
    for transform in SIMCLR.transforms[:4]:
        torch.manual_seed(1)
        one = transform(x)
        torch.manual_seed(1)
        assert torch.equal(one, batched(transform, x[None])[0])


def boxes(n: int, size: tuple[int, int], scale: Any, ratio: Any) -> list[NDArray[np.int64]]:
    found = crop_boxes(n, size, scale, ratio, torch.Generator().manual_seed(0))
    return [part.numpy() for part in found]


def test_crops_are_uniform_in_area_log_uniform_in_ratio_and_anywhere() -> None:
    size = (1000, 1000)  # so large that rounding hardly matters; every first attempt fits
    top, left, height, width = boxes(20_000, size, (0.1, 0.5), (1 / 2, 2))
    area, ratio = height * width / 1e6, np.log(width / height) / np.log(2)
    assert stats.kstest(area, stats.uniform(0.1, 0.4).cdf).statistic < 0.02
    assert stats.kstest(ratio, stats.uniform(-1, 2).cdf).statistic < 0.02
    assert abs(np.corrcoef(area, ratio)[0, 1]) < 0.03
    for start, room in ((top, 1000 - height), (left, 1000 - width)):
        assert stats.kstest(start / room, stats.uniform(0, 1).cdf).statistic < 0.02
    top, left, height, width = boxes(5000, (4, 5), (0.3, 0.3), (1, 1))  # 2 x 2 of 4 x 5
    assert set(height) == set(width) == {2}
    assert sorted(Counter(top)) == [0, 1, 2]
    assert sorted(Counter(left)) == [0, 1, 2, 3]
    assert min(Counter(left).values()) > 1100  # 1250 on average


def tried(rng: np.random.Generator, size: int) -> tuple[int, int]:
    """Height and width of a crop as torchvision documents it, one attempt after the other."""
    for _ in range(10):
        area = rng.uniform(0.08, 1) * size**2
        ratio = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
        height, width = round(np.sqrt(area / ratio)), round(np.sqrt(area * ratio))
        if 0 < height <= size and 0 < width <= size:
            return height, width
    return size, size


def test_crops_that_do_not_fit_are_drawn_again_or_taken_from_the_middle() -> None:
    top, left, height, width = boxes(3000, (32, 32), (0.08, 1), (3 / 4, 4 / 3))
    assert (top >= 0).all()
    assert (left >= 0).all()
    assert (top + height <= 32).all()
    assert (left + width <= 32).all()
    assert height.min() < 10
    # What is large and slanting does not fit, so that large shares are rarer than small ones.
    wanted = np.array([tried(np.random.default_rng(n), 32) for n in range(3000)])
    assert stats.ks_2samp(height * width, wanted.prod(1)).pvalue > 1e-3
    assert stats.ks_2samp(height / width, wanted[:, 0] / wanted[:, 1]).pvalue > 1e-3
    for size, middle in (
        ((10, 40), (0, 13, 10, 13)),  # at most 4 / 3 as wide as high
        ((40, 10), (13, 0, 13, 10)),
        ((20, 20), (0, 0, 20, 20)),
    ):
        scale = (1.0, 1.0) if size != (20, 20) else (1.5, 2.0)
        for found, wanted in zip(boxes(50, size, scale, (3 / 4, 4 / 3)), middle, strict=True):
            assert set(found) == {wanted}


def test_a_crop_shows_nothing_of_what_lies_outside() -> None:
    x = torch.zeros(400, 3, 8, 8)
    x[:, :, 3:5, 3:5] = 1.0
    views = batched(ours.RandomResizedCrop(16, scale=(1 / 16, 1 / 16), ratio=(1, 1)), x)
    assert (views.flatten(1).amax(1) == 0).any()
    whole = views.flatten(1).amin(1) == 1  # exactly the white square, hence white to the edge
    assert whole.any()


def test_jitter_draws_factors_and_every_order() -> None:
    ranges = {
        "brightness": (0.6, 1.4),
        "contrast": None,
        "saturation": (0.0, 2.0),
        "hue": (-0.1, 0.1),
    }
    factors, order = jitter_factors(24_000, ranges, torch.Generator().manual_seed(0))
    assert list(factors) == ["brightness", "saturation", "hue"]
    for name, drawn in factors.items():
        low, high = ranges[name] or (0, 0)
        uniform = stats.uniform(low, high - low)
        assert stats.kstest(drawn.numpy(), uniform.cdf).statistic < 0.02
    orders = Counter(map(tuple, order.tolist()))
    assert len(orders) == 24
    assert stats.chisquare(list(orders.values())).pvalue > 1e-3


def test_attributes_are_torchvisions() -> None:
    jitter = ours.ColorJitter(0.4, 1.5, (0.5, 3), 0.1)
    assert jitter.brightness == pytest.approx((0.6, 1.4))
    assert jitter.contrast == pytest.approx((0, 2.5))
    assert jitter.saturation == (0.5, 3)
    assert jitter.hue == (-0.1, 0.1)
    assert vars(ours.ColorJitter()) == dict.fromkeys(
        ("brightness", "contrast", "saturation", "hue")
    )
    crop = ours.RandomResizedCrop(32)
    assert (crop.size, crop.scale, crop.ratio) == ((32, 32), (0.08, 1.0), (3 / 4, 4 / 3))
    assert ours.RandomResizedCrop([8, 9]).size == (8, 9)
    assert (ours.RandomHorizontalFlip().p, ours.RandomGrayscale().p) == (0.5, 0.1)
    apply = ours.RandomApply([jitter])
    assert (apply.transforms, apply.p) == ([jitter], 0.5)
    assert ours.Compose([crop]).transforms == [crop]
    assert repr(ours.Compose([ours.RandomGrayscale(0.2)])) == (
        "Compose(transforms=[RandomGrayscale(p=0.2)])"
    )


@pytest.mark.parametrize(
    ("make", "error", "said"),
    [
        (lambda: ours.RandomHorizontalFlip(1.5), ValueError, "between 0 and 1"),
        (lambda: ours.RandomGrayscale(-0.1), ValueError, "between 0 and 1"),
        (lambda: ours.RandomApply(ours.ToTensor(), 0.8), TypeError, "takes a list"),
        (lambda: ours.ColorJitter(-1), ValueError, "not be negative"),
        (lambda: ours.ColorJitter(hue=0.6), ValueError, "hue is 0.6"),
        (lambda: ours.ColorJitter(contrast=(2, 1)), ValueError, "contrast is"),
        (lambda: ours.RandomResizedCrop(8, scale=(1, 0.1)), ValueError, "scale is"),
        (lambda: ours.RandomResizedCrop(8, ratio=(0, 1)), ValueError, "ratio is"),
        (lambda: ours.Normalize((0.5,) * 3, (1, 0, 1)), ValueError, "division by 0"),
        (lambda: ours.Normalize(MEAN, STD)(Image.new("RGB", (2, 2))), TypeError, "ToTensor"),
        (lambda: ours.ToTensor()(torch.zeros(3, 2, 2)), TypeError, "already a tensor"),
        (lambda: ours.RandomHorizontalFlip()("cat.png"), TypeError, "found str"),
        (lambda: ours.RandomGrayscale()(np.zeros((2, 2, 3))), TypeError, "found ndarray"),
        (lambda: batched(SIMCLR, np.zeros((2, 3, 4, 4), "B")), ValueError, "uint8 (2, 3, 4, 4)"),
        (lambda: batched(SIMCLR, torch.zeros(2, 4, 4, 3)), ValueError, "float32 (2, 4, 4, 3)"),
        (lambda: batched(GaussianBlur(), torch.zeros(1, 3, 4, 4)), TypeError, "GaussianBlur"),
    ],
)  # fmt: skip
def test_wrong_use_is_refused(make: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as refused:
        make()
    assert said in str(refused.value)


class GaussianBlur: ...


def test_to_tensor_and_normalize() -> None:
    levels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3) * 10
    tensor = ours.ToTensor()(Image.fromarray(levels))
    assert tensor.shape == (3, 2, 4)
    np.testing.assert_allclose(tensor.permute(1, 2, 0), levels / 255, rtol=1e-6)
    assert torch.equal(tensor, ours.ToTensor()(levels))
    assert ours.ToTensor()(np.zeros((5, 6), np.uint8)).shape == (1, 5, 6)
    assert ours.ToTensor()(np.ones((5, 6, 3))).dtype == torch.float64, "left as they are"
    normal = ours.Normalize(MEAN, STD)(tensor)
    np.testing.assert_allclose(normal[1], (tensor[1] - MEAN[1]) / STD[1], rtol=1e-6)
    assert torch.equal(batched(ours.Normalize(MEAN, STD), tensor[None])[0], normal)


def test_grey_pictures_keep_three_channels(images: NDArray[np.uint8]) -> None:
    picture = ours.RandomGrayscale(1.0)(Image.fromarray(images[0]))
    assert picture.mode == "RGB"
    red, green, blue = np.asarray(picture).transpose(2, 0, 1)
    np.testing.assert_array_equal(red, green)
    np.testing.assert_array_equal(red, blue)
    assert ours.RandomGrayscale(0.0)(picture) is picture
    x = batched(ours.RandomGrayscale(1.0), images[:3])
    assert torch.equal(x[:, 0], x[:, 2])


def test_hue_goes_around_the_colour_wheel() -> None:
    x = torch.rand(4, 3, 3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x[0, :, 0, 0] = 0.3  # grey
    x[0, :, 0, 1] = 0.0
    shift = torch.tensor([0.0, 0.5, -0.2, 0.07], dtype=torch.float64)
    turned = adjust_hue(x, shift)
    for n, row, column in np.ndindex(4, 3, 5):
        hue, saturation, value = colorsys.rgb_to_hsv(*x[n, :, row, column].tolist())
        wanted = colorsys.hsv_to_rgb((hue + shift[n].item()) % 1, saturation, value)
        np.testing.assert_allclose(turned[n, :, row, column], wanted, atol=1e-12)


def test_what_the_factors_do() -> None:
    x = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    off, on = torch.zeros(2), torch.ones(2)
    for adjust in (adjust_brightness, adjust_contrast, adjust_saturation, adjust_hue):
        neutral = off if adjust is adjust_hue else on
        torch.testing.assert_close(adjust(x, neutral), x)
    assert (adjust_brightness(x, off) == 0).all()
    torch.testing.assert_close(adjust_saturation(x, off), grey(x).expand_as(x))
    flat = grey(x).mean((2, 3), keepdim=True).expand_as(x)
    torch.testing.assert_close(adjust_contrast(x, off), flat)
    each = adjust_brightness(x, torch.tensor([0.5, 1.5]))
    torch.testing.assert_close(each[0], x[0] / 2)
    torch.testing.assert_close(each[1], (x[1] * 1.5).clamp(max=1))


def _with(name: str, attributes: dict[str, Any]) -> Any:
    """A stand-in with the name and the attributes of one of torchvision's, not built from ours."""
    module = type(name, (torch.nn.Module,), {})()
    for key, value in attributes.items():
        setattr(module, key, value)
    return module


def test_batches_with_torchvisions_transforms(images: NDArray[np.uint8]) -> None:
    """Modules whose parts are in a ModuleList, told by the names of their classes."""
    jitter = _with(
        "ColorJitter",
        {"brightness": [0.6, 1.4], "contrast": [0.6, 1.4], "saturation": [0.6, 1.4]}
        | {"hue": [-0.1, 0.1]},
    )
    theirs = type("Compose", (), {})()
    theirs.transforms = [
        _with("RandomResizedCrop", {"size": (32, 32), "scale": (0.08, 1), "ratio": (3 / 4, 4 / 3)}),
        _with("RandomHorizontalFlip", {"p": 0.5}),
        _with("RandomApply", {"transforms": torch.nn.ModuleList([jitter]), "p": 0.8}),
        _with("RandomGrayscale", {"p": 0.2}),
        _with("ToTensor", {}),
        _with("Normalize", {"mean": list(MEAN), "std": list(STD)}),
    ]  # fmt: skip
    one = batched(theirs, images[:50], torch.Generator().manual_seed(0))
    two = batched(SIMCLR, images[:50], torch.Generator().manual_seed(0))
    torch.testing.assert_close(one, two)


def test_torchvisions_transforms_where_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = types.ModuleType("torchvision.transforms")
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.transforms", theirs)
    assert find_transforms() is theirs
    monkeypatch.setitem(sys.modules, "torchvision.transforms", None)  # ImportError
    assert find_transforms() is image_transforms

    def broken(name: str) -> types.ModuleType:
        if name.startswith("torchvision"):
            raise RuntimeError("operator torchvision::nms does not exist")
        return image_transforms

    monkeypatch.setattr(importlib, "import_module", broken)
    assert find_transforms() is image_transforms
