"""HOG against scikit-image, hue against matplotlib, and what the extractor makes of functions."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import rgb_to_hsv
from scipy.ndimage import gaussian_filter
from skimage.feature import hog

from cs231n_lib import features
from cs231n_lib.features import color_histogram_hsv, extract_features, hog_feature, rgb2gray


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def drawings() -> np.ndarray:
    """Flat areas with soft and hard borders, a few of them grey: what noise does not have."""
    rng = np.random.default_rng(3)
    areas = rng.integers(0, 196, (60, 4, 4, 1)) + rng.integers(0, 60, (60, 4, 4, 3))
    areas = areas.repeat(8, axis=1).repeat(8, axis=2)
    areas[:5] = areas[:5, ..., :1]
    areas[::2] = gaussian_filter(areas[::2], (0, 2, 2, 0))
    return areas.astype(np.uint8)


# Grey


def test_grey_weighs_the_channels() -> None:
    assert rgb2gray([255, 0, 0]) == pytest.approx(0.299 * 255)
    assert rgb2gray([0, 255, 0]) == pytest.approx(0.587 * 255)
    assert rgb2gray([0, 0, 255]) == pytest.approx(0.114 * 255), "not 0.144"
    np.testing.assert_allclose(rgb2gray(np.full((2, 5, 7, 3), 100)), np.full((2, 5, 7), 100))
    with pytest.raises(ValueError, match=r"red, green and blue, but rgb is \(5, 7\)"):
        rgb2gray(np.zeros((5, 7)))


# HOG


def l1_of_cells(feature: np.ndarray, orientations: int = 9) -> np.ndarray:
    """Divide each cell by its sum, as scikit-image does for blocks of one cell ("L1")."""
    cells = feature.reshape(-1, orientations)
    return (cells / (cells.sum(axis=1, keepdims=True) + 1e-5)).ravel()


@pytest.mark.parametrize(
    ("shape", "orientations", "cell"),
    [((32, 32), 9, 8), ((24, 40), 9, 8), ((37, 21), 9, 8), ((32, 32), 6, 4), ((8, 8), 12, 8)],
)
def test_equal_to_scikit_image_up_to_the_normalisation(
    shape: tuple[int, int], orientations: int, cell: int
) -> None:
    """The same gradients, the same bins, the same cells: only each cell's length differs.

    scikit-image always normalises; ours, brought to the same form, is equal. It sums in single
    precision, hence the tolerance.
    """
    rng = np.random.default_rng(1)
    for image in (rng.uniform(0, 255, shape), rng.uniform(0, 1, (*shape, 3))):
        grey = image if image.ndim == 2 else rgb2gray(image)
        ours = hog_feature(image, orientations=orientations, cell=cell)
        theirs = hog(grey, orientations, (cell, cell), (1, 1), block_norm="L1")
        assert ours.shape == theirs.shape
        np.testing.assert_allclose(l1_of_cells(ours, orientations), theirs, atol=1e-5)


def test_close_to_scikit_images_usual_hog(drawings: np.ndarray) -> None:
    """Its default differs more: the channel with the steepest gradient, and overlapping blocks.

    Without the blocks the two still tell nearly the same about an image.
    """
    ours = np.stack([l1_of_cells(feature) for feature in hog_feature(drawings)])
    theirs = np.stack([hog(im, 9, (8, 8), (1, 1), "L1", channel_axis=-1) for im in drawings])
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.9


def test_an_edge_votes_for_its_direction() -> None:
    """By hand: a step of height 100 between columns 11 and 12 of cells 1 (columns 8 to 15)."""
    step = np.zeros((16, 24))
    step[:, 12:] = 100
    cells = hog_feature(step).reshape(2, 3, 9)
    # Centred differences see it in columns 11 and 12: 2 of 8 pixels in each row, 100 each.
    assert cells[0, 1, 0] == pytest.approx(100 * 2 / 8)
    assert np.count_nonzero(cells) == 2, "two cells, one bin: 0 degrees, a gradient to the right"
    np.testing.assert_array_equal(hog_feature(100 - step), hog_feature(step))
    falling = hog_feature(step.T).reshape(3, 2, 9)
    assert np.count_nonzero(falling[1, :, 4]) == 2, "90 degrees is in the fifth of nine bins"
    assert np.count_nonzero(falling) == 2


@pytest.mark.parametrize("degrees", [5, 25, 47, 88, 91, 135, 155, 179])
def test_a_slope_votes_for_its_angle(degrees: int) -> None:
    y, x = np.mgrid[:8, :8]
    slope = np.cos(np.radians(degrees)) * x + np.sin(np.radians(degrees)) * y
    votes = hog_feature(slope)
    # Inside the border both differences are there; 36 of 64 pixels, length 2 each.
    assert votes.argmax() == degrees // 20
    assert votes.max() >= 2 * 36 / 64 - 1e-9


def test_a_batch_equals_image_by_image(noise: np.ndarray) -> None:
    for function in (hog_feature, color_histogram_hsv):
        for images in (noise, noise.astype(np.float64), noise[:, :20, 3:30], noise[:1]):
            singly = np.stack([function(image) for image in images])
            np.testing.assert_array_equal(function(images), singly)


def test_sizes_and_orders(noise: np.ndarray) -> None:
    assert hog_feature(noise[0]).shape == (144,)
    assert hog_feature(noise).shape == (40, 144)
    assert hog_feature(noise[0, :, :, 0]).shape == (144,), "a grey image"
    wide = np.zeros((16, 40, 3))
    wide[2:6, 33:37] = 200  # in the first row of cells, the last column
    cells = hog_feature(wide).reshape(2, 5, 9)
    assert cells[0, 4].any()
    assert not cells[1].any()
    assert not cells[0, :4].any()


def test_input_is_left_alone_and_its_type_does_not_matter(noise: np.ndarray) -> None:
    before = noise.copy()
    for function in (hog_feature, color_histogram_hsv):
        np.testing.assert_array_equal(function(noise), function(noise.astype(np.float64)))
    np.testing.assert_array_equal(noise, before)


@pytest.mark.parametrize("image", [np.full((32, 32, 3), 7.0), np.zeros((2, 32, 32, 3))])
def test_flat_images_have_no_edges_and_no_nan(image: np.ndarray) -> None:
    assert not hog_feature(image).any()
    assert color_histogram_hsv(image).reshape(-1, 10)[0].tolist() == [1] + [0] * 9


# Hue


def with_matplotlib(image: np.ndarray, nbin: int, xmin: float, xmax: float) -> np.ndarray:
    hue = rgb_to_hsv(image / xmax)[..., 0] * xmax
    return np.histogram(hue, np.linspace(xmin, xmax, nbin + 1))[0]


@pytest.mark.parametrize(
    ("nbin", "xmin", "xmax"), [(10, 0, 255), (25, 0, 255), (7, 0, 1), (10, 100, 255), (1, 0, 255)]
)
def test_hue_equals_matplotlibs(
    nbin: int, xmin: float, xmax: float, noise: np.ndarray, drawings: np.ndarray
) -> None:
    few_values = np.random.default_rng(2).integers(0, 4, (20, 16, 16, 3)) * 85  # ties, bin edges
    for images in (noise, drawings, few_values):
        images = images * (xmax / 255)
        ours = color_histogram_hsv(images, nbin, xmin, xmax, normalized=False)
        theirs = [with_matplotlib(image, nbin, xmin, xmax) for image in images]
        np.testing.assert_array_equal(ours, theirs)


def test_normalised_bins_sum_to_one(noise: np.ndarray) -> None:
    parts = color_histogram_hsv(noise, nbin=25)
    np.testing.assert_allclose(parts.sum(axis=1), 1)
    counts = color_histogram_hsv(noise, nbin=25, normalized=False)
    np.testing.assert_allclose(parts * 32 * 32, counts)
    nothing = color_histogram_hsv(np.zeros((4, 4, 3)), xmin=10)
    assert nothing.tolist() == [0] * 10, "no pixel in range: zeros rather than NaN"


def test_colours_are_in_their_bins() -> None:
    colours = {"red": 0, "yellow": 1, "green": 2, "cyan": 3, "blue": 4, "magenta": 5}
    pixels = [(255, 0, 0), (255, 255, 0), (0, 255, 0), (0, 255, 255), (0, 0, 255), (255, 0, 255)]
    for colour, pixel in zip(colours, pixels, strict=True):
        histogram = color_histogram_hsv(np.full((3, 5, 3), pixel), nbin=6)
        assert histogram.argmax() == colours[colour], colour
        assert histogram.max() == 1


@pytest.mark.parametrize(
    ("function", "image", "message"),
    [
        (hog_feature, np.zeros(5), r"im must be .* not \(5,\)"),
        (hog_feature, np.zeros((5, 40, 3)), "smaller than one cell of 8 x 8"),
        (hog_feature, np.zeros((32, 32, 4)), "red, green and blue"),
        (color_histogram_hsv, np.zeros((32, 32)), r"im must be .* not \(32, 32\)"),
        (color_histogram_hsv, np.full((4, 4, 3), -1.0), "before a mean is subtracted"),
        (color_histogram_hsv, np.full((4, 4, 3), 300), "values from 300 to 300"),
        (color_histogram_hsv, np.full((4, 4, 3), np.nan), "values from nan"),
    ],
)
def test_images_that_do_not_fit(function: Any, image: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        function(image)


# The extractor


def counting(function: Callable[[Any], Any]) -> tuple[Callable[[Any], Any], list[int]]:
    """A function with a record of the dimensions of what it is called with."""
    calls: list[int] = []

    def counted(image: np.ndarray) -> Any:
        calls.append(image.ndim)
        return function(image)

    return counted, calls


def test_functions_of_every_kind_side_by_side(noise: np.ndarray) -> None:
    nbin = 25

    def first_pixels(image: np.ndarray) -> list[int]:
        return [int(image[0, 0, 0]), int(image[0, 1, 2])]

    functions: list[Any] = [
        hog_feature,
        lambda img: color_histogram_hsv(img, nbin=nbin),
        partial(hog_feature, cell=16),
        lambda img: img.mean(axis=(0, 1)),  # on a batch: another shape
        lambda img: img.std(),  # one number; on a batch one for all
        lambda img: np.asarray(img, float)[..., ::16, ::16, :].reshape(*img.shape[:-3], -1),
        first_pixels,  # fails on a batch
    ]
    found = extract_features(noise, functions)
    expected = [np.concatenate([np.ravel(f(image)) for f in functions]) for image in noise]
    assert found.dtype == np.float64
    assert found.shape == (40, 144 + 25 + 36 + 3 + 1 + 12 + 2)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_batch_at_a_time_where_it_is_right_and_only_there(
    noise: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "_AT_ONCE", 16)
    hue, hue_calls = counting(lambda img: color_histogram_hsv(img))
    mean, mean_calls = counting(lambda img: img.mean(axis=(0, 1)))
    found = extract_features(noise, [hue, mean])
    np.testing.assert_allclose(found[:, :10], color_histogram_hsv(noise))
    np.testing.assert_allclose(found[:, 10:], noise.mean(axis=(1, 2)))
    assert hue_calls[4:] == [4, 4, 4], "16 + 16 + 8 images, after the trial"
    assert mean_calls.count(3) == 40 + 3


@pytest.mark.parametrize(
    "function",
    [
        lambda img: img.mean(axis=(1, 2)),  # one number a row: on 3 x 3 pixels as many as channels
        lambda img: img[:, 0, 0],
        lambda img: img[0, :, 0],
        lambda img: img.sum(axis=0)[0],
    ],
)
@pytest.mark.parametrize("side", [2, 3])
def test_a_batch_that_only_happens_to_fit_is_noticed(side: int, function: Any) -> None:
    """Where the shapes cannot tell, the values do; also with images that are all alike."""
    for images in (np.arange(5.0 * side * side * 3), np.ones(5 * side * side * 3)):
        images = images.reshape(5, side, side, 3)
        expected = [function(image) for image in images]
        np.testing.assert_array_equal(extract_features(images, [function]), expected)


@pytest.mark.parametrize(
    "function",
    [
        lambda img: hog_feature(img / max(img.max(), 1)),
        lambda img: hog_feature(img - img.mean()),  # the same gradients: a batch is right
        lambda img: hog_feature((img - img.mean()) / (img.std() + 1e-8)),
        lambda img: hog_feature(img if img.max() > 128 else 2 * img),
    ],
)
def test_a_number_for_the_whole_batch_is_noticed(function: Any, drawings: np.ndarray) -> None:
    """Functions that handle a batch, but mean "of this image" when they say ``img.max()``."""
    images = drawings * np.linspace(0.1, 1, len(drawings))[:, None, None, None]
    expected = [function(image) for image in images]
    np.testing.assert_allclose(extract_features(images, [function]), expected, atol=1e-9)


def test_grey_batches_and_one_image(noise: np.ndarray) -> None:
    grey = noise[..., 0]
    expected = [hog_feature(image) for image in grey]
    np.testing.assert_array_equal(extract_features(grey, [hog_feature]), expected)
    np.testing.assert_array_equal(
        extract_features(noise[:1], [hog_feature]), hog_feature(noise[:1])
    )


def test_no_images_still_have_a_width() -> None:
    assert extract_features(np.zeros((0, 32, 32, 3)), [hog_feature, np.mean]).shape == (0, 145)


def test_what_cannot_be_extracted(noise: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"imgs must have shape \(N, H, W, C\), not \(5,\)"):
        extract_features(np.zeros(5), [hog_feature])
    with pytest.raises(ValueError, match="feature_fns is empty"):
        extract_features(noise, [])
    with pytest.raises(ValueError, match=r"rgb2gray returned .*\(32, 32\) for one image.*ravel"):
        extract_features(noise, [rgb2gray])
    with pytest.raises(ZeroDivisionError):
        extract_features(noise, [lambda img: 1 / 0])


def test_progress_is_one_line_where_nobody_watches(
    noise: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    extract_features(noise, [hog_feature])
    assert capfd.readouterr() == ("", "")
    extract_features(noise, [hog_feature], verbose=True)
    assert capfd.readouterr() == ("40 images, 144 features each\n", "")
