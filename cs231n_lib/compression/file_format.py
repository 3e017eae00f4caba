"""Compressed networks as plain data, as a file, and as a network again.

A compressed `ConvNet` is a dict with an entry for each of LAYERS, each of which is a dict:

    "codebook"  (K,) numbers, 1 <= K <= 255: the values that a weight of this layer may have
    "gaps"      (E,) integers from 0 to 255: how many weights lie between it and the one before
    "symbols"   (E,) integers from 0 to K: s > 0 says codebook[s - 1], and 0 says zero
    "bias"      as many numbers as the layer has outputs

The weights of a layer are flattened in C order, as ``weight.flatten()`` does it. Whatever no entry
names is zero. Codebook and bias are kept in half precision (float16), so no number may be larger
than 65504.

The file has, for each layer in turn, a header, the codebook, the bias, and the gaps and symbols
coded by zlib with its strategy Z_HUFFMAN_ONLY: a Huffman code for each, with its table, and
nothing else. What such a file weighs is its length; nothing has to be believed.

Dimension letters: K values of a codebook, E entries of a layer.
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cs231n_lib.compression.network import LAYERS, ConvNet

PARTS = ("codebook", "gaps", "symbols", "bias")
LARGEST_CODEBOOK, LARGEST_GAP = 255, 255
_HEADER = struct.Struct("<BIII")  # K, E, bytes of the coded gaps, bytes of the coded symbols

Compressed = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Layer:
    """One compressed layer that has been looked at: of these types, and within these bounds."""

    codebook: NDArray[np.float16]  # (K,)
    gaps: NDArray[np.uint8]  # (E,)
    symbols: NDArray[np.uint8]  # (E,)
    bias: NDArray[np.float16]

    def weight(self, shape: tuple[int, ...]) -> Tensor:
        """The weights in float32, of this shape."""
        flat = np.zeros(int(np.prod(shape)), np.float32)
        positions = np.cumsum(self.gaps.astype(np.int64) + 1) - 1
        flat[positions] = np.concatenate([np.zeros(1, np.float16), self.codebook])[self.symbols]
        return torch.from_numpy(flat.reshape(shape))


def pack(compressed: Compressed) -> bytes:
    """The file. Raises ValueError, which names layer and part, where the data are no network."""
    layers = read_layers(compressed)
    return b"".join(_pack_layer(layers[name]) for name in LAYERS)


def file_parts(compressed: Compressed) -> dict[str, int]:
    """Bytes of the file that ``pack`` makes, by what they are spent on; headers are "codebooks".

    Raises ValueError where the data are no network.
    """
    layers = list(read_layers(compressed).values())
    parts = {
        "values": sum(len(huffman_coded(layer.symbols)) for layer in layers),
        "positions": sum(len(huffman_coded(layer.gaps)) for layer in layers),
        "codebooks": sum(_HEADER.size + 2 * len(layer.codebook) for layer in layers),
    }
    return parts | {"biases": sum(2 * len(layer.bias) for layer in layers)}


def unpack(file: bytes) -> dict[str, dict[str, NDArray[Any]]]:
    """The plain data in a file of ``pack``. Raises ValueError where it is damaged."""
    found, start = {}, 0
    for name, (_, outputs) in _shapes().items():
        try:
            k, entries, *lengths = _HEADER.unpack_from(file, start)
        except struct.error:
            raise ValueError(f"the file ends before {name}, at byte {len(file)}") from None
        start += _HEADER.size
        sizes = (2 * k, 2 * outputs, *lengths)
        parts = []
        for size in sizes:
            parts.append(file[start : start + size])
            start += size
        if start > len(file):
            raise ValueError(f"the file ends within {name}, at byte {len(file)}")
        found[name] = {
            "codebook": np.frombuffer(parts[0], "<f2"),
            "bias": np.frombuffer(parts[1], "<f2"),
            "gaps": _huffman_decoded(parts[2], entries, name),
            "symbols": _huffman_decoded(parts[3], entries, name),
        }
    if start != len(file):
        raise ValueError(f"{len(file) - start} bytes are left after {LAYERS[-1]}")
    return found


def decode(compressed: Compressed) -> ConvNet:
    """The network that the data describe, in float32 and evaluation mode, on the CPU.

    Raises ValueError, which names layer and part, where the data are no network.
    """
    state = {}
    for name, layer in read_layers(compressed).items():
        state[f"{name}.weight"] = layer.weight(_shapes()[name][0])
        state[f"{name}.bias"] = torch.from_numpy(layer.bias.astype(np.float32))
    with torch.device("meta"):
        net = ConvNet()
    net.load_state_dict(state, assign=True)
    return net.eval()


def huffman_coded(symbols: NDArray[np.uint8]) -> bytes:
    """Bytes (E,) in a Huffman code of their own, with its table."""
    coder = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_HUFFMAN_ONLY)
    return coder.compress(symbols.tobytes()) + coder.flush()


def read_layers(compressed: Compressed) -> dict[str, Layer]:
    """The five layers, looked at. Raises ValueError, which names layer and part."""
    if not isinstance(compressed, Mapping):
        raise ValueError(f"a compressed network is a dict, not {type(compressed).__name__}")
    if set(compressed) != set(LAYERS):
        raise ValueError(f"there must be an entry for each of {', '.join(LAYERS)}, and no others")
    return {name: _read_layer(name, compressed[name]) for name in LAYERS}


def _read_layer(name: str, parts: Any) -> Layer:
    shape, outputs = _shapes()[name]
    if not isinstance(parts, Mapping) or set(parts) != set(PARTS):
        raise ValueError(f"{name}: it must be a dict with {', '.join(PARTS)}, and nothing else")
    codebook = _numbers(name, "codebook", parts["codebook"])
    bias = _numbers(name, "bias", parts["bias"])
    if not 1 <= len(codebook) <= LARGEST_CODEBOOK:
        raise ValueError(
            f"{name}: the codebook has {len(codebook)} values; 1 to {LARGEST_CODEBOOK} are possible"
        )
    if len(bias) != outputs:
        raise ValueError(f"{name}: the bias has {len(bias)} numbers, the layer {outputs} outputs")
    gaps = _integers(name, "gaps", parts["gaps"], LARGEST_GAP)
    symbols = _integers(name, "symbols", parts["symbols"], len(codebook))
    if len(gaps) != len(symbols):
        raise ValueError(
            f"{name}: {len(gaps)} gaps and {len(symbols)} symbols: each entry has both"
        )
    reached, weights = int(np.sum(gaps, dtype=np.int64)) + len(gaps), int(np.prod(shape))
    if reached > weights:
        raise ValueError(
            f"{name}: the gaps lead to weight {reached} of {weights}. An entry lies gap + 1 "
            "further than the one before"
        )
    return Layer(codebook, gaps, symbols, bias)


def _array(name: str, part: str, values: Any) -> NDArray[Any]:
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    try:
        array = np.asarray(values)
    except ValueError:
        array = np.empty((0, 0))
    if array.ndim != 1:
        raise ValueError(f"{name}: {part} must have one axis; its shape is {array.shape}")
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name}: {part} must hold numbers, not {array.dtype}")
    return array


def _numbers(name: str, part: str, values: Any) -> NDArray[np.float16]:
    array = _array(name, part, values).astype(np.float64)
    largest = float(np.finfo(np.float16).max)
    if not np.all(np.abs(array) <= largest):  # NaN is not
        raise ValueError(f"{name}: {part} holds a number that is NaN or beyond {largest:.0f}")
    return array.astype(np.float16)


def _integers(name: str, part: str, values: Any, largest: int) -> NDArray[np.uint8]:
    array = _array(name, part, values)
    if array.size and array.dtype.kind not in "iu":
        raise ValueError(f"{name}: {part} must be integers, not {array.dtype}")
    if array.size and not (array.min() >= 0 and array.max() <= largest):
        raise ValueError(
            f"{name}: {part} go from {array.min()} to {array.max()}; 0 to {largest} are possible"
        )
    return array.astype(np.uint8)


def _pack_layer(layer: Layer) -> bytes:
    coded = [huffman_coded(layer.gaps), huffman_coded(layer.symbols)]
    header = _HEADER.pack(len(layer.codebook), len(layer.gaps), *map(len, coded))
    values = layer.codebook.astype("<f2").tobytes() + layer.bias.astype("<f2").tobytes()
    return header + values + b"".join(coded)


def _huffman_decoded(coded: bytes, entries: int, name: str) -> NDArray[np.uint8]:
    decoder = zlib.decompressobj(-15)
    try:
        found = decoder.decompress(coded, entries + 1)  # no more memory than it should take
    except zlib.error as error:
        raise ValueError(f"{name}: the coded entries are damaged ({error})") from None
    if len(found) != entries or not decoder.eof:
        raise ValueError(f"{name}: the coded entries are damaged (not {entries} of them)")
    return np.frombuffer(found, np.uint8)


def _shapes() -> dict[str, tuple[tuple[int, ...], int]]:
    """Of each layer, the shape of its weights, and how many outputs it has."""
    with torch.device("meta"):
        net = ConvNet()
    shapes = {name: tuple(net.layer(name).weight.shape) for name in LAYERS}
    return {name: (shape, shape[0]) for name, shape in shapes.items()}
