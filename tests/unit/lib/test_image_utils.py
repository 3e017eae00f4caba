"""Pictures to tensors and back, against explicit NumPy."""

import http.server
import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from cs231n_lib import image_utils, net_visualization, style_transfer
from cs231n_lib.data import scene_images
from cs231n_lib.errors import DataError
from cs231n_lib.image_utils import SQUEEZENET, SQUEEZENET_MEAN, SQUEEZENET_STD, Preprocessing
from cs231n_lib.models import EFFICIENTNET_LITE

BOTH = pytest.mark.parametrize("preprocessing", [SQUEEZENET, EFFICIENTNET_LITE])
RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, size=(6, 9, 3), dtype=np.uint8)


def test_the_public_constants() -> None:
    assert SQUEEZENET_MEAN.dtype == SQUEEZENET_STD.dtype == np.float32
    np.testing.assert_allclose(SQUEEZENET_MEAN, [0.485, 0.456, 0.406], rtol=1e-6)
    np.testing.assert_allclose(SQUEEZENET_STD, [0.229, 0.224, 0.225], rtol=1e-6)
    assert hash(SQUEEZENET) == hash(Preprocessing(SQUEEZENET.mean, SQUEEZENET.std))


def test_preprocess_image_normalises_each_colour() -> None:
    out = image_utils.preprocess_image(PICTURE)
    assert out.dtype == np.float32
    for colour in range(3):
        expected = PICTURE[..., colour] / 255 - SQUEEZENET_MEAN[colour]
        np.testing.assert_allclose(
            out[..., colour], expected / SQUEEZENET_STD[colour], rtol=1e-5, atol=1e-6
        )


def test_the_lite_network_takes_minus_127_over_128() -> None:
    out = image_utils.preprocess_image(PICTURE, EFFICIENTNET_LITE)
    np.testing.assert_allclose(out, (PICTURE.astype(float) - 127) / 128, atol=1e-6)


@BOTH
def test_deprocess_image_undoes_it_exactly(preprocessing: Preprocessing) -> None:
    every_value = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, -1)
    there = image_utils.preprocess_image(every_value, preprocessing)
    back = image_utils.deprocess_image(there, preprocessing=preprocessing)
    np.testing.assert_array_equal(back, every_value)


def test_deprocess_image_clips_or_rescales() -> None:
    wild = np.linspace(-40, 40, 48).reshape(4, 4, 3)
    clipped = image_utils.deprocess_image(wild)
    assert clipped.dtype == np.uint8
    assert clipped[0, 0].tolist() == [0, 0, 0]
    assert clipped[-1, -1].tolist() == [255, 255, 255]
    values = wild * SQUEEZENET_STD + SQUEEZENET_MEAN
    expected = 255 * (values - values.min()) / (values.max() - values.min())
    rescaled = image_utils.deprocess_image(wild, rescale=True)
    np.testing.assert_array_equal(rescaled, np.rint(expected))


def test_a_uniform_image_can_be_rescaled() -> None:
    grey = Preprocessing(mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0))
    out = image_utils.deprocess_image(np.zeros((2, 2, 3)), rescale=True, preprocessing=grey)
    assert not out.any()
    assert not net_visualization.rescale(torch.full((1, 3, 2, 2), 7.0)).any()


def test_channels_must_be_last() -> None:
    with pytest.raises(ValueError, match=r"\(3, 8, 8\)"):
        image_utils.preprocess_image(np.zeros((3, 8, 8)))


@pytest.mark.parametrize(("size", "expected"), [(None, (6, 9)), (6, (6, 9)), (4, (4, 6))])
def test_load_image_sets_the_shorter_side(
    tmp_path: Path, size: int | None, expected: tuple[int, int]
) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    loaded = image_utils.load_image(tmp_path / "a.png", size)
    assert loaded.dtype == np.uint8
    assert loaded.shape == (*expected, 3)
    if size in (None, 6):
        np.testing.assert_array_equal(loaded, PICTURE)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "1"])
def test_load_image_is_always_rgb(tmp_path: Path, mode: str) -> None:
    Image.fromarray(PICTURE).convert(mode).save(tmp_path / "a.png")
    assert image_utils.load_image(tmp_path / "a.png").shape == (6, 9, 3)


def test_load_image_turns_a_photograph_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held a quarter turn to the left
    Image.fromarray(PICTURE).save(tmp_path / "a.png", exif=exif)
    turned = image_utils.load_image(tmp_path / "a.png")
    np.testing.assert_array_equal(turned, np.rot90(PICTURE, -1))


@pytest.mark.parametrize("content", [None, b"no image", b"\x89PNG\r\n\x1a\n cut off"])
def test_an_unreadable_image_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.png: cannot be read"):
        image_utils.load_image(path)


def test_half_an_image_is_refused(tmp_path: Path) -> None:
    noise = RNG.integers(0, 256, size=(64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.png")
    content = (tmp_path / "whole.png").read_bytes()
    (tmp_path / "half.png").write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"half\.png"):
        image_utils.load_image(tmp_path / "half.png")


def test_blur_image_mixes_nine_pixels() -> None:
    X = RNG.normal(size=(2, 3, 5, 7))
    before = X.copy()
    kernel = np.outer([0.015, 0.97, 0.015], [0.015, 0.97, 0.015])
    padded = np.pad(X, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    expected = sum(
        kernel[i, j] * padded[:, :, i : i + 5, j : j + 7] for i in range(3) for j in range(3)
    )
    np.testing.assert_allclose(image_utils.blur_image(X), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(X, before)
    assert image_utils.blur_image(X.astype(np.float32)).dtype == np.float32
    with pytest.raises(ValueError, match=r"\(5, 7\)"):
        image_utils.blur_image(X[0, 0])


# --- from the web ---------------------------------------------------------------------------


_had_enough = threading.Event()


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "file:///etc/hostname")
            self.end_headers()
            return
        if self.path == "/slow":  # a byte now and then, until the client has had enough
            self.send_response(200)
            self.end_headers()
            while not _had_enough.wait(0.02):
                self.wfile.write(b"x")
            return
        self.send_response(404 if self.path == "/lost" else 200)
        self.end_headers()
        buffer = io.BytesIO()
        Image.fromarray(PICTURE).save(buffer, "png")
        self.wfile.write(b"text" if self.path == "/text" else buffer.getvalue())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_image_from_url(site: str) -> None:
    found = image_utils.image_from_url(f"{site}/picture")
    assert found is not None
    np.testing.assert_array_equal(found, PICTURE)


@pytest.mark.parametrize("path", ["/lost", "/text", "/moved"])
def test_no_image_there_gives_none(
    site: str, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert image_utils.image_from_url(site + path) is None
    assert path in capsys.readouterr().out


def test_nobody_there_gives_none() -> None:
    assert image_utils.image_from_url("http://127.0.0.1:9/") is None


def test_what_is_too_large_gives_none(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_utils, "_MAX_BYTES", 20)
    assert image_utils.image_from_url(f"{site}/picture") is None


def test_what_drips_gives_none_after_a_while(
    site: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No byte is late, so that a limit on silence would wait as long as the server likes."""
    monkeypatch.setattr(image_utils, "_PATIENCE", 0.5)
    started = time.monotonic()
    try:
        assert image_utils.image_from_url(f"{site}/slow") is None
    finally:
        _had_enough.set()
    assert 0.5 <= time.monotonic() - started < image_utils._SILENCE
    assert "which is too slow" in capsys.readouterr().out


def test_scenes_need_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("asked the network"))
    found = image_utils.image_from_url("scene://val/3")
    assert found is not None
    np.testing.assert_array_equal(found, scene_images("val", [3])[0])


@pytest.mark.parametrize(
    "url", ["scene://test/3", "scene://val/", "scene://val/-1", "scene://val/1000", "scene://val/a"]
)
def test_scenes_that_are_not_there(url: str) -> None:
    with pytest.raises(ValueError, match="scene"):
        image_utils.image_from_url(url)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://a/b", "a.png", ""])
def test_only_the_web_is_asked(url: str) -> None:
    with pytest.raises(ValueError, match="http"):
        image_utils.image_from_url(url)


# --- tensors --------------------------------------------------------------------------------


@BOTH
def test_preprocess_and_back(preprocessing: Preprocessing) -> None:
    x = net_visualization.preprocess(PICTURE, None, preprocessing)
    assert x.dtype == torch.float32
    assert x.shape == (1, 3, 6, 9)
    expected = image_utils.preprocess_image(PICTURE, preprocessing).transpose(2, 0, 1)
    np.testing.assert_array_equal(x[0].numpy(), expected)
    back = net_visualization.deprocess(x, False, preprocessing)
    np.testing.assert_array_equal(np.asarray(back), PICTURE)
    again = style_transfer.deprocess(x[0], False, preprocessing)
    np.testing.assert_array_equal(np.asarray(again), PICTURE)


def test_preprocess_takes_pictures_paths_and_arrays(tmp_path: Path) -> None:
    picture = Image.fromarray(PICTURE)
    picture.save(tmp_path / "a.png")
    from_array = net_visualization.preprocess(PICTURE)
    assert from_array.shape == (1, 3, 224, 336)
    for source in (picture, tmp_path / "a.png", str(tmp_path / "a.png")):
        assert torch.equal(net_visualization.preprocess(source), from_array)
    assert style_transfer.preprocess(picture).shape == (1, 3, 512, 768)
    with pytest.raises(ValueError, match="float64"):
        net_visualization.preprocess(np.zeros((6, 9, 3)))


def test_deprocess_rescales_unless_told_not_to() -> None:
    x = torch.tensor(RNG.normal(size=(1, 3, 5, 4)), requires_grad=True)
    pixels = np.asarray(net_visualization.deprocess(x))
    assert (pixels.min(), pixels.max()) == (0, 255)
    with pytest.raises(ValueError, match=r"\(2, 3, 4, 4\)"):
        net_visualization.deprocess(torch.zeros(2, 3, 4, 4))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_helpers_work_in_every_precision(dtype: torch.dtype) -> None:
    x = torch.tensor(RNG.normal(size=(1, 3, 8, 6))).to(dtype)
    assert net_visualization.deprocess(x).size == (6, 8)
    scaled = net_visualization.rescale(x)
    assert scaled.dtype == dtype
    assert (scaled.min(), scaled.max()) == (0, 1)
    assert net_visualization.blur_image(x.clone()).dtype == dtype


def test_blur_image_is_a_gaussian_in_place() -> None:
    sigma, n = 1.0, 15
    X = torch.zeros(2, 3, n, n, dtype=torch.float64)
    X[:, :, 7, 7] = 1
    leaf = X.requires_grad_()
    assert net_visualization.blur_image(leaf, sigma) is leaf
    assert leaf.is_leaf
    assert leaf.requires_grad
    bell = np.exp(-((np.arange(n) - 7.0) ** 2) / (2 * sigma**2))
    bell[np.abs(np.arange(n) - 7) > 4] = 0  # SciPy cuts off at four sigma
    bell /= bell.sum()
    np.testing.assert_allclose(leaf.detach()[1, 2].numpy(), np.outer(bell, bell), atol=1e-12)


@pytest.mark.parametrize(("ox", "oy"), [(0, 0), (1, 0), (0, -2), (3, 5), (-4, 2)])
def test_jitter_shifts_in_a_circle(ox: int, oy: int) -> None:
    X = torch.tensor(RNG.normal(size=(2, 3, 6, 5)))
    moved = net_visualization.jitter(X, ox, oy)
    for row in range(6):
        for column in range(5):
            expected = X[:, :, row, column]
            assert torch.equal(moved[:, :, (row + oy) % 6, (column + ox) % 5], expected)
    assert torch.equal(net_visualization.jitter(moved, -ox, -oy), X)
