"""Convolution and max-pooling against torch, in float64, and all ways against each other."""

import tracemalloc

import numpy as np
import pytest
import torch
from torch.nn import functional

from cs231n_lib import fast_layers
from cs231n_lib.fast_layers import conv, pool
from cs231n_lib.im2col import col2im_indices, get_im2col_indices, im2col_indices
from cs231n_lib.windows import Grid, windows, zeros_around

CONV_WAYS = ("fast", "im2col", "strides")
POOL_WAYS = ("fast", "im2col", "reshape")

# (N, C, F), (H, W), (HH, WW), stride, pad
CONVOLUTIONS = [
    ((2, 3, 4), (4, 4), (4, 4), 2, 1),
    ((2, 3, 4), (5, 5), (3, 3), 1, 1),
    ((3, 2, 5), (7, 5), (3, 3), 2, 1),
    ((1, 1, 1), (5, 5), (5, 5), 1, 2),
    ((2, 4, 3), (6, 9), (3, 2), 1, 0),
    ((2, 2, 3), (8, 6), (2, 4), 2, 0),
    ((3, 5, 2), (4, 7), (1, 1), 1, 0),  # 1 x 1
    ((2, 3, 2), (7, 4), (1, 1), 3, 0),  # pixels that no window sees
    ((2, 3, 2), (9, 8), (2, 1), 7, 0),
    ((1, 2, 7), (3, 2), (5, 6), 1, 2),  # a window larger than the image
    ((2, 2, 2), (1, 1), (1, 1), 1, 3),  # windows that see nothing but padding
    ((5, 1, 3), (2, 12), (2, 3), 3, 0),
]
# (N, C), (H, W), (height, width), stride
POOLINGS = [
    ((2, 3), (4, 4), (2, 2), 2),
    ((2, 3), (6, 9), (3, 3), 3),
    ((3, 2), (8, 5), (2, 3), 1),
    ((1, 4), (7, 9), (3, 3), 2),
    ((2, 2), (5, 6), (5, 6), 1),
    ((3, 1), (5, 8), (1, 2), 2),  # pixels that no window sees
    ((2, 5), (3, 4), (1, 1), 1),
    ((1, 1), (40, 40), (20, 20), 20),  # more pixels in a window than a byte counts
]


def random_convolution(seed: int) -> tuple[tuple[int, ...], ...]:
    """As in CONVOLUTIONS."""
    rng = np.random.default_rng(seed)
    window, stride, pad = rng.integers(1, 5, 2), rng.integers(1, 4), rng.integers(0, 3)
    size = window + stride * rng.integers(1, 5, 2)
    size = np.where(size > 2 * pad, size - 2 * pad, size)
    fits = (size + 2 * pad - window) % stride == 0
    size = np.where(fits, size, window + 2 * stride * pad)
    channels = tuple(map(int, rng.integers(1, 6, 3)))
    return channels, tuple(map(int, size)), tuple(map(int, window)), int(stride), int(pad)


MANY = CONVOLUTIONS + [random_convolution(seed) for seed in range(40)]


def conv_arrays(case, dtype=np.float64):
    """x, w, b, conv_param."""
    (n, c, f), size, window, stride, pad = case
    rng = np.random.default_rng(n + 10 * c + 100 * f)
    arrays = (rng.normal(size=s) for s in ((n, c, *size), (f, c, *window), (f,)))
    return *(a.astype(dtype) for a in arrays), {"stride": stride, "pad": pad}


def pool_arrays(case, dtype=np.float64):
    """x, pool_param. No two pixels of x are equal, and all are negative."""
    (n, c), size, (height, width), stride = case
    order = np.random.default_rng(1).permutation(n * c * size[0] * size[1])
    x = -1 - order.reshape(n, c, *size).astype(dtype)
    return x, {"pool_height": height, "pool_width": width, "stride": stride}


def run(layer: str, way: str, *arguments, dout=None):
    """(out, gradients...); dout defaults to something fixed."""
    out, cache = getattr(fast_layers, f"{layer}_forward_{way}")(*arguments)
    if dout is None:
        dout = np.random.default_rng(7).normal(size=out.shape).astype(out.dtype)
    back = getattr(fast_layers, f"{layer}_backward_{way}")(dout, cache)
    return [out, *(back if isinstance(back, tuple) else (back,))], dout


def torch_answers(function, arrays, dout):
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    out = function(*leaves)
    gradients = torch.autograd.grad(out, leaves, torch.tensor(dout))
    return [out.detach().numpy(), *(g.numpy() for g in gradients)]


def assert_all_close(found, wanted, tolerance=1e-12):
    for number, (one, other) in enumerate(zip(found, wanted, strict=True)):
        assert one.shape == other.shape
        assert one.flags.c_contiguous
        scale = max(1.0, float(np.abs(other).max()))
        np.testing.assert_allclose(one, other, 0, tolerance * scale, err_msg=f"answer {number}")


@pytest.mark.parametrize("way", CONV_WAYS)
@pytest.mark.parametrize("case", MANY, ids=str)
def test_convolution_is_torch_s(case, way: str) -> None:
    x, w, b, param = conv_arrays(case)
    answers, dout = run("conv", way, x, w, b, param)
    wanted = torch_answers(
        lambda x, w, b: functional.conv2d(x, w, b, param["stride"], param["pad"]), (x, w, b), dout
    )
    assert_all_close(answers, wanted)


@pytest.mark.parametrize("way", POOL_WAYS)
@pytest.mark.parametrize("case", POOLINGS, ids=str)
def test_pooling_is_torch_s(case, way: str) -> None:
    x, param = pool_arrays(case)
    size, stride = (param["pool_height"], param["pool_width"]), param["stride"]
    if way == "reshape" and size != (stride, stride):
        with pytest.raises(ValueError, match="squares side by side; use max_pool_forward_fast"):
            run("max_pool", way, x, param)
        return
    answers, dout = run("max_pool", way, x, param)
    wanted = torch_answers(lambda x: functional.max_pool2d(x, size, stride), (x,), dout)
    assert_all_close(answers, wanted)


@pytest.mark.parametrize("limit", [1, 100, 1000, 5000])
@pytest.mark.parametrize("case", MANY[::4], ids=str)
def test_blocks_do_not_change_the_answer(case, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = conv_arrays(case)
    whole, _ = run("conv", "fast", *arguments)
    monkeypatch.setattr(conv, "BLOCK_BYTES", limit)
    pieces, _ = run("conv", "fast", *arguments)
    assert_all_close(pieces, whole)


@pytest.mark.parametrize("limit", [1, 200, 2000])
@pytest.mark.parametrize("case", POOLINGS, ids=str)
def test_pooling_in_blocks(case, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = pool_arrays(case)
    whole, _ = run("max_pool", "fast", *arguments)
    monkeypatch.setattr(pool, "BLOCK_BYTES", limit)
    assert_all_close(run("max_pool", "fast", *arguments)[0], whole)


# Of 6912 bytes for a row of places, 6 rows an image, 7 images.
@pytest.mark.parametrize(("limit", "count"), [(1, 42), (14000, 21), (90000, 4), (10**9, 1)])
def test_blocks_cover_every_place_once(
    limit: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conv, "BLOCK_BYTES", limit)
    seen = np.zeros((7, 16, 3, 3, 6, 6))
    hits = np.zeros((7, 6, 6), int)
    flat = np.zeros((7, 36), int)
    pieces = list(conv.blocks(seen, seen.itemsize))
    for block in pieces:
        hits[block.images, block.rows] += 1
        flat[block.images, block.places] += 1
    assert (hits == 1).all()
    assert (flat == 1).all()
    assert len(pieces) == count


def test_the_columns_of_the_batch_are_never_all_in_memory() -> None:
    """They would be 25 times as large as the images; a single block is enough."""
    x, w, b, param = conv_arrays(((40, 4, 2), (24, 24), (5, 5), 1, 2), np.float32)
    columns = 25 * x.nbytes
    tracemalloc.start()
    try:
        run("conv", "fast", x, w, b, param)
        assert tracemalloc.get_traced_memory()[1] < 10 * x.nbytes + 2 * conv.BLOCK_BYTES < columns
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("way", CONV_WAYS)
def test_convolution_in_float32_stays_there(way: str) -> None:
    case = ((4, 8, 6), (9, 7), (3, 3), 2, 1)
    answers, _ = run("conv", way, *conv_arrays(case, np.float32))
    wanted, _ = run("conv", way, *conv_arrays(case))
    assert {a.dtype for a in answers} == {np.dtype(np.float32)}
    # Another dout: only what comes out of the forward pass can be compared.
    np.testing.assert_allclose(answers[0], wanted[0], 0, 1e-4)
    x, w, b, param = conv_arrays(case, np.float32)
    dout = np.random.default_rng(1).normal(size=answers[0].shape)
    single, _ = run("conv", way, x, w, b, param, dout=dout)  # float64 upstream
    double, _ = run("conv", way, *(a.astype(np.float64) for a in (x, w, b)), param, dout=dout)
    assert {a.dtype for a in single} == {np.dtype(np.float32)}
    assert_all_close(single, double, 1e-5)


@pytest.mark.parametrize("way", POOL_WAYS)
def test_pooling_in_float32_stays_there(way: str) -> None:
    answers, _ = run("max_pool", way, *pool_arrays(POOLINGS[0], np.float32))
    assert {a.dtype for a in answers} == {np.dtype(np.float32)}


def test_whole_numbers_are_computed_in_float64() -> None:
    x, param = np.arange(16).reshape(1, 1, 4, 4), {"stride": 1, "pad": 0}
    for way in CONV_WAYS:
        answers, _ = run("conv", way, x, np.ones((1, 1, 2, 2), int), np.zeros(1, int), param)
        assert {a.dtype for a in answers} == {np.dtype(np.float64)}
        assert answers[0][0, 0, 0, 0] == 0 + 1 + 4 + 5
    answers, _ = run("max_pool", "fast", x, {"pool_height": 2, "pool_width": 2, "stride": 2})
    assert {a.dtype for a in answers} == {np.dtype(np.float64)}


@pytest.mark.parametrize("way", CONV_WAYS)
@pytest.mark.parametrize("case", MANY[:8], ids=str)
def test_convolution_takes_any_memory_order_and_changes_nothing(case, way: str) -> None:
    x, w, b, param = conv_arrays(case)
    wanted, dout = run("conv", way, x, w, b, param)
    channels_last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    every_other = np.repeat(w, 2, axis=3)[..., ::2]
    strided_dout = np.asfortranarray(dout)
    given = (channels_last, every_other, np.repeat(b, 3)[::3])
    before = [a.copy() for a in (*given, strided_dout)]
    for array in (*given, strided_dout):
        array.flags.writeable = False
    answers, _ = run("conv", way, *given, param, dout=strided_dout)
    assert_all_close(answers, wanted)
    for array, copy in zip((*given, strided_dout), before, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert not any(np.shares_memory(a, g) for a in answers for g in given)
    assert param == conv_arrays(case)[3]


@pytest.mark.parametrize("way", POOL_WAYS)
def test_pooling_takes_any_memory_order_and_changes_nothing(way: str) -> None:
    x, param = pool_arrays(POOLINGS[1])
    wanted, dout = run("max_pool", way, x, param)
    turned = np.ascontiguousarray(x.transpose(2, 3, 1, 0)).transpose(3, 2, 0, 1)
    turned.flags.writeable = False
    answers, _ = run("max_pool", way, turned, param, dout=np.asfortranarray(dout))
    assert_all_close(answers, wanted)
    np.testing.assert_array_equal(turned, x)


@pytest.mark.parametrize("way", CONV_WAYS)
def test_one_hot_kernel_moves_the_image(way: str) -> None:
    """Correlation, not convolution, and rows are not columns."""
    x = np.random.default_rng(0).normal(size=(2, 2, 4, 5))
    w = np.zeros((1, 2, 2, 3))
    w[0, 1, 0, 2] = 1
    forward = getattr(fast_layers, f"conv_forward_{way}")
    out, _ = forward(x, w, np.full(1, 10.0), {"stride": 1, "pad": 0})
    np.testing.assert_array_equal(out[:, 0], x[:, 1, :3, 2:] + 10)


def test_equal_pixels() -> None:
    """Nothing of the gradient is lost or doubled: the first gets it, or all share it."""
    x = np.zeros((1, 1, 2, 4))
    param = {"pool_height": 2, "pool_width": 2, "stride": 2}
    dout = np.array([[[[4.0, 8.0]]]])
    for way, wanted in {
        "fast": [[4, 0, 8, 0], [0, 0, 0, 0]],
        "im2col": [[4, 0, 8, 0], [0, 0, 0, 0]],
        "reshape": [[1, 1, 2, 2], [1, 1, 2, 2]],
    }.items():
        (_, dx), _ = run("max_pool", way, x, param, dout=dout)
        np.testing.assert_array_equal(dx[0, 0], wanted, err_msg=way)


def test_the_cache_survives_work_in_place() -> None:
    """A later layer may overwrite what pooling returned."""
    x, param = pool_arrays(POOLINGS[0])
    for way in POOL_WAYS:
        (_, wanted), dout = run("max_pool", way, x, param)
        out, cache = getattr(fast_layers, f"max_pool_forward_{way}")(x, param)
        out[...] = 0
        np.testing.assert_array_equal(
            getattr(fast_layers, f"max_pool_backward_{way}")(dout, cache), wanted
        )


GOOD = {
    "x": np.zeros((2, 3, 5, 6)),
    "w": np.zeros((4, 3, 3, 2)),
    "b": np.zeros(4),
    "conv_param": {"stride": 1, "pad": 0},
}


@pytest.mark.parametrize("way", CONV_WAYS)
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"x": np.zeros((3, 5, 6))}, r"x has shape \(3, 5, 6\); it must be \(N, C, H, W\)"),
        ({"x": np.zeros((0, 3, 5, 6))}, r"x has shape \(0, 3, 5, 6\).*none of them 0"),
        ({"w": np.zeros((4, 3))}, r"w has shape \(4, 3\); it must be \(F, C, HH, WW\)"),
        ({"w": np.zeros((4, 2, 3, 3))}, r"3 channels .*filters 2 .*Axis 1 of both"),
        ({"b": np.zeros((4, 1))}, r"b has shape \(4, 1\); 4 filters.*so \(4,\)"),
        ({"conv_param": {"pad": 0}}, "conv_param has no 'stride'; it needs stride, pad"),
        ({"conv_param": {}}, "conv_param has no 'stride' and no 'pad'"),
        ({"conv_param": {"stride": 0, "pad": 0}}, "stride is 0; .* whole number from 1 on"),
        ({"conv_param": {"stride": 1, "pad": -1}}, "pad is -1; .* whole number from 0 on"),
        ({"conv_param": {"stride": 1.0, "pad": 0}}, "stride is 1.0; .* whole number"),
        ({"conv_param": {"stride": 1, "pad": (1, 1)}}, r"pad is \(1, 1\); .* whole number"),
        (
            {"conv_param": {"stride": 3, "pad": 0}},
            "height 3 do not fill an image of height 5: .* 2 pixels, .*stride 3. Take stride 1 or",
        ),
        (
            {"conv_param": {"stride": 4, "pad": 1}},
            r"width 2 do not fill an image of width 6 \+ 2 \* 1 \(pad\): .* Take stride 1 or 2",
        ),
        (
            {"w": np.zeros((4, 3, 8, 2)), "conv_param": {"stride": 1, "pad": 1}},
            r"window of height 8 is larger than the image, whose height is 5 \+ 2 \* 1 \(pad\)",
        ),
    ],
)
def test_convolutions_that_do_not_fit(way: str, changed: dict, message: str) -> None:
    with pytest.raises(ValueError, match=f"^conv_forward_{way}: .*{message}"):
        getattr(fast_layers, f"conv_forward_{way}")(*{**GOOD, **changed}.values())


@pytest.mark.parametrize("way", POOL_WAYS)
@pytest.mark.parametrize(
    ("shape", "param", "message"),
    [
        ((2, 4, 4), (2, 2, 2), r"x has shape \(2, 4, 4\)"),
        ((2, 3, 5, 4), (2, 2, 2), "windows of height 2 do not fill an image of height 5: "),
        ((2, 3, 4, 4), (5, 2, 1), "window of height 5 is larger than the image"),
        ((2, 3, 4, 4), (2, 0, 1), "the width of the window is 0"),
        ((2, 3, 4, 4), (2, 2), "pool_param has no 'stride'"),
    ],
)
def test_poolings_that_do_not_fit(way: str, shape, param, message: str) -> None:
    settings = dict(zip(("pool_height", "pool_width", "stride"), param, strict=False))
    with pytest.raises(ValueError, match=f"^max_pool_forward_{way}: .*{message}"):
        getattr(fast_layers, f"max_pool_forward_{way}")(np.zeros(shape), settings)


@pytest.mark.parametrize("layer", ["conv", "max_pool"])
def test_what_the_backward_functions_refuse(layer: str) -> None:
    arguments = (
        tuple(GOOD.values())
        if layer == "conv"
        else (np.zeros((2, 4, 3, 5)), {"pool_height": 1, "pool_width": 1, "stride": 1})
    )
    for way in CONV_WAYS if layer == "conv" else POOL_WAYS:
        _, cache = getattr(fast_layers, f"{layer}_forward_{way}")(*arguments)
        back = getattr(fast_layers, f"{layer}_backward_{way}")
        message = rf"{layer}_backward_{way}: dout has shape \(2, 4, 3\), .* had \(2, 4, 3, 5\)"
        with pytest.raises(ValueError, match=message):
            back(np.zeros((2, 4, 3)), cache)
    back = getattr(fast_layers, f"{layer}_backward_fast")
    with pytest.raises(TypeError, match=f"the cache is a tuple, not what {layer}_forward_fast"):
        back(np.zeros((2, 4, 3, 5)), arguments)


@pytest.mark.parametrize("case", MANY, ids=str)
def test_columns_and_back(case) -> None:
    x, w, _, param = conv_arrays(case)
    field = (*w.shape[2:], param["pad"], param["stride"])
    grid = Grid(*x.shape[2:], *field[:2], param["stride"], param["pad"])
    k, i, j = get_im2col_indices(x.shape, *field)
    assert k.shape == (x.shape[1] * field[0] * field[1], 1)
    assert i.shape == j.shape == (len(k), grid.places)
    columns = im2col_indices(x, *field)
    assert columns.shape == (len(k), grid.places * len(x))
    padded = np.pad(x, ((0, 0), (0, 0), (param["pad"],) * 2, (param["pad"],) * 2))
    for place in range(grid.places):
        row, column = (param["stride"] * at for at in divmod(place, grid.out_width))
        seen = padded[:, :, row : row + field[0], column : column + field[1]]
        found = columns[:, place * len(x) : (place + 1) * len(x)]
        np.testing.assert_array_equal(found, seen.reshape(len(x), -1).T)
    # <im2col(x), c> = <x, col2im(c)> for every c: the one is the transpose of the other.
    c = np.random.default_rng(0).normal(size=columns.shape)
    back = col2im_indices(c, x.shape, *field)
    assert back.shape == x.shape
    assert np.sum(columns * c) == pytest.approx(np.sum(x * back), rel=1e-10, abs=1e-10)


def test_columns_keep_the_type_and_know_their_defaults() -> None:
    x = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    columns = im2col_indices(x, 3, 3)
    assert columns.shape == (27, 4 * 5 * 2)
    assert columns.dtype == np.float32
    back = col2im_indices(columns, x.shape)
    assert back.dtype == np.float32
    assert back[1, 2, 1, 1] == 9 * x[1, 2, 1, 1]


def test_what_columns_refuse() -> None:
    with pytest.raises(ValueError, match="im2col_indices: windows of height 2 do not fill"):
        im2col_indices(np.zeros((1, 1, 5, 4)), 2, 2, padding=0, stride=2)
    with pytest.raises(ValueError, match=r"get_im2col_indices: x has shape \(5, 4\)"):
        get_im2col_indices((5, 4), 2, 2)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match=r"col2im_indices: cols has shape \(4, 4\);.*\(4, 8\)"):
        col2im_indices(np.zeros((4, 4)), (2, 1, 4, 4), 2, 2, padding=0, stride=2)


def test_windows_are_a_view() -> None:
    grid = Grid(4, 6, 2, 2, 2, 0)
    image = zeros_around(np.empty((1, 1, 4, 6)), grid, np.float64)
    windows(image, grid)[:, :, 0, 1] += 1
    np.testing.assert_array_equal(image[0, 0], np.tile([[0, 1], [0, 0]], (2, 3)))
