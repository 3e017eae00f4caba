"""What the notebook on small networks needs: a trained network, a file format, measuring.

``trained_convnet()`` is the network to be made smaller; ``pack`` and ``decode`` turn the plain
data of a compressed one into a file and into a network; ``accuracy`` and ``latencies`` measure.
"""

from cs231n_lib.compression.data import sprite_sets
from cs231n_lib.compression.file_format import decode, file_parts, huffman_coded, pack, unpack
from cs231n_lib.compression.measuring import accuracy, latencies
from cs231n_lib.compression.network import LAYERS, ConvNet, trained_convnet
from cs231n_lib.compression.pictures import (
    draw_accuracies,
    draw_filters,
    draw_histograms,
    draw_latencies,
    draw_sizes,
    listed,
)

__all__ = [
    "LAYERS", "ConvNet", "accuracy", "decode", "draw_accuracies", "draw_filters",
    "draw_histograms", "draw_latencies", "draw_sizes", "file_parts", "huffman_coded", "latencies",
    "listed", "pack", "sprite_sets", "trained_convnet", "unpack",
]  # fmt: skip
