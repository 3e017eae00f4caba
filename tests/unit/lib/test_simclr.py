"""SimCLR's networks, weights, pairs of views, and what measures features."""

import hashlib
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn
from torch.nn import functional

from cs231n_lib.data import spritecifar
from cs231n_lib.errors import DataError
from cs231n_lib.simclr import (
    CIFAR10Images,
    Classifier,
    Model,
    PairLoader,
    ResNet50Model,
    compute_test_transform,
    features_of,
    image_transforms,
    knn_accuracy,
    linear_probe,
    normalized,
    pretrained,
    pretrained_model,
    train_val,
    training,
    unnormalized,
)
from cs231n_lib.simclr.evaluation import knn_scores

PIXELS = image_transforms.Compose([image_transforms.ToTensor()])
MIRRORED = image_transforms.Compose([image_transforms.RandomHorizontalFlip(), PIXELS.transforms[0]])


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Several on cores that are busy with other tests take many times as long."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def seeded() -> torch.Generator:
    torch.manual_seed(0)
    return torch.Generator().manual_seed(0)


def plain_images(n: int, size: int = 32) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Image i has the value i everywhere in its left half, and is black in the right one."""
    images = np.zeros((n, size, size, 3), np.uint8)
    images[:, :, : size // 2] = np.arange(n, dtype=np.uint8)[:, None, None, None]
    return images


# --- networks -----------------------------------------------------------------------------------


def test_the_network_of_the_weights(seeded: torch.Generator) -> None:
    model = Model()
    assert sum(p.numel() for p in model.parameters()) == 1_325_344
    x = torch.randn(4, 3, 32, 32, generator=seeded)
    feature, projection = model(x)
    assert feature.shape == (4, 256)
    assert projection.shape == (4, 128)
    for rows in (feature, projection):
        torch.testing.assert_close(rows.norm(dim=1), torch.ones(4))
    model.eval()
    raw = model.f(x)
    assert (raw.norm(dim=1) - 1).abs().min() > 1e-3, "f itself does not normalise"
    torch.testing.assert_close(functional.normalize(raw), model(x)[0])
    torch.testing.assert_close(functional.normalize(model.g(raw)), model(x)[1])
    projection = model(x)[1]
    projection[0].sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_other_sizes(seeded: torch.Generator) -> None:
    tiny = Model(feature_dim=5, width=2).double()
    feature, projection = tiny(torch.randn(3, 3, 16, 24, generator=seeded).double())
    assert (feature.shape, projection.shape) == ((3, 16), (3, 5))
    assert (tiny.feature_size, feature.dtype) == (16, torch.float64)
    with pytest.raises(ValueError, match="width=0"):
        Model(width=0)


def test_resnet50_where_torchvision_is(
    monkeypatch: pytest.MonkeyPatch, seeded: torch.Generator
) -> None:
    """With a stand-in: its stages by name, of which the pooling and the classifier are left out."""

    class Stage(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x.mean(1, keepdim=True).expand(-1, 2048, -1, -1)

    def resnet50(weights: None) -> nn.Module:
        assert weights is None, "nothing is downloaded"
        net = nn.Module()
        net.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        net.bn1, net.relu = nn.BatchNorm2d(64), nn.ReLU(inplace=True)
        net.maxpool = nn.MaxPool2d(3, 2, 1)
        net.layer4, net.avgpool, net.fc = Stage(), nn.AdaptiveAvgPool2d(1), nn.Linear(2048, 1000)
        return net

    models = types.ModuleType("torchvision.models")
    models.resnet50 = resnet50  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, "torchvision", types.ModuleType("torchvision"))
    monkeypatch.setitem(sys.modules, "torchvision.models", models)
    model = ResNet50Model(feature_dim=7)
    first = model.f[0]
    assert isinstance(first, nn.Conv2d)
    assert (first.kernel_size, first.stride, first.padding) == ((3, 3), (1, 1), (1, 1))
    assert first.bias is None
    assert not any(isinstance(part, nn.MaxPool2d | nn.Linear) for part in model.f)
    assert [tuple(p.shape) for p in model.g.parameters()] == [
        (512, 2048), (512,), (512,), (7, 512), (7,),
    ]  # fmt: skip
    feature, projection = model(torch.randn(2, 3, 8, 8, generator=seeded))
    assert (feature.shape, projection.shape) == ((2, 2048), (2, 7))
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(DataError, match="use Model"):
        ResNet50Model()


# --- the weights that ship ----------------------------------------------------------------------


def test_the_pretrained_network_is_what_was_published() -> None:
    state = torch.get_rng_state()
    model = pretrained_model()
    assert torch.equal(torch.get_rng_state(), state), "loading draws no random number"
    assert not any(module.training for module in model.modules())
    assert all(p.requires_grad and p.dtype == torch.float32 for p in model.parameters())
    content = (pretrained.FOLDER / pretrained.WEIGHTS.name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == pretrained.WEIGHTS.sha256
    about = (pretrained.FOLDER / "WEIGHTS.md").read_text("utf-8")
    assert pretrained.WEIGHTS.sha256 in about
    assert all(word in about for word in ("Apache-2.0", "SPRITES.md", "tools/pretrain_simclr.py"))


def test_it_knows_classes_that_nobody_told_it() -> None:
    """Drawings that it has not seen; nearest neighbours, against those of random weights."""
    images, labels = spritecifar.load("train", 300)
    others, truth = spritecifar.load("test", 100)
    torch.manual_seed(0)
    right = {
        name: knn_accuracy(
            features_of(model, images), labels, features_of(model, others), truth, 20
        )
        for name, model in (("pretrained", pretrained_model()), ("random", Model()))
    }
    assert right["pretrained"] > 0.5, right
    assert right["random"] < 0.4, right


@pytest.mark.parametrize("damage", ["other", "cut", "gone"])
def test_damaged_weights_are_refused(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = (pretrained.FOLDER / pretrained.WEIGHTS.name).read_bytes()
    if damage != "gone":
        content = whole[:-1] if damage == "cut" else whole[:-1] + bytes([whole[-1] ^ 1])
        (tmp_path / pretrained.WEIGHTS.name).write_bytes(content)
    monkeypatch.setattr(pretrained, "FOLDER", tmp_path)
    with pytest.raises(DataError, match="install cs231n-course again"):
        pretrained_model()


# --- images and pairs ---------------------------------------------------------------------------


def test_images_one_by_one() -> None:
    images = CIFAR10Images(plain_images(5), np.arange(5), target_transform=lambda y: y * 10)
    assert images.data.shape == (5, 32, 32, 3)
    assert images.targets == [0, 1, 2, 3, 4]
    assert len(images) == 5
    image, target = images[3]
    assert isinstance(image, Image.Image)
    assert image.getpixel((0, 0)) == (3, 3, 3)
    assert target == 30
    tensor, target = CIFAR10Images(torch.from_numpy(plain_images(5)), range(5), PIXELS)[4]
    assert tensor[:, 0, 0].tolist() == pytest.approx([4 / 255] * 3)
    assert target == 4
    loader = torch.utils.data.DataLoader(CIFAR10Images(plain_images(5), range(5), PIXELS), 2)
    assert [tuple(x.shape) for x, _ in loader] == [(2, 3, 32, 32)] * 2 + [(1, 3, 32, 32)]


@pytest.mark.parametrize("build", [CIFAR10Images, lambda x, y: PairLoader(x, y, PIXELS, 2)])
def test_images_that_are_none_are_refused(build: Any) -> None:
    with pytest.raises(ValueError, match=r"float64 \(4, 8, 8, 3\)"):
        build(np.zeros((4, 8, 8, 3)), range(4))
    with pytest.raises(ValueError, match=r"uint8 \(4, 3, 8, 8\)"):
        build(np.zeros((4, 3, 8, 8), np.uint8), range(4))
    with pytest.raises(ValueError, match="4 images need as many labels"):
        build(np.zeros((4, 8, 8, 3), np.uint8), range(5))


def test_pairs_are_two_views_of_one_image_with_its_label() -> None:
    loader = PairLoader(plain_images(100), np.arange(100) + 100, MIRRORED, batch_size=30, seed=5)
    assert len(loader) == 3
    seen, alike = [], []
    for x_i, x_j, target in loader:
        assert x_i.shape == x_j.shape == (30, 3, 32, 32)
        assert target.dtype == torch.int64
        for view in (x_i, x_j):
            values = (view.amax((1, 2, 3)) * 255).round().long()
            assert torch.equal(values, target - 100)
        alike.append((x_i == x_j).flatten(1).all(1))
        seen += target.tolist()
    assert len(set(seen)) == 90, "no image twice, and those left that fill no batch"
    assert seen != sorted(seen)
    assert 0.3 < torch.cat(alike).float().mean() < 0.7, "the views are independent"


def test_passes_differ_and_follow_from_the_seed() -> None:
    def passes(seed: int) -> list[Tensor]:
        loader = PairLoader(plain_images(40), range(40), MIRRORED, 20, seed)
        return [torch.cat([part for batch in loader for part in batch[:2]]) for _ in range(2)]

    state = torch.get_rng_state()
    first, again, other = passes(1), passes(1), passes(2)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first[0], other[0])


@pytest.mark.parametrize("batch_size", [1, 41])
def test_batches_without_pairs_are_refused(batch_size: int) -> None:
    with pytest.raises(ValueError, match="40 images"):
        PairLoader(plain_images(40), range(40), PIXELS, batch_size)


# --- what features are worth --------------------------------------------------------------------


def test_features_are_those_of_f_in_evaluation_mode(seeded: torch.Generator) -> None:
    model = Model(width=2).train()
    model.g.eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    images = torch.randint(0, 256, (7, 32, 32, 3), generator=seeded, dtype=torch.uint8)
    features = features_of(model, images, batch_size=3)
    assert features.shape == (7, 16)
    assert not features.requires_grad
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert (model.training, model.f.training, model.g.training) == (True, True, False)
    torch.testing.assert_close(features, features_of(model, images.numpy()))
    torch.testing.assert_close(features, features_of(model, normalized(images)))
    torch.testing.assert_close(features, features_of(model.f, images), msg="an encoder alone")
    torch.testing.assert_close(features, model.eval().f(normalized(images)))
    with pytest.raises(ValueError, match="images must be"):
        features_of(model, np.zeros((2, 3, 8, 8), np.uint8))
    (features.requires_grad_() * 2).sum().backward()  # usable in autograd


def test_normalised_and_back(seeded: torch.Generator) -> None:
    images = torch.randint(0, 256, (3, 4, 5, 3), generator=seeded, dtype=torch.uint8)
    one = compute_test_transform()(Image.fromarray(images[1].numpy()))
    torch.testing.assert_close(normalized(images)[1], one)
    torch.testing.assert_close(unnormalized(normalized(images)), images / 255)
    assert unnormalized(torch.full((1, 3, 2, 2), 9.0)).max() == 1


def test_neighbours_vote_by_nearness(seeded: torch.Generator) -> None:
    """Against the formula, one query and one neighbour at a time."""
    known = torch.randn(60, 4, generator=seeded).double()
    labels = torch.randint(0, 3, (60,), generator=seeded)
    queries = torch.randn(9, 4, generator=seeded).double() * 5
    for k, temperature in ((1, 0.5), (7, 0.1), (60, 0.5), (200, 1.0)):
        scores = knn_scores(known, labels, queries, 3, k, temperature)
        for query, votes in zip(queries, scores, strict=True):
            cosine = functional.cosine_similarity(query[None], known)
            near = sorted(range(60), key=lambda n: -cosine[n].item())[:k]
            wanted = [0.0] * 3
            for n in near:
                wanted[int(labels[n])] += np.exp(cosine[n].item() / temperature)
            np.testing.assert_allclose(votes, wanted, rtol=1e-9)
        truth = scores.argmax(1)
        assert knn_accuracy(known, labels, queries, truth, k, temperature) == 1
        wrong = torch.cat([truth[:6], 2 - truth[6:] // 2])
        share = (wrong == truth).double().mean().item()
        assert knn_accuracy(
            known, labels.numpy(), queries, wrong.numpy(), k, temperature
        ) == pytest.approx(share)


def test_the_probe_is_softmax_regression(seeded: torch.Generator) -> None:
    """Against scikit-learn's, on classes that overlap; features of very different sizes."""
    y = torch.randint(0, 4, (400,), generator=seeded)
    X = torch.randn(400, 6, generator=seeded) + functional.one_hot(y, 6) * 1.5
    X = X * torch.tensor([1e-3, 1, 10, 1, 1e3, 0]) + 5
    known, others, truth = X[:300], X[300:], y[300:]
    found = linear_probe(known, y[:300], others, truth.numpy(), l2=0.1)
    scale = known.std(0, correction=0).clamp(min=1e-5)
    a, b = ((part - known.mean(0)) / scale for part in (known, others))
    wanted = LogisticRegression(C=1 / (300 * 0.1), max_iter=1000).fit(a, y[:300]).score(b, truth)
    assert found == pytest.approx(wanted, abs=0.011)
    assert 0.5 < wanted < 0.9
    with torch.no_grad():
        assert linear_probe(known, y[:300], others, truth) == pytest.approx(found)


def test_a_linear_problem_is_solved(seeded: torch.Generator) -> None:
    X = torch.randn(200, 3, generator=seeded)
    y = (X[:, 0] > 0).long() * 2
    assert linear_probe(X[:150], y[:150], X[150:], y[150:], l2=1e-4) > 0.95
    assert linear_probe(X[:150], y[:150], X[150:], 2 - y[150:], l2=1e-4) < 0.05


# --- an epoch of a classifier, and the monitor ---------------------------------------------------


def test_only_the_linear_layer_learns(seeded: torch.Generator) -> None:
    model = Model(width=2)
    classifier = Classifier(10, model)
    before = {name: value.clone() for name, value in classifier.state_dict().items()}
    x = torch.randn(12, 3, 32, 32, generator=seeded)
    loader = [(x[:8], torch.arange(8)), (x[8:], torch.arange(4))]
    optimizer = torch.optim.SGD(classifier.parameters(), 0.1)
    train_val(classifier, loader, optimizer, 1, 1)
    assert classifier.fc.training
    assert not any(module.training for module in classifier.f.modules())
    after = classifier.state_dict()
    changed = {name for name in before if not torch.equal(after[name], before[name])}
    assert changed == {"fc.weight", "fc.bias"}
    assert Classifier(3).fc.weight.shape == (3, 256), "the pretrained encoder by default"


def test_an_epoch_of_a_classifier_in_numbers(seeded: torch.Generator) -> None:
    """Batches of different sizes, and views with the target last, as a loader of pairs gives."""
    network = nn.Sequential(nn.Flatten(), nn.Linear(12, 7))
    x = torch.randn(20, 3, 2, 2, generator=seeded)
    y = torch.randint(0, 7, (20,), generator=seeded)
    scores = network(x).detach()
    order = scores.argsort(1, descending=True)
    for learns in (False, True):
        optimizer = torch.optim.SGD(network.parameters(), 0.0) if learns else None
        pairs = [(x[:13], x[:13] * 0, y[:13]), (x[13:], x[13:] * 0, y[13:])]
        loss, first, fifth = train_val(network, pairs, optimizer, 1, 2)
        assert loss == pytest.approx(functional.cross_entropy(scores, y).item(), rel=1e-5)
        assert first == pytest.approx(100 * (order[:, 0] == y).double().mean().item())
        assert fifth == pytest.approx(100 * (order[:, :5] == y[:, None]).any(1).double().mean())
        assert network.training is learns
    weights = network[1].weight.clone()
    train_val(network, [(x, y)], torch.optim.SGD(network.parameters(), 0.5), 1, 1)
    assert not torch.equal(network[1].weight, weights)
    assert train_val(network, [(x, y)], None, 1, 1)[0] < loss
    with pytest.raises(ValueError, match="gave no images"):
        train_val(network, [], None, 1, 1)


def test_the_knn_monitor(seeded: torch.Generator) -> None:
    model = Model(width=2).eval()
    x = torch.randn(50, 3, 32, 32, generator=seeded)
    y = torch.randint(0, 10, (50,), generator=seeded)
    memory = [(x[rows], x[rows], y[rows]) for rows in torch.arange(40).split(16)]
    first, fifth = training.test(model.train(), memory, [(x[40:], y[40:])], 1, 1, c=10, k=7)
    assert not model.training
    features = features_of(model, x)
    wanted = knn_accuracy(features[:40], y[:40], features[40:], y[40:], k=7)
    assert first == pytest.approx(100 * wanted)
    scores = knn_scores(features[:40], y[:40], features[40:], 10, 7)
    five = (scores.topk(5).indices == y[40:, None]).any(1)
    assert fifth == pytest.approx(100 * five.double().mean().item())
    with pytest.raises(ValueError, match="gave no images"):
        training.test(model, [], [(x, y)], 1, 1, c=10)
