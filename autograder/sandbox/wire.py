"""The only thing judge and sandbox share: length-prefixed msgpack frames of plain data.

Nothing here can execute code while decoding. Arrays and tensors cross as dtype, shape and raw
bytes, each checked against the others; whatever is not plain data stays in the kernel and crosses
as a :class:`Ref`, a number that only the kernel can turn back into an object.

The judge reads what an enemy wrote, so every decoding failure is a :class:`ProtocolError`.
"""

from __future__ import annotations

import math
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import Any

import msgpack
import numpy as np

from autograder.sandbox.wire_caps import (
    MAX_CONTAINERS,
    MAX_ITEMS,
    ProtocolError,
    Tally,
    TooMuch,
    surveyed,
)

__all__ = ["ProtocolError", "Ref", "StandIn", "WireError", "decode", "encode"]

MAX_FRAME = 256 << 20  # bytes; a (500, 5000) float64 matrix is 20 MB

_HEADER = struct.Struct(">I")
_NUMERIC_KINDS = "biufcUSmM"  # every numpy kind but objects and records
# Torch dtypes numpy has no name for travel as integers of the same width.
_TORCH_VIEWS = {"bfloat16": "int16", "float8_e4m3fn": "uint8", "float8_e5m2": "uint8"}


class _Ext(IntEnum):
    """Extension codes of what msgpack does not know."""

    ARRAY = 1
    SCALAR = 2
    TENSOR = 3
    TUPLE = 4
    COMPLEX = 5
    REF = 6
    INTEGER = 7
    SET = 8
    STANDIN = 9


class WireError(TypeError):
    """A value that cannot be sent as plain data."""


@dataclass(frozen=True)
class Ref:
    """An object that stays in the kernel; ``type_name`` is only a label for messages."""

    id: int
    type_name: str


@dataclass(frozen=True)
class StandIn:
    """A class or function in the kernel whose calls are answered by the judge.

    ``methods`` empty: a function. Otherwise a class with these methods (and ``__init__``).
    """

    id: int
    name: str
    methods: tuple[str, ...] = ()


def encode(message: Any, keep: Callable[[Any], Ref] | None = None) -> bytes:
    """One frame. ``keep`` turns what is not plain data into a Ref; without it, WireError."""

    tally = Tally()

    def pack(value: Any, depth: int = 0) -> bytes:
        def default(value: Any) -> msgpack.ExtType:
            tally.nested(depth)
            plain = _to_ext(value, partial(pack, depth=depth + 1))
            if plain is not None:
                return plain
            if keep is None:
                raise WireError(f"{type(value).__name__} is not plain data and cannot be sent")
            return _to_ext(keep(value), pack)  # type: ignore[return-value]

        # Half of a character (half an emoji) is in no encoding: it becomes a question mark.
        packed = msgpack.packb(
            value,
            default=default,
            strict_types=True,
            use_bin_type=True,
            unicode_errors="replace",
        )
        return packed or b""

    try:
        body = pack(message)
        if len(body) > MAX_CONTAINERS:  # each takes a byte or more
            surveyed(message)
    except (ValueError, OverflowError, TooMuch) as error:  # too deep, or a list within itself
        raise WireError(f"the value cannot be sent: {error}") from None
    if len(body) > MAX_FRAME:
        raise WireError(
            f"the value takes {len(body) >> 20} MB; at most {MAX_FRAME >> 20} MB can be sent"
        )
    return _HEADER.pack(len(body)) + body


def decode(body: bytes, resolve: Callable[[Ref | StandIn], Any] | None = None) -> Any:
    """The message of one frame's body. ``resolve`` turns Refs and StandIns into objects."""
    resolve = resolve or (lambda reference: reference)

    tally = Tally()

    def unpack(data: bytes, depth: int = 0) -> Any:
        def extension(code: int, payload: bytes) -> Any:
            tally.nested(depth)
            inner = partial(unpack, depth=depth + 1)
            return _from_ext(code, payload, inner, resolve, tally)

        return msgpack.unpackb(
            data,
            ext_hook=extension,
            list_hook=tally.listed,
            object_pairs_hook=tally.mapped,
            raw=False,
            strict_map_key=False,
            max_array_len=MAX_ITEMS,
            max_map_len=MAX_ITEMS,
        )

    try:
        return unpack(body)
    except ProtocolError:
        raise
    except Exception as error:  # msgpack, numpy and torch each have their own; none may escape
        raise ProtocolError(f"undecodable message: {type(error).__name__}: {error}") from None


class FrameReader:
    """Cuts a byte stream into frame bodies."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Add received bytes; yield every frame body that is complete now."""
        self._buffer += data
        while len(self._buffer) >= _HEADER.size:
            (size,) = _HEADER.unpack_from(self._buffer)
            if size > MAX_FRAME:
                raise ProtocolError(f"a frame of {size} bytes was announced")
            end = _HEADER.size + size
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[_HEADER.size : end])
            del self._buffer[:end]
            yield body


def _to_ext(value: Any, pack: Callable[[Any], bytes]) -> msgpack.ExtType | None:
    """The extension for a type msgpack does not know, or None when it is not plain data."""
    ext = msgpack.ExtType
    match value:
        case Ref():
            return ext(_Ext.REF, pack([value.id, value.type_name]))
        case StandIn():
            return ext(_Ext.STANDIN, pack([value.id, value.name, list(value.methods)]))
        case tuple():
            return ext(_Ext.TUPLE, pack(list(value)))
        case complex():
            return ext(_Ext.COMPLEX, pack([value.real, value.imag]))
        case set() | frozenset():
            return ext(_Ext.SET, pack(list(value)))
        case bool() | int():  # too large for msgpack, or a subclass such as an IntEnum
            digits = int(value)
            return ext(_Ext.INTEGER, str(digits).encode()) if digits.bit_length() < 4096 else None
        case np.ndarray():
            return _array_ext(_Ext.ARRAY, np.asarray(value), pack)
        case np.generic():
            return _array_ext(_Ext.SCALAR, np.asarray(value), pack)
        case str():
            return ext(_Ext.SCALAR, pack(["str", [], str.__str__(value)]))
        case float():
            return ext(_Ext.SCALAR, pack(["float", [], float.__float__(value)]))
        case dict() if type(value) is not dict:  # OrderedDict, defaultdict
            return ext(_Ext.SCALAR, pack(["dict", [], dict(value)]))
        case list() if type(value) is not list:
            return ext(_Ext.SCALAR, pack(["list", [], list(value)]))
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _tensor_ext(torch, value, pack)
    return None


def _array_ext(code: int, array: np.ndarray, pack: Callable[[Any], bytes]) -> Any:
    if array.dtype.kind not in _NUMERIC_KINDS or array.dtype.hasobject:
        return None
    return msgpack.ExtType(code, pack([array.dtype.str, list(array.shape), _raw(array)]))


def _raw(array: np.ndarray) -> memoryview | bytes:
    """Its bytes in C order, copied only where they do not lie so."""
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data if array.nbytes else b""


def _tensor_ext(torch: Any, tensor: Any, pack: Callable[[Any], bytes]) -> Any:
    if tensor.layout is not torch.strided or tensor.is_quantized:
        return None
    name = str(tensor.dtype).removeprefix("torch.")
    plain = tensor.detach().cpu().contiguous()
    if name in _TORCH_VIEWS:
        plain = plain.view(getattr(torch, _TORCH_VIEWS[name]))
    data = plain.resolve_conj().resolve_neg().numpy()
    body = [name, list(tensor.shape), bool(tensor.requires_grad), data.dtype.str, _raw(data)]
    return msgpack.ExtType(_Ext.TENSOR, pack(body))


def _from_ext(code: int, payload: bytes, unpack: Callable, resolve: Callable, tally: Tally) -> Any:
    if code == _Ext.INTEGER:
        if len(payload) > 1300:
            raise ProtocolError("an integer of too many digits")
        return int(payload)
    body = unpack(payload)
    match code:
        case _Ext.ARRAY:
            return _array(*body)
        case _Ext.SCALAR:
            return body[2] if body[0] in ("str", "float", "dict", "list") else _array(*body)[()]
        case _Ext.TENSOR:
            return _tensor(*body)
        case _Ext.TUPLE:
            return tuple(body)
        case _Ext.COMPLEX:
            return complex(*body)
        case _Ext.REF:
            return resolve(Ref(int(body[0]), str(body[1])[:200]))
        case _Ext.SET:
            return tally.collected(body)
        case _Ext.STANDIN:
            return resolve(StandIn(int(body[0]), str(body[1]), tuple(map(str, body[2]))))
    raise ProtocolError(f"unknown extension {code}")


def _array(dtype_name: str, shape: list[int], data: bytes) -> np.ndarray:
    """The array, copied, once dtype, shape and number of bytes are found to agree."""
    dtype = np.dtype(str(dtype_name))
    if dtype.kind not in _NUMERIC_KINDS or dtype.hasobject:
        raise ProtocolError(f"arrays of dtype {dtype} do not cross")
    if not all(type(n) is int and n >= 0 for n in shape) or len(shape) > 32:
        raise ProtocolError("an impossible shape")
    if 0 in shape and math.prod(n for n in shape if n) > MAX_ITEMS:  # rows of nothing cost no byte
        raise ProtocolError("an impossible shape")
    if math.prod(shape) * dtype.itemsize != len(data):
        raise ProtocolError(f"{len(data)} bytes do not make shape {tuple(shape)} of {dtype}")
    return np.frombuffer(data, dtype=dtype).reshape(shape).copy()


def _tensor(name: str, shape: list[int], requires_grad: bool, stored: str, data: bytes) -> Any:
    import torch

    dtype = getattr(torch, str(name), None)
    if not isinstance(dtype, torch.dtype):
        raise ProtocolError(f"unknown torch dtype {name!r}")
    tensor = torch.from_numpy(_array(stored, shape, data))
    if name in _TORCH_VIEWS:
        tensor = tensor.view(dtype)
    if tensor.dtype is not dtype:
        raise ProtocolError(f"{stored} bytes sent as torch.{name}")
    return tensor.requires_grad_(bool(requires_grad) and dtype.is_floating_point)
