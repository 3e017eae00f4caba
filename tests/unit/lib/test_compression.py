"""The library of the notebook on small networks: network, file format, measuring, pictures."""

from __future__ import annotations

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from cs231n_lib.compression import (
    LAYERS,
    ConvNet,
    accuracy,
    decode,
    draw_accuracies,
    draw_filters,
    draw_histograms,
    draw_latencies,
    draw_sizes,
    file_parts,
    huffman_coded,
    latencies,
    listed,
    network,
    pack,
    sprite_sets,
    trained_convnet,
    unpack,
)
from cs231n_lib.errors import DataError
from cs231n_lib.torch_data import ImageSet

OUTPUTS = {"conv1": 16, "conv2": 32, "conv3": 64, "fc1": 128, "fc2": 10}
Data = dict[str, dict[str, Any]]


def some_data(seed: int = 0) -> Data:
    """A network with a few entries in each layer."""
    rng = np.random.default_rng(seed)
    return {
        name: {
            "codebook": np.linspace(-1, 1, 5),
            "gaps": rng.integers(0, 8, size=100),
            "symbols": rng.integers(0, 6, size=100),
            "bias": rng.normal(size=outputs),
        }
        for name, outputs in OUTPUTS.items()
    }


# -- the network and its images --------------------------------------------------------------------


def test_the_shipped_network_is_as_good_as_its_paper_says() -> None:
    """WEIGHTS.md: 64.7 % of the test images."""
    train, val, test = sprite_sets()
    assert [len(part) for part in (train, val, test)] == [18_000, 2_000, 2_000]
    assert [part.train for part in (train, val, test)] == [True, False, False]
    assert accuracy(trained_convnet(), test) == pytest.approx(64.7, abs=0.5)


def test_the_network_has_the_layers_that_are_named() -> None:
    net = trained_convnet()
    assert sum(parameter.numel() for parameter in net.parameters()) == 156_842
    assert tuple(OUTPUTS) == LAYERS
    assert [net.layer(name).weight.shape[0] for name in LAYERS] == list(OUTPUTS.values())
    assert all(parameter.requires_grad for parameter in net.parameters())
    assert net(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_loading_draws_no_random_number() -> None:
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    trained_convnet()
    assert torch.equal(before, torch.random.get_rng_state())


def test_damaged_weights_are_refused(tmp_path, monkeypatch) -> None:
    (tmp_path / "convnet.pt").write_bytes(b"something else")
    monkeypatch.setattr(network, "FOLDER", tmp_path)
    with pytest.raises(DataError, match="not the published weights"):
        trained_convnet()


# -- the file --------------------------------------------------------------------------------------


def test_what_was_packed_comes_back() -> None:
    data = some_data()
    back = unpack(pack(data))
    for name, parts in data.items():
        np.testing.assert_array_equal(back[name]["gaps"], parts["gaps"])
        np.testing.assert_array_equal(back[name]["symbols"], parts["symbols"])
        np.testing.assert_array_equal(back[name]["bias"], parts["bias"].astype(np.float16))
        np.testing.assert_array_equal(back[name]["codebook"], parts["codebook"])
    assert pack(back) == pack(data)


def test_decoding_follows_the_description() -> None:
    data = some_data()
    data["conv1"] |= {"codebook": [0.5, -2.0], "gaps": [2, 0, 3, 1], "symbols": [2, 1, 0, 2]}
    weight = decode(data).conv1.weight.flatten()
    assert weight[[2, 3, 7, 9]].tolist() == [-2.0, 0.5, 0.0, -2.0]
    assert int((weight != 0).sum()) == 3


def test_the_parts_of_a_file_are_all_of_it() -> None:
    data = some_data()
    parts = file_parts(data)
    assert sum(parts.values()) == len(pack(data))
    assert parts["biases"] == 2 * sum(OUTPUTS.values())
    assert parts["codebooks"] == len(LAYERS) * (13 + 2 * 5)


def test_tensors_and_lists_are_as_good_as_arrays() -> None:
    data = some_data()
    as_lists = {n: {p: np.asarray(v).tolist() for p, v in d.items()} for n, d in data.items()}
    as_tensors = {n: {p: torch.as_tensor(v) for p, v in d.items()} for n, d in data.items()}
    assert pack(as_lists) == pack(as_tensors) == pack(data)


def test_a_layer_without_entries_is_zero() -> None:
    data = some_data()
    data["fc1"] |= {"gaps": [], "symbols": []}
    net = decode(unpack(pack(data)))
    assert isinstance(net, ConvNet)
    assert int((net.fc1.weight != 0).sum()) == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"codebook": []}, "conv2: the codebook has 0 values; 1 to 255 are possible"),
        ({"codebook": np.zeros(256)}, "conv2: the codebook has 256 values"),
        ({"codebook": [1e6]}, "conv2: codebook holds a number that is NaN or beyond 65504"),
        ({"codebook": [np.nan]}, "conv2: codebook holds a number that is NaN"),
        ({"codebook": ["one"]}, "conv2: codebook must hold numbers"),
        ({"codebook": [[0.5]]}, "conv2: codebook must have one axis"),
        ({"codebook": [[0.5], [1, 2]]}, "conv2: codebook must have one axis"),
        ({"bias": np.zeros(31)}, "conv2: the bias has 31 numbers, the layer 32 outputs"),
        ({"gaps": np.zeros(99, int)}, "conv2: 99 gaps and 100 symbols"),
        ({"gaps": np.full(100, 256)}, "conv2: gaps go from 256 to 256; 0 to 255 are possible"),
        ({"gaps": np.full(100, -1)}, "conv2: gaps go from -1"),
        ({"gaps": np.zeros(100)}, "conv2: gaps must be integers, not float64"),
        ({"gaps": np.full(100, 60)}, "conv2: the gaps lead to weight 6100 of 4608"),
        ({"symbols": np.full(100, 6)}, "conv2: symbols go from 6 to 6; 0 to 5 are possible"),
        ({"extra": 1}, "conv2: it must be a dict with codebook, gaps, symbols, bias"),
    ],
)
def test_what_is_no_network_is_refused(change: dict[str, Any], said: str) -> None:
    data = some_data()
    data["conv2"] |= change
    for function in (pack, decode):
        with pytest.raises(ValueError, match=said):
            function(data)


@pytest.mark.parametrize("data", [None, [], {}, {"conv1": {}}, dict.fromkeys(OUTPUTS)])
def test_what_is_no_dict_of_layers_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match=r"dict|entry for each"):
        pack(data)


def test_damaged_files_are_refused() -> None:
    file = pack(some_data())
    for damaged in (file[:5], file[:200], file[:-3], file + b"x", file[:60] + b"\0" * 40):
        with pytest.raises(ValueError, match=r"ends|left|damaged"):
            unpack(damaged)


def test_a_file_cannot_ask_for_more_memory_than_its_entries() -> None:
    """A stream that would unpack to 50 MB is given up after the entries that were announced."""
    data = some_data()
    file = bytearray(pack(data))
    bomb = huffman_coded(np.zeros(50_000_000, np.uint8))
    length = int.from_bytes(file[5:9], "little")  # of the coded gaps of conv1, by its header
    start = 13 + 2 * 5 + 2 * 16
    file[5:9] = len(bomb).to_bytes(4, "little")
    file[start : start + length] = bomb
    with pytest.raises(ValueError, match="conv1: the coded entries are damaged"):
        unpack(bytes(file))


def test_the_code_is_close_to_the_entropy_and_never_below() -> None:
    rng = np.random.default_rng(0)
    for shares in ([0.4, 0.3, 0.2, 0.1], [0.25] * 4, np.full(16, 1 / 16)):
        symbols = rng.choice(len(shares), size=20_000, p=shares).astype(np.uint8)
        counted = np.bincount(symbols) / len(symbols)
        bound = -(counted * np.log2(counted)).sum()
        bits = 8 * len(huffman_coded(symbols)) / len(symbols)
        assert bound <= bits < bound + 0.3


# -- measuring -------------------------------------------------------------------------------------


def test_accuracy_is_a_share_in_per_cent() -> None:
    class Constant(torch.nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.eye(3)[1].repeat(len(x), 1)

    labels = torch.tensor([1] * 300 + [0] * 900)
    data = ImageSet(torch.zeros(1200, 3, 2, 2), labels)
    assert accuracy(Constant(1, 1), data) == 25


def test_candidates_take_turns_and_the_first_rounds_do_not_count() -> None:
    called: list[str] = []
    found = latencies(
        {"a": lambda: called.append("a"), "b": lambda: called.append("b")}, rounds=4, warm_up=2
    )
    assert called == ["a", "b"] * 6
    assert {name: len(times) for name, times in found.items()} == {"a": 4, "b": 4}
    assert all((times >= 0).all() for times in found.values())


# -- pictures --------------------------------------------------------------------------------------


def test_lines_of_accuracies_that_coincide_can_both_be_seen() -> None:
    ax = draw_accuracies([0.5, 0.9], {"one": [60, 40], "two": [60, 50]}, 65, "sparsity")
    first, second, original = ax.lines
    assert first.get_markersize() > second.get_markersize()
    assert list(original.get_ydata()) == [65, 65]
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["one", "two", "original"]
    plt.close(ax.figure)


def test_latencies_have_a_dot_for_each_call_and_a_median() -> None:
    group = {"slow": np.array([0.003, 0.002, 0.009]), "fast": np.array([0.001, 0.001, 0.002])}
    figure = draw_latencies({"both": group, "one": {"slow": group["slow"]}})
    both = figure.axes[0]
    assert [len(dots.get_offsets()) for dots in both.collections] == [3, 3]
    assert [line.get_xdata()[0] for line in both.lines] == pytest.approx([3.0, 1.0])
    assert [label.get_text() for label in both.get_yticklabels()] == ["slow", "fast"]
    assert [ax.get_title() for ax in figure.axes] == ["both", "one"]
    plt.close(figure)


def test_values_in_words() -> None:
    assert listed([64.25, 20], [0.5, "conv1"]) == "64.2 % at 0.5, 20.0 % at conv1"


def test_filters_in_rows() -> None:
    weight = torch.randn(16, 3, 5, 5)
    figure = draw_filters({"before": weight, "after": weight * 0})
    assert len(figure.axes) == 32
    assert np.allclose(figure.axes[16].images[0].get_array(), 0.5)
    plt.close(figure)


def test_histograms_have_a_bar_of_zeros() -> None:
    weight = torch.cat([torch.zeros(70), torch.full((30,), 0.1)])
    axes = draw_histograms({"pruned": weight, "shared": weight}, 0.2, shared={"shared"})
    assert [text.get_text() for text in axes[0].get_legend().get_texts()] == ["70 zeros"]
    heights = sorted(patch.get_height() for patch in axes[1].patches)
    assert heights == [30, 70]
    plt.close(axes[0].figure)


def test_sizes_are_stacked() -> None:
    _, ax = plt.subplots()
    draw_sizes({"one": {"values": 3000, "positions": 1000}, "two": {"values": 500}}, ax)
    assert [text.get_text().strip() for text in ax.texts] == ["4.0 kB", "0.5 kB"]
    widths = [patch.get_width() for patch in ax.patches]
    assert widths == [3.0, 0.5, 1.0, 0.0]
    plt.close(ax.figure)
