"""The wire carries plain data unchanged, and nothing an enemy writes gets past as anything else."""

import collections
import enum
import time
from functools import reduce
from typing import Any

import msgpack
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.sandbox import wire

# A busy machine is slow to make examples, and no fault of the wire's.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")


def round_trip(value, keep=None):
    [body] = wire.FrameReader().feed(wire.encode(value, keep))
    return wire.decode(body)


def described(value: Any) -> Any:
    """A value with every type and bit of it, to be compared; fails where it is no plain data."""
    match value:
        case list() | tuple():
            return type(value), [described(one) for one in value]
        case set():
            return set, sorted(repr(described(one)) for one in value)
        case dict():
            pairs = [(described(key), described(one)) for key, one in value.items()]
            return type(value), pairs
        case np.ndarray() | np.generic():
            assert not value.dtype.hasobject
            return type(value), value.dtype, value.shape, value.tobytes()
        case torch.Tensor():
            stored = value.detach().reshape(-1).view(torch.uint8).tolist()
            return type(value), value.dtype, value.shape, value.requires_grad, stored
        case float() | complex():
            return type(value), np.asarray(value).tobytes()  # NaN is not equal to itself
    data = (bool, int, str, bytes, type(None), wire.Ref, wire.StandIn, msgpack.Timestamp)
    assert type(value) in data, f"{type(value)} came out of bytes"
    return type(value), value


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(plain)
def test_plain_data_survives(value) -> None:
    assert described(round_trip(value)) == described(value)


@given(
    hnp.arrays(
        dtype=hnp.boolean_dtypes()
        | hnp.integer_dtypes(endianness="?")
        | hnp.floating_dtypes(endianness="?")
        | hnp.complex_number_dtypes()
        | hnp.unicode_string_dtypes(max_len=4),
        shape=hnp.array_shapes(min_dims=0, min_side=0, max_side=4),
    )
)
def test_arrays_keep_dtype_shape_and_bytes(array) -> None:
    back = round_trip(array)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes() == array.tobytes()
    assert back.flags.writeable
    assert back.flags.owndata or back.base is not None


@pytest.mark.parametrize(
    "dtype",
    ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8",
     "bool", "complex64", "complex128"],
)  # fmt: skip
def test_tensors_of_every_common_dtype(dtype) -> None:
    tensor = torch.tensor([[0, 1, 1], [1, 0, 1]], dtype=getattr(torch, dtype)).T
    back = round_trip(tensor)
    assert back.dtype is tensor.dtype
    assert torch.equal(back, tensor)


@pytest.mark.parametrize("wanted", [True, False])
def test_tensors_keep_requires_grad(wanted: bool) -> None:
    tensor = torch.tensor([1.5, -2.0], requires_grad=wanted)
    back = round_trip(tensor)
    assert back.requires_grad is wanted
    assert back.tolist() == [1.5, -2.0]


@pytest.mark.parametrize(
    "scalar",
    [np.float32(1.5), np.float64(0.1), np.int8(-3), np.bool_(True), np.str_("a"), np.complex64(1j)],
    ids=lambda scalar: type(scalar).__name__,
)
def test_numpy_scalars_keep_type_and_value(scalar) -> None:
    back = round_trip(scalar)
    assert type(back) is type(scalar)
    assert back == scalar


def test_subclasses_arrive_as_what_they_are_made_of() -> None:
    class Liar(np.ndarray):
        def __eq__(self, other):
            return True

        __hash__ = None  # type: ignore[assignment]

    class Number(enum.IntEnum):
        ONE = 1

    class Text(str):
        pass

    point = collections.namedtuple("point", "x y")
    for sent, arrives in (
        (np.array([1.0, 2.0]).view(Liar), np.array([1.0, 2.0])),
        (Number.ONE, 1),
        (Text("a"), "a"),
        (point(1, 2.5), (1, 2.5)),
        (collections.OrderedDict(a=1), {"a": 1}),
        (frozenset({3}), {3}),
    ):
        assert described(round_trip(sent)) == described(arrives)


def test_what_is_no_data_is_kept_or_refused() -> None:
    with pytest.raises(wire.WireError, match="object is not plain data"):
        wire.encode(object())
    kept = []
    back = round_trip([object(), np.array([None])], lambda v: kept.append(v) or wire.Ref(7, "x"))
    assert back == [wire.Ref(7, "x")] * 2
    assert len(kept) == 2


def test_a_list_within_itself_is_an_error_not_a_crash() -> None:
    endless: list = []
    endless.append(endless)
    with pytest.raises(wire.WireError, match="cannot be sent"):
        wire.encode(endless)


@settings(max_examples=500)
@given(st.binary(max_size=64))
def test_random_bytes_are_a_protocol_error_or_plain_data(data) -> None:
    require_plain_data(data)


@settings(max_examples=300)
@given(code=st.integers(0, 12), body=plain)
def test_forged_extensions_are_a_protocol_error_or_plain_data(code, body) -> None:
    require_plain_data(msgpack.packb(msgpack.ExtType(code, wire.encode(body)[4:])))


def require_plain_data(body: bytes) -> None:
    """What these bytes decode to, if anything, is plain data: it survives the wire as it is."""
    try:
        value = wire.decode(body)
    except wire.ProtocolError:
        return
    assert described(round_trip(value)) == described(value)


@pytest.mark.parametrize(
    ("code", "body", "value"),
    [
        (1, ["<f8", [1, 2], np.array([1.0, -2.0]).tobytes()], np.array([[1.0, -2.0]])),
        (2, ["<i2", [], b"\x07\x00"], np.int16(7)),
        (3, ["float32", [1], False, "<f4", b"\0\0\xc0\x3f"], torch.tensor([1.5])),
        (4, [1, "a"], (1, "a")),
        (5, [1.0, -2.0], 1 - 2j),
        (6, [3, "Net"], wire.Ref(3, "Net")),
        (8, [1, 2], {1, 2}),
        (9, [3, "Net", ["forward"]], wire.StandIn(3, "Net", ("forward",))),
    ],
)
def test_extensions_have_these_bytes(code, body, value) -> None:
    assert described(wire.decode(forged(code, body))) == described(value)


def forged(code: int, body: list) -> bytes:
    return msgpack.packb(msgpack.ExtType(code, msgpack.packb(body)))


@pytest.mark.parametrize(
    ("code", "body", "says"),
    [
        (1, ["<f8", [1 << 40], b""], "do not make shape"),
        (1, ["<f8", [-1], b"12345678"], "impossible shape"),
        (1, ["O", [1], b"12345678"], "do not cross"),
        (1, ["f8,O", [1], b"1234567812345678"], "do not cross"),
        (1, ["<f8", [0] * 40, b""], "impossible shape"),
        (3, ["load", [1], False, "<f8", b"12345678"], "unknown torch dtype"),
        (3, ["float32", [1], False, "<f8", b"12345678"], "sent as torch.float32"),
        (99, [], "unknown extension"),
    ],
)
def test_lies_about_arrays_are_caught(code, body, says) -> None:
    with pytest.raises(wire.ProtocolError, match=says):
        wire.decode(forged(code, body))


def packed_list(number: int, one: bytes) -> bytes:
    return b"\xdd" + number.to_bytes(4, "big") + number * one


def colliding(number: int) -> list[int]:
    """Integers that Python gives the same hash."""
    return [((1 << 61) - 1) * ((i + 1) << 64) for i in range(number)]


def nested(depth: int) -> bytes:
    body = b"\x01"
    for _ in range(depth):
        body = msgpack.packb(msgpack.ExtType(4, b"\x91" + body))
    return body


def in_ext(code: int, items: list) -> bytes:
    return msgpack.packb(msgpack.ExtType(code, wire.encode(items)[4:]))


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (nested(200), "more than 32 tuples"),
        (in_ext(8, colliding(5000)), "keys with the same hash"),
        (b"\xde\x13\x88" + b"".join(wire.encode(i)[4:] + b"\x01" for i in colliding(5000)),
         "keys with the same hash"),
        (packed_list(1 << 20, b"\x80"), "more than 250,000 lists"),
        (packed_list(1 << 20, b"\x90"), "more than 250,000 lists"),
        (packed_list(1 << 20, b"\xd4\x01\x00"), "undecodable|more than 250,000"),
        (packed_list(5, packed_list(1 << 20, b"\x01")), "more than 4,000,000 items"),
        (packed_list(1 << 23, b"\x01"), "exceeds max_array_len"),
        (forged(1, ["<f8", [11_000_000, 0], b""]), "impossible shape"),
    ],
)  # fmt: skip
def test_what_takes_far_more_than_its_bytes_is_refused(body: bytes, says: str) -> None:
    began = time.process_time()
    with pytest.raises(wire.ProtocolError, match=says):
        wire.decode(body)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "value",
    [
        [[] for _ in range(300_000)],
        [() for _ in range(300_000)],
        {i: {} for i in range(300_000)},
        reduce(lambda inner, _: (inner,), range(40), 0),
        list(range(5_000_000)),
    ],
)
def test_who_answers_with_too_much_is_told_before_it_is_sent(value: Any) -> None:
    with pytest.raises(wire.WireError, match=r"cannot be sent: (more than|lists and)"):
        wire.encode(value)


def test_large_honest_answers_cross() -> None:
    distances = np.arange(200_000.0).reshape(200, 1000)
    for value in (
        distances.tolist(),
        [np.zeros(3) for _ in range(2000)],
        {f"word {i}": i for i in range(2000)},
        {(i, -i): 0.5 for i in range(2000)},
        reduce(lambda inner, _: (inner,), range(30), 0),
        np.zeros((5000, 0)),
    ):
        assert described(round_trip(value)) == described(value)


def test_frames_are_cut_wherever_the_bytes_break() -> None:
    stream = b"".join(wire.encode(n) for n in range(20))
    reader = wire.FrameReader()
    bodies = [b for i in range(0, len(stream), 3) for b in reader.feed(stream[i : i + 3])]
    assert [wire.decode(b) for b in bodies] == list(range(20))


def test_an_announced_frame_that_is_too_large_is_refused_at_once() -> None:
    with pytest.raises(wire.ProtocolError, match="announced"):
        list(wire.FrameReader().feed((wire.MAX_FRAME + 1).to_bytes(4, "big")))
