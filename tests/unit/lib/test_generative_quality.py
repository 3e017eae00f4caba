"""How good generated images are: against SciPy, closed forms, and samples made to be bad."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from scipy.spatial.distance import cdist
from torch import nn

from cs231n_lib.generative_quality import (
    class_histogram,
    features_at,
    frechet_distance,
    nearest_training_images,
)

DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


# --- nearest training images -----------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
def test_nearest_agree_with_scipy(device: str) -> None:
    generator = torch.Generator().manual_seed(0)
    samples = torch.rand(70, 1, 5, 4, generator=generator)  # more than one chunk
    training = torch.rand(90, 1, 5, 4, generator=generator)
    indices, distances = nearest_training_images(samples.to(device), training)
    apart = cdist(samples.flatten(1).double(), training.flatten(1).double())
    np.testing.assert_array_equal(indices, apart.argmin(1))
    np.testing.assert_allclose(distances, apart.min(1), rtol=1e-5)
    assert (indices.dtype, distances.dtype) == (np.int64, np.float64)


def test_copies_are_at_distance_zero() -> None:
    training = np.random.default_rng(0).random((30, 28, 28)).astype(np.float32)
    indices, distances = nearest_training_images(training[[4, 17]].reshape(2, 784), training)
    np.testing.assert_array_equal(indices, [4, 17])
    np.testing.assert_array_equal(distances, [0, 0])


def test_first_of_equally_near_images_is_taken() -> None:
    twice = np.ones((3, 4))
    np.testing.assert_array_equal(nearest_training_images(np.zeros((1, 4)), twice), [[0], [2]])


def test_bytes_are_not_added_as_bytes() -> None:
    samples, training = np.array([[250, 0]], np.uint8), np.array([[0, 250], [200, 0]], np.uint8)
    np.testing.assert_allclose(nearest_training_images(samples, training), [[1], [50]])


def test_what_cannot_be_compared() -> None:
    good = np.zeros((2, 4))
    with pytest.raises(ValueError, match="samples have 4 values each, training 5"):
        nearest_training_images(good, np.zeros((2, 5)))
    with pytest.raises(ValueError, match=r"samples has shape \(4,\); it needs a row"):
        nearest_training_images(np.zeros(4), good)
    with pytest.raises(ValueError, match=r"training has shape \(0, 4\)"):
        nearest_training_images(good, good[:0])
    with pytest.raises(ValueError, match="samples holds NaN or infinite values"):
        nearest_training_images(good * np.nan, good)


# --- classes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
def test_classes_are_counted(device: str) -> None:
    labels = torch.tensor([0, 3, 3, 9, 3], device=device)
    counts = [1, 0, 0, 3, 0, 0, 0, 0, 0, 1]
    np.testing.assert_array_equal(class_histogram(labels), counts)
    np.testing.assert_array_equal(class_histogram(labels.cpu().numpy().astype(np.uint8)), counts)
    scores = nn.functional.one_hot(labels, 10).float() - 5
    np.testing.assert_array_equal(class_histogram(scores.requires_grad_()), counts)
    np.testing.assert_array_equal(class_histogram([1, 1], num_classes=2), [0, 2])
    np.testing.assert_array_equal(class_histogram([], num_classes=2), [0, 0])


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        ([0, 10], "labels go from 0 to 10; num_classes=10 allows 0 to 9"),
        ([-1, 2], "labels go from -1 to 2"),
        ([0.5], r"predicted is float64 of shape \(1,\)"),
        (np.zeros((3, 4)), r"of shape \(3, 4\); give whole numbers \(N,\), or scores \(N, 10\)"),
        (np.zeros((3, 10, 1)), r"of shape \(3, 10, 1\)"),
    ],
)
def test_what_is_no_class(predicted, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        class_histogram(predicted)


# --- Fréchet distance ------------------------------------------------------------------------


def correlated(n: int, seed: int, D: int = 6) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(D, D, generator=generator, dtype=torch.float64)
    return torch.randn(n, D, generator=generator, dtype=torch.float64) @ mix + seed


def by_definition(a: torch.Tensor, b: torch.Tensor) -> float:
    """The formula as it is printed, with SciPy's root of a matrix that is not symmetric."""
    means = ((a.mean(0) - b.mean(0)) ** 2).sum().item()
    covariance_a, covariance_b = np.cov(a.numpy().T), np.cov(b.numpy().T)
    product = covariance_a + covariance_b - 2 * np.real(sqrtm(covariance_a @ covariance_b))
    return means + float(np.trace(product))


@pytest.mark.parametrize("device", DEVICES)
def test_frechet_distance_by_its_definition(device: str) -> None:
    a, b = correlated(50, 1), correlated(40, 2)
    wanted = by_definition(a, b)
    assert wanted > 1
    assert frechet_distance(a.to(device), b.to(device)) == pytest.approx(wanted, rel=1e-9)
    assert frechet_distance(b, a) == pytest.approx(wanted, rel=1e-9)
    assert frechet_distance(a.float(), b.numpy()) == pytest.approx(wanted, rel=1e-4)


def test_frechet_distance_of_normal_numbers() -> None:
    """One feature: (m_a - m_b)^2 + (s_a - s_b)^2, with s the standard deviations."""
    a, b = np.array([[0.0], [2.0]]), np.array([[3.0], [9.0]])  # s: root of 2, root of 18
    assert frechet_distance(a, b) == pytest.approx(25 + 8)


def test_frechet_distance_of_the_same_and_of_shifted_features() -> None:
    a = correlated(50, 1)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(a, a + 2) == pytest.approx(4 * 6, abs=1e-6)
    assert frechet_distance(a, a.flip(0)) >= 0


def test_frechet_distance_when_covariances_have_no_inverse() -> None:
    """Fewer rows than features, and features that never change, like the corners of digits."""
    a, b = correlated(5, 1, D=20), correlated(4, 2, D=20)
    a[:, 3] = b[:, 3] = 0
    rotation = torch.linalg.qr(correlated(20, 3, D=20)).Q
    found = frechet_distance(a, b)
    assert np.isfinite(found)
    assert frechet_distance(a @ rotation, b @ rotation) == pytest.approx(found, rel=1e-6)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-5)


def test_frechet_distance_sees_what_samples_lack() -> None:
    """Noise, a lost half of the modes, one image again and again: each is far from the data."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.tensor([[-3.0, 0], [3, 0], [0, 4], [0, -4]])

    def draw(modes: list[int], n: int = 400) -> torch.Tensor:
        chosen = torch.tensor(modes)[torch.randint(len(modes), (n,), generator=generator)]
        return centres[chosen] + 0.3 * torch.randn(n, 2, generator=generator)

    real = draw([0, 1, 2, 3])
    good = frechet_distance(real, draw([0, 1, 2, 3]))
    assert good < 0.3
    for bad in (draw([0, 2]), draw([1]), draw([1], 1).repeat(400, 1), real.mean(0) + 0 * real):
        assert frechet_distance(real, bad) > 10 * good


def test_features_that_cannot_be_compared() -> None:
    a = np.zeros((3, 2))
    with pytest.raises(ValueError, match="features_a have 2 values each, features_b 3"):
        frechet_distance(a, np.zeros((3, 3)))
    with pytest.raises(ValueError, match="features_b has a single row"):
        frechet_distance(a, a[:1])
    with pytest.raises(ValueError, match="features_a holds NaN"):
        frechet_distance(a + np.inf, a)


# --- features of a network -------------------------------------------------------------------


@pytest.mark.parametrize("device", DEVICES)
def test_features_are_what_the_layer_returns(device: str) -> None:
    torch.manual_seed(0)
    layers = (nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5),
              nn.Linear(48, 2))  # fmt: skip
    model = nn.Sequential(*layers).to(device)
    images = torch.rand(7, 1, 6, 6)
    found = features_at(model, model[2], images, batch_size=3)
    assert found.shape == (7, 48)
    assert found.device.type == "cpu"
    assert not found.requires_grad
    assert model.training
    assert model[1].training
    model.eval()
    torch.testing.assert_close(found, model[:3](images.to(device)).flatten(1).detach().cpu())
    last = features_at(model, model[5], images.double())  # another dtype than the model's
    torch.testing.assert_close(last, model(images.to(device)).detach().cpu())
    assert not model.training
    assert not model[2]._forward_hooks


def test_features_of_layers_that_are_not_there() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    images = torch.rand(3, 4)
    with pytest.raises(ValueError, match="Linear is not a part of the model"):
        features_at(model, nn.Linear(4, 2), images)
    with pytest.raises(ValueError, match="no images"):
        features_at(model, model[1], images[:0])
    model[0].unused = nn.ReLU()
    with pytest.raises(RuntimeError, match="the model did not use the layer ReLU"):
        features_at(model, model[0].unused, images)
    assert model.training
    assert not model[0].unused._forward_hooks
