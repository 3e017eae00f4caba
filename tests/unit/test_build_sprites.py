"""The sprite bank's script, on little packages made here: no network, no renderer."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from cs231n_lib.data.cifar10 import CIFAR10_CLASSES
from cs231n_lib.data.spritescenes import NOUNS

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = """
[[set]]
style = "tiny"
package = "@iconify-json/tiny"
version = "1.2.3"
title = "Tiny Icons"
author = "A. Painter"
licence = "MIT"
treatment = "ink"
[set.drawings]
frog = ["frog", "toad"]
ship = ["boat"]
[set.held_out_drawings]
frog = ["toad"]

[[set]]
style = "photo"
package = "pictures"
version = "1.0.0"
title = "Pictures"
author = "B. Painter"
licence = "CC0-1.0"
treatment = "colour"
files = "{}.png"
held_out = true
[set.drawings]
cat = ["tom"]
"""


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Scripts in tools/ import their neighbours, as Python does when it runs one."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    yield
    for name in ("build_sprites", "sprite_paint", "sprite_sources"):
        sys.modules.pop(name, None)


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    tiny, pictures = tmp_path / "iconify-json-tiny/package", tmp_path / "pictures/package"
    tiny.mkdir(parents=True)
    pictures.mkdir(parents=True)
    bodies = {name: {"body": f"<path id='{name}'/>"} for name in ("frog", "toad", "boat", "cow")}
    info = {"name": "Tiny Icons", "author": {"name": "A. Painter"}, "license": {"spdx": "MIT"}}
    (tiny / "icons.json").write_text(json.dumps({"icons": bodies, "width": 24, "height": 12}))
    (tiny / "info.json").write_text(json.dumps(info))
    (tiny / "package.json").write_text(json.dumps({"name": "tiny", "version": "1.2.3"}))
    (pictures / "package.json").write_text(
        json.dumps({"name": "pictures", "version": "1.0.0", "license": "CC0-1.0"})
    )
    Image.new("RGBA", (20, 10), (200, 100, 50, 255)).save(pictures / "tom.png")
    (tmp_path / "sprites.toml").write_text(MANIFEST)
    return tmp_path


def draw(content: str | Path) -> Image.Image:
    """Stands in for the renderer: a frame of black ink, or the picture itself."""
    if isinstance(content, Path):
        return Image.open(content).convert("RGBA")
    assert 'viewBox="0 0 24 12"' in content
    image = Image.new("RGBA", (96, 48))
    thickness = 4 if "boat" in content else 14
    ImageDraw.Draw(image).rectangle((10, 5, 80, 40), outline=(0, 0, 0, 255), width=thickness)
    return image


@pytest.mark.usefixtures("tools")
def test_bank_follows_the_manifest(packages: Path) -> None:
    import build_sprites

    sets = build_sprites.read_manifest(packages / "sprites.toml")
    arrays, drawings = build_sprites.build(sets, packages, draw)
    assert arrays["name"].tolist() == ["frog", "toad", "boat", "tom"]
    assert arrays["style"].tolist() == ["tiny", "tiny", "tiny", "photo"]
    assert arrays["label"].tolist() == [6, 6, 8, 3]
    assert arrays["held_out"].tolist() == [False, True, False, True]
    assert arrays["rgba"].shape == (4, 48, 48, 4)
    again, _ = build_sprites.build(sets, packages, draw)
    np.testing.assert_array_equal(arrays["rgba"], again["rgba"])

    table = build_sprites.attribution(sets, drawings)
    assert (
        "| `tiny` | 3 (1) | Tiny Icons | `@iconify-json/tiny` 1.2.3 | A. Painter | MIT |" in table
    )
    assert "| frog | 1 | 1 |" in table


@pytest.mark.usefixtures("tools")
def test_ink_is_filled_and_coloured(packages: Path) -> None:
    import build_sprites

    sets = build_sprites.read_manifest(packages / "sprites.toml")
    arrays, _ = build_sprites.build(sets, packages, draw)
    frog, boat, cat = arrays["rgba"][[0, 2, 3]].astype(int)
    assert frog[24, 24, 3] == boat[24, 24, 3] == 255  # what the frame encloses is filled
    assert frog[1, 1, 3] == 0  # what is outside is not
    assert frog[24, 4, 1] > frog[24, 4, 2]  # a silhouette has a coat; frogs are greenish
    assert boat[24, 1, :3].max() < boat[24, 24, :3].max()  # an outline stays darker than the coat
    assert cat[24, 24].tolist() == [200, 100, 50, 255]  # coloured drawings are left alone


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('licence = "MIT"', 'licence = "CC0-1.0"', "the manifest says licence 'CC0-1.0'"),
        ('licence = "MIT"', 'licence = "CC-BY-SA-4.0"', "is not among"),
        ('author = "A. Painter"', 'author = "Anon"', "the manifest says author 'Anon'"),
        ('version = "1.2.3"', 'version = "1.2.4"', "the manifest says version '1.2.4'"),
        ('ship = ["boat"]', 'ship = ["raft"]', "has no icon 'raft'"),
        ('ship = ["boat"]', 'sheep = ["boat"]', "'sheep' is no class"),
        ('frog = ["toad"]', 'frog = ["newt"]', "held out but not listed"),
        ('cat = ["tom"]', 'cat = ["tim"]', "has no file tim.png"),
        ('treatment = "ink"', 'treatment = "glue"', "choose colour, ink or ramp"),
    ],
)
def test_errors_say_what_is_wrong(old: str, new: str, message: str, packages: Path) -> None:
    import build_sprites

    manifest = packages / "sprites.toml"
    assert old in MANIFEST
    manifest.write_text(MANIFEST.replace(old, new))
    with pytest.raises(ValueError, match=message):
        build_sprites.build(build_sprites.read_manifest(manifest), packages, draw)


CLIP_ART = """<svg><!-- PublicDomain --><dc:creator><cc:Agent><dc:title>
  C. Painter</dc:title></cc:Agent></dc:creator></svg>"""
DEBIAN = """
[[set]]
style = "clip-art"
package = "openclipart-svg"
version = "1"
title = "Open Clip Art"
author = "see each drawing"
licence = "Public domain"
treatment = "ramp"
files = "svg/{}.svg"
[set.drawings]
dog = ["pets/rex"]
"""


@pytest.mark.usefixtures("tools")
def test_clip_art_names_its_artist_and_is_free(tmp_path: Path) -> None:
    import build_sprites

    (tmp_path / "sprites.toml").write_text(DEBIAN)
    drawing = tmp_path / "openclipart-svg/svg/pets/rex.svg"
    drawing.parent.mkdir(parents=True)
    drawing.write_text(CLIP_ART)
    sets = build_sprites.read_manifest(tmp_path / "sprites.toml")
    shades = Image.new("RGBA", (20, 20), (0, 0, 0, 255))
    shades.paste((128, 128, 128, 255), (10, 0, 20, 20))
    arrays, drawings = build_sprites.build(sets, tmp_path, lambda _: shades)
    assert "- C. Painter: `rex`" in build_sprites.attribution(sets, drawings)
    dark, coat = arrays["rgba"][0, 24, [12, 36], :3].astype(int)
    assert dark.tolist() == [38, 33, 30]  # in a drawing of shades, black stays dark ...
    assert coat.min() > dark.max()  # ... and the middle shade becomes coat

    drawing.write_text(CLIP_ART.replace("PublicDomain", ""))
    with pytest.raises(ValueError, match="does not say that it is in the public domain"):
        build_sprites.build(sets, tmp_path, lambda _: shades)


@pytest.mark.usefixtures("tools")
def test_command_ends_with_a_message_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import build_sprites

    bank, page = tmp_path / "sprites.npz", tmp_path / "SPRITES.md"
    page.write_text(
        "<!-- table: sprites.npz, made by a script -->\nold\n<!-- end of the table -->\n"
    )
    new = "<!-- table: sprites.npz, made by a script -->\nnew\n<!-- end of the table -->\n"
    assert build_sprites.with_table(page, "new\n") == new
    options = ["--packages", str(tmp_path), "--out", str(bank), "--attribution", str(page)]
    monkeypatch.setattr(sys, "argv", ["build_sprites.py", *options])
    with pytest.raises(SystemExit, match=r"error: .* is missing: unpack .* there \(--fetch\)"):
        build_sprites.main()
    assert not bank.exists()
    assert "old" in page.read_text()
    page.write_text("no table here")
    with pytest.raises(ValueError, match="to write the table into"):
        build_sprites.with_table(page, "new\n")


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize(
    ("bank", "classes"), [("sprites", CIFAR10_CLASSES), ("caption_sprites", NOUNS)]
)
def test_committed_bank_is_what_the_manifest_lists(bank: str, classes: tuple[str, ...]) -> None:
    import build_sprites

    manifest = ROOT / "tools" / f"{bank}.toml"
    assert build_sprites.read_classes(manifest) == classes
    listed = [
        (one.style, name, classes.index(label), one.is_held_out(label, name))
        for one in build_sprites.read_manifest(manifest)
        for label, names in one.drawings.items()
        for name in names
    ]
    with np.load(ROOT / "cs231n_lib" / "data" / f"{bank}.npz") as stored:
        columns = [stored[key].tolist() for key in ("style", "name", "label", "held_out")]
    assert listed == list(zip(*columns, strict=True))


@pytest.mark.usefixtures("tools")
def test_a_manifest_may_have_classes_of_its_own(packages: Path) -> None:
    import build_sprites

    manifest = packages / "sprites.toml"
    manifest.write_text('classes = ["ship", "cat", "frog"]\n' + MANIFEST)
    sets, classes = build_sprites.read_manifest(manifest), build_sprites.read_classes(manifest)
    arrays, drawings = build_sprites.build(sets, packages, draw, classes)
    assert arrays["label"].tolist() == [2, 2, 0, 1]
    table = build_sprites.attribution(sets, drawings, classes)
    assert table.index("| ship | 1 | 0 |") < table.index("| frog | 1 | 1 |")
    manifest.write_text('classes = ["ship", "cat"]\n' + MANIFEST)
    with pytest.raises(ValueError, match="'frog' is no class"):
        build_sprites.read_manifest(manifest)
