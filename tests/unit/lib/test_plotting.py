"""What the pictures contain, drawn without a screen."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest

mpl.use("Agg")
from matplotlib import pyplot as plt

from cs231n_lib import plotting


@pytest.fixture(autouse=True)
def close_figures() -> Iterator[None]:
    yield
    plt.close("all")


def test_grid_stretches_each_image_and_pads() -> None:
    images = np.zeros((3, 2, 2, 1))
    images[0, 0, 0] = 10
    images[2] = [[[5], [7]], [[6], [6]]]
    grid = plotting.visualize_grid(images, padding=1)
    assert grid.shape == (5, 5, 1)
    assert grid[:2, :2, 0].tolist() == [[255, 0], [0, 0]]
    assert grid[3:, :2, 0].tolist() == [[0, 255], [127.5, 127.5]]
    assert (grid[:, 2] == 255).all()  # the gap between two columns
    with pytest.raises(ValueError, match=r"\(N, H, W, C\)"):
        plotting.visualize_grid(images[0])


def test_images_keep_their_colours() -> None:
    floats = np.zeros((2, 4, 4, 3))
    floats[1, ..., 0] = 1.0
    figure = plotting.show_images(floats, titles=["black", "red"])
    shown = [np.asarray(ax.images[0].get_array()) for ax in figure.axes]
    assert shown[1].max() == 255
    assert shown[0].max() == 0
    assert [ax.get_title() for ax in figure.axes] == ["black", "red"]
    same = plotting.show_images(floats * 255).axes[1].images[0].get_array()
    np.testing.assert_array_equal(same, shown[1])
    assert len(plotting.show_images(np.zeros((5, 4, 4)), columns=2).axes) == 6
    with pytest.raises(ValueError, match="1 titles for 2 images"):
        plotting.show_images(floats, titles=["one"])
    with pytest.raises(ValueError, match="not"):
        plotting.show_images(np.zeros(7))


def test_montage_has_a_column_for_each_class() -> None:
    X = np.stack([np.full((4, 4, 3), value) for value in (10, 20, 30, 10)])
    ax = plotting.class_montage(X, [0, 1, 1, 0], ["low", "high", "none"], per_class=2)
    pixels = np.asarray(ax.images[0].get_array())
    assert pixels.shape == (8, 12, 3)
    assert set(pixels[:, :4].ravel()) == {10}
    assert set(pixels[:, 4:8].ravel()) == {20, 30}
    assert set(pixels[:, 8:].ravel()) == {255}
    assert [label.get_text() for label in ax.get_xticklabels()] == ["low", "high", "none"]
    with pytest.raises(ValueError, match="4 images, but y has 1"):
        plotting.class_montage(X, [0], ["low"])
    with pytest.raises(ValueError, match=r"images must have shape \(N, H, W, 3\)"):
        plotting.class_montage(X.reshape(4, -1), [0, 1, 1, 0], ["low", "high"])


def test_montage_scales_all_classes_alike_and_takes_grey_images() -> None:
    X = np.stack(
        [np.full((4, 4, 1), value) for value in (1.0, 200.0)]
    )  # 0 to 255, one nearly black
    for images in (X, X[..., 0]):
        ax = plotting.class_montage(images, [0, 1], ["dark", "bright"], per_class=1)
        pixels = np.asarray(ax.images[0].get_array())
        assert pixels[0].tolist() == [1] * 4 + [200] * 4


def test_loss_curves() -> None:
    ax = plotting.plot_loss([3.0, 2.0, 1.0], smooth=2)
    assert ax.lines[0].get_ydata().tolist() == [3, 2, 1]  # pyright: ignore[reportAttributeAccessIssue]
    assert ax.lines[1].get_xdata().tolist() == [1, 2]  # pyright: ignore[reportAttributeAccessIssue]
    assert ax.lines[1].get_ydata().tolist() == [2.5, 1.5]  # pyright: ignore[reportAttributeAccessIssue]
    ax = plotting.plot_loss({"sgd": [1, 2], "adam": [2, 1]})
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["sgd", "adam"]


def test_accuracy_and_cross_validation() -> None:
    ax = plotting.plot_accuracy([0.1, 0.2], [0.1, 0.15])
    assert [line.get_label() for line in ax.lines] == ["training", "validation"]
    ax = plotting.plot_cross_validation({5: [0.3, 0.5], 1: [0.2, 0.2]})
    assert ax.containers[0][0].get_ydata().tolist() == [0.2, 0.4]  # in the order of k
    assert [len(np.asarray(points.get_offsets())) for points in ax.collections[:2]] == [2, 2]
    assert ax.get_xlabel() == "k"
    for none in ({}, {1: []}, {1: 0.3}):
        with pytest.raises(ValueError, match="needs a list of accuracies"):
            plotting.plot_cross_validation(none)  # pyright: ignore[reportArgumentType]


def test_distances_black_is_near() -> None:
    ax = plotting.show_distances([[0.0, 5.0, 10.0]])
    image = ax.images[0]
    assert image.to_rgba(np.array([0.0]))[0, 0] == 0
    assert image.to_rgba(np.array([10.0]))[0, 0] == 1
    assert ax.get_ylabel() == "test row"


def test_given_axes_are_used_and_others_left_alone() -> None:
    _, (left, right) = plt.subplots(1, 2)
    plt.sca(right)
    assert plotting.plot_loss([1.0], ax=left) is left
    assert plt.gca() is right
    assert not right.lines


def test_import_leaves_matplotlib_alone() -> None:
    code = "import sys, cs231n_lib.plotting; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def texts(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_a_grid_search_is_a_table_with_the_best_framed() -> None:
    results = {
        (1e-6, 5e4): (0.40, 0.35), (1e-7, 2.5e4): (0.30, 0.31), (1e-6, 2.5e4): (0.42, 0.39),
    }  # fmt: skip
    ax = plotting.plot_search(results)
    table = np.ma.filled(ax.images[0].get_array(), np.nan)
    np.testing.assert_array_equal(table, [[0.31, 0.39], [np.nan, 0.35]])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1e-07", "1e-06"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["2.5e+04", "5e+04"]
    assert texts(ax) == ["0.310", "0.390", "0.350"]
    (frame,) = ax.patches
    assert frame.get_xy() == (0.5, -0.5)  # pyright: ignore[reportAttributeAccessIssue]
    assert ax.get_title() == "best: 0.390 at 1e-06, 2.5e+04"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "regularisation")


def test_a_random_search_is_points_on_logarithmic_axes() -> None:
    results = {(10.0**-n, 7.0**n): (0.0, 0.1 + n / 100) for n in range(1, 7)}
    ax = plotting.plot_search(results, names=("rate", "dropout"))
    assert not ax.images
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    points, ring = ax.collections
    np.testing.assert_allclose(np.asarray(points.get_offsets()), list(results))
    np.testing.assert_allclose(np.asarray(ring.get_offsets()), [(1e-6, 7.0**6)])
    assert texts(ax) == [f"0.{n}" + "0" for n in range(11, 17)]
    without = plotting.plot_search(results | {(0.5, 0.0): (0.1, 0.1)})
    assert (without.get_xscale(), without.get_yscale()) == ("log", "linear"), "0 has no logarithm"


def test_searches_that_diverged_or_are_none() -> None:
    nan = float("nan")
    ax = plotting.plot_search({(1.0, 1.0): (nan, nan), (2.0, 1.0): (0.1, 0.2)})
    assert texts(ax) == ["0.200"]
    assert ax.get_title().startswith("best: 0.200 at 2")
    assert texts(plotting.plot_search({(1e-7, 5e4): (0.3, 0.35)})) == ["0.350"]
    for wrong in ({}, {1e-7: (0.3, 0.35)}, {(1e-7, 5e4): 0.35}):
        with pytest.raises(ValueError, match="results must have"):
            plotting.plot_search(wrong)  # pyright: ignore[reportArgumentType]


def test_templates_are_columns_with_zero_in_the_middle() -> None:
    W = np.zeros((2 * 2 * 3 + 1, 2))
    W[0, 0], W[4, 0] = 2.0, -1.0  # class a: red of the first pixel, green of the second
    W[11, 1] = 0.5  # class b: blue of the last
    W[12] = 1000  # biases
    for weights in (W, W[:12]):
        figure = plotting.show_templates(weights, ["a", "b"], image_shape=(2, 2, 3))
        a, b = (np.asarray(ax.images[0].get_array()) for ax in figure.axes)
        assert a[0, 0].tolist() == [255, 127, 127]
        assert a[0, 1].tolist() == [127, 63, 127]
        assert b[1, 1].tolist() == [127, 127, 255]
        assert [ax.get_title() for ax in figure.axes] == ["a", "b"]
    joint = plotting.show_templates(W, ["a", "b"], image_shape=(2, 2, 3), joint=True)
    assert np.asarray(joint.axes[1].images[0].get_array())[1, 1, 2] == 159  # 127.5 * (1 + 0.25)
    flat = plotting.show_templates(np.zeros((3072, 10)), list("abcdefghij"))
    assert len(flat.axes) == 10
    assert set(np.asarray(flat.axes[0].images[0].get_array()).ravel()) == {127}
    with pytest.raises(ValueError, match=r"W has shape \(12, 2\).*3072 rows, or 3073"):
        plotting.show_templates(W[:12], ["a", "b"])
    with pytest.raises(ValueError, match="10 columns, but there are 2 classes"):
        plotting.show_templates(np.zeros((3073, 10)), ["a", "b"])


def test_confusion_has_a_row_for_each_true_class() -> None:
    ax = plotting.plot_confusion([0, 0, 0, 0, 1], [0, 0, 0, 1, 0], ["cat", "dog", "none"])
    table = np.ma.filled(ax.images[0].get_array(), np.nan)
    np.testing.assert_array_equal(table, [[75, 25, 0], [100, 0, 0], [np.nan] * 3])
    assert texts(ax) == ["75", "25", "0", "100", "0", "0"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["cat", "dog", "none"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "correct class")
    for true, predicted, message in (
        ([0, 1], [0], r"shape \(2,\) and y_pred \(1,\)"),
        ([], [], "not empty"),
        ([0, 3], [0, 1], "from 0 to 3, but there are 3 classes"),
        ([0, -1], [0, 1], "from -1 to 1"),
    ):
        with pytest.raises(ValueError, match=message):
            plotting.plot_confusion(true, predicted, ["cat", "dog", "none"])
    for labels in ([0.5], [np.nan], ["cat"]):
        with pytest.raises(ValueError, match="must be whole numbers"):
            plotting.plot_confusion(labels, labels, ["cat", "dog", "none"])
    assert texts(plotting.plot_confusion([1.0], [1], ["cat", "dog"])) == ["0", "100"]


def test_numbers_can_be_read_on_their_colours() -> None:
    """Contrast of 4.5 or more (WCAG 2), whatever the number."""
    found = {(n / 50, 1.0): (0.0, n / 50) for n in range(51)}
    ax = plotting.plot_search(found)
    image = ax.images[0]
    assert len(ax.texts) == len(found)
    for text, (_, value) in zip(ax.texts, found.values(), strict=True):
        rgb = image.to_rgba(np.array([value]))[0, :3]
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        behind = linear @ (0.2126, 0.7152, 0.0722) + 0.05
        ink = 1.05 if text.get_color() == "white" else 0.05
        assert max(ink, behind) / min(ink, behind) >= 4.5


def test_tables_use_given_axes() -> None:
    _, axes = plt.subplots(1, 3)
    results = {(1.0, 1.0): (0.1, 0.2)}
    spread = {(10.0**n, 10.0**n): (0.1, 0.2) for n in range(5)}
    assert plotting.plot_search(results, ax=axes[0]) is axes[0]
    assert plotting.plot_search(spread, ax=axes[1]) is axes[1]
    assert plotting.plot_confusion([0], [0], ["a"], ax=axes[2]) is axes[2]
    assert len(plt.get_fignums()) == 1


def test_frames_need_values_words_and_figures() -> None:
    def frame(value: int) -> Any:
        return plt.subplots()[1] if value else None

    said = {"label": "step", "alt": "It moves."}
    for values, changed, kind, message in (
        ([1], {"alt": " "}, ValueError, "the alt text is empty"),
        ([], {}, ValueError, "no values"),
        ([1, 2], {"start": 2}, IndexError, "start=2, but there are 2 values"),
        ([0], {}, TypeError, "a figure or its Axes"),
    ):
        with pytest.raises(kind, match=message):
            plotting.show_frames(frame, values, **(said | changed))
