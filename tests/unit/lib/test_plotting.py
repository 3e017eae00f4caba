"""What the pictures contain, drawn without a screen."""

import subprocess
import sys
from collections.abc import Iterator

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
    assert not grid[:, 2].any()
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
    with pytest.raises(ValueError, match="at least one accuracy"):
        plotting.plot_cross_validation({1: []})


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
