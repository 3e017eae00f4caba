"""The small CLIP, patch features, videos and masks; drop-ins with stand-ins for the real ones."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from cs231n_lib.clip_dino import (
    DavisDataset,
    DinoPatches,
    ImageNetPatches,
    SpriteVideos,
    clip,
    compute_iou,
    create_segmentation_overlay,
    dino_patches,
    drop_ins,
    ious,
    mask_frame_overlay,
    openai_clip,
    process_frames,
    process_masks,
)
from cs231n_lib.clip_dino.contrasts import KINDS, contrasts
from cs231n_lib.data.scene_captions import word_ids
from cs231n_lib.data.scene_pictures import scene_images
from cs231n_lib.errors import DataError

# -- the small CLIP --


def test_tokens_are_words_between_start_and_end() -> None:
    ids = word_ids()
    tokens = clip.tokenize(["A red ball!", "a zebra"])
    assert tokens.shape == (2, 17)
    assert tokens.dtype == torch.int32
    assert tokens[0, :6].tolist() == [1, ids["a"], ids["red"], ids["ball"], 2, 0]
    assert tokens[1, :5].tolist() == [1, ids["a"], 3, 2, 0]
    assert torch.equal(clip.tokenize("a red ball")[0], tokens[0])


def test_a_text_that_is_too_long_is_refused_or_cut() -> None:
    with pytest.raises(RuntimeError, match="has 16 words; 15 fit"):
        clip.tokenize(["dog " * 16])
    assert clip.tokenize(["dog " * 16], truncate=True)[0, -1] == 2


def test_preprocess_takes_the_middle_square_of_any_image() -> None:
    for size in ((64, 64), (200, 90), (30, 300)):
        assert clip.preprocess(Image.new("RGB", size)).shape == (3, 112, 112)
    white = clip.preprocess(Image.new("L", (50, 70), 255))
    torch.testing.assert_close(white, torch.full((3, 112, 112), 1.0))


def test_the_shipped_model_finds_the_captions_of_scenes() -> None:
    model, preprocess = clip.load()
    assert not model.training
    batch = torch.stack([preprocess(Image.fromarray(x)) for x in scene_images("val", [1, 48, 0])])
    texts = clip.tokenize(["a red car on the road", "four purple boats", "two penguins"])
    with torch.no_grad():
        images, words = model.encode_image(batch), model.encode_text(texts)
        logits, turned = model(batch, texts)
    assert images.shape == words.shape == (3, 128)
    cosines = functional.normalize(words) @ functional.normalize(images).T
    assert cosines.argmax(dim=0).tolist() == [0, 1, 2]
    torch.testing.assert_close(logits, turned.T)
    torch.testing.assert_close(logits / model.logit_scale.exp(), cosines.T)
    lengths = images.norm(dim=1)
    assert lengths.max() > 1.1 * lengths.min(), "dot products would not be cosines"


def test_there_is_one_model() -> None:
    assert clip.available_models() == ["tiny"]
    with pytest.raises(ValueError, match="no model 'ViT-B/32'"):
        clip.load("ViT-B/32")


@pytest.mark.parametrize("kind", KINDS)
def test_contrasts_differ_and_follow_the_seed(kind: str) -> None:
    images, right, wrong = contrasts(kind, 2)
    assert images.shape == (2, 64, 64, 3)
    for one, other in zip(right, wrong, strict=True):
        assert one != other
        assert set(one.split()) | set(other.split()) <= set(word_ids())
    again = contrasts(kind, 2)
    assert (again[1], again[2]) == (right, wrong)
    np.testing.assert_array_equal(again[0], images)


def test_an_unknown_contrast_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind 'size'; choose one of another thing"):
        contrasts("size", 1)


# -- videos and masks --


def test_videos_follow_their_number_and_have_exact_masks() -> None:
    videos = SpriteVideos(frames=3)
    for number in range(len(videos)):
        frames, masks = videos.get_sample(number)
        assert frames.shape == (3, 240, 240, 3)
        assert masks.shape == (3, 240, 240, 1)
        assert frames.dtype == masks.dtype == np.uint8
        assert set(np.unique(masks[0])) == set(range(len(videos.names(number))))
    np.testing.assert_array_equal(frames, videos.get_sample(number)[0])


def test_a_thing_may_leave_the_picture() -> None:
    _, masks = SpriteVideos().get_sample(1)
    assert (masks[0] == 2).any()
    assert not (masks[-1] == 2).any()


def test_there_is_no_fifth_video() -> None:
    with pytest.raises(IndexError, match="video 4: there are videos 0 to 3"):
        SpriteVideos().get_sample(4)
    with pytest.raises(ValueError, match="at least 2"):
        SpriteVideos(frames=1)


def test_patches_and_their_classes_share_a_grid() -> None:
    frames, masks = SpriteVideos(frames=2).get_sample(0)
    tokens = process_frames(frames, ImageNetPatches(), "cpu")
    classes = process_masks(masks, "cpu")
    assert tokens.shape == (2, 900, 152)
    assert classes.shape == (2, 900)
    assert classes.dtype == torch.int64
    tokens.requires_grad_()  # no tensor of inference mode
    shares = [(classes[0] == k).double().mean().item() for k in range(4)]
    exact = [(masks[0] == k).mean() for k in range(4)]
    assert shares == pytest.approx(exact, abs=0.01)
    alone = process_frames(frames[1:], ImageNetPatches(), "cpu")
    torch.testing.assert_close(alone[0], tokens[1].detach())


def test_masks_lie_where_they_belong() -> None:
    mask = np.zeros((4, 4), np.int64)
    mask[0, 3] = 2
    frame = np.full((8, 12, 3), 100, np.uint8)
    drawn = mask_frame_overlay(torch.from_numpy(mask.ravel()), frame)
    changed = (drawn != 100).any(axis=2)
    assert changed[:2, 9:].all()
    assert changed.sum() == 2 * 3
    whole = np.kron(mask, np.ones((2, 3), np.int64))
    np.testing.assert_array_equal(create_segmentation_overlay(whole, frame), drawn)
    with pytest.raises(ValueError, match="5 patches, which make no square"):
        mask_frame_overlay(np.zeros(5), frame)
    with pytest.raises(ValueError, match="shape"):
        create_segmentation_overlay(mask, frame)


def test_iou_by_hand() -> None:
    gt, pred = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 1, 1])
    np.testing.assert_allclose(ious(pred, gt, 3), [1 / 2, 2 / 3, np.nan], atol=1e-7)
    assert compute_iou(pred, gt, 3) == pytest.approx((1 / 2 + 2 / 3) / 3)
    assert compute_iou(gt, gt, 2) == pytest.approx(1)
    with pytest.raises(ValueError, match="pred has shape"):
        ious(pred[:2], gt, 2)


# -- the real ones --


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "clip", None)
    with pytest.raises(DataError, match="cannot be imported"):
        openai_clip()
    monkeypatch.setitem(sys.modules, "clip", ModuleType("clip"))
    with pytest.raises(DataError, match="is not OpenAI's"):
        openai_clip()
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    with pytest.raises(DataError, match="facebookresearch_dino_main is missing"):
        dino_patches()
    with pytest.raises(DataError, match="no JPEGImages/480p there"):
        DavisDataset(tmp_path)


def test_openais_package_is_taken_where_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = ModuleType("clip")
    package.__dict__.update(load=print, tokenize=print)
    monkeypatch.setitem(sys.modules, "clip", package)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"ViT-B-32\.pt is missing"):
        openai_clip()
    (tmp_path / ".cache" / "clip").mkdir(parents=True)
    (tmp_path / ".cache" / "clip" / drop_ins.CLIP_WEIGHTS).touch()
    assert openai_clip() is package


def test_dinos_class_token_is_left_out() -> None:
    layer = torch.arange(3601.0)[None, :, None].expand(1, -1, 384)
    network = SimpleNamespace(get_intermediate_layers=lambda x, n: [layer])
    model = DinoPatches.__new__(DinoPatches)
    torch.nn.Module.__init__(model)
    model.network = network
    tokens = process_frames(np.zeros((2, 48, 60, 3), np.uint8), model, "cpu")
    assert tokens.shape == (2, 3600, 384)
    assert tokens[0, 0, 0] == 1


def test_davis_is_read_as_it_is_unpacked(tmp_path: Path) -> None:
    for kind, ending in (("JPEGImages", "jpg"), ("Annotations", "png")):
        folder = tmp_path / kind / "480p" / "bear"
        folder.mkdir(parents=True)
        for number in range(2):
            mode = "RGB" if ending == "jpg" else "P"
            Image.new(mode, (12, 8), 1).save(folder / f"{number:05}.{ending}")
    davis = DavisDataset(tmp_path)
    frames, masks = davis.get_sample(0)
    assert (len(davis), frames.shape, masks.shape) == (1, (2, 8, 12, 3), (2, 8, 12, 1))
    assert (masks == 1).all()
    (tmp_path / "Annotations" / "480p" / "bear" / "00001.png").unlink()
    with pytest.raises(DataError, match=r"00001\.png is missing"):
        davis.get_sample(0)
