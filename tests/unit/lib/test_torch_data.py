"""CIFAR-10 in batches of tensors, and random changes of batches."""

import numpy as np
import pytest
import torch

from cs231n_lib.data import load_cifar10
from cs231n_lib.torch_data import (
    CIFAR10_MEAN,
    CIFAR10_STD,
    BatchLoader,
    ImageSet,
    cifar10_sets,
    denormalize_images,
    normalize_images,
    random_crop,
    random_flip,
)


def numbered(n: int) -> ImageSet:
    """Images that hold their own number, labelled by it."""
    numbers = torch.arange(n)
    return ImageSet(numbers.float()[:, None, None, None].expand(n, 3, 2, 2).clone(), numbers)


def test_every_image_comes_once_with_its_label() -> None:
    loader = BatchLoader(numbered(10), 4)
    batches = list(loader)
    assert [len(y) for _, y in batches] == [4, 4, 2]
    assert len(loader) == 3
    assert torch.cat([y for _, y in batches]).tolist() == list(range(10))
    assert all(torch.equal(x[:, 0, 0, 0].long(), y) for x, y in batches)


def test_shuffling_draws_a_new_order_each_time_from_the_seed() -> None:
    loader = BatchLoader(numbered(50), 50, shuffle=True)
    torch.manual_seed(3)
    first, second = (next(iter(loader)) for _ in range(2))
    torch.manual_seed(3)
    again = next(iter(loader))
    assert not torch.equal(first[1], second[1])
    assert torch.equal(first[1], again[1])
    assert sorted(first[1].tolist()) == list(range(50))
    assert torch.equal(first[0][:, 0, 0, 0].long(), first[1])


def test_augment_changes_batches_and_not_the_set() -> None:
    images = numbered(5)
    before = images.X.clone()
    loader = BatchLoader(images, 5, augment=lambda x: x.mul_(-1))
    assert torch.equal(next(iter(loader))[0], -before)
    assert torch.equal(images.X, before)


def test_works_with_torchs_own_loader() -> None:
    loader = torch.utils.data.DataLoader(numbered(6), batch_size=3)  # type: ignore[arg-type]
    assert [y.tolist() for _, y in loader] == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("size", [0, -3])
def test_batches_hold_something(size: int) -> None:
    with pytest.raises(ValueError, match=f"batch_size is {size}"):
        BatchLoader(numbered(3), size)


def test_labels_belong_to_images() -> None:
    with pytest.raises(ValueError, match=r"X \(2, 3, 4, 4\) and y \(3,\)"):
        ImageSet(torch.zeros(2, 3, 4, 4), torch.zeros(3))


def test_normalisation_and_back() -> None:
    images = np.random.default_rng(0).integers(0, 256, size=(4, 5, 6, 3)).astype(np.uint8)
    x = normalize_images(images)
    assert x.shape == (4, 3, 5, 6)
    assert x.is_contiguous()
    for colour in range(3):
        want = (images[..., colour] / 255 - CIFAR10_MEAN[colour]) / CIFAR10_STD[colour]
        np.testing.assert_allclose(x[:, colour].numpy(), want, rtol=1e-5, atol=1e-6)
    assert np.array_equal(denormalize_images(x), images)
    assert normalize_images(images, torch.float64).dtype == torch.float64


def test_the_three_sets_are_those_of_load_cifar10() -> None:
    train, val, test = cifar10_sets(40, 20, 10)
    X, y, X_test, y_test = load_cifar10(num_train=60, num_test=10, dtype=np.uint8)
    for part, images, labels in (
        (train, X[:40], y[:40]),
        (val, X[40:], y[40:]),
        (test, X_test, y_test),
    ):
        assert np.array_equal(denormalize_images(part.X), images)
        assert np.array_equal(part.y.numpy(), labels)
        assert part.y.dtype == torch.int64
    assert (train.train, val.train, test.train) == (True, False, False)


def test_flips_mirror_left_to_right() -> None:
    x = torch.randn(200, 3, 4, 5)
    before = x.clone()
    torch.manual_seed(0)
    flipped = random_flip(x)
    same = (flipped == x).flatten(1).all(dim=1)
    mirrored = (flipped == x.flip(-1)).flatten(1).all(dim=1)
    assert bool((same ^ mirrored).all())
    assert 60 < int(mirrored.sum()) < 140
    assert torch.equal(x, before)
    assert torch.equal(random_flip(x, p=1.0), x.flip(-1))
    assert torch.equal(random_flip(x, p=0.0), x)


def test_crops_are_windows_of_the_padded_image() -> None:
    x = torch.randn(60, 2, 5, 4)
    torch.manual_seed(0)
    cropped = random_crop(x, padding=1)
    padded = torch.nn.functional.pad(x, (1, 1, 1, 1))
    places = set()
    for image, window in zip(padded, cropped, strict=True):
        fits = [
            (top, left)
            for top in range(3)
            for left in range(3)
            if torch.equal(window, image[:, top : top + 5, left : left + 4])
        ]
        assert len(fits) == 1
        places |= set(fits)
    assert places == {(top, left) for top in range(3) for left in range(3)}
    assert torch.equal(random_crop(x, padding=0), x)
    with pytest.raises(ValueError, match="padding is -1"):
        random_crop(x, padding=-1)
